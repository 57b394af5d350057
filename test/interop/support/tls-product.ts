/**
 * Everything two TLS peers can agree on, as a list: version × suite × group × signature scheme with the kinds of keys that
 * fit, and a sample of it that still shows every pair of values.
 */
import type { GroupName } from '../../../src/crypto/index.ts'
import {
  CIPHER_SUITES,
  type CipherSuiteName,
  SIGNATURE_SCHEMES,
  type SignatureSchemeName,
  type TlsVersion,
} from '../../../src/tls/index.ts'
import { PKI_KINDS, type PkiKind } from '../../support/pki.ts'

/** One agreement. Both sides hold keys of the kind and sign with the scheme. */
export interface Agreement {
  readonly version: TlsVersion
  readonly suite: CipherSuiteName
  readonly group: GroupName
  /** The groups to offer: with 1.2 the curve of the certificate's key must be among them. */
  readonly offered: readonly GroupName[]
  readonly kind: PkiKind
  readonly scheme: SignatureSchemeName
}

const GROUPS: readonly GroupName[] = ['x25519', 'secp256r1', 'secp384r1', 'secp521r1', 'X25519MLKEM768']
const CURVE_GROUPS: Readonly<Partial<Record<PkiKind, GroupName>>> = {
  'P-256': 'secp256r1',
  'P-384': 'secp384r1',
  'P-521': 'secp521r1',
}

function keyOf(kind: PkiKind): string {
  return kind.startsWith('P-') ? 'ec' : kind === 'ed25519' ? kind : kind === 'rsa-pss-2048' ? 'rsa-pss' : 'rsa'
}

function schemesOf(version: TlsVersion, kind: PkiKind): readonly SignatureSchemeName[] {
  return SIGNATURE_SCHEMES.filter(
    ({ key, curve, versions }) =>
      key === keyOf(kind) &&
      versions.includes(version) &&
      (version === 'TLSv1.2' || curve === undefined || curve === kind),
  ).map(({ name }) => name)
}

/** The whole product. */
export const PRODUCT: readonly Agreement[] = (['TLSv1.2', 'TLSv1.3'] as const).flatMap((version) =>
  PKI_KINDS.flatMap((kind) =>
    schemesOf(version, kind).flatMap((scheme) =>
      CIPHER_SUITES.filter(
        ({ version: of, authentication }) =>
          of === version && (authentication === 'any' || (authentication === 'rsa') === kind.startsWith('rsa')),
      ).flatMap((suite) =>
        GROUPS.filter((group) => version === 'TLSv1.3' || group !== 'X25519MLKEM768').map((group) => {
          const curve = version === 'TLSv1.2' ? CURVE_GROUPS[kind] : undefined
          const offered = curve === undefined || curve === group ? [group] : [group, curve]
          return { version, suite: suite.name, group, offered, kind, scheme }
        }),
      ),
    ),
  ),
)

const DIMENSIONS = ['suite', 'group', 'kind', 'scheme'] as const

/** Every pair of values that an agreement shows. */
export function pairsOf(agreement: Agreement): readonly string[] {
  const values = DIMENSIONS.map((name) => `${agreement.version} ${agreement[name]}`)
  return values.flatMap((a, i) => values.slice(i + 1).map((b) => `${a} with ${b}`))
}

/** Few agreements that together show every pair of values. */
export function pairwise(all: readonly Agreement[]): readonly Agreement[] {
  const left = new Set(all.flatMap(pairsOf))
  const chosen: Agreement[] = []
  const count = (one: Agreement): number => pairsOf(one).filter((pair) => left.has(pair)).length
  // Greedy, the most telling ones first: a threshold that falls keeps this linear.
  for (let threshold = 6; threshold > 0; threshold--) {
    for (const one of all) {
      if (count(one) < threshold) continue
      chosen.push(one)
      for (const pair of pairsOf(one)) left.delete(pair)
    }
  }
  return chosen
}
