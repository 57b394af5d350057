/**
 * What a user imports: the session and everything its configuration and outputs are made of.
 *
 * Every floor is also a sub-path export (`ovpn-core/wire`, `ovpn-core/tls`, …), usable alone.
 *
 * @module
 */
export { ConfigError, InvariantError, OvpnError, UsageError } from './bytes/index.ts'
export {
  type AttemptEnd,
  Client,
  type ClientCloseReason,
  type ClientConfig,
  type ClientEvent,
  type ClientOutput,
  type ClientState,
  type CredentialsRequest,
  type Remote,
  type RetryConfig,
} from './client/index.ts'
export { noble } from './crypto/index.ts'
export type { CryptoProvider, RandomSource } from './crypto/index.ts'
export type {
  AuthFailure,
  OptionsDifference,
  PendingRequest,
  PullFilter,
  PushRefusal,
  TunnelOptions,
} from './control/index.ts'
export {
  type ClientId,
  type Grant,
  Server,
  type ServerConfig,
  type ServerEvent,
  type ServerOutput,
} from './server/index.ts'
export * from './session/index.ts'
export {
  parseStaticKey,
  parseTlsCryptV2ClientKey,
  parseTlsCryptV2ServerKey,
  type StaticKey,
  type TlsCryptV2ServerKey,
} from './wire/index.ts'
export {
  createPeerVerifier,
  parsePemCertificates,
  parsePrivateKey,
  type PeerVerifier,
  type PeerVerifierOptions,
} from './x509/index.ts'
