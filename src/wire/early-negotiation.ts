/**
 * What client and server settle before TLS: whether the wrapped client key is sent once more
 * (spec/wrapping.md, WRAP-60 to WRAP-64).
 *
 * A client that can repeat its wrapped key says so with the top byte of its first replay packet id. A server that wants to
 * stay without state answers with a list of settings in its hard reset: `u16 type | u16 length | value`, of which one exists,
 * flags, with one bit, "send the wrapped key again". Unknown settings are skipped, a list that does not parse is refused.
 */
import { Reader, Writer } from '../bytes/index.ts'
import type { WireProblem } from './problems.ts'

/** The replay packet id before the first one of a client that can repeat its wrapped key (WRAP-60). */
export const EARLY_NEGOTIATION_START = 0x0f000000
/** Setting type: flags, two bytes. */
export const SETTING_FLAGS = 0x0001
/** Flag: repeat the wrapped client key in the first CONTROL packet. */
export const FLAG_RESEND_WRAPPED_KEY = 0x0001

/** What a server's hard reset asks of the client. */
export interface ResetSettings {
  readonly resendWrappedKey: boolean
}

/** True when a client's first replay packet id says that it can repeat its wrapped key. */
export function supportsEarlyNegotiation(replayPacketId: number): boolean {
  return (replayPacketId & EARLY_NEGOTIATION_START) === EARLY_NEGOTIATION_START // WRAP-61
}

/** The payload of a server's hard reset; empty when nothing is asked. */
export function writeResetSettings(settings: ResetSettings): Uint8Array {
  if (!settings.resendWrappedKey) return new Uint8Array(0)
  return new Writer(6).u16(SETTING_FLAGS).u16(2).u16(FLAG_RESEND_WRAPPED_KEY).finish() // WRAP-62
}

/** The settings in a server's hard reset. An empty payload asks for nothing. */
export function parseResetSettings(payload: Uint8Array): ResetSettings | WireProblem {
  const reader = new Reader(payload)
  let resendWrappedKey = false
  while (reader.remaining > 0) {
    const type = reader.u16()
    const value = reader.vector(2)
    if (reader.failed) return 'early-negotiation-malformed' // WRAP-64
    if (type !== SETTING_FLAGS) continue // WRAP-63
    if (value.length !== 2) return 'early-negotiation-malformed'
    if (((value[1] as number) & FLAG_RESEND_WRAPPED_KEY) !== 0) resendWrappedKey = true
  }
  return { resendWrappedKey }
}
