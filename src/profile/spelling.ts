/**
 * What somebody may have meant by a name that no release knows.
 */
import { DIRECTIVE_NAMES } from './table.ts'

/** Directives of other programs and patched builds that turn up in profiles, with what to do about them. */
const VENDOR_DIRECTIVES: ReadonlyMap<string, string> = new Map([
  ['scramble', 'use a server without the XOR patch, which the reference never took in'],
  ['xormask', 'use a server without the XOR patch, which the reference never took in'],
  ['xorptrpos', 'use a server without the XOR patch, which the reference never took in'],
  ['obfuscate', 'use a server without the XOR patch, which the reference never took in'],
  ['dhcp-options', 'write "dhcp-option", once for each option'],
  ['resolve-retry', 'write "resolv-retry"'],
  ['max-connect-retry', 'write "connect-retry-max"'],
  ['auth-gen-token-key', 'write "auth-gen-token-secret"'],
  ['tun-max-mtu', 'write "tun-mtu-max"'],
  ['data-ciphers-fallbacks', 'write "data-ciphers-fallback"'],
  ['tls-version', 'write "tls-version-min"'],
  ['redirect-gateway-ipv6', 'write "redirect-gateway ipv6"'],
])

/** What to do about a directive of some other program, or `undefined`. */
export function vendorDirective(name: string): string | undefined {
  return VENDOR_DIRECTIVES.get(name)
}

/** Names longer than this are not compared. */
const LONGEST = 40
/** Most letters that may differ. */
const FARTHEST = 2

/** The directive that differs least from `name`, by at most two letters; `undefined` when none does. */
export function nearestDirective(name: string): string | undefined {
  if (name.length < 3 || name.length > LONGEST) return undefined
  const lower = name.toLowerCase().replaceAll('_', '-')
  let best: string | undefined
  let distance = FARTHEST + 1
  for (const candidate of DIRECTIVE_NAMES) {
    if (Math.abs(candidate.length - lower.length) >= distance) continue
    const found = editDistance(lower, candidate, distance)
    if (found < distance) {
      distance = found
      best = candidate
    }
  }
  return best
}

/** Levenshtein distance, given up at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    let least = i
    for (let j = 1; j <= b.length; j++) {
      const same = a.charAt(i - 1) === b.charAt(j - 1) ? 0 : 1
      const value = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + same)
      row.push(value)
      least = Math.min(least, value)
    }
    if (least >= limit) return limit
    previous = row
  }
  return previous[b.length] ?? limit
}
