/**
 * Certificate revocation lists: reading (RFC 5280 section 5), without judging them.
 *
 * Lists can be large, so entries are stepped over one by one and kept as a map from serial number to reason; the rest is
 * read like a certificate. Entries of an indirect list are filed under the issuer they name. What is not understood but
 * critical is remembered and makes the list unusable later. Rules X509-80 and X509-81.
 */
import { EMPTY, equalBytes, toHex } from '../bytes/index.ts'
import { readSignatureAlgorithm } from './algorithm.ts'
import type { DerNode } from './der.ts'
import { checkInteger, DerBudget, DerCursor, parseDer, TAG } from './der.ts'
import { Fields, readBoolean, readNamedBits, readSmallInteger } from './der-read.ts'
import { readAuthorityKeyIdentifier, readExtensionList, readPointName } from './extensions.ts'
import { CertificateFault, malformed } from './fault.ts'
import { readGeneralNames } from './general-name.ts'
import { nameKey, readName } from './name.ts'
import { EXTENSION_OID } from './oids.ts'
import { readTime } from './time.ts'
import type { AuthorityKeyIdentifier, CertificateSignatureAlgorithm, Extension, GeneralName, Name } from './types.ts'

/** Longest list read, in bytes. */
export const MAX_CRL_LENGTH = 16 * 1024 * 1024

/** issuingDistributionPoint: what a list covers. */
export interface CrlScope {
  readonly names: readonly GeneralName[] | undefined
  readonly onlyUserCertificates: boolean
  readonly onlyCaCertificates: boolean
  readonly onlyAttributeCertificates: boolean
  /** Mask of reason flags; `undefined` means all. */
  readonly reasons: number | undefined
  readonly indirect: boolean
}

/** A parsed list. */
export interface Crl {
  readonly tbs: Uint8Array
  readonly signatureAlgorithm: CertificateSignatureAlgorithm
  readonly signature: Uint8Array
  readonly issuer: Name
  /** Unix milliseconds. */
  readonly thisUpdate: number
  /** Unix milliseconds; `undefined` when the list names no end. */
  readonly nextUpdate: number | undefined
  /** Reason code by hex serial contents, by the key of the certificate issuer's name. */
  readonly entries: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly number: bigint | undefined
  /** For a delta list: the number of the complete list it builds on. */
  readonly baseNumber: bigint | undefined
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined
  readonly scope: CrlScope | undefined
  /** Hex of the issuingDistributionPoint: lists with the same value divide the certificates alike. */
  readonly scopeKey: string
  /** The first critical extension of the list or of an entry that is not understood. */
  readonly unknownCritical: string | undefined
}

/** Reason code that takes a certificate off a delta list's base. */
export const REASON_REMOVE = 8

const LIST_UNDERSTOOD: ReadonlySet<string> = new Set([
  EXTENSION_OID.issuingDistributionPoint,
  EXTENSION_OID.deltaCrlIndicator,
  EXTENSION_OID.authorityKeyIdentifier,
])
const ENTRY_UNDERSTOOD: ReadonlySet<string> = new Set([EXTENSION_OID.crlReason, EXTENSION_OID.certificateIssuer])

/** Reads a list. @throws CertificateFault */
export function readCrl(bytes: Uint8Array): Crl {
  if (bytes.length > MAX_CRL_LENGTH) {
    throw new CertificateFault('certificate-too-complex', `It is longer than ${MAX_CRL_LENGTH} bytes.`)
  }
  const outer = new DerCursor(bytes.slice())
  if (!outer.next() || outer.tag !== TAG.sequence || outer.offset !== outer.end) malformed('It is not one list.')
  const list = outer.enter()
  if (!list.next() || list.tag !== TAG.sequence) malformed('It has no signed part.')
  const tbs = list.value
  const fields = list.enter()
  const outerAlgorithm = takeNode(list)
  const signature = takeSignature(list)
  if (list.offset !== list.end) malformed('It has more fields than a list may have.')
  return { tbs, signature, ...readSigned(fields, outerAlgorithm) }
}

function isTime(tag: number): boolean {
  return tag === TAG.utcTime || tag === TAG.generalizedTime
}

/** A signature that is no whole number of octets verifies under no key, which is for the revocation check to say. */
function takeSignature(list: DerCursor): Uint8Array {
  if (!list.next() || list.tag !== TAG.bitString) malformed('It has no signature.')
  return list.content[0] === 0 ? list.content.subarray(1) : EMPTY
}

function takeNode(cursor: DerCursor): DerNode {
  if (!cursor.next()) malformed('A field is missing.')
  return parseDer(cursor.value, new DerBudget(1000))
}

