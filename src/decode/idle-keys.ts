/**
 * Keys that were given and opened nothing: a person who gave one should hear of it rather than wonder why packets stay closed
 * (spec/decode.md, DEC-81).
 */
import type { KeyTexts, WrapName } from './keys.ts'
import type { DecodedPacket } from './packet.ts'

/** A kind of key that opened nothing. */
export interface IdleKeys {
  readonly kind: 'tls-auth' | 'tls-crypt' | 'tls-crypt-v2' | 'keylog'
  /** Why that may be, in a sentence without a full stop. */
  readonly reason: string
}

/**
 * The kinds of keys among `keys` of which none opened any of `packets`. Empty where there are no packets.
 *
 * @example
 * for (const { kind, reason } of idleKeys(keys, decoded.packets)) print(`${kind}: ${reason}`)
 */
export function idleKeys(keys: KeyTexts, packets: readonly DecodedPacket[]): readonly IdleKeys[] {
  if (packets.length === 0) return []
  const idle: IdleKeys[] = []
  const wrapKeys = { 'tls-auth': keys.tlsAuth, 'tls-crypt': keys.tlsCrypt, 'tls-crypt-v2': keys.tlsCryptV2 } as const
  for (const kind of ['tls-auth', 'tls-crypt', 'tls-crypt-v2'] as const) {
    if ((wrapKeys[kind] ?? []).length === 0) continue
    if (packets.some(({ control }) => control?.authentic === true && control.wrap === kind)) continue
    idle.push({ kind, reason: wrapReason(kind, packets) })
  }
  if ((keys.keyLogs ?? []).length > 0 && !packets.some(openedByKeyLog)) {
    idle.push({ kind: 'keylog', reason: keyLogReason(packets) })
  }
  return idle
}

/** Later keys may have a wrap of their own, which looks like tls-crypt. */
const FIRST_KEY = 0

function wrapReason(kind: WrapName, packets: readonly DecodedPacket[]): string {
  const looksWrapped = ({ control, keyId }: DecodedPacket): boolean =>
    keyId === FIRST_KEY && (control?.wrap === kind || (kind === 'tls-crypt-v2' && control?.wrap === 'tls-crypt'))
  return packets.some(looksWrapped)
    ? `the packets are wrapped with ${kind}, but under another key`
    : `no packet here is wrapped with ${kind}`
}

function openedByKeyLog({ control, data, said }: DecodedPacket): boolean {
  if (data?.opened === true || (control?.authentic === true && control.wrap === 'dynamic')) return true
  return said.some((item) => item.type !== 'tls-sealed' && (item.type !== 'tls' || item.protected))
}

function keyLogReason(packets: readonly DecodedPacket[]): string {
  const sealed = packets.some(
    ({ control, keyId }) => keyId === FIRST_KEY && control !== undefined && control.fields === undefined,
  )
  return sealed
    ? 'its secrets open none of these sessions; control packets here are encrypted, and their key opens them first'
    : 'its secrets are of other sessions'
}
