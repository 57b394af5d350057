/**
 * Proof of address without memory: the server's session id as a cookie (spec/wrapping.md, WRAP-70 to WRAP-77).
 *
 * A server answers a first reset with a session id made from the client's address, the client's session id and the time, and
 * forgets. Who acknowledges that answer has received it. The id is an HMAC under a secret of the server's, cut to 61 bits;
 * two bits tell the time slot modulo 4, so that a check costs one HMAC. The slot being and the two before are good.
 *
 * Only the first packets of a handshake can bring a cookie: key id 0, message and acknowledged ids of 0 or 1. All else from an
 * unknown address is refused before any key is touched.
 */
import { equalRangeConstantTime, invariant, UsageError, utf8Encode, Writer } from '../bytes/index.ts'
import type { CryptoProvider, Hmac } from '../crypto/index.ts'
import { type ControlPacket, SESSION_ID_LENGTH } from './control-packet.ts'
import { Opcode } from './opcodes.ts'
import type { WireProblem } from './problems.ts'

/** Shortest secret for cookies in bytes. */
export const MIN_COOKIE_SECRET = 16

/** Length of a time slot in ms: half the hand-window, rounded up to whole seconds (WRAP-72). */
export function cookieSlotLength(handWindow: number): number {
  return Math.max(1, Math.floor((Math.floor(handWindow / 1000) + 1) / 2)) * 1000
}

/** Makes and checks a server's cookies. */
export class ResetCookies {
  readonly #mac: Hmac
  readonly #slotLength: number

  /**
   * @param secret - random bytes, at least {@link MIN_COOKIE_SECRET}, one per server or shared by a fleet.
   * @param slotLength - ms; see {@link cookieSlotLength}.
   */
  constructor(crypto: CryptoProvider, secret: Uint8Array, slotLength: number) {
    if (secret.length < MIN_COOKIE_SECRET) throw new UsageError('a cookie secret has at least 16 bytes') // WRAP-70
    invariant(slotLength > 0, 'WRAP-72')
    this.#mac = crypto.createHmac('SHA256', secret)
    this.#slotLength = slotLength
  }

  #slotOf(now: number): number {
    return Math.floor(now / this.#slotLength)
  }

  /**
   * The server's session id for a client: the same within one time slot.
   *
   * @param address - source address with port and transport, as an opaque string of the host.
   * @param clientSessionId - 8 bytes.
   * @param now - ms, 0 or more, of a clock that all servers of a fleet share if they share the secret.
   */
  make(address: string, clientSessionId: Uint8Array, now: number): Uint8Array {
    return this.#cookie(address, clientSessionId, this.#slotOf(now))
  }

  /** True when `serverSessionId` was made for this client in this time slot or the two before. */
  check(address: string, clientSessionId: Uint8Array, serverSessionId: Uint8Array, now: number): boolean {
    if (serverSessionId.length !== SESSION_ID_LENGTH) return false
    const current = this.#slotOf(now)
    const age = (current - ((serverSessionId[7] as number) & 3)) & 3
    if (age > 2 || age > current) return false // WRAP-73
    const expected = this.#cookie(address, clientSessionId, current - age)
    return equalRangeConstantTime(serverSessionId, 0, expected, 0, SESSION_ID_LENGTH) // WRAP-74
  }

  /** Why a packet from an unknown address does not prove it; `undefined` when it does. */
  packetProblem(packet: ControlPacket, address: string, now: number): WireProblem | undefined {
    const problem = cookiePacketProblem(packet)
    if (problem !== undefined || packet.peerSessionId === undefined) return problem ?? 'cookie-missing'
    return this.check(address, packet.sessionId, packet.peerSessionId, now) ? undefined : 'cookie-invalid'
  }

  #cookie(address: string, clientSessionId: Uint8Array, slot: number): Uint8Array {
    invariant(clientSessionId.length === SESSION_ID_LENGTH, 'WRAP-71')
    const message = new Writer(64).u48(slot).bytes(clientSessionId).bytes(utf8Encode(address)) // WRAP-71
    const cookie = this.#mac.update(message.finish()).finish().slice(0, SESSION_ID_LENGTH)
    cookie[0] = (cookie[0] as number) | 1 // WRAP-75
    cookie[7] = ((cookie[7] as number) & 0xfc) | (slot & 3)
    return cookie
  }
}

/** Opcodes that can bring a cookie. */
const COOKIE_OPCODES: readonly number[] = [Opcode.CONTROL_V1, Opcode.ACK_V1, Opcode.CONTROL_WKC_V1]

/** Why a packet from an unknown address cannot bring a cookie; `undefined` when its peer session id may be checked. */
export function cookiePacketProblem(packet: ControlPacket): WireProblem | undefined {
  const early =
    COOKIE_OPCODES.includes(packet.opcode) &&
    packet.keyId === 0 &&
    packet.acks.length > 0 && // WRAP-76
    (packet.packetId ?? 0) <= 1 &&
    packet.acks.every((id) => id <= 1) // WRAP-77
  return early ? undefined : 'cookie-missing'
}
