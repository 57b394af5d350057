/**
 * Certificate extensions (RFC 5280 section 4.2): the list itself, and the contents of those that decide something.
 *
 * A known extension must be well-formed whether it is critical or not. Unknown ones are listed; only the critical
 * among them matter, when the certificate is used. Duplicates are refused. Rules X509-13 to X509-15.
 */
import { only } from './algorithm.ts'
import type { DerBudget, DerNode } from './der.ts'
import { parseDer, TAG } from './der.ts'
import {
  Fields,
  nonEmptySequence,
  readBoolean,
  readNamedBits,
  readOctets,
  readOid,
  readSmallInteger,
} from './der-read.ts'
import { CertificateFault, malformed } from './fault.ts'
import { readGeneralName, readGeneralNames } from './general-name.ts'
import { makeName, readRelativeName } from './name.ts'
import { EXTENSION_OID } from './oids.ts'
import type {
  AuthorityKeyIdentifier,
  BasicConstraints,
  CertificateExtensions,
  DistributionPoint,
  Extension,
  GeneralName,
  KeyUsage,
  Name,
  NameConstraints,
  PolicyConstraints,
  PolicyMapping,
} from './types.ts'

/** Named bits of keyUsage, in order. */
const KEY_USAGES: readonly KeyUsage[] = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
]

/** Position of a usage among the named bits. */
export function keyUsageIndex(usage: KeyUsage): number {
  return KEY_USAGES.indexOf(usage)
}

/**
 * Extensions that are acted upon when critical. Key identifiers are read but are hints by definition, so a critical one
 * counts as not understood, as in OpenSSL.
 */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  EXTENSION_OID.keyUsage,
  EXTENSION_OID.subjectAltName,
  EXTENSION_OID.basicConstraints,
  EXTENSION_OID.nameConstraints,
  EXTENSION_OID.crlDistributionPoints,
  EXTENSION_OID.certificatePolicies,
  EXTENSION_OID.policyMappings,
  EXTENSION_OID.policyConstraints,
  EXTENSION_OID.extendedKeyUsage,
  EXTENSION_OID.inhibitAnyPolicy,
  EXTENSION_OID.nsCertType,
])

/** Reads an Extensions SEQUENCE. */
export function readExtensionList(node: DerNode): readonly Extension[] {
  const seen = new Set<string>()
  return nonEmptySequence(node).map((child) => {
    const fields = new Fields(child)
    const oid = readOid(fields.take())
    const flag = fields.optional(TAG.boolean)
    const value = readOctets(fields.take())
    fields.end()
    // X509-13
    if (seen.has(oid)) throw new CertificateFault('duplicate-extension', `Extension ${oid} occurs twice.`)
    seen.add(oid)
    return { oid, critical: flag !== undefined && readBoolean(flag), value }
  })
}

/** Identifiers of the critical extensions that are not understood (X509-14). */
export function unknownCritical(extensions: readonly Extension[]): readonly string[] {
  return extensions.filter(({ oid, critical }) => critical && !UNDERSTOOD.has(oid)).map(({ oid }) => oid)
}

/**
 * Decodes the extensions that are understood.
 * @param issuer - the certificate's issuer, to which relative distribution point names are joined.
 */
export function readExtensions(
  extensions: readonly Extension[],
  issuer: Name,
  budget: DerBudget,
): CertificateExtensions {
  const read = <T>(oid: string, reader: (node: DerNode) => T): T | undefined => {
    const extension = extensions.find((candidate) => candidate.oid === oid)
    return extension && reader(parseDer(extension.value, budget)) // X509-15
  }
  const keyUsage = read(EXTENSION_OID.keyUsage, readNamedBits)
  return {
    basicConstraints: read(EXTENSION_OID.basicConstraints, readBasicConstraints),
    keyUsage:
      keyUsage === undefined ? undefined : new Set(KEY_USAGES.filter((_, bit) => (keyUsage & (1 << bit)) !== 0)),
    keyUsageBits: keyUsage === undefined ? undefined : firstOctet(keyUsage),
    extendedKeyUsage: read(EXTENSION_OID.extendedKeyUsage, (node) => nonEmptySequence(node).map((id) => readOid(id))),
    subjectAltName: read(EXTENSION_OID.subjectAltName, readGeneralNames),
    issuerAltName: read(EXTENSION_OID.issuerAltName, readGeneralNames),
    nameConstraints: read(EXTENSION_OID.nameConstraints, readNameConstraints),
    subjectKeyIdentifier: read(EXTENSION_OID.subjectKeyIdentifier, readOctets),
    authorityKeyIdentifier: read(EXTENSION_OID.authorityKeyIdentifier, readAuthorityKeyIdentifier),
    policies: read(EXTENSION_OID.certificatePolicies, readPolicies),
    policyMappings: read(EXTENSION_OID.policyMappings, readPolicyMappings),
    policyConstraints: read(EXTENSION_OID.policyConstraints, readPolicyConstraints),
    inhibitAnyPolicy: read(EXTENSION_OID.inhibitAnyPolicy, readSmallInteger),
    crlDistributionPoints: read(EXTENSION_OID.crlDistributionPoints, (node) =>
      nonEmptySequence(node).map((point) => readDistributionPoint(point, issuer)),
    ),
    nsCertType: read(EXTENSION_OID.nsCertType, (node) => firstOctet(readNamedBits(node))),
  }
}