function readSigned(fields: DerCursor, outerAlgorithm: DerNode): Omit<Crl, 'tbs' | 'signature'> {
  let node = takeNode(fields)
  const version = node.tag === TAG.integer ? readSmallInteger(node) + 1 : 1
  if (version > 2) malformed('Its version is not known.')
  if (node.tag === TAG.integer) node = takeNode(fields)
  if (!equalBytes(node.bytes, outerAlgorithm.bytes)) malformed('Its two signature algorithm fields differ.')
  const issuer = readName(takeNode(fields))
  const thisUpdate = readTime(takeNode(fields))
  let more = fields.next()
  let nextUpdate: number | undefined
  if (more && isTime(fields.tag)) {
    nextUpdate = readTime(parseDer(fields.value, new DerBudget(1)))
    more = fields.next()
  }
  let entries: Entries = { byIssuer: new Map(), unknownCritical: undefined, namesIssuers: false }
  if (more && fields.tag === TAG.sequence) {
    entries = readEntries(fields.enter(), issuer)
    more = fields.next()
  }
  let extensions: readonly Extension[] = []
  if (more && fields.tag === 0xa0 && version === 2) {
    const wrapper = fields.enter()
    extensions = readExtensionList(takeNode(wrapper))
    if (wrapper.offset !== wrapper.end) malformed('Its extensions are malformed.')
    more = fields.next()
  }
  if (more) malformed('It has a field that is not known.')
  const value = (oid: string): DerNode | undefined => {
    const extension = extensions.find((candidate) => candidate.oid === oid)
    return extension && parseDer(extension.value, new DerBudget(1000))
  }
  const scopeNode = value(EXTENSION_OID.issuingDistributionPoint)
  const scope = scopeNode && readScope(scopeNode, issuer)
  const identifier = value(EXTENSION_OID.authorityKeyIdentifier)
  const unknown = extensions.find(({ oid, critical }) => critical && !LIST_UNDERSTOOD.has(oid))?.oid
  const misplaced = entries.namesIssuers && scope?.indirect !== true ? EXTENSION_OID.certificateIssuer : undefined
  return {
    signatureAlgorithm: readSignatureAlgorithm(outerAlgorithm),
    issuer,
    thisUpdate,
    nextUpdate,
    entries: entries.byIssuer,
    number: readNumber(value(EXTENSION_OID.crlNumber)),
    baseNumber: readNumber(value(EXTENSION_OID.deltaCrlIndicator)),
    authorityKeyIdentifier: identifier && readAuthorityKeyIdentifier(identifier),
    scope,
    scopeKey: scopeNode === undefined ? '' : toHex(scopeNode.bytes),
    unknownCritical: unknown ?? entries.unknownCritical ?? misplaced, // X509-81
  }
}

interface Entries {
  readonly byIssuer: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly unknownCritical: string | undefined
  readonly namesIssuers: boolean
}

function readEntries(cursor: DerCursor, listIssuer: Name): Entries {
  const byIssuer = new Map<string, Map<string, number>>()
  let issuerKey = nameKey(listIssuer)
  let unknownCritical: string | undefined
  let namesIssuers = false
  while (cursor.next()) {
    if (cursor.tag !== TAG.sequence) malformed('An entry is malformed.')
    const entry = cursor.enter()
    if (!entry.next() || entry.tag !== TAG.integer) malformed('An entry has no serial number.')
    checkInteger(entry.bytes, entry.contentStart, entry.offset) // X509-93
    const serial = toHex(entry.content)
    if (!entry.next() || !isTime(entry.tag)) malformed('An entry has no date.')
    let reason = 0
    if (entry.offset !== entry.end) {
      const extensions = readExtensionList(takeNode(entry))
      if (entry.offset !== entry.end) malformed('An entry has too many fields.')
      const value = (oid: string): Uint8Array | undefined => extensions.find((other) => other.oid === oid)?.value
      unknownCritical ??= extensions.find(({ oid, critical }) => critical && !ENTRY_UNDERSTOOD.has(oid))?.oid
      reason = readReason(value(EXTENSION_OID.crlReason))
      const named = value(EXTENSION_OID.certificateIssuer)
      if (named !== undefined) {
        // X509-80: an issuer named by an entry holds for the entries after it too.
        issuerKey = readCertificateIssuer(named)
        namesIssuers = true
      }
    }
    const serials = byIssuer.get(issuerKey) ?? new Map<string, number>()
    byIssuer.set(issuerKey, serials.set(serial, reason))
  }
  return { byIssuer, unknownCritical, namesIssuers }
}

function readReason(value: Uint8Array | undefined): number {
  if (value === undefined) return 0
  return readSmallInteger(parseDer(value, new DerBudget(1)), TAG.enumerated)
}

function readCertificateIssuer(value: Uint8Array): string {
  const name = readGeneralNames(parseDer(value, new DerBudget(200))).find(({ type }) => type === 'directory')
  if (name?.type !== 'directory') malformed('An entry names its issuer by something else than a directory name.')
  return nameKey(name.value)
}

function readNumber(node: DerNode | undefined): bigint | undefined {
  if (node === undefined) return undefined
  if (node.tag !== TAG.integer || node.content.length > 32 || (node.content[0] as number) >= 0x80) {
    malformed('Its number is not a number.')
  }
  return BigInt(`0x${toHex(node.content)}`)
}

function readScope(node: DerNode, issuer: Name): CrlScope {
  const fields = new Fields(node)
  const name = fields.optional(0xa0)
  const users = fields.optional(0x81)
  const cas = fields.optional(0x82)
  const reasons = fields.optional(0x83)
  const indirect = fields.optional(0x84)
  const attributes = fields.optional(0x85)
  fields.end()
  return {
    names: name && readPointName(name, issuer),
    onlyUserCertificates: users !== undefined && readBoolean(users, 0x81),
    onlyCaCertificates: cas !== undefined && readBoolean(cas, 0x82),
    onlyAttributeCertificates: attributes !== undefined && readBoolean(attributes, 0x85),
    reasons: reasons && readNamedBits(reasons, 0x83),
    indirect: indirect !== undefined && readBoolean(indirect, 0x84),
  }
}
