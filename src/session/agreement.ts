/**
 * What two peers settle inside TLS: abilities told, cipher and features chosen, and the data channel that follows.
 *
 * Each side tells what it can do (`IV_PROTO`, `IV_CIPHERS`, the options string); the server decides and pushes, the client
 * judges; a peer-to-peer pair computes the same on both ends. The outcome is one {@link Agreement}, which holds for every
 * later key of the session: renegotiations derive new keys and change nothing else (spec/session.md, "Agreement").
 */
import {
  acceptClientCipher,
  chooseServerCipher,
  chooseServerFeatures,
  type ChosenCipher,
  type CipherChoice,
  clientNegotiates,
  type CompressionFraming,
  featuresOf,
  type IvProtoBit,
  type Login,
  negotiateP2p,
  optionsStringCipher,
  optionsStringHasCompression,
  type OptionsStringInput,
  P2P_PEER_ID_LABEL,
  type PeerAbilities,
  type PeerInfo,
  peerHas,
  protoNumber,
  type ProtocolFeatures,
  type TunnelOptions,
  writeOptionsString,
  writePeerInfo,
} from '../control/index.ts'
import { isAead } from '../data/index.ts'
import type { TlsAgreement } from '../tls/index.ts'
import type { Agreement } from './agreed.ts'
import { type KeyMessageText, KeySource } from './key-source.ts'
import type { KeyState } from './key-state.ts'
import { ClientLogin } from './login.ts'
import type { PushConfig } from './config.ts'
import type { CloseReason } from './reasons.ts'
import type { ResolvedConfig } from './resolved-config.ts'

/** Version told as `IV_VER` unless the host says another: servers look at it. */
const PROTOCOL_VERSION = '2.7.0'

/** Longest username and token that can be pushed, in characters. */
const LONGEST_PUSHED_NAME = 192
const LONGEST_PUSHED_TOKEN = 256

/** What our abilities depend on. */
export type TlsBinding = Pick<TlsAgreement, 'extendedMasterSecret'>

/** An agreement, or why there is none. */
export type AgreementResult = Agreement | CloseReason

/** True for the reason of a failed agreement. */
export function isReason(result: AgreementResult): result is CloseReason {
  return 'type' in result
}

/** The `IV_PROTO` bits that are true for this side. SESS-50 */
export function ownProtoBits(config: ResolvedConfig, info: TlsBinding): readonly IvProtoBit[] {
  const bits: IvProtoBit[] = ['dataV2', 'ccExit', 'dataEpoch']
  // SESS-51: without a secret bound to the whole handshake the exporter is not safe.
  if (info.extendedMasterSecret) bits.push('tlsKeyExport', 'dynamicTlsCrypt')
  if (config.pointToPoint) bits.push('ncpP2p')
  else bits.push('requestPush', 'authPendingKeywords', 'authFailTemp', 'dnsOptionV2', 'pushUpdate')
  return bits
}

/** Everything the peer info tells. */
export function ownAbilities(config: ResolvedConfig, info: TlsBinding): PeerAbilities {
  const { peerInfo } = config
  const told = new Map(Object.entries(peerInfo.extra ?? {}).filter(([name]) => name.startsWith('UV_')))
  return {
    proto: ownProtoBits(config, info),
    ciphers: config.fallback === 'none' && !config.pointToPoint ? [...config.dataCiphers, 'none'] : config.dataCiphers,
    version: peerInfo.version ?? PROTOCOL_VERSION,
    platform: peerInfo.platform ?? 'linux',
    mtu: 1600,
    compression:
      config.allowCompression === 'no'
        ? { lzo: false, lz4: false, stubs: true }
        : { lzo: true, lz4: true, stubs: true },
    sso: peerInfo.sso?.split(','),
    guiVersion: peerInfo.guiVersion,
    userVariables: told,
  }
}

