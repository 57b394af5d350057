/**
 * Building blocks for certificate tests: extensions by what they say, chains by a line each, and verification in one
 * call.
 */
import type { CryptoProvider } from '../../src/crypto/index.ts'
import { noble } from '../../src/crypto/index.ts'
import type {
  Extension,
  GeneralName,
  KeyUsage,
  PeerVerdict,
  PeerVerifierOptions,
  Purpose,
} from '../../src/x509/index.ts'
import { createPeerVerifier, issueCrl } from '../../src/x509/index.ts'
import { der, derBoolean, derInteger, derNamedBits, derOctets, derOid, derSequence } from '../../src/x509/der-write.ts'
import { keyUsageIndex } from '../../src/x509/extensions.ts'
import { writeGeneralName, writeName } from '../../src/x509/issue.ts'
import { EXTENSION_OID, USAGE_OID } from '../../src/x509/oids.ts'
import type { Identity, IssueOptions } from './pki.ts'
import { issue, PKI_NOW } from './pki.ts'
import { seededSource } from './random.ts'

/** An extension. */
export function ext(name: keyof typeof EXTENSION_OID | (string & {}), value: Uint8Array, critical = false): Extension {
  const oid = (EXTENSION_OID as Record<string, string>)[name] ?? name
  return { oid, critical, value }
}

/** basicConstraints; `ca` undefined leaves the field out. */
export function basicConstraints(ca: boolean | undefined, pathLength?: number, critical = true): Extension {
  const parts = [
    ...(ca === undefined ? [] : [derBoolean(ca)]),
    ...(pathLength === undefined ? [] : [derInteger(pathLength)]),
  ]
  return ext('basicConstraints', derSequence(...parts), critical)
}

/** keyUsage. */
export function keyUsage(...usages: readonly KeyUsage[]): Extension {
  return ext('keyUsage', derNamedBits(usages.reduce((mask, usage) => mask | (1 << keyUsageIndex(usage)), 0)), true)
}

/** extendedKeyUsage by short name of the two roles or dotted identifier. */
export function extendedKeyUsage(...usages: readonly string[]): Extension {
  const oids = usages.map((usage) => (USAGE_OID as Record<string, string>)[usage] ?? usage)
  return ext('extendedKeyUsage', derSequence(...oids.map((oid) => derOid(oid))))
}

/** A general name, `kind:value`; addresses as comma-separated bytes. */
export function general(text: string): GeneralName {
  const at = text.indexOf(':')
  const kind = text.slice(0, at)
  const value = text.slice(at + 1)
  switch (kind) {
    case 'dns':
    case 'email':
    case 'uri':
      return { type: kind, value }
    case 'ip':
      return { type: 'ip', value: new Uint8Array(value.split(',').map(Number)) }
    case 'other':
      return { type: 'other', tag: 0, raw: new Uint8Array(value.split(',').map(Number)) }
    default:
      throw new Error(`unknown kind ${kind}`)
  }
}

/** nameConstraints from general names or ready-made encodings. */
export function nameConstraints(
  permitted: readonly (string | GeneralName)[],
  excluded: readonly (string | GeneralName)[] = [],
): Extension {
  const subtrees = (tag: number, names: readonly (string | GeneralName)[]): Uint8Array[] =>
    names.length === 0
      ? []
      : [
          der(
            tag,
            ...names.map((name) => derSequence(writeGeneralName(typeof name === 'string' ? general(name) : name))),
          ),
        ]
  return ext('nameConstraints', derSequence(...subtrees(0xa0, permitted), ...subtrees(0xa1, excluded)), true)
}

/** certificatePolicies. */
export function policies(...oids: readonly string[]): Extension {
  return ext('certificatePolicies', derSequence(...oids.map((oid) => derSequence(derOid(oid)))))
}

/** policyMappings, as pairs of issuer's and subject's policy. */
export function policyMappings(...pairs: readonly (readonly [string, string])[]): Extension {
  return ext('policyMappings', derSequence(...pairs.map(([from, to]) => derSequence(derOid(from), derOid(to)))), true)
}

/** policyConstraints. */
export function policyConstraints(explicit: number | undefined, mapping?: number): Extension {
  const parts = [
    ...(explicit === undefined ? [] : [derInteger(explicit, 0x80)]),
    ...(mapping === undefined ? [] : [derInteger(mapping, 0x81)]),
  ]
  return ext('policyConstraints', derSequence(...parts), true)
}

/** inhibitAnyPolicy. */
export function inhibitAnyPolicy(skip: number): Extension {
  return ext('inhibitAnyPolicy', derInteger(skip), true)
}

/** A key identifier extension pair is left out of a certificate by putting these in the defaults' place. */
export const NO_AUTHORITY_KEY = ext('authorityKeyIdentifier', derSequence())
/** A subjectKeyIdentifier of the test's own. */
export function subjectKey(...bytes: readonly number[]): Extension {
  return ext('subjectKeyIdentifier', derOctets(new Uint8Array(bytes)))
}

