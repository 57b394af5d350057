/**
 * What TLS needs from certificate checking: somebody who judges a chain, and the verdict.
 *
 * The engine carries chains and proves possession of keys; whether a chain is trusted is the verifier's business alone.
 */
import type { CryptoProvider, PublicKey } from '../crypto/index.ts'

/** The part of a verified certificate that TLS uses. */
export interface PeerCertificate {
  readonly publicKey: PublicKey
}

/** A verifier's answer. */
export type PeerVerdict =
  | { readonly type: 'verified'; readonly leaf: PeerCertificate }
  | { readonly type: 'refused'; readonly problem: string; readonly subject?: string; readonly detail: string }

/** Judges a peer's certificate chain. */
export interface PeerVerifier {
  /**
   * @param chain - DER certificates as received, leaf first.
   * @param peerRole - what the peer claims to be.
   * @param unixTime - in ms.
   */
  verify(
    chain: readonly Uint8Array[],
    peerRole: 'client' | 'server',
    unixTime: number,
    crypto: CryptoProvider,
  ): PeerVerdict
}
