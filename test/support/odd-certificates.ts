/**
 * Certificates and revocation lists that are not quite as they should be: drafts field by field, and a list of single
 * oddities that a test can lay on them before they are signed.
 *
 * Each oddity is sound DER unless its name says otherwise, and the signature always covers what is there, so nothing but
 * the oddity itself can make a difference. Where OpenSSL and this library judge one differently by design the oddity says
 * which of the two is stricter, and why.
 */
import type { PrivateKey, SignatureAlgorithm } from '../../src/crypto/index.ts'
import { noble } from '../../src/crypto/index.ts'
import { TAG } from '../../src/x509/der.ts'
import {
  der,
  derAscii,
  derBits,
  derBoolean,
  derInteger,
  derNamedBits,
  derNull,
  derOctets,
  derOid,
  derSequence,
  derSet,
  derTime,
  derUtf8,
} from '../../src/x509/der-write.ts'
import { defaultSignature, keyIdentifier, writeName, writeSignatureAlgorithm } from '../../src/x509/issue.ts'
import { EXTENSION_OID as X, USAGE_OID } from '../../src/x509/oids.ts'
import { writePublicKeyInfo } from '../../src/x509/write-key.ts'
import { PKI_NOT_AFTER, PKI_NOT_BEFORE, PKI_NOW, toyKey } from './pki.ts'
import type { SeededRandom } from './random.ts'
import { seededSource } from './random.ts'

/** One extension before it is written; `raw` stands for the whole of it. */
interface DraftExtension {
  readonly oid: string
  critical?: boolean
  value: Uint8Array
  raw?: Uint8Array
}

/** A certificate before it is signed; every field is its encoding. */
export interface Draft {
  readonly key: PrivateKey
  readonly signer: PrivateKey
  version: readonly Uint8Array[]
  serial: Uint8Array
  algorithm: SignatureAlgorithm
  inner: Uint8Array
  outer: Uint8Array
  issuer: Uint8Array
  notBefore: Uint8Array
  notAfter: Uint8Array
  subject: Uint8Array
  keyInfo: Uint8Array
  identifiers: readonly Uint8Array[]
  extensions: DraftExtension[] | undefined
}

/** A revocation list before it is signed. */
export interface DraftList {
  key: PrivateKey
  version: readonly Uint8Array[]
  issuer: Uint8Array
  thisUpdate: Uint8Array
  nextUpdate: readonly Uint8Array[]
  entries: readonly Uint8Array[] | undefined
  extensions: DraftExtension[] | undefined
}

/** What an oddity is laid on: a certificate, the one above it if any, and the list that speaks of it if any. */
export interface Target {
  readonly draft: Draft
  readonly above: Draft | undefined
  readonly list: DraftList | undefined
}

/** A single oddity. */
export interface Oddity {
  readonly name: string
  readonly apply: (target: Target, random: SeededRandom) => void
  /** Why OpenSSL refuses what is taken here, where that is so. */
  readonly taken?: string
  /** Why it is refused here and not by OpenSSL, where that is so. */
  readonly refused?: string
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)
const attribute = (oid: string, value: Uint8Array): Uint8Array => derSequence(derOid(oid), value)
const COMMON_NAME = '2.5.4.3'
const named = (value: Uint8Array): Uint8Array => derSequence(derSet(attribute(COMMON_NAME, value)))
const dns = (name: string): Uint8Array => der(0x82, text(name))

let serials = 0

/** A draft of the usual form. */
export function draft(name: string, kind: 'ca' | 'server' | 'client', issuer?: Draft): Draft {
  const key = toyKey('P-256', 0, `odd/${name}`)
  const signer = issuer?.key ?? key
  const algorithm = defaultSignature(signer.public)
  const identifier = writeSignatureAlgorithm(algorithm)
  const subject = writeName([['CN', name]])
  const purpose = kind === 'server' ? USAGE_OID.serverAuth : USAGE_OID.clientAuth
  serials++
  return {
    key,
    signer,
    version: [der(0xa0, derInteger(2))],
    serial: der(TAG.integer, bytes(1, serials >> 8, serials)),
    algorithm,
    inner: identifier,
    outer: identifier,
    issuer: issuer?.subject ?? subject,
    notBefore: derTime(PKI_NOT_BEFORE),
    notAfter: derTime(PKI_NOT_AFTER),
    subject,
    keyInfo: writePublicKeyInfo(key.public),
    identifiers: [],
    extensions: [
      { oid: X.basicConstraints, critical: true, value: derSequence(...(kind === 'ca' ? [derBoolean(true)] : [])) },
      { oid: X.subjectKeyIdentifier, value: derOctets(keyIdentifier(key.public, noble)) },
      { oid: X.authorityKeyIdentifier, value: derSequence(der(0x80, keyIdentifier(signer.public, noble))) },
      { oid: X.keyUsage, critical: true, value: derNamedBits(kind === 'ca' ? 0x60 : 1) },
      ...(kind === 'ca' ? [] : [{ oid: X.extendedKeyUsage, value: derSequence(derOid(purpose)) }]),
    ],
  }
}