/** What our options string is made of. */
export function optionsInput(config: ResolvedConfig): OptionsStringInput {
  const { wrap, compression } = config
  return {
    role: config.role,
    pointToPoint: config.pointToPoint,
    device: config.device,
    transport: config.transport,
    tunMtu: config.tunMtu,
    cipher: config.statedCipher,
    dataCiphers: config.dataCiphers,
    auth: config.auth,
    framing: compression === 'none' ? 'none' : compression.endsWith('-v2') ? 'v2' : 'v1',
    fragment: config.fragment > 0,
    tlsAuth: wrap.type === 'tls-auth',
    keyDirection: wrap.type === 'tls-auth' ? wrap.direction : undefined,
  }
}

/** What our key message says beside its randoms. */
export function keyMessageText(config: ResolvedConfig, info: TlsBinding, login: Login | undefined): KeyMessageText {
  const full = config.peerInfo.pushPeerInfo === true ? 'full' : 'pull'
  const detail = config.pointToPoint ? 'p2p' : config.role === 'server' ? 'none' : full
  return {
    options: writeOptionsString(optionsInput(config)),
    login,
    peerInfo: writePeerInfo(ownAbilities(config, info), detail),
  }
}

/**
 * A key message that cannot be written shows before it is needed, also with the longest login that a server may push in
 * the configured one's place.
 * @throws UsageError
 */
export function checkKeyMessage(config: ResolvedConfig): void {
  const given = new ClientLogin(config.login, config.staticChallenge).current ?? { username: '', password: '' }
  const username = given.username.padEnd(LONGEST_PUSHED_NAME)
  const password = given.password.padEnd(LONGEST_PUSHED_TOKEN)
  const text = keyMessageText(config, { extendedMasterSecret: true }, { username, password })
  new KeySource(config.role, (length) => new Uint8Array(length)).write(text)
}

/** The client's side: the pushed options judged by what we allow. SESS-52 */
export function agreeAsClient(
  config: ResolvedConfig,
  info: TlsAgreement,
  options: TunnelOptions,
  peerOptionsString: string,
): AgreementResult {
  const { protocol } = options
  const choice = acceptClientCipher({
    ours: config.dataCiphers,
    fallback: config.fallback,
    pushed: protocol.cipher,
    optionsCipher: optionsStringCipher(peerOptionsString),
  })
  if (choice.type === 'failed') return cipherReason(choice)
  const features = featuresOf(protocol.protocolFlags, protocol.keyDerivation)
  const fault = featureFault(features, info, choice.cipher, protocol.peerId)
  if (fault !== undefined) return fault
  const { cipher } = choice
  return { ...features, cipher, auth: config.auth, sendPeerId: protocol.peerId, receivePeerId: undefined }
}

/** The server's side: its choice, and the lines that tell the client of it. SESS-53 */
export function agreeAsServer(
  config: ResolvedConfig,
  info: TlsAgreement,
  peerInfo: PeerInfo,
  peerOptionsString: string,
  { dataCiphers, peerId: assignedPeerId }: PushConfig,
): { readonly agreement: AgreementResult; readonly push: readonly string[] } {
  const ours = config.dataCiphers
  const choice = chooseServerCipher({
    // SESS-58: a client's own list chooses among the session's.
    ours: dataCiphers?.flatMap((name) => ours.filter((cipher) => cipher === name.toUpperCase())) ?? ours,
    fallback: config.fallback,
    peerInfo,
    optionsCipher: optionsStringCipher(peerOptionsString),
  })
  if (choice.type === 'failed') return { agreement: cipherReason(choice), push: [] }
  const { cipher } = choice
  const peerId = peerHas(peerInfo, 'dataV2') ? assignedPeerId : undefined
  // SESS-54: epoch packets carry a peer-id in any case, so without one the format is not offered.
  const own = ownProtoBits(config, info).filter((bit) => bit !== 'dataEpoch' || peerId !== undefined)
  const { features, push } = chooseServerFeatures(own, peerInfo, isAead(cipher))
  const lines = peerId === undefined ? [] : [`peer-id ${peerId}`]
  if (clientNegotiates(peerInfo)) lines.push(`cipher ${cipher}`)
  const moved = config.migrateCompression ? migrateCompression(peerOptionsString, peerInfo) : undefined
  if (moved !== undefined) lines.push(moved.line)
  const agreement = {
    ...features,
    cipher,
    auth: config.auth,
    ...(moved === undefined ? {} : { compression: moved.framing }),
    sendPeerId: peerId,
    receivePeerId: peerId,
  }
  return { agreement, push: [...lines, ...push] }
}

