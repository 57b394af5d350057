/**
 * Names of TLS suites and groups as profiles spell them: OpenSSL's, IANA's, and what the TLS floor calls them.
 */
import type { GroupName } from '../crypto/index.ts'
import { CIPHER_SUITES, type CipherSuiteName, type TlsVersion } from '../tls/index.ts'

const GROUPS: ReadonlyMap<string, GroupName> = new Map([
  ['x25519', 'x25519'],
  ['secp256r1', 'secp256r1'],
  ['prime256v1', 'secp256r1'],
  ['p-256', 'secp256r1'],
  ['secp384r1', 'secp384r1'],
  ['p-384', 'secp384r1'],
  ['secp521r1', 'secp521r1'],
  ['p-521', 'secp521r1'],
  ['x25519mlkem768', 'X25519MLKEM768'],
])

const SUITES: ReadonlyMap<string, CipherSuiteName> = new Map(
  CIPHER_SUITES.flatMap(({ name }) => [
    [name, name] as const,
    [name.replaceAll('_', '-'), name] as const,
    [opensslName(name), name] as const,
  ]),
)

/** The groups of a `tls-groups` list that this library has, in the list's order. */
export function groupsOf(list: string): readonly GroupName[] {
  return known(list, (name) => GROUPS.get(name.toLowerCase()))
}

/** The suites of a `tls-cipher` or `tls-ciphersuites` list that this library has for that version, in the list's order. */
export function suitesOf(list: string, version: TlsVersion): readonly CipherSuiteName[] {
  const ofVersion = new Set(suitesFor(version))
  return known(list, (name) => SUITES.get(name)).filter((name) => ofVersion.has(name))
}

/** Every suite that a version can use and that nobody has to ask for by name. */
export function suitesFor(version: TlsVersion): readonly CipherSuiteName[] {
  return CIPHER_SUITES.filter((suite) => suite.version === version).map(({ name }) => name)
}

/** Every suite that is on by default. */
export function defaultSuitesFor(version: TlsVersion): readonly CipherSuiteName[] {
  return CIPHER_SUITES.filter((suite) => suite.version === version && suite.protection.type === 'aead').map(
    ({ name }) => name,
  )
}

/**
 * True for an OpenSSL expression rather than a list of names: it works on OpenSSL's own defaults, so this library keeps
 * to its own.
 */
export function isCipherExpression(list: string): boolean {
  return /[!@+]|(^|:)-|(^|:)(DEFAULT|HIGH|MEDIUM|ALL)\b/.test(list)
}

function known<T>(list: string, find: (name: string) => T | undefined): T[] {
  const found = list
    .split(':')
    .map(find)
    .filter((item) => item !== undefined)
  return [...new Set(found)]
}

/** OpenSSL's name of a TLS 1.2 suite, out of IANA's. */
function opensslName(name: string): string {
  return name
    .replace(/^TLS_RSA_WITH_/, '')
    .replace(/^TLS_/, '')
    .replace('_WITH_', '_')
    .replace(/AES_(128|256)/, 'AES$1')
    .replace('CHACHA20_POLY1305_SHA256', 'CHACHA20_POLY1305')
    .replace('_CBC_', '_')
    .replaceAll('_', '-')
}
