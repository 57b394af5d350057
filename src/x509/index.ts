/**
 * Certificates: parsing, chains, revocation, OpenVPN's own checks, private keys and issuance.
 *
 * @module
 */
export { defaultSignature, issueCertificate, issueCrl } from './issue.ts'
export type { CertificateKind, CertificateRequest, CrlRequest, NameInput, RevokedEntry } from './issue.ts'
export { belongsTo, readIdentity, readPkcs12Identity } from './identity.ts'
export type { IdentitySource, OwnIdentity } from './identity.ts'
export { keyFitsAlgorithm } from './algorithm.ts'
export { parseCertificate } from './certificate.ts'
export { fingerprint, fingerprintText } from './fingerprint.ts'
export { commonName, equalNames, nameText } from './name.ts'
export { parsePemCertificates, parsePem, writePem } from './pem.ts'
export type { PemBlock } from './pem.ts'
export { parsePkcs12 } from './pkcs12.ts'
export type { Pkcs12Contents } from './pkcs12.ts'
export { parsePrivateKey } from './private-key.ts'
export * from './problem.ts'
export { serialDecimal } from './username.ts'
export type * from './types.ts'
export { createPeerVerifier } from './verifier.ts'
export type * from './verifier-types.ts'
export { generatePrivateKey, writePkcs8, writePublicKeyInfo } from './write-key.ts'
export type { GeneratedKeyType } from './write-key.ts'
export { makePki, type ThrowAwayIdentity, type ThrowAwayPki } from './throw-away.ts'
