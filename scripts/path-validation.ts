/**
 * `npm run path-validation -- CASES.json`: runs path-validation cases and reports one JSON line per case.
 *
 * Two schemas are understood: x509-limbo's (certificates in PEM inside each case) and the one made of NIST PKITS (named
 * certificates and lists beside the cases). Keys and signatures are judged by `tls-cert-profile preferred`. The last
 * line is `N passed, N failed` over the scored tiers. `profile` cases ask for rules that working OpenVPN PKIs break, and
 * `dsa` cases for a signature algorithm that is refused by design: both are printed but not scored, except that a DSA
 * case wrongly accepted counts as failed. Exit code 0 when no scored case failed, 1 otherwise, 2 when the file cannot be
 * used.
 */
import { readFileSync } from 'node:fs'
import { ConfigError } from '../src/bytes/index.ts'
import { noble } from '../src/crypto/index.ts'
import type { PeerVerdict, PeerVerifierOptions, Purpose } from '../src/x509/index.ts'
import { createPeerVerifier, parsePemCertificates } from '../src/x509/index.ts'

/** A case in a form that both schemas have. */
interface Case {
  readonly id: string
  readonly tier: string
  readonly expected: 'SUCCESS' | 'FAILURE'
  readonly purpose: Purpose
  readonly unixTime: number
  readonly chain: () => readonly Uint8Array[]
  readonly options: () => PeerVerifierOptions
}

interface LimboCase {
  readonly id: string
  readonly tier: string
  readonly validation_kind: string
  readonly trusted_certs: readonly string[]
  readonly untrusted_intermediates: readonly string[]
  readonly peer_certificate: string
  readonly validation_time: string | null
  readonly key_usage: readonly string[]
  readonly extended_key_usage: readonly string[]
  readonly crls: readonly string[]
  readonly expected_result: string
}

interface PkitsCase {
  readonly id: string
  readonly tier: string
  readonly certs: readonly string[]
  readonly crls: readonly string[]
  readonly expected: string
  readonly policy: Readonly<Record<string, string>>
}

interface CaseFile {
  readonly testcases: readonly (LimboCase | PkitsCase)[]
  readonly validation_time?: string
  readonly certs?: Readonly<Record<string, string>>
  readonly crls?: Readonly<Record<string, string>>
}

const UNSCORED = new Set(['profile', 'dsa'])
const KEY_USAGE_BITS: Readonly<Record<string, number>> = {
  digitalSignature: 0x80,
  contentCommitment: 0x40,
  nonRepudiation: 0x40,
  keyEncipherment: 0x20,
  dataEncipherment: 0x10,
  keyAgreement: 0x08,
  keyCertSign: 0x04,
  cRLSign: 0x02,
}

/** Policies 1 to 10 of the NIST suite, by the names its table uses. */
function policyOid(name: string): string {
  if (name === 'anyPolicy') return '2.5.29.32.0'
  const number = /^NIST-test-policy-(\d+)$/.exec(name)?.[1]
  if (number === undefined) throw new Error(`unknown policy ${name}`)
  return `2.16.840.1.101.3.2.1.48.${number}`
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}

function expectation(text: string): 'SUCCESS' | 'FAILURE' {
  return text === 'SUCCESS' ? 'SUCCESS' : 'FAILURE'
}

function fromLimbo(limbo: LimboCase): Case {
  const usages = limbo.key_usage.map((usage) => KEY_USAGE_BITS[usage] ?? 0)
  return {
    id: limbo.id,
    tier: limbo.tier,
    expected: expectation(limbo.expected_result),
    purpose: limboPurpose(limbo),
    unixTime: limbo.validation_time === null ? Date.now() : Date.parse(limbo.validation_time),
    chain: () => [limbo.peer_certificate, ...limbo.untrusted_intermediates].flatMap((pem) => parsePemCertificates(pem)),
    options: () => ({
      ca: limbo.trusted_certs.flatMap((pem) => parsePemCertificates(pem)),
      ...(limbo.crls.length === 0 ? {} : { crls: limbo.crls.join('\n') }),
      ...(usages.length === 0 ? {} : { remoteCertKu: [usages.reduce((mask, bit) => mask | bit, 0)] }),
      ...otherPurpose(limbo.extended_key_usage),
    }),
  }
}

/** Purposes are looked at where a case names one. */
function limboPurpose({ extended_key_usage: purposes }: LimboCase): Purpose {
  if (purposes.includes('clientAuth')) return 'client'
  return purposes.includes('serverAuth') ? 'server' : 'any'
}

/** A purpose that is neither end of TLS. */
function otherPurpose(purposes: readonly string[]): PeerVerifierOptions {
  const other = purposes.find((purpose) => purpose !== 'clientAuth' && purpose !== 'serverAuth')
  return other === undefined ? {} : { remoteCertEku: other }
}

function fromPkits(pkits: PkitsCase, file: CaseFile): Case {
  const certificate = (name: string): Uint8Array => fromBase64(file.certs?.[name] ?? '')
  const [anchor = '', ...others] = pkits.certs
  const list = pkits.policy['InitialPolicySet']?.replaceAll('"', '')
  const policies = list === undefined ? undefined : list.split(',').filter((name) => name !== '')
  return {
    id: pkits.id,
    tier: pkits.tier,
    expected: expectation(pkits.expected),
    purpose: 'any',
    unixTime: Date.parse(file.validation_time ?? ''),
    chain: () => others.reverse().map(certificate),
    options: () => ({
      ca: [certificate(anchor)],
      crls: pkits.crls.map((name) => fromBase64(file.crls?.[name] ?? '')),
      policy: {
        ...(policies === undefined ? {} : { acceptable: policies.map(policyOid) }),
        requireExplicitPolicy: pkits.policy['InitialExplicitPolicy'] === 'true',
        inhibitPolicyMapping: pkits.policy['InitialPolicyMappingInhibit'] === 'true',
        inhibitAnyPolicy: pkits.policy['InitialInhibitAnyPolicy'] === 'true',
      },
    }),
  }
}

/** Certificates or lists of the host's own that cannot be read leave nothing to trust. */
function run({ purpose, unixTime, chain, options }: Case): PeerVerdict {
  try {
    return createPeerVerifier({ ...options(), profile: 'preferred' }).verify(chain(), purpose, unixTime, noble)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { type: 'refused', problem: 'malformed-certificate', detail: error.message }
  }
}

function main(path: string | undefined): number {
  if (path === undefined) {
    console.error('usage: npm run path-validation -- CASES.json')
    return 2
  }
  const file = JSON.parse(readFileSync(path, 'utf8')) as CaseFile
  let passed = 0
  let failed = 0
  for (const raw of file.testcases) {
    const test = 'certs' in raw ? fromPkits(raw, file) : fromLimbo(raw)
    const start = performance.now()
    const verdict = run(test)
    const ms = Math.round((performance.now() - start) * 10) / 10
    const actual = verdict.type === 'verified' ? 'SUCCESS' : 'FAILURE'
    const reason = verdict.type === 'verified' ? {} : { problem: verdict.problem, detail: verdict.detail }
    console.log(JSON.stringify({ id: test.id, tier: test.tier, expected: test.expected, actual, ms, ...reason }))
    const falseAccept = actual === 'SUCCESS' && test.expected === 'FAILURE'
    if (UNSCORED.has(test.tier) && !(test.tier === 'dsa' && falseAccept)) continue
    if (actual === test.expected) passed++
    else failed++
  }
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

process.exitCode = main(process.argv[2])
