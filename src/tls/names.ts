/**
 * The words that profiles use for suites, groups, versions and signature strength, and what they mean here.
 *
 * `tls-cipher` takes OpenSSL's names, IANA's names with dashes or underscores, and of OpenSSL's list language the part
 * that profiles in the wild use: keywords joined by `+`, and `!`, `-` or `+` in front. Suites that this engine does not
 * have are reported, not refused, because such lists commonly name them for other peers' sake. CBC suites are taken only
 * where their own name stands.
 */
import type { GroupName } from '../crypto/index.ts'
import {
  CIPHER_SUITES,
  type CipherSuite,
  type CipherSuiteName,
  GROUP_CODES,
  SIGNATURE_SCHEMES,
  type SignatureSchemeName,
  type TlsVersion,
} from './registry.ts'

/** A list as understood: what this engine has, in order, and the words that name nothing here. */
export interface NamedList<Name> {
  readonly names: readonly Name[]
  readonly unknown: readonly string[]
}

/** OpenSSL's name of a suite, e.g. `ECDHE-RSA-AES256-GCM-SHA384`; 1.3 suites have their IANA name. */
export function opensslCipherName(name: CipherSuiteName): string {
  if (!name.includes('_WITH_')) return name
  return name
    .slice('TLS_'.length)
    .replace('_WITH_', '_')
    .replace('CHACHA20_POLY1305_SHA256', 'CHACHA20_POLY1305')
    .replace('_CBC_', '_')
    .replace(/AES_(128|256)/, 'AES$1')
    .replaceAll('_', '-')
}

/** Every spelling of a suite's own name. */
function spellings({ name }: CipherSuite): readonly string[] {
  return [name, name.replaceAll('_', '-'), opensslCipherName(name)]
}

const BY_SPELLING = new Map(
  CIPHER_SUITES.flatMap((suite) => spellings(suite).map((text) => [text.toUpperCase(), suite])),
)

/** OpenSSL keywords that a 1.2 AEAD suite answers to. */
function keywords(suite: CipherSuite): ReadonlySet<string> {
  const words = [
    'ALL',
    'DEFAULT',
    'HIGH',
    'COMPLEMENTOFALL',
    'ECDHE',
    'EECDH',
    'KECDHE',
    'KEECDH',
    'TLSV1.2',
    suite.hash,
  ]
  words.push(...(suite.authentication === 'rsa' ? ['ARSA'] : ['ECDSA', 'AECDSA']))
  if (suite.protection.algorithm === 'CHACHA20-POLY1305') return new Set([...words, 'CHACHA20'])
  const bits = suite.protection.algorithm.includes('128') ? 'AES128' : 'AES256'
  return new Set([...words, 'AES', 'AESGCM', bits])
}

/** Reads a `tls-cipher` list (TLS-35), separated by colons, commas or blanks. */
export function parseTlsCipher(text: string): NamedList<CipherSuiteName> {
  let chosen: CipherSuite[] = []
  const banned = new Set<CipherSuite>()
  const unknown: string[] = []
  for (const word of split(text)) {
    if (word.startsWith('@')) continue // @SECLEVEL and @STRENGTH change nothing here.
    const operator = /^[!+-]/.test(word) ? word.charAt(0) : ''
    const suites = suitesOf(word.slice(operator.length))
    if (suites.length === 0 && operator === '') unknown.push(word)
    if (operator === '') chosen.push(...suites.filter((suite) => !chosen.includes(suite)))
    else if (operator === '+')
      chosen = [...chosen.filter((s) => !suites.includes(s)), ...chosen.filter((s) => suites.includes(s))]
    else chosen = chosen.filter((suite) => !suites.includes(suite))
    if (operator === '!') for (const suite of suites) banned.add(suite)
  }
  return { names: chosen.filter((suite) => !banned.has(suite)).map((suite) => suite.name), unknown }
}

function suitesOf(word: string): readonly CipherSuite[] {
  const upper = word.toUpperCase()
  const named = BY_SPELLING.get(upper)
  if (named !== undefined) return named.version === 'TLSv1.2' ? [named] : []
  const wanted = upper.split('+')
  return CIPHER_SUITES.filter((suite) => {
    if (suite.version !== 'TLSv1.2' || suite.protection.type !== 'aead') return false
    const own = keywords(suite)
    return wanted.every((keyword) => own.has(keyword))
  })
}

/** Reads a `tls-ciphersuites` list: names of 1.3 suites. */
export function parseTlsCiphersuites(text: string): NamedList<CipherSuiteName> {
  const names: CipherSuiteName[] = []
  const unknown: string[] = []
  for (const word of split(text)) {
    const suite = BY_SPELLING.get(word.toUpperCase())
    if (suite?.version !== 'TLSv1.3') unknown.push(word)
    else if (!names.includes(suite.name)) names.push(suite.name)
  }
  return { names, unknown }
}

/** OpenSSL's other names of the groups. */
const GROUP_ALIASES: Readonly<Record<string, GroupName>> = {
  'P-256': 'secp256r1',
  PRIME256V1: 'secp256r1',
  'P-384': 'secp384r1',
  'P-521': 'secp521r1',
}

/** Reads a `tls-groups` list. OpenSSL 3.5's marks for optional groups and key shares (`?`, `*`, `/`) are passed over. */
export function parseTlsGroups(text: string): NamedList<GroupName> {
  const names: GroupName[] = []
  const unknown: string[] = []
  for (const word of split(text.replaceAll('/', ':'))) {
    const upper = word.replace(/^[?*]+/, '').toUpperCase()
    const known = (Object.keys(GROUP_CODES) as GroupName[]).find((name) => name.toUpperCase() === upper)
    const group = known ?? GROUP_ALIASES[upper]
    if (group === undefined) unknown.push(word)
    else if (!names.includes(group)) names.push(group)
  }
  return { names, unknown }
}

/** Reads the number of `tls-version-min` or `tls-version-max`; versions below 1.2 count as 1.2 for a minimum. */
export function parseTlsVersion(text: string): TlsVersion | undefined {
  switch (text) {
    case '1.0':
    case '1.1':
    case '1.2':
      return 'TLSv1.2'
    case '1.3':
      return 'TLSv1.3'
    default:
      return undefined
  }
}

/** What a `tls-cert-profile` restricts besides the certificates themselves. */
export interface ProfileRestrictions {
  readonly cipherSuites?: readonly CipherSuiteName[]
  readonly groups?: readonly GroupName[]
  readonly signatureSchemes?: readonly SignatureSchemeName[]
}

/** `suiteb`: ECDSA and ECDH on P-256 and P-384 with AES-GCM only (RFC 6460). The other profiles leave TLS as it is. */
export function profileRestrictions(profile: 'insecure' | 'legacy' | 'preferred' | 'suiteb'): ProfileRestrictions {
  if (profile !== 'suiteb') return {}
  const fits = ({ protection, authentication }: CipherSuite) =>
    protection.type === 'aead' && protection.algorithm !== 'CHACHA20-POLY1305' && authentication !== 'rsa'
  return {
    cipherSuites: CIPHER_SUITES.filter(fits).map((suite) => suite.name),
    groups: ['secp256r1', 'secp384r1'],
    signatureSchemes: SIGNATURE_SCHEMES.filter(({ curve }) => curve === 'P-256' || curve === 'P-384').map(
      (s) => s.name,
    ),
  }
}

function split(text: string): readonly string[] {
  return text.split(/[:,\s]+/).filter((word) => word !== '')
}
