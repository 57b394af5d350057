/**
 * Which data cipher two peers use, and how peers without push agree on the rest (spec/negotiation.md).
 *
 * Three situations. A server chooses: the first cipher of its own list that the client can do, pushed to clients that
 * read it. A client judges: a pushed cipher must be in its own list; without one, the cipher in the server's options
 * string will do ("poor man's negotiation"), and then a configured fallback. A peer-to-peer pair computes: both sides run
 * the same function on both peer infos, with the TLS server's order deciding.
 *
 * Every result says how it came about, and every failure carries both lists, so that a host can explain it.
 */
import type { ChosenCipher, DataCipher } from './ciphers.ts'
import { cipherByName } from './ciphers.ts'
import { IvProto, type PeerInfo, peerHas } from './peer-info.ts'

/** How a cipher was found. */
export type CipherSource =
  /** Out of the peer's `IV_CIPHERS` or `IV_NCP`. */
  | 'negotiated'
  /** Pushed by the server. */
  | 'pushed'
  /** The cipher in the peer's options string. */
  | 'options-string'
  /** The configured `data-ciphers-fallback`. */
  | 'fallback'

/** Why no cipher was found. */
export type CipherFailure =
  /** Both lists are known and share nothing: add one of the peer's ciphers to `data-ciphers`. */
  | 'no-shared-cipher'
  /** The server pushed a cipher that is not in our list. */
  | 'pushed-cipher-not-allowed'
  /** The peer told nothing about its cipher: set `data-ciphers-fallback`. */
  | 'peer-cipher-unknown'

/** Result of a cipher negotiation. */
export type CipherChoice =
  | { readonly type: 'chosen'; readonly cipher: ChosenCipher; readonly source: CipherSource }
  | {
      readonly type: 'failed'
      readonly reason: CipherFailure
      /** Our list. */
      readonly ours: readonly string[]
      /** What is known of the peer: its list, its options string's cipher, or the pushed name. */
      readonly peer: readonly string[]
    }

/** What the peer's info and options string say about its ciphers, by exact name. NEG-9 */
export function peerCiphers(info: PeerInfo): readonly string[] {
  if (info.ciphers !== undefined) return info.ciphers
  return info.ncp >= 2 ? ['AES-256-GCM', 'AES-128-GCM'] : []
}

/** What a server knows when it chooses. */
export interface ServerCipherInput {
  /** Our `data-ciphers`, most wanted first. */
  readonly ours: readonly DataCipher[]
  readonly fallback: ChosenCipher | undefined
  readonly peerInfo: PeerInfo
  /** The client's options string's cipher, canonical; `undefined` when it shows none. */
  readonly optionsCipher: string | undefined
}

/** The server's choice. NEG-10 */
export function chooseServerCipher(input: ServerCipherInput): CipherChoice {
  const announced = peerCiphers(input.peerInfo)
  for (const cipher of input.ours) {
    if (announced.includes(cipher)) return { type: 'chosen', cipher, source: 'negotiated' }
    if (cipher === input.optionsCipher) return { type: 'chosen', cipher, source: 'options-string' }
  }
  // NEG-27: both ends ask for it, and share nothing better.
  if (input.fallback === 'none' && announced.includes('none'))
    return { type: 'chosen', cipher: 'none', source: 'negotiated' }
  if (announced.length > 0 || input.optionsCipher !== undefined) {
    const peer = announced.length > 0 ? announced : [input.optionsCipher as string]
    return { type: 'failed', reason: 'no-shared-cipher', ours: input.ours, peer }
  }
  return fallBack(input.fallback, input.ours)
}

/** True when a server should push the cipher: the client negotiates at all. NEG-11 */
export function clientNegotiates(info: PeerInfo): boolean {
  return info.ncp >= 2 || info.ciphers !== undefined
}

/** What a pulling client knows when all pushed options are there. */
export interface ClientCipherInput {
  readonly ours: readonly DataCipher[]
  readonly fallback: ChosenCipher | undefined
  /** The pushed `cipher`, as text. */
  readonly pushed: string | undefined
  /** The server's options string's cipher, canonical. */
  readonly optionsCipher: string | undefined
}

/** The client's judgement. NEG-12 */
export function acceptClientCipher(input: ClientCipherInput): CipherChoice {
  const { ours, fallback, pushed, optionsCipher } = input
  if (pushed !== undefined) {
    const name = pushed.toLowerCase() === 'none' ? 'none' : cipherByName(pushed)?.name
    if (name !== undefined && (ours.some((own) => own === name) || name === fallback))
      return { type: 'chosen', cipher: name, source: 'pushed' }
    return { type: 'failed', reason: 'pushed-cipher-not-allowed', ours, peer: [pushed] }
  }
  return withoutNegotiation(ours, fallback, optionsCipher)
}

/** NEG-13: the options string's cipher where our list has it, then the fallback. */
function withoutNegotiation(
  ours: readonly DataCipher[],
  fallback: ChosenCipher | undefined,
  optionsCipher: string | undefined,
): CipherChoice {
  for (const cipher of ours) if (cipher === optionsCipher) return { type: 'chosen', cipher, source: 'options-string' }
  // NEG-27: a peer that has a cipher is not sent plaintext.
  if ((fallback === undefined || fallback === 'none') && optionsCipher !== undefined)
    return { type: 'failed', reason: 'no-shared-cipher', ours, peer: [optionsCipher] }
  return fallBack(fallback, ours)
}

