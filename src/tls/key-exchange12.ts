/**
 * ServerKeyExchange and ClientKeyExchange for ECDHE (RFC 8422 section 5), and which keys and suites go together.
 *
 * Named curves only. The server's signature covers both randoms and the parameters exactly as sent.
 */
import { concat, Reader, Writer } from '../bytes/index.ts'
import type { GroupName, PublicKey } from '../crypto/index.ts'
import { demand } from './alerts.ts'
import { type DigitallySigned, readDigitallySigned } from './auth-messages.ts'
import { demandComplete } from './extensions.ts'
import { handshakeMessage } from './handshake-stream.ts'
import type { Randoms } from './key-schedule12.ts'
import { type CipherSuite, GROUP_CODES, HandshakeType, type SignatureScheme } from './registry.ts'

/** ECCurveType named_curve. */
const NAMED_CURVE = 3

/** A decoded ServerKeyExchange. */
export interface ServerKeyExchange {
  readonly group: number
  readonly share: Uint8Array
  readonly signed: DigitallySigned
  /** What the signature covers. */
  readonly content: Uint8Array
}

/** Reads a ServerKeyExchange body. @throws AlertError TLS12-6 */
export function readServerKeyExchange(body: Uint8Array, randoms: Randoms): ServerKeyExchange {
  const reader = new Reader(body)
  const curveType = reader.u8()
  const group = reader.u16()
  const share = reader.vector(1)
  const end = reader.offset
  demand(!reader.failed, 'decode-error', 'the ServerKeyExchange is malformed')
  demand(curveType === NAMED_CURVE, 'illegal-parameter', 'the server uses explicit curve parameters')
  const signed = readDigitallySigned(reader)
  demandComplete(reader, 'the ServerKeyExchange')
  return { group, share, signed, content: signedParameters(randoms, body.subarray(0, end)) }
}

/** ServerECDHParams. */
export function writeParameters(group: GroupName, share: Uint8Array): Uint8Array {
  return new Writer(4 + share.length).u8(NAMED_CURVE).u16(GROUP_CODES[group]).vector(1, share).finish()
}

/** What the server signs. */
export function signedParameters(randoms: Randoms, parameters: Uint8Array): Uint8Array {
  return concat(randoms.client, randoms.server, parameters)
}

/** A ServerKeyExchange message. */
export function writeServerKeyExchange(
  parameters: Uint8Array,
  scheme: SignatureScheme,
  signature: Uint8Array,
): Uint8Array {
  const body = new Writer(256).bytes(parameters).u16(scheme.id).vector(2, signature).finish()
  return handshakeMessage(HandshakeType.serverKeyExchange, body)
}

/** Reads a ClientKeyExchange body: the client's share. @throws AlertError */
export function readClientKeyExchange(body: Uint8Array): Uint8Array {
  const reader = new Reader(body)
  const share = reader.vector(1)
  demandComplete(reader, 'the ClientKeyExchange')
  return share
}

/** A ClientKeyExchange message. */
export function writeClientKeyExchange(share: Uint8Array): Uint8Array {
  return handshakeMessage(HandshakeType.clientKeyExchange, new Writer(1 + share.length).vector(1, share).finish())
}

/** True when a certificate's key can authenticate a suite. TLS12-5 */
export function keyFitsSuite(key: PublicKey, suite: CipherSuite): boolean {
  if (key.type === 'ml-dsa') return false // it signs in 1.3 only
  return (key.type === 'rsa') === (suite.authentication === 'rsa')
}

const CURVE_GROUPS = { 'P-256': 'secp256r1', 'P-384': 'secp384r1', 'P-521': 'secp521r1' } as const

/** The group that an ECDSA key's curve must be among (RFC 8422 section 5.1); `undefined` for other keys. TLS12-5 */
export function curveGroup(key: PublicKey): GroupName | undefined {
  return key.type === 'ec' ? CURVE_GROUPS[key.curve] : undefined
}