/** A current list of an issuer's, empty. */
export function draftList(issuer: Draft): DraftList {
  return {
    key: issuer.key,
    version: [derInteger(1)],
    issuer: issuer.subject,
    thisUpdate: derTime(PKI_NOW - 86_400_000),
    nextUpdate: [derTime(PKI_NOW + 86_400_000)],
    entries: undefined,
    extensions: [
      { oid: X.authorityKeyIdentifier, value: derSequence(der(0x80, keyIdentifier(issuer.key.public, noble))) },
      { oid: X.crlNumber, value: derInteger(1) },
    ],
  }
}

function writeDraftExtensions(extensions: readonly DraftExtension[]): Uint8Array {
  return derSequence(
    ...extensions.map(
      ({ oid, critical, value, raw }) =>
        raw ?? derSequence(derOid(oid), ...(critical === true ? [derBoolean(true)] : []), derOctets(value)),
    ),
  )
}

function sign(key: PrivateKey, algorithm: SignatureAlgorithm, outer: Uint8Array, tbs: Uint8Array): Uint8Array {
  return derSequence(tbs, outer, derBits(noble.sign(algorithm, key, tbs, seededSource('odd'))))
}

/** The certificate of a draft. */
export function signDraft(it: Draft): Uint8Array {
  const extensions = it.extensions === undefined ? [] : [der(0xa3, writeDraftExtensions(it.extensions))]
  const validity = derSequence(it.notBefore, it.notAfter)
  const start = [...it.version, it.serial, it.inner, it.issuer, validity, it.subject, it.keyInfo]
  return sign(it.signer, it.algorithm, it.outer, derSequence(...start, ...it.identifiers, ...extensions))
}

/** The list of a draft. */
export function signList(it: DraftList): Uint8Array {
  const algorithm = defaultSignature(it.key.public)
  const identifier = writeSignatureAlgorithm(algorithm)
  const entries = it.entries === undefined ? [] : [derSequence(...it.entries)]
  const extensions = it.extensions === undefined ? [] : [der(0xa0, writeDraftExtensions(it.extensions))]
  const fields = [...it.version, identifier, it.issuer, it.thisUpdate, ...it.nextUpdate, ...entries, ...extensions]
  return sign(it.key, algorithm, identifier, derSequence(...fields))
}

function put(
  of: { extensions: DraftExtension[] | undefined },
  oid: string,
  value?: Uint8Array,
  critical = false,
): void {
  const others = of.extensions?.filter((other) => other.oid !== oid)
  of.extensions = value === undefined ? others : [...(others ?? []), { oid, critical, value }]
}

/** Changes one field of the certificate. */
function field(name: string, change: (draft: Draft) => Partial<Draft>, difference: Difference = {}): Oddity {
  return { name, apply: ({ draft: it }) => Object.assign(it, change(it)), ...difference }
}

/** Puts one extension in the place of another of its kind. */
function extension(
  name: string,
  oid: string,
  value?: Uint8Array,
  critical = false,
  difference: Difference = {},
): Oddity {
  return { name, apply: ({ draft: it }) => put(it, oid, value, critical), ...difference }
}

/** Changes the list that speaks of the certificate. */
function list(name: string, change: (list: DraftList, draft: Draft) => void, difference: Difference = {}): Oddity {
  const apply = ({ list: it, draft: of }: Target): void => {
    if (it !== undefined) change(it, of)
  }
  return { name, apply, ...difference }
}

type Difference = Pick<Oddity, 'refused' | 'taken'>
const FORM = 'RFC 5280 gives it another form'
const HINT = 'key identifiers are hints (X509-29)'