/** SESS-59: the newest framing without compression that a client with any framing understands. */
function migrateCompression(
  peerOptionsString: string,
  peerInfo: PeerInfo,
): { readonly framing: CompressionFraming; readonly line: string } | undefined {
  if (!optionsStringHasCompression(peerOptionsString)) return undefined
  return peerInfo.values.get('IV_COMP_STUBv2') === '1'
    ? { framing: 'stub-v2', line: 'compress stub-v2' }
    : { framing: 'comp-lzo', line: 'comp-lzo no' }
}

/** One end of a pair: the same computation on both. SESS-55 */
export function agreeAsPair(
  config: ResolvedConfig,
  key: KeyState,
  info: TlsAgreement,
  peerInfo: PeerInfo,
  peerOptionsString: string,
): AgreementResult {
  const result = negotiateP2p({
    role: config.role,
    ours: config.dataCiphers,
    fallback: config.fallback,
    ourProto: protoNumber(ownProtoBits(config, info)),
    peerInfo,
    optionsCipher: optionsStringCipher(peerOptionsString),
  })
  if (result.cipher.type === 'failed') return cipherReason(result.cipher)
  const { cipher, peerId } = result
  let send: number | undefined
  let receive: number | undefined
  if (peerId.type === 'fixed') send = peerId.peerId
  else if (peerId.type === 'exported') {
    const [high = 0, middle = 0, low = 0] = key.exportKey(P2P_PEER_ID_LABEL, 3)
    send = (high << 16) | (middle << 8) | low
  } else if (peerId.type === 'asymmetric') [send, receive] = [peerId.send, peerId.receive]
  const { keyDerivation, ccExit, dynamicTlsCrypt, epoch } = result
  const features = { keyDerivation, ccExit, dynamicTlsCrypt, epoch }
  const fault = featureFault(features, info, cipher.cipher, send)
  if (fault !== undefined) return fault
  return { ...features, cipher: cipher.cipher, auth: config.auth, sendPeerId: send, receivePeerId: receive }
}

/** SESS-56: features whose conditions do not hold end the attempt instead of weakening it. */
function featureFault(
  features: ProtocolFeatures,
  info: TlsAgreement,
  cipher: ChosenCipher,
  peerId: number | undefined,
): CloseReason | undefined {
  if ((features.keyDerivation === 'tls-ekm' || features.dynamicTlsCrypt) && !info.extendedMasterSecret) {
    const detail = 'the exporter needs TLS 1.3, or TLS 1.2 with extended_master_secret'
    return { type: 'incompatible', option: 'key-derivation', detail }
  }
  if (features.epoch && (!isAead(cipher) || peerId === undefined)) {
    const detail = 'aead-epoch needs an AEAD cipher and a pushed peer-id'
    return { type: 'incompatible', option: 'protocol-flags', detail }
  }
  return undefined
}

function cipherReason(choice: Extract<CipherChoice, { type: 'failed' }>): CloseReason {
  const peer = choice.peer.length === 0 ? 'nothing' : choice.peer.join(':').slice(0, 200)
  const detail = `${choice.reason}: we offer ${choice.ours.join(':')}, the peer ${peer}`
  return { type: 'incompatible', option: 'data-ciphers', detail }
}
