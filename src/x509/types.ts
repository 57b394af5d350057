/**
 * The records this floor hands out: certificates, names, extensions (RFC 5280 sections 4.1 and 4.2).
 *
 * All are plain and frozen by type. Byte fields are views of the certificate's own copy of its DER, times are Unix
 * milliseconds, integers in byte form are big-endian. What could not be understood is kept as `undefined` or as raw
 * bytes, so that parsing a certificate and judging it stay separate.
 */
import type { PublicKey, SignatureAlgorithm } from '../crypto/index.ts'

/** One attribute of a relative distinguished name. */
export interface NameAttribute {
  /** Dotted object identifier. */
  readonly oid: string
  /** Universal tag number of the value (12 UTF8String, 19 PrintableString, …). */
  readonly tag: number
  /** Contents of the value, undecoded. */
  readonly raw: Uint8Array
  /** The value as text; `undefined` for types that are not character strings or are not well-formed. */
  readonly text: string | undefined
}

/** A distinguished name. */
export interface Name {
  /** The whole Name in DER. */
  readonly der: Uint8Array
  /** Relative names in the certificate's order, each with one or more attributes. */
  readonly rdns: readonly (readonly NameAttribute[])[]
  /** The form for comparison (RFC 5280 section 7.1), one string per relative name. */
  readonly canonical: readonly string[]
}

/** A GeneralName (RFC 5280 section 4.2.1.6). */
export type GeneralName =
  | { readonly type: 'dns'; readonly value: string }
  | { readonly type: 'email'; readonly value: string }
  | { readonly type: 'uri'; readonly value: string }
  /** 4 or 16 bytes; in name constraints 8 or 32, address then mask. */
  | { readonly type: 'ip'; readonly value: Uint8Array }
  | { readonly type: 'directory'; readonly value: Name }
  /** Kinds that are carried but never matched: otherName 0, x400Address 3, ediPartyName 5, registeredID 8. */
  | { readonly type: 'other'; readonly tag: 0 | 3 | 5 | 8; readonly raw: Uint8Array }

/** One extension as it stands in the certificate. */
export interface Extension {
  readonly oid: string
  readonly critical: boolean
  /** Contents of the OCTET STRING: the DER of the extension's own type. */
  readonly value: Uint8Array
}

/** keyUsage bits by RFC 5280's names. */
export type KeyUsage =
  | 'digitalSignature'
  | 'nonRepudiation'
  | 'keyEncipherment'
  | 'dataEncipherment'
  | 'keyAgreement'
  | 'keyCertSign'
  | 'cRLSign'
  | 'encipherOnly'
  | 'decipherOnly'

/** basicConstraints. */
export interface BasicConstraints {
  readonly ca: boolean
  readonly pathLength: number | undefined
}

/** nameConstraints: both lists may be empty, but not at once. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[]
  readonly excluded: readonly GeneralName[]
  /** True when a subtree has a minimum or maximum, which RFC 5280 forbids: it then matches everything and nothing. */
  readonly hasDistances: boolean
}

/** policyConstraints. */
export interface PolicyConstraints {
  readonly requireExplicitPolicy: number | undefined
  readonly inhibitPolicyMapping: number | undefined
}

/** One policyMappings entry, both dotted object identifiers. */
export interface PolicyMapping {
  readonly issuerDomainPolicy: string
  readonly subjectDomainPolicy: string
}

/** authorityKeyIdentifier. */
export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Uint8Array | undefined
  readonly issuer: readonly GeneralName[] | undefined
  readonly serial: Uint8Array | undefined
}

/** One distribution point of cRLDistributionPoints. */
export interface DistributionPoint {
  /** The point's full names; a name relative to the issuer is already joined to it. */
  readonly names: readonly GeneralName[] | undefined
  /** Reason flags covered, as a bit mask with bit n for reason flag n; `undefined` means all. */
  readonly reasons: number | undefined
  /** Who issues the list, where that is not the certificate's issuer. */
  readonly crlIssuer: readonly GeneralName[] | undefined
}

/** The extensions this floor understands, decoded. Absent ones are `undefined`. */
export interface CertificateExtensions {
  readonly basicConstraints: BasicConstraints | undefined
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined
  /** keyUsage as `remote-cert-ku` counts it: first octet in the high byte of 16 bits, or alone when there is only one. */
  readonly keyUsageBits: number | undefined
  /** Dotted object identifiers. */
  readonly extendedKeyUsage: readonly string[] | undefined
  readonly subjectAltName: readonly GeneralName[] | undefined
  readonly issuerAltName: readonly GeneralName[] | undefined
  readonly nameConstraints: NameConstraints | undefined
  readonly subjectKeyIdentifier: Uint8Array | undefined
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined
  /** Dotted object identifiers of certificatePolicies. */
  readonly policies: readonly string[] | undefined
  readonly policyMappings: readonly PolicyMapping[] | undefined
  readonly policyConstraints: PolicyConstraints | undefined
  readonly inhibitAnyPolicy: number | undefined
  readonly crlDistributionPoints: readonly DistributionPoint[] | undefined
  /** nsCertType: the first octet, bit 0x80 client, 0x40 server, 0x04 SSL CA. */
  readonly nsCertType: number | undefined
}

/** How a certificate or CRL was signed, as far as it is understood. */
export type CertificateSignatureAlgorithm =
  | SignatureAlgorithm
  | { readonly type: 'unsupported' /** Dotted object identifier. */; readonly oid: string }

/** A parsed certificate. Parsing checks the form; whether to trust it is the verifier's business. */
export interface Certificate {
  /** The whole certificate, a copy of what was parsed. */
  readonly der: Uint8Array
  /** The signed part, exactly as received. */
  readonly tbs: Uint8Array
  readonly version: 1 | 2 | 3
  /** Contents of the serial number's INTEGER, two's complement. */
  readonly serial: Uint8Array
  readonly signatureAlgorithm: CertificateSignatureAlgorithm
  readonly signature: Uint8Array
  readonly issuer: Name
  readonly subject: Name
  /** First instant of validity, Unix milliseconds. */
  readonly notBefore: number
  /** End of validity, Unix milliseconds. */
  readonly notAfter: number
  /** `undefined`: a kind of key, curve or size that is not supported. */
  readonly publicKey: PublicKey | undefined
  /** The SubjectPublicKeyInfo in DER. */
  readonly publicKeyInfo: Uint8Array
  readonly extensions: CertificateExtensions
  /** All extensions in the certificate's order. */
  readonly rawExtensions: readonly Extension[]
  /** Identifiers of critical extensions that are not understood here. */
  readonly unknownCritical: readonly string[]
}