const time = (tag: number, value: string): Uint8Array => der(tag, text(value))
const identifiers = (...values: Uint8Array[]): readonly Uint8Array[] => values
const entry = (serial: Uint8Array, ...more: Uint8Array[]): Uint8Array =>
  derSequence(serial, derTime(PKI_NOW - 86_400_000), ...more)
const entryExtension = (oid: string, value: Uint8Array, critical = false): Uint8Array =>
  derSequence(derSequence(derOid(oid), ...(critical ? [derBoolean(true)] : []), derOctets(value)))
const OTHER = der(TAG.integer, bytes(0x7a, 1))
const ecdsa = (hash: string, ...parameters: Uint8Array[]): Uint8Array =>
  derSequence(derOid(`1.2.840.10045.4.3.${hash}`), ...parameters)
const sequence = (...oids: string[]): Uint8Array => derSequence(...oids.map((oid) => derOid(oid)))
const permitted = (...names: Uint8Array[]): Uint8Array =>
  derSequence(der(0xa0, ...names.map((name) => derSequence(name))))
const uuidOid = der(TAG.oid, bytes(0x69, 0x83, 0xf0, 0x9d, 0xa7, 0xeb, 0xcf, 0xde, 0xe0, 0xc7, 0xa1, 0xa7, 0xb2, 0x76))

