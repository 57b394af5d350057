/**
 * What a peer verifier is told and what it answers.
 *
 * The options carry the reference's directive names in their comments. Everything is data: the host reads files and
 * directories, and hands over their contents; lists that change while running are replaced through the verifier.
 */
import type { CryptoProvider } from '../crypto/index.ts'
import type { CertificateProblem } from './problem.ts'
import type { Certificate } from './types.ts'

/** Which end of the connection the peer is. */
export type PeerRole = 'client' | 'server'

/** What a chain is to be valid for: a role in TLS, or `any` where purposes are not looked at. */
export type Purpose = PeerRole | 'any'

/**
 * `tls-cert-profile`: `legacy` asks 80 bits of strength (RSA 1024, any supported curve), `preferred` 112 (RSA 2048),
 * `suiteb` 128 with ECDSA on P-256 or P-384 and SHA-256 or SHA-384. SHA-1 and MD5 signatures are refused by all three.
 */
export type CertificateProfile = 'legacy' | 'preferred' | 'suiteb'

/** PEM text with one or more blocks, or DER items. */
export type CertificateSource = string | readonly Uint8Array[]

/** `verify-x509-name`: the whole subject, the username field, or its beginning. */
export interface NameCheck {
  readonly type: 'subject' | 'name' | 'name-prefix'
  readonly value: string
}

/** `verify-hash`: fingerprints of the certificate directly above the leaf. */
export interface IssuerHash {
  readonly hash: 'SHA1' | 'SHA256'
  /** Hex digits, with or without colons. */
  readonly values: readonly string[]
}

/** The inputs of RFC 5280 section 6.1.1 (c) to (g) about policies. All default to the permissive value. */
export interface PolicyOptions {
  /** Acceptable policies as dotted object identifiers; absent means any. */
  readonly acceptable?: readonly string[]
  readonly requireExplicitPolicy?: boolean
  readonly inhibitPolicyMapping?: boolean
  readonly inhibitAnyPolicy?: boolean
}

/** How peers' certificates are judged. */
export interface PeerVerifierOptions {
  /**
   * `ca`. Self-signed certificates in it are trust anchors, all others only help to build chains. May be left out only
   * with `peerFingerprints`.
   */
  readonly ca?: CertificateSource
  /** `tls-cert-profile`; default `legacy`. */
  readonly profile?: CertificateProfile
  /** `remote-cert-tls`. */
  readonly remoteCertTls?: PeerRole
  /** `remote-cert-ku`: masks of which one must be contained; an empty list asks only that the extension exists. */
  readonly remoteCertKu?: readonly number[]
  /** `remote-cert-eku`: dotted object identifier or OpenSSL name. */
  readonly remoteCertEku?: string
  /** `ns-cert-type`. */
  readonly nsCertType?: PeerRole
  /** `verify-x509-name`. */
  readonly verifyName?: NameCheck
  /**
   * `x509-username-field`: subject fields by short or long name, `serialNumber` for the certificate's serial, or
   * `ext:subjectAltName`. When given, a certificate without all of them is refused. `verifyName` uses them too, and the
   * common name where they are absent.
   */
  readonly usernameFields?: readonly string[]
  /** `peer-fingerprint`: SHA-256 fingerprints of acceptable leaf certificates, hex with or without colons. */
  readonly peerFingerprints?: readonly string[]
  /** `verify-hash`. */
  readonly verifyHash?: IssuerHash
  /** `crl-verify FILE`: one or more CRLs. */
  readonly crls?: CertificateSource
  /**
   * What a missing CRL means for a certificate of the chain when `crls` is given. The reference lets such a certificate
   * pass with a warning; the default here is `refuse`.
   */
  readonly missingCrl?: 'refuse' | 'accept'
  /** `crl-verify DIR dir`: the names of the files in the directory, which are revoked serials in decimal. */
  readonly revokedSerials?: readonly string[]
  /** Policy inputs; the default accepts any policy. */
  readonly policy?: PolicyOptions
}

/** The verdict on a peer's chain. */
export type PeerVerdict =
  | {
      readonly type: 'verified'
      readonly leaf: Certificate
      /** Leaf first, trust anchor last; only the leaf when it was accepted by fingerprint without a CA. */
      readonly path: readonly Certificate[]
      /** The fields of `usernameFields` (the common name by default) joined with `_`; `undefined` when absent. */
      readonly username: string | undefined
    }
  | {
      readonly type: 'refused'
      readonly problem: CertificateProblem
      /** Subject of the certificate at fault, in the reference's form. */
      readonly subject?: string
      /** One sentence or two: what is wrong and what would be right. */
      readonly detail: string
    }

/** Judges certificate chains. Independent of any connection; one verifier serves many. */
export interface PeerVerifier {
  /** What the verifier was made of, with the lists now in use: another like it can be made of that. */
  readonly options: PeerVerifierOptions
  /**
   * Judges a chain as received, leaf first. Never throws for what the peer sent; the work is bounded by counters.
   * @param purpose - which end the peer is: its certificate and the CAs above it must allow that role. `any` is for
   *   chains outside TLS.
   * @param unixTime - now, Unix milliseconds.
   */
  verify(chain: readonly Uint8Array[], purpose: Purpose, unixTime: number, crypto: CryptoProvider): PeerVerdict
  /** Takes a new `crl-verify` file into use from the next `verify` on. @throws ConfigError when it cannot be read. */
  replaceCrls(crls: CertificateSource): void
  /** Takes a new `crl-verify` directory listing into use from the next `verify` on. */
  replaceRevokedSerials(serials: readonly string[]): void
}