function fallBack(fallback: ChosenCipher | undefined, ours: readonly DataCipher[]): CipherChoice {
  if (fallback !== undefined) return { type: 'chosen', cipher: fallback, source: 'fallback' }
  return { type: 'failed', reason: 'peer-cipher-unknown', ours, peer: [] }
}

/** What one end of a peer-to-peer pair knows after both key method messages. */
export interface P2pInput {
  readonly role: 'client' | 'server'
  readonly ours: readonly DataCipher[]
  readonly fallback: ChosenCipher | undefined
  /** Our own `IV_PROTO`, as sent. */
  readonly ourProto: number
  readonly peerInfo: PeerInfo
  readonly optionsCipher: string | undefined
  /** The peer-id we announced with `ID=`, where asymmetric ids are wanted. */
  readonly ourPeerId?: number | undefined
}

/** How a pair's peer-id comes about. */
export type P2pPeerId =
  /** DATA_V1. */
  | { readonly type: 'none' }
  /** The same id both ways. */
  | { readonly type: 'fixed'; readonly peerId: number }
  /** The same id both ways: the first three bytes of the TLS exporter {@link P2P_PEER_ID_LABEL}, most significant first. */
  | { readonly type: 'exported' }
  /** Each side names the id it wants to receive. */
  | { readonly type: 'asymmetric'; readonly send: number; readonly receive: number }

/** What a peer-to-peer pair agreed on. */
export interface P2pAgreement {
  readonly cipher: CipherChoice
  readonly peerId: P2pPeerId
  readonly keyDerivation: KeyDerivation
  readonly ccExit: boolean
  readonly dynamicTlsCrypt: boolean
  readonly epoch: boolean
}

/** How data keys are made: the OpenVPN PRF over key method 2, or the TLS exporter. */
export type KeyDerivation = 'openvpn-prf' | 'tls-ekm'

/** TLS exporter label of the peer-id of a peer-to-peer pair (3 bytes, no context). */
export const P2P_PEER_ID_LABEL = 'EXPORTER-OpenVPN-p2p-peerid'
/** Peer-id of a pair that cannot export: `vpn` in ASCII. */
export const P2P_FIXED_PEER_ID = 0x76706e

/**
 * What both ends of a pair compute for themselves, on key id 0 only. NEG-14 to NEG-17
 */
export function negotiateP2p(input: P2pInput): P2pAgreement {
  const { peerInfo } = input
  const both = (bit: keyof typeof IvProto): boolean => peerHas(peerInfo, bit) && (input.ourProto & IvProto[bit]) !== 0
  const cipher = p2pCipher(input)
  // NEG-15: without the bit on both sides nothing but the cipher is negotiated.
  if (!both('ncpP2p')) {
    return {
      cipher,
      peerId: { type: 'none' },
      keyDerivation: 'openvpn-prf',
      ccExit: false,
      dynamicTlsCrypt: false,
      epoch: false,
    }
  }
  const exporter = both('tlsKeyExport')
  const aead = cipher.type === 'chosen' && cipherByName(cipher.cipher)?.aead === true
  return {
    cipher,
    peerId: p2pPeerId(input, both('dataV2'), exporter),
    keyDerivation: exporter ? 'tls-ekm' : 'openvpn-prf',
    ccExit: both('ccExit'),
    dynamicTlsCrypt: exporter && both('dynamicTlsCrypt'),
    epoch: exporter && aead && both('dataV2') && both('dataEpoch'), // NEG-17
  }
}

/** NEG-14: the TLS server's order decides, so both sides find the same. */
function p2pCipher(input: P2pInput): CipherChoice {
  const theirs = input.peerInfo.ciphers
  if (theirs !== undefined) {
    const server: readonly string[] = input.role === 'server' ? input.ours : theirs
    const client: readonly string[] = input.role === 'server' ? theirs : input.ours
    for (const name of server) {
      const cipher = input.ours.find((own) => own === name)
      if (cipher !== undefined && client.includes(name)) return { type: 'chosen', cipher, source: 'negotiated' }
    }
    const fallsBack = input.fallback !== undefined && input.fallback !== 'none' // NEG-27
    if (!fallsBack && !input.ours.some((own) => own === input.optionsCipher))
      return { type: 'failed', reason: 'no-shared-cipher', ours: input.ours, peer: theirs }
  }
  return withoutNegotiation(input.ours, input.fallback, input.optionsCipher)
}

/** NEG-16 */
function p2pPeerId(input: P2pInput, dataV2: boolean, exporter: boolean): P2pPeerId {
  if (!dataV2) return { type: 'none' }
  if (exporter && input.ourPeerId !== undefined && input.peerInfo.peerId !== undefined)
    return { type: 'asymmetric', send: input.peerInfo.peerId, receive: input.ourPeerId }
  return exporter ? { type: 'exported' } : { type: 'fixed', peerId: P2P_FIXED_PEER_ID }
}
