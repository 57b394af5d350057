/**
 * First packets of strangers, made by hand under every wrap.
 */
import { concat } from '../../src/bytes/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import {
  type ControlPacket,
  type ControlWrap,
  createTlsAuthKeys,
  createTlsCryptKeys,
  Opcode,
  plainWrap,
} from '../../src/wire/index.ts'
import { PKI_NOW } from './pki.ts'
import { type WrapKind, wrapPair } from './wraps.ts'

/** The session id of a stranger. */
export const STRANGER_SESSION = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
const NONE = new Uint8Array(0)

/** A client's wrap, and what it appends to its first packets. */
export function clientWrap(kind: WrapKind): { wrap: ControlWrap; behind: Uint8Array } {
  const { client } = wrapPair(kind)
  if (client.type === 'tls-auth') {
    return { wrap: createTlsAuthKeys(nodeCrypto, client.key, client.direction, 'SHA1'), behind: NONE }
  }
  if (client.type === 'tls-crypt') return { wrap: createTlsCryptKeys(nodeCrypto, client.key, 'client'), behind: NONE }
  if (client.type !== 'tls-crypt-v2') return { wrap: plainWrap, behind: NONE }
  return { wrap: createTlsCryptKeys(nodeCrypto, client.key, 'client'), behind: client.wrappedKey }
}

/** A first packet; from replay id 0x0f000001 on it is one of a client that can repeat its wrapped key. */
export function reset(kind: WrapKind, replayId = 1, change: Partial<ControlPacket> = {}): Uint8Array {
  const { behind, wrap } = clientWrap(kind)
  const v2 = kind === 'tls-crypt-v2'
  const opcode = v2 ? Opcode.CONTROL_HARD_RESET_CLIENT_V3 : Opcode.CONTROL_HARD_RESET_CLIENT_V2
  const packet = { opcode, keyId: 0, sessionId: STRANGER_SESSION, acks: [], packetId: 0, payload: NONE, ...change }
  return concat(wrap.seal(packet, replayId, PKI_NOW / 1000), behind)
}
