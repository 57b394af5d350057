/**
 * What an unknown address gets before any memory is spent on it (spec/server.md, "The front").
 *
 * A well-formed, authentic first packet is answered with a cookie as session id, and forgotten. Only who repeats the cookie
 * in the next packet has received that answer, so only then a client begins. The answer is never more than 1.3 times the
 * question on the wire, because the question is taken in full length only. With tls-crypt-v2 the client is asked to send its
 * wrapped key again together with the cookie; a client too old for that (2.5) begins at once where that is allowed.
 *
 * Keys are prepared once per server; per datagram the front costs one MAC of the wrap and one of the cookie.
 */
import { ConfigError } from '../bytes/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import type { ResumedReset, WrapConfig } from '../session/index.ts'
import {
  carriesWrappedKey,
  type ClientKeyMetadata,
  CONTROL_HEADER_LENGTH,
  type ControlPacket,
  type ControlWrap,
  createTlsAuthKeys,
  createTlsCryptKeys,
  createTlsCryptV2Wrapper,
  isClientKeyTooOld,
  isClientReset,
  type OpenedControl,
  Opcode,
  opcodeOf,
  opcodeProblem,
  plainWrap,
  ResetCookies,
  splitWrappedKey,
  type StaticKey,
  supportsEarlyNegotiation,
  type TlsCryptV2Wrapper,
  type WireProblem,
  writeResetSettings,
} from '../wire/index.ts'
import type { ServerConfig } from './config.ts'
import type { ServerDropReason } from './output.ts'

/** What the front says of a datagram from an unknown address. */
export type FrontVerdict =
  | { readonly type: 'drop'; readonly reason: WireProblem | ServerDropReason }
  /** Send this, keep nothing. */
  | { readonly type: 'answer'; readonly datagram: Uint8Array }
  /** A client begins: behind the cookie exchange, or (`resume` undefined) with this very packet. */
  | {
      readonly type: 'begin'
      readonly wrap: WrapConfig
      readonly resume: ResumedReset | undefined
      readonly keyMetadata: ClientKeyMetadata | undefined
    }

/** With what a client begins. */
export type Beginning = Extract<FrontVerdict, { type: 'begin' }>

/** A first packet out of its wrap. */
interface Opened {
  readonly opened: OpenedControl
  readonly wrap: ControlWrap
  readonly config: WrapConfig
  readonly clientKey: StaticKey | undefined
  readonly keyMetadata: ClientKeyMetadata | undefined
}

/** The wraps that a server understands, prepared. */
export class Front {
  readonly #crypto: CryptoProvider
  readonly #cookies: ResetCookies
  readonly #plain: { readonly config: WrapConfig; readonly wrap: ControlWrap } | undefined
  readonly #v2: { readonly config: WrapConfig; readonly wrapper: TlsCryptV2Wrapper } | undefined
  readonly #forceCookie: boolean
  readonly #maxAgeDays: number | undefined

  /** @throws ConfigError for wraps that do not go together. */
  constructor(config: ServerConfig, cookies: ResetCookies, crypto: CryptoProvider) {
    const wraps = config.wraps ?? []
    const v2 = wraps.find((wrap) => wrap.type === 'tls-crypt-v2-server')
    const others = wraps.filter((wrap) => wrap.type !== 'tls-crypt-v2-server' && wrap.type !== 'none')
    if (others.length > 1) throw new ConfigError('tls-crypt', 'tls-auth and tls-crypt exclude each other')
    const other = others[0] ?? (v2 === undefined ? ({ type: 'none' } as const) : undefined)
    this.#crypto = crypto
    this.#cookies = cookies
    this.#plain = other === undefined ? undefined : { config: other, wrap: prepare(other, config, crypto) }
    this.#v2 = v2 === undefined ? undefined : { config: v2, wrapper: createTlsCryptV2Wrapper(crypto, v2.serverKey) }
    this.#forceCookie = config.tlsCryptV2?.forceCookie ?? false
    this.#maxAgeDays = config.tlsCryptV2?.maxAgeDays
  }