let serial = 0

/** A CA under `issuer`, or a root, named by `name`. Names also seed keys, so equal names have equal keys. */
export function ca(name: string, issuer?: Identity, options: IssueOptions = {}): Identity {
  return issue(name, {
    kind: 'ca',
    subject: [['CN', name]],
    serial: new Uint8Array([1, ++serial >> 8, serial]),
    ...(issuer === undefined ? {} : { issuer }),
    ...options,
  })
}

/** A server certificate under `issuer`. */
export function leaf(name: string, issuer: Identity, options: IssueOptions = {}): Identity {
  return issue(name, {
    subject: [['CN', name]],
    serial: new Uint8Array([2, ++serial >> 8, serial]),
    issuer,
    ...options,
  })
}

/** A chain from a root to a leaf: the first identity is the root, the last the leaf. */
export interface VerifyOptions extends Omit<PeerVerifierOptions, 'ca'> {
  readonly purpose?: Purpose
  readonly now?: number
  readonly crypto?: CryptoProvider
}

/** Verifies the last of `chain` with the first as the only trust anchor and all between as the peer's intermediates. */
export function verify(chain: readonly Identity[], options: VerifyOptions = {}): PeerVerdict {
  const { purpose = 'server', now = PKI_NOW, crypto = noble, ...rest } = options
  const [root, ...others] = chain
  const received = others.length === 0 ? [root!.der] : others.reverse().map((identity) => identity.der)
  return createPeerVerifier({ ca: [root!.der], ...rest }).verify(received, purpose, now, crypto)
}

/** `verified`, or the problem. */
export function outcome(verdict: PeerVerdict): string {
  return verdict.type === 'verified' ? 'verified' : verdict.problem
}

/** A provider that counts signature checks. */
export function counting(crypto: CryptoProvider = noble): CryptoProvider & { readonly counts: { verify: number } } {
  const counts = { verify: 0 }
  const wrapped = Object.create(crypto) as CryptoProvider & { counts: { verify: number } }
  wrapped.verify = (...args) => {
    counts.verify++
    return crypto.verify(...args)
  }
  wrapped.counts = counts
  return wrapped
}

/** A provider that takes every signature for good, where a test is about something else and signatures cost time. */
export function trusting(crypto: CryptoProvider = noble): CryptoProvider {
  const wrapped = Object.create(crypto) as CryptoProvider
  wrapped.verify = () => true
  return wrapped
}

/** {@link verify} with signatures taken on trust. */
export function verifyUnsigned(chain: readonly Identity[], options: VerifyOptions = {}): PeerVerdict {
  return verify(chain, { crypto: trusting(), ...options })
}

/** What {@link crl} takes; all have defaults. */
export interface CrlOptions {
  readonly revoked?: readonly (Identity | { readonly identity: Identity; readonly extensions: readonly Extension[] })[]
  readonly thisUpdate?: number
  readonly nextUpdate?: number
  readonly number?: number
  readonly extensions?: readonly Extension[]
  /** Signs with this identity's key in the place of the issuer's own. */
  readonly signer?: Identity
}

/** A revocation list of `issuer`, current at {@link PKI_NOW}. */
export function crl(issuer: Identity, options: CrlOptions = {}): Uint8Array {
  const { revoked = [], signer = issuer, ...rest } = options
  return issueCrl(
    {
      issuer: issuer.certificate,
      signingKey: signer.key,
      thisUpdate: PKI_NOW - 3600_000,
      nextUpdate: PKI_NOW + 3600_000,
      ...rest,
      revoked: revoked.map((entry) => {
        const { identity, extensions } = 'identity' in entry ? entry : { identity: entry, extensions: [] }
        return { serial: identity.certificate.serial, revocationDate: PKI_NOW - 7200_000, extensions }
      }),
    },
    noble,
    seededSource('crl'),
  )
}

/** reasonCode of a list entry. */
export function reason(code: number): Extension {
  return ext('crlReason', new Uint8Array([0x0a, 1, code]))
}

/** A distribution point or issuing distribution point name: a directory name with one common name. */
export function pointName(common: string): Uint8Array {
  return der(0xa0, der(0xa0, der(0xa4, writeName([['CN', common]]))))
}

/** issuingDistributionPoint from its encoded fields. */
export function issuingPoint(...fields: readonly Uint8Array[]): Extension {
  return ext('issuingDistributionPoint', derSequence(...fields), true)
}

/** cRLDistributionPoints with one point from its encoded fields. */
export function distributionPoint(...fields: readonly Uint8Array[]): Extension {
  return ext('crlDistributionPoints', derSequence(derSequence(...fields)))
}

/** A context-tagged TRUE. */
export function flag(tag: number): Uint8Array {
  return der(tag, new Uint8Array([255]))
}