/** Oddities of certificates. */
export const CERTIFICATE_ODDITIES: readonly Oddity[] = [
  field('version 1 with extensions', () => ({ version: [] }), { refused: FORM }),
  field('version 1', () => ({ version: [], extensions: undefined }), {
    refused: 'X509-17 where another adds extensions',
  }),
  field('version 4', () => ({ version: [der(0xa0, derInteger(3))] }), { refused: FORM }),
  field('serial zero', () => ({ serial: derInteger(0) })),
  field('serial negative', () => ({ serial: der(TAG.integer, bytes(0x85, 1)) })),
  field('serial of 21 bytes', () => ({ serial: der(TAG.integer, new Uint8Array(21).fill(0x55)) })),
  field('serial padded', () => ({ serial: der(TAG.integer, bytes(0, 1, 2)) })),
  field('signed algorithm differs', () => ({ inner: ecdsa('3') }), { refused: 'X509-8, of trust anchors too' }),
  field('outer algorithm with NULL', () => ({ outer: ecdsa('2', derNull()) }), { refused: 'X509-8' }),
  field('algorithm with NULL', () => ({ inner: ecdsa('2', derNull()), outer: ecdsa('2', derNull()) }), {
    refused: 'X509-10',
  }),
  field('algorithm of another hash', () => ({ inner: ecdsa('3'), outer: ecdsa('3') })),
  field('time without seconds', () => ({ notBefore: time(TAG.utcTime, '2501010000Z') })),
  field('time with an offset', () => ({ notBefore: time(TAG.utcTime, '250101000000+0000') })),
  field('time with a fraction', () => ({ notBefore: time(TAG.generalizedTime, '20250101000000.5Z') })),
  field('GeneralizedTime before 2050', () => ({ notBefore: time(TAG.generalizedTime, '20250101000000Z') })),
  field('time of no day', () => ({ notBefore: time(TAG.utcTime, '250230000000Z') })),
  field('time of no hour', () => ({ notBefore: time(TAG.utcTime, '250101240000Z') })),
  field('without end', () => ({ notAfter: time(TAG.generalizedTime, '99991231235959Z') })),
  field('until now', () => ({ notAfter: derTime(PKI_NOW) })),
  field('unique identifiers', () => ({ identifiers: identifiers(der(0x81, bytes(0, 1)), der(0x82, bytes(0, 2))) })),
  field('unique identifier that is no bits', () => ({ identifiers: identifiers(der(0x81, bytes(9, 1))) })),
  field('unique identifier that is empty', () => ({ identifiers: identifiers(der(0x81)) })),
  field('unique identifiers out of order', () => ({
    identifiers: identifiers(der(0x82, bytes(0, 2)), der(0x81, bytes(0, 1))),
  })),
  field('no extensions', () => ({ extensions: undefined })),
  field('empty extensions', () => ({ extensions: [] }), { refused: FORM }),
  {
    name: 'an extension twice',
    apply: ({ draft: it }, random) => it.extensions?.push({ ...random.pick(it.extensions) }),
  },
  {
    name: 'trailing byte in an extension',
    apply: ({ draft: it }, random) => {
      const one = random.pick(it.extensions ?? [{ oid: '1.2.3', value: derNull() }])
      one.value = new Uint8Array([...one.value, 0])
    },
    refused: 'X509-4',
  },
  {
    name: 'critical written out as false',
    apply: ({ draft: it }, random) => {
      const one = random.pick(it.extensions ?? [{ oid: '1.2.3', value: derNull() }])
      one.raw = derSequence(derOid(one.oid), derBoolean(false), derOctets(one.value))
    },
  },
  extension('unknown extension', '1.2.3.4', derNull()),
  extension('unknown critical extension', '1.2.3.4', derNull(), true),
  extension('critical issuerAltName', X.issuerAltName, derSequence(dns('a.example')), true),
  extension('OCSP no check, critical', '1.3.6.1.5.5.7.48.1.5', derNull(), true, { refused: 'X509-14' }),
  extension('proxy certificate', '1.3.6.1.5.5.7.1.14', derSequence(sequence('1.3.6.1.5.5.7.21.1')), true),
  extension('no authority key', X.authorityKeyIdentifier),
  extension('another authority key', X.authorityKeyIdentifier, derSequence(der(0x80, bytes(1, 2))), false, {
    taken: HINT,
  }),
  extension('another authority serial', X.authorityKeyIdentifier, derSequence(der(0x82, bytes(9, 9))), false, {
    taken: HINT,
  }),
  extension('another subject key', X.subjectKeyIdentifier, derOctets(bytes(1, 2)), false, { taken: HINT }),
  extension('key identifier critical', X.subjectKeyIdentifier, derOctets(bytes(1)), true),
  field('PrintableString for UTF8String', (it) => ({ subject: named(derAscii(TAG.printableString, commonOf(it))) })),
  field('subject in capitals and spaces', (it) => ({ subject: named(derUtf8(`  ${commonOf(it).toUpperCase()} `)) })),
  field(
    'subject with an empty part',
    (it) => ({ subject: derSequence(derSet(), ...[named(derUtf8(commonOf(it))).slice(2)]) }),
    {
      refused: FORM,
    },
  ),
  field('subject with a NUL', () => ({ subject: named(derUtf8('a\0b')) }), { refused: 'X509-6' }),
  field('subject in bad UTF-8', () => ({ subject: named(der(TAG.utf8String, bytes(0xc3, 0x28))) })),
  field('subject in half a character', () => ({ subject: named(der(TAG.bmpString, bytes(0, 65, 0))) })),
  extension('no basicConstraints', X.basicConstraints),
  extension('basicConstraints not critical', X.basicConstraints, derSequence(derBoolean(true))),
  extension('path length zero', X.basicConstraints, derSequence(derBoolean(true), derInteger(0)), true),
  extension('path length below zero', X.basicConstraints, derSequence(derBoolean(true), der(2, bytes(255))), true),
  extension('path length without CA', X.basicConstraints, derSequence(derInteger(0)), true),
  extension('no key usage', X.keyUsage),
  extension('empty key usage', X.keyUsage, der(TAG.bitString, bytes(0)), true),
  extension('key usage keyAgreement', X.keyUsage, derNamedBits(16), true),
  extension('any extended key usage', X.extendedKeyUsage, sequence('2.5.29.37.0')),
  extension('empty extended key usage', X.extendedKeyUsage, derSequence()),
  extension('server’s usage', X.extendedKeyUsage, sequence(USAGE_OID.serverAuth), true),
  extension('client’s usage', X.extendedKeyUsage, sequence(USAGE_OID.clientAuth)),
  extension(
    'a usage with a long arc',
    X.extendedKeyUsage,
    derSequence(uuidOid, derOid(USAGE_OID.serverAuth), derOid(USAGE_OID.clientAuth)),
  ),
  extension('nsCertType server', X.nsCertType, der(TAG.bitString, bytes(6, 0x40))),
  extension('empty alternative names', X.subjectAltName, derSequence(), false, { refused: FORM }),
  extension('permitted DNS names', X.nameConstraints, permitted(dns('example.com')), true),
  extension('name outside of them', X.subjectAltName, derSequence(dns('a.example.org'))),
  extension('empty name constraints', X.nameConstraints, derSequence(), true, { refused: FORM }),
  extension('policy twice', X.certificatePolicies, derSequence(sequence('1.2.3'), sequence('1.2.3')), false, {
    refused: FORM,
  }),
  extension('a policy', X.certificatePolicies, derSequence(sequence('1.2.3'))),
  extension('explicit policy', X.policyConstraints, derSequence(der(0x80, bytes(0))), true, { refused: 'X509-72' }),
  field('curve left open', (it) => ({
    keyInfo: derSequence(derSequence(derOid('1.2.840.10045.2.1'), derNull()), derBits(pointOf(it))),
  })),
  field('point off the curve', (it) => ({
    keyInfo: derSequence(
      derSequence(derOid('1.2.840.10045.2.1'), derOid('1.2.840.10045.3.1.7')),
      derBits(pointOf(it).map((byte, index) => (index === 40 ? byte ^ 1 : byte))),
    ),
  })),
]

