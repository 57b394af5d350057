/**
 * Object identifiers by name: subject attributes and extended key usages as OpenSSL spells them (profiles use those
 * spellings), and the identifiers of extensions.
 */

/** A name's short and long spelling. */
interface Spelling {
  readonly oid: string
  readonly short: string
  readonly long: string
}

const ATTRIBUTES: readonly Spelling[] = [
  { oid: '2.5.4.3', short: 'CN', long: 'commonName' },
  { oid: '2.5.4.4', short: 'SN', long: 'surname' },
  { oid: '2.5.4.5', short: 'serialNumber', long: 'serialNumber' },
  { oid: '2.5.4.6', short: 'C', long: 'countryName' },
  { oid: '2.5.4.7', short: 'L', long: 'localityName' },
  { oid: '2.5.4.8', short: 'ST', long: 'stateOrProvinceName' },
  { oid: '2.5.4.9', short: 'street', long: 'streetAddress' },
  { oid: '2.5.4.10', short: 'O', long: 'organizationName' },
  { oid: '2.5.4.11', short: 'OU', long: 'organizationalUnitName' },
  { oid: '2.5.4.12', short: 'title', long: 'title' },
  { oid: '2.5.4.13', short: 'description', long: 'description' },
  { oid: '2.5.4.15', short: 'businessCategory', long: 'businessCategory' },
  { oid: '2.5.4.16', short: 'postalAddress', long: 'postalAddress' },
  { oid: '2.5.4.17', short: 'postalCode', long: 'postalCode' },
  { oid: '2.5.4.18', short: 'postOfficeBox', long: 'postOfficeBox' },
  { oid: '2.5.4.20', short: 'telephoneNumber', long: 'telephoneNumber' },
  { oid: '2.5.4.41', short: 'name', long: 'name' },
  { oid: '2.5.4.42', short: 'GN', long: 'givenName' },
  { oid: '2.5.4.43', short: 'initials', long: 'initials' },
  { oid: '2.5.4.44', short: 'generationQualifier', long: 'generationQualifier' },
  { oid: '2.5.4.45', short: 'x500UniqueIdentifier', long: 'x500UniqueIdentifier' },
  { oid: '2.5.4.46', short: 'dnQualifier', long: 'dnQualifier' },
  { oid: '2.5.4.65', short: 'pseudonym', long: 'pseudonym' },
  { oid: '2.5.4.72', short: 'role', long: 'role' },
  { oid: '2.5.4.97', short: 'organizationIdentifier', long: 'organizationIdentifier' },
  { oid: '1.2.840.113549.1.9.1', short: 'emailAddress', long: 'emailAddress' },
  { oid: '1.2.840.113549.1.9.2', short: 'unstructuredName', long: 'unstructuredName' },
  { oid: '1.2.840.113549.1.9.8', short: 'unstructuredAddress', long: 'unstructuredAddress' },
  { oid: '0.9.2342.19200300.100.1.1', short: 'UID', long: 'userId' },
  { oid: '0.9.2342.19200300.100.1.3', short: 'mail', long: 'rfc822Mailbox' },
  { oid: '0.9.2342.19200300.100.1.25', short: 'DC', long: 'domainComponent' },
  { oid: '1.3.6.1.4.1.311.60.2.1.1', short: 'jurisdictionL', long: 'jurisdictionLocalityName' },
  { oid: '1.3.6.1.4.1.311.60.2.1.2', short: 'jurisdictionST', long: 'jurisdictionStateOrProvinceName' },
  { oid: '1.3.6.1.4.1.311.60.2.1.3', short: 'jurisdictionC', long: 'jurisdictionCountryName' },
]

const USAGES: readonly Spelling[] = [
  { oid: '1.3.6.1.5.5.7.3.1', short: 'serverAuth', long: 'TLS Web Server Authentication' },
  { oid: '1.3.6.1.5.5.7.3.2', short: 'clientAuth', long: 'TLS Web Client Authentication' },
  { oid: '1.3.6.1.5.5.7.3.3', short: 'codeSigning', long: 'Code Signing' },
  { oid: '1.3.6.1.5.5.7.3.4', short: 'emailProtection', long: 'E-mail Protection' },
  { oid: '1.3.6.1.5.5.7.3.5', short: 'ipsecEndSystem', long: 'IPSec End System' },
  { oid: '1.3.6.1.5.5.7.3.6', short: 'ipsecTunnel', long: 'IPSec Tunnel' },
  { oid: '1.3.6.1.5.5.7.3.7', short: 'ipsecUser', long: 'IPSec User' },
  { oid: '1.3.6.1.5.5.7.3.8', short: 'timeStamping', long: 'Time Stamping' },
  { oid: '1.3.6.1.5.5.7.3.9', short: 'OCSPSigning', long: 'OCSP Signing' },
  { oid: '1.3.6.1.5.5.7.3.17', short: 'ipsecIKE', long: 'ipsec Internet Key Exchange' },
  { oid: '2.5.29.37.0', short: 'anyExtendedKeyUsage', long: 'Any Extended Key Usage' },
]

/** Identifiers of extended key usages that decide something here. */
export const USAGE_OID = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const

/** Identifiers of the subject attributes that decide something here. */
export const ATTRIBUTE_OID = {
  commonName: '2.5.4.3',
  emailAddress: '1.2.840.113549.1.9.1',
} as const

/** Identifiers of extensions. */
export const EXTENSION_OID = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  issuerAltName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  crlReason: '2.5.29.21',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  certificateIssuer: '2.5.29.29',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
  nsCertType: '2.16.840.1.113730.1.1',
} as const

/** The policy that stands for all policies. */
export const ANY_POLICY = '2.5.29.32.0'

const shortByOid: ReadonlyMap<string, string> = new Map(ATTRIBUTES.map(({ oid, short }) => [oid, short]))
const usageByOid: ReadonlyMap<string, string> = new Map(USAGES.map(({ oid, short }) => [oid, short]))

/** Short name of a subject attribute, or the dotted identifier itself. */
export function attributeName(oid: string): string {
  return shortByOid.get(oid) ?? oid
}

/** Short name of an extended key usage, or the dotted identifier itself. */
export function usageName(oid: string): string {
  return usageByOid.get(oid) ?? oid
}

/** Identifier of a subject attribute given by short name, long name or dotted form. */
export function attributeOid(name: string): string | undefined {
  return find(ATTRIBUTES, name)
}

/** Identifier of an extended key usage given by short name, long name or dotted form. */
export function usageOid(name: string): string | undefined {
  return find(USAGES, name)
}

function find(list: readonly Spelling[], name: string): string | undefined {
  if (/^[0-2](\.\d+)+$/.test(name)) return name
  return list.find(({ short, long }) => short === name || long === name)?.oid
}
