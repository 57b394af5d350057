/**
 * An open TLS 1.3 connection: data, KeyUpdate both ways, tickets for a host that wants them (RFC 8446 sections 4.6 and 7.2).
 *
 * Both traffic secrets live here because each KeyUpdate replaces one. Requests to update are answered before the next data
 * leaves, once however many came, as RFC 8446 section 4.6.3 allows: a silent side cannot be made to work for each. Floods of post-handshake messages without data between them end the connection.
 */
import type { GroupName } from '../crypto/index.ts'
import { AlertError, demand } from './alerts.ts'
import type { Context } from './context.ts'
import { connectionInfo, type FinishedHandshake, leafOf } from './finished.ts'
import { type HandshakeMessage, handshakeMessage } from './handshake-stream.ts'
import { exportKey13, type HandshakeSecrets, nextTrafficSecret, trafficKeys } from './key-schedule.ts'
import { MAX_POST_HANDSHAKE } from './limits.ts'
import type { TlsAgreement } from './output.ts'
import { Opener13, Sealer13 } from './protection.ts'
import { type CipherSuite, HandshakeType } from './registry.ts'
import type { SessionOrigin } from './resumption.ts'
import { onTicket13, type ResumptionRoot } from './resumption13.ts'
import type { Transcript } from './transcript.ts'

/** A 1.3 handshake from its ServerHello on. */
export interface Keyed13 {
  readonly suite: CipherSuite
  readonly group: GroupName
  readonly retried: boolean
  readonly transcript: Transcript
  readonly secrets: HandshakeSecrets
  readonly applicationProtocol: string | undefined
  /** What a session of this connection would be of, where there may be one. */
  readonly origin: SessionOrigin | undefined
}

/** What a finished 1.3 handshake hands over. */
interface Finished13 extends FinishedHandshake {
  readonly retried: boolean
  readonly readSecret: Uint8Array
  readonly writeSecret: Uint8Array
  readonly exporterMasterSecret: Uint8Array
  /** Client that wants sessions. */
  readonly resumption: ResumptionRoot | undefined
}

/** The open state. */
export interface Open13 {
  readonly type: 'open-13'
  readonly suite: CipherSuite
  readonly info: TlsAgreement
  /** True when the peer's certificate was verified, and not absent. */
  readonly verified: boolean
  readonly readSecret: Uint8Array
  readonly writeSecret: Uint8Array
  readonly exporterMasterSecret: Uint8Array
  /** What sessions come of; `undefined` where none are wanted. */
  readonly resumption: ResumptionRoot | undefined
  /** The peer asked for a KeyUpdate, which goes out before the next data. */
  readonly owesUpdate: boolean
  /** Post-handshake messages since the last data. */
  readonly idleMessages: number
}

/** Announces the connection. */
export function connected13(context: Context, done: Finished13): Open13 {
  const { suite, retried, readSecret, writeSecret, exporterMasterSecret, resumption } = done
  const info = connectionInfo(done, {
    version: 'TLSv1.3',
    helloRetryRequest: retried,
    extendedMasterSecret: true,
    tlsUnique: undefined,
  })
  const peerLeaf = leafOf(done)
  context.emit({ type: 'connected', info: { ...info, peerLeaf } })
  return {
    type: 'open-13',
    suite,
    info,
    verified: peerLeaf !== undefined,
    readSecret,
    writeSecret,
    exporterMasterSecret,
    resumption,
    owesUpdate: false,
    idleMessages: 0,
  }
}

/** A handshake message on an open connection. */
export function onPostHandshake13(context: Context, state: Open13, message: HandshakeMessage): Open13 {
  const idleMessages = state.idleMessages + 1
  demand(idleMessages <= MAX_POST_HANDSHAKE, 'unexpected-message', 'too many messages without data') // TLS13-24
  if (message.type === HandshakeType.keyUpdate) return onKeyUpdate(context, { ...state, idleMessages }, message)
  const isTicket = message.type === HandshakeType.newSessionTicket && context.config.role === 'client'
  demand(isTicket, 'unexpected-message', `handshake message ${message.type} on an open connection`)
  onTicket13(context, state.resumption, state.suite, state.info, message.body)
  return { ...state, idleMessages }
}

/** TLS13-25, TLS13-26 */
function onKeyUpdate(context: Context, state: Open13, message: HandshakeMessage): Open13 {
  demand(message.body.length === 1, 'decode-error', 'the KeyUpdate is malformed')
  const request = message.body[0] as number
  if (request > 1) throw new AlertError('illegal-parameter', `KeyUpdate ${request}`)
  const { crypto, records } = context
  const readSecret = nextTrafficSecret(crypto, state.suite.hash, state.readSecret)
  records.setOpener(new Opener13(crypto, trafficKeys(crypto, state.suite, readSecret)))
  const updated = { ...state, readSecret }
  return request === 1 ? { ...updated, owesUpdate: true } : updated
}

/** Replaces the write key; `request` asks the peer to do the same. */
export function sendKeyUpdate(context: Context, state: Open13, request: boolean): Open13 {
  const { crypto, records } = context
  records.sendHandshake(handshakeMessage(HandshakeType.keyUpdate, Uint8Array.of(request ? 1 : 0)))
  const writeSecret = nextTrafficSecret(crypto, state.suite.hash, state.writeSecret)
  records.setSealer(new Sealer13(crypto, trafficKeys(crypto, state.suite, writeSecret)))
  return { ...state, writeSecret, owesUpdate: false }
}

/** Before data leaves: a KeyUpdate where the peer asked for one or the key sealed enough. TLS13-26, TLS13-27 */
export function beforeData13(context: Context, state: Open13): Open13 {
  return state.owesUpdate || context.records.worn ? sendKeyUpdate(context, state, false) : state
}

/** Exporter of an open connection. */
export function export13(
  context: Context,
  state: Open13,
  label: string,
  keyContext: Uint8Array,
  length: number,
): Uint8Array {
  return exportKey13(context.crypto, state.suite.hash, state.exporterMasterSecret, label, keyContext, length)
}