function pointOf({ key }: Draft): Uint8Array {
  return key.public.type === 'ec' ? key.public.point : new Uint8Array(65)
}

/** The common name of a usual draft's subject: SEQUENCE, SET, SEQUENCE, OID of three bytes, string. */
function commonOf({ subject }: Draft): string {
  return new TextDecoder().decode(subject.subarray(13))
}

/** Oddities of lists. */
export const LIST_ODDITIES: readonly Oddity[] = [
  list('as it should be', () => undefined),
  list('without an end', (it) => (it.nextUpdate = []), { refused: 'X509-85' }),
  list('ended', (it) => (it.nextUpdate = [derTime(PKI_NOW)])),
  list('from the future', (it) => (it.thisUpdate = derTime(PKI_NOW + 1000))),
  list('version 1', (it) => Object.assign(it, { version: [], extensions: undefined })),
  list('version 1 with extensions', (it) => (it.version = []), { refused: FORM }),
  list('version 3', (it) => (it.version = [derInteger(2)]), { refused: FORM }),
  list('another key', (it) => (it.key = toyKey('P-256', 0, 'odd/other'))),
  list('another issuer', (it) => (it.issuer = writeName([['CN', 'nobody']]))),
  list('unknown critical extension', (it) => put(it, '1.2.3.4', derNull(), true)),
  list('unknown extension', (it) => put(it, '1.2.3.4', derNull())),
  list('critical number', (it) => put(it, X.crlNumber, derInteger(1), true)),
  list('another authority key', (it) => put(it, X.authorityKeyIdentifier, derSequence(der(0x80, bytes(1))))),
  list('for users', (it) => put(it, X.issuingDistributionPoint, derSequence(der(0x81, bytes(255))), true)),
  list('for CAs', (it) => put(it, X.issuingDistributionPoint, derSequence(der(0x82, bytes(255))), true)),
  list('for attributes', (it) => put(it, X.issuingDistributionPoint, derSequence(der(0x85, bytes(255))), true)),
  list('for some reasons', (it) => put(it, X.issuingDistributionPoint, derSequence(der(0x83, bytes(5, 0x60))), true)),
  list('indirect', (it) => put(it, X.issuingDistributionPoint, derSequence(der(0x84, bytes(255))), true), {
    taken: 'OpenVPN does not ask OpenSSL for extended lists; X509-82',
  }),
  list('revoked', (it, of) => (it.entries = [entry(of.serial)])),
  list('another revoked', (it) => (it.entries = [entry(OTHER)])),
  list(
    'revoked by a padded serial',
    (it, of) => (it.entries = [entry(der(TAG.integer, bytes(0), of.serial.slice(2)))]),
  ),
  list(
    'taken off the list',
    (it, of) => (it.entries = [entry(of.serial, entryExtension(X.crlReason, der(10, bytes(8))))]),
    {
      refused: 'removeFromCRL belongs into delta lists',
    },
  ),
  list('on hold', (it, of) => (it.entries = [entry(of.serial, entryExtension(X.crlReason, der(10, bytes(6))))])),
  list('unknown critical entry', (it) => (it.entries = [entry(OTHER, entryExtension('1.2.3.4', derNull(), true))])),
  list(
    'an entry of another issuer',
    (it, of) =>
      (it.entries = [
        entry(of.serial, entryExtension(X.certificateIssuer, derSequence(der(0xa4, writeName([['CN', 'x']]))), true)),
      ]),
    { refused: 'X509-81' },
  ),
  list('no entries in the list of them', (it) => (it.entries = [])),
]
