/**
 * TLS 1.2 and 1.3, both roles, as a value: {@link TlsConnection} takes bytes and gives bytes, plaintext and news.
 *
 * @module
 */
export { ALERT_CODES, type AlertName } from './alerts.ts'
export type { ChainVerifier, ExternalKey, TlsConfig, TlsEnvironment } from './config.ts'
export { TlsConnection } from './connection.ts'
export { type KeyLogLabel, parseKeyLogLine, type TlsSecret } from './key-log.ts'
export { type ObservedItem, TlsObserver, type TlsSecrets, type TlsSide } from './observer.ts'
export type {
  KeyLogLine,
  SessionOutput,
  SignatureRequest,
  TlsAgreement,
  TlsCloseReason,
  TlsInfo,
  TlsOutput,
} from './output.ts'
export {
  type CipherSuite,
  cipherSuiteById,
  cipherSuiteByName,
  type CipherSuiteName,
  CIPHER_SUITES,
  GROUP_CODES,
  groupByCode,
  SIGNATURE_SCHEMES,
  type SignatureScheme,
  signatureSchemeById,
  signatureSchemeByName,
  type SignatureSchemeName,
  type SuiteProtection,
  type TlsVersion,
} from './registry.ts'
export type { Resumption } from './resumption.ts'
export type { TlsSnapshot } from './snapshot.ts'
export {
  type NamedList,
  opensslCipherName,
  parseTlsCipher,
  parseTlsCiphersuites,
  parseTlsGroups,
  parseTlsVersion,
  type ProfileRestrictions,
  profileRestrictions,
} from './names.ts'