/** Named bits 0 to 7 as the octet they were written in. */
function firstOctet(mask: number): number {
  let octet = 0
  for (let bit = 0; bit < 8; bit++) if ((mask & (1 << bit)) !== 0) octet |= 0x80 >> bit
  return octet
}

function readBasicConstraints(node: DerNode): BasicConstraints {
  const fields = new Fields(node)
  const ca = fields.optional(TAG.boolean)
  const pathLength = fields.optional(TAG.integer)
  fields.end()
  return {
    ca: ca !== undefined && readBoolean(ca),
    pathLength: pathLength && readSmallInteger(pathLength),
  }
}

function readNameConstraints(node: DerNode): NameConstraints {
  const fields = new Fields(node)
  const permitted = readSubtrees(fields.optional(0xa0))
  const excluded = readSubtrees(fields.optional(0xa1))
  fields.end()
  if (permitted.length + excluded.length === 0) malformed('Name constraints constrain nothing.')
  return {
    permitted: permitted.map(({ base }) => base),
    excluded: excluded.map(({ base }) => base),
    hasDistances: [...permitted, ...excluded].some(({ hasDistance }) => hasDistance),
  }
}

function readSubtrees(node: DerNode | undefined): readonly { base: GeneralName; hasDistance: boolean }[] {
  if (node === undefined) return []
  return nonEmptySequence(node, node.tag).map((subtree) => {
    const fields = new Fields(subtree)
    const base = readGeneralName(fields.take())
    const minimum = fields.optional(0x80)
    const maximum = fields.optional(0x81)
    fields.end()
    const distance = minimum === undefined ? 0 : readSmallInteger(minimum, 0x80)
    return { base, hasDistance: distance !== 0 || maximum !== undefined }
  })
}

/** Reads an AuthorityKeyIdentifier. */
export function readAuthorityKeyIdentifier(node: DerNode): AuthorityKeyIdentifier {
  const fields = new Fields(node)
  const keyIdentifier = fields.optional(0x80)
  const issuer = fields.optional(0xa1)
  const serial = fields.optional(0x82)
  fields.end()
  return {
    keyIdentifier: keyIdentifier?.content,
    issuer: issuer && readGeneralNames(issuer, 0xa1),
    serial: serial?.content,
  }
}

function readPolicies(node: DerNode): readonly string[] {
  const policies = nonEmptySequence(node).map((information) => {
    const fields = new Fields(information)
    const oid = readOid(fields.take())
    const qualifiers = fields.optional(TAG.sequence)
    if (qualifiers !== undefined) nonEmptySequence(qualifiers)
    fields.end()
    return oid
  })
  if (new Set(policies).size !== policies.length) malformed('A certificate policy is listed twice.')
  return policies
}

function readPolicyMappings(node: DerNode): readonly PolicyMapping[] {
  return nonEmptySequence(node).map((mapping) => {
    const fields = new Fields(mapping)
    const issuerDomainPolicy = readOid(fields.take())
    const subjectDomainPolicy = readOid(fields.take())
    fields.end()
    return { issuerDomainPolicy, subjectDomainPolicy }
  })
}

function readPolicyConstraints(node: DerNode): PolicyConstraints {
  const fields = new Fields(node)
  const explicit = fields.optional(0x80)
  const mapping = fields.optional(0x81)
  fields.end()
  if (explicit === undefined && mapping === undefined) malformed('Policy constraints constrain nothing.')
  return {
    requireExplicitPolicy: explicit && readSmallInteger(explicit, 0x80),
    inhibitPolicyMapping: mapping && readSmallInteger(mapping, 0x81),
  }
}

function readDistributionPoint(node: DerNode, issuer: Name): DistributionPoint {
  const fields = new Fields(node)
  const name = fields.optional(0xa0)
  const reasons = fields.optional(0x81)
  const crlIssuer = fields.optional(0xa2)
  fields.end()
  if (name === undefined && crlIssuer === undefined) malformed('A distribution point says neither where nor who.')
  const issuers = crlIssuer && readGeneralNames(crlIssuer, 0xa2)
  const named = issuers?.find((candidate) => candidate.type === 'directory')
  return {
    names: name && readPointName(name, named === undefined ? issuer : named.value),
    reasons: reasons && readNamedBits(reasons, 0x81),
    crlIssuer: issuers,
  }
}

/**
 * The names of a DistributionPointName inside its explicit tag.
 * @param base - the name that a relative name continues.
 */
export function readPointName(node: DerNode, base: Name): readonly GeneralName[] {
  const choice = only(node)
  if (choice.tag === 0xa0) return readGeneralNames(choice, 0xa0)
  if (choice.tag !== 0xa1) malformed('A distribution point name is of an unknown kind.')
  return [{ type: 'directory', value: makeName(new Uint8Array(0), [...base.rdns, readRelativeName(choice)]) }]
}
