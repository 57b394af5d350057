/**
 * The random half of a key message, and what comes of it together with the peer's (key source 2).
 *
 * The randoms are drawn once per negotiation. With the exporter they go over the wire all the same and count for nothing
 * (spec/rekeying.md, REKEY-3).
 */
import { EMPTY } from '../bytes/index.ts'
import {
  type ClientKeyMessage,
  KEY_RANDOM_LENGTH,
  type KeyMethodProblem,
  type Login,
  parseClientKeyMessage,
  parseServerKeyMessage,
  PRE_MASTER_LENGTH,
  type ServerKeyMessage,
  writeClientKeyMessage,
  writeServerKeyMessage,
} from '../control/index.ts'
import type { CryptoProvider, RandomSource } from '../crypto/index.ts'
import { deriveKeysPrf } from '../data/index.ts'

/** The texts of a key message. */
export interface KeyMessageText {
  readonly options: string
  readonly login?: Login | undefined
  readonly peerInfo?: string
}

/** Either side's key message. */
export type PeerKeyMessage = ServerKeyMessage | ClientKeyMessage

/** Our key source of one negotiation. */
export class KeySource {
  readonly #role: 'client' | 'server'
  readonly #random1: Uint8Array
  readonly #random2: Uint8Array
  readonly #preMaster: Uint8Array

  constructor(role: 'client' | 'server', random: RandomSource) {
    this.#role = role
    this.#random1 = random(KEY_RANDOM_LENGTH)
    this.#random2 = random(KEY_RANDOM_LENGTH)
    this.#preMaster = role === 'client' ? random(PRE_MASTER_LENGTH) : EMPTY
  }

  /** Our key message. */
  write(text: KeyMessageText): Uint8Array {
    const message = { ...text, random1: this.#random1, random2: this.#random2 }
    return this.#role === 'client'
      ? writeClientKeyMessage({ ...message, preMaster: this.#preMaster })
      : writeServerKeyMessage(message)
  }

  /** The peer's key message, or why it is none. */
  parse(bytes: Uint8Array): PeerKeyMessage | KeyMethodProblem {
    return this.#role === 'server' ? parseClientKeyMessage(bytes) : parseServerKeyMessage(bytes)
  }

  /** 256 bytes of key material by the OpenVPN PRF. */
  derive(
    crypto: CryptoProvider,
    peer: PeerKeyMessage,
    clientSessionId: Uint8Array,
    serverSessionId: Uint8Array,
  ): Uint8Array {
    const own = { random1: this.#random1, random2: this.#random2 }
    const [client, server] = this.#role === 'client' ? [own, peer] : [peer, own]
    return deriveKeysPrf(crypto, {
      preMaster: 'preMaster' in peer ? peer.preMaster : this.#preMaster,
      clientRandom1: client.random1,
      clientRandom2: client.random2,
      serverRandom1: server.random1,
      serverRandom2: server.random2,
      clientSessionId,
      serverSessionId,
    })
  }
}