  /** Judges a datagram from an address that belongs to nobody. `unixTime` in ms. */
  judge(datagram: Uint8Array, address: string, unixTime: number): FrontVerdict {
    const result = this.#open(datagram, unixTime)
    if (typeof result === 'string') return { type: 'drop', reason: result }
    const { opened, wrap, keyMetadata } = result
    const { packet } = opened
    if (!isClientReset(packet.opcode)) return this.#judgeCookie(result, address, unixTime)
    if (!isFirst(packet)) return { type: 'drop', reason: 'not-a-start' }
    const wrapped = packet.opcode === Opcode.CONTROL_HARD_RESET_CLIENT_V3
    if (wrapped && !supportsEarlyNegotiation(opened.replayPacketId)) {
      // SRV-6
      if (this.#forceCookie) return { type: 'drop', reason: 'cookie-required' }
      return { type: 'begin', wrap: result.config, resume: undefined, keyMetadata }
    }
    const answer: ControlPacket = {
      opcode: Opcode.CONTROL_HARD_RESET_SERVER_V2,
      keyId: 0,
      sessionId: this.#cookies.make(address, packet.sessionId, unixTime),
      acks: [0],
      peerSessionId: packet.sessionId,
      packetId: 0,
      payload: writeResetSettings({ resendWrappedKey: wrapped }),
    }
    return { type: 'answer', datagram: wrap.seal(answer, 1, Math.floor(unixTime / 1000)) } // SRV-2, SRV-3
  }

  /** Judges the first record of a TCP connection, whose address needs no proof. SRV-60 */
  judgeRecord(record: Uint8Array, unixTime: number): FrontVerdict {
    const result = this.#open(record, unixTime)
    if (typeof result === 'string') return { type: 'drop', reason: result }
    const { packet } = result.opened
    if (!isClientReset(packet.opcode) || !isFirst(packet)) return { type: 'drop', reason: 'not-a-start' }
    return { type: 'begin', wrap: result.config, resume: undefined, keyMetadata: result.keyMetadata }
  }

  /** SRV-4 */
  #judgeCookie(result: Opened, address: string, unixTime: number): FrontVerdict {
    const { packet } = result.opened
    const problem = this.#cookies.packetProblem(packet, address, unixTime)
    if (problem !== undefined || packet.peerSessionId === undefined) {
      return { type: 'drop', reason: problem ?? 'cookie-missing' }
    }
    const resume: ResumedReset = {
      sessionId: packet.peerSessionId,
      peerSessionId: packet.sessionId,
      replayPacketId: 1,
      ...(result.clientKey === undefined ? {} : { clientKey: result.clientKey }),
    }
    return { type: 'begin', wrap: result.config, resume, keyMetadata: result.keyMetadata }
  }

  /** The packet out of the wrap that its opcode names. SRV-5 */
  #open(datagram: Uint8Array, unixTime: number): Opened | WireProblem | ServerDropReason {
    if (datagram.length < CONTROL_HEADER_LENGTH) return 'too-short'
    const opcode = opcodeOf(datagram[0] as number)
    const problem = opcodeProblem(opcode, 'server')
    if (problem !== undefined) return problem
    if (carriesWrappedKey(opcode)) return this.#openV2(datagram, unixTime)
    if (this.#plain === undefined) return 'not-a-start'
    const { config, wrap } = this.#plain
    const opened = wrap.open(datagram)
    return typeof opened === 'string' ? opened : { opened, wrap, config, clientKey: undefined, keyMetadata: undefined }
  }

  #openV2(datagram: Uint8Array, unixTime: number): Opened | WireProblem | ServerDropReason {
    if (this.#v2 === undefined) return 'opcode-needs-wrapped-key'
    const parts = splitWrappedKey(datagram)
    if (typeof parts === 'string') return parts
    const client = this.#v2.wrapper.unwrap(parts.wrappedKey)
    if (typeof client === 'string') return client
    const { key, metadata } = client
    // SRV-7
    if (this.#maxAgeDays !== undefined && isClientKeyTooOld(metadata, this.#maxAgeDays, unixTime / 1000)) {
      return 'key-too-old'
    }
    const wrap = createTlsCryptKeys(this.#crypto, key, 'server')
    const opened = wrap.open(parts.packet)
    if (typeof opened === 'string') return opened
    return { opened, wrap, config: this.#v2.config, clientKey: key, keyMetadata: metadata }
  }
}

function prepare(wrap: WrapConfig, config: ServerConfig, crypto: CryptoProvider): ControlWrap {
  switch (wrap.type) {
    case 'tls-auth': {
      const auth = config.session?.auth ?? 'SHA1'
      return createTlsAuthKeys(crypto, wrap.key, wrap.direction, wrap.digest ?? (auth === 'none' ? 'SHA1' : auth))
    }
    case 'tls-crypt':
      return createTlsCryptKeys(crypto, wrap.key, 'server')
    case 'tls-crypt-v2':
      throw new ConfigError('tls-crypt-v2', 'a server takes a tls-crypt-v2 server key, not a client key')
    case 'none':
    case 'tls-crypt-v2-server':
      return plainWrap
  }
}

/** A reset that can open a session: message 0 of key id 0, acknowledging nothing. */
function isFirst(packet: ControlPacket): boolean {
  return packet.keyId === 0 && packet.packetId === 0 && packet.acks.length === 0
}
