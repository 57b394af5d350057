/**
 * What a finished handshake hands over whatever its version, and what the host is told of it.
 *
 * Both proofs are fields here, so no open connection can come into being without the peer's identity and its Finished
 * having been checked.
 */
import type { GroupName } from '../crypto/index.ts'
import type { Certificate } from '../x509/index.ts'
import type { TlsAgreement } from './output.ts'
import type { FinishedProof, PeerIdentity } from './proofs.ts'
import type { CipherSuite, SignatureScheme } from './registry.ts'
import { NO_STAPLES, type Staples } from './staples.ts'

/** A handshake that both ends finished. */
export interface FinishedHandshake {
  readonly suite: CipherSuite
  readonly group: GroupName
  readonly peer: PeerIdentity
  readonly finished: FinishedProof
  readonly ownScheme: SignatureScheme | undefined
  /** What the peer's list said; empty where it gave none. */
  readonly peerSignatureAlgorithms: readonly number[]
  /** Client: CAs that the server asked for. */
  readonly certificateAuthorities?: readonly Uint8Array[]
  /** What ALPN agreed on. */
  readonly applicationProtocol: string | undefined
  /** Client: what the server stapled to its certificate. */
  readonly staples?: Staples
}

/** What depends on the version. */
type VersionInfo = Pick<TlsAgreement, 'version' | 'helloRetryRequest' | 'extendedMasterSecret' | 'tlsUnique'>

/** What the host is told, but for the leaf's contents. */
export function connectionInfo(done: FinishedHandshake, versionInfo: VersionInfo): TlsAgreement {
  const { suite, group, peer } = done
  const proven = peer.type === 'anonymous' ? undefined : peer
  const { ocspResponse, certificateTimestamps } = done.staples ?? NO_STAPLES
  // Field by field: spreads of this many would cost more than all the rest of the function.
  return {
    version: versionInfo.version,
    cipherSuite: suite.name,
    group,
    resumed: peer.type === 'resumed',
    peerSignatureScheme: proven?.scheme?.name,
    ownSignatureScheme: done.ownScheme?.name,
    peerSignatureAlgorithms: done.peerSignatureAlgorithms,
    certificateAuthorities: done.certificateAuthorities ?? [],
    peerCertificates: proven?.chain?.certificates ?? [],
    helloRetryRequest: versionInfo.helloRetryRequest,
    extendedMasterSecret: versionInfo.extendedMasterSecret,
    tlsUnique: versionInfo.tlsUnique,
    applicationProtocol: done.applicationProtocol,
    ocspResponse,
    certificateTimestamps,
  }
}

/** The peer's certificate as it was verified. */
export function leafOf({ peer }: FinishedHandshake): Certificate | undefined {
  return peer.type === 'anonymous' ? undefined : peer.chain?.leaf
}
