/**
 * Checks as values. Each class here has one way to come into being: the check it stands for has passed. A handshake
 * state that must not be reached without a check holds the check's proof as a field, so leaving the check out does not
 * compile.
 */
import { equalConstantTime } from '../bytes/index.ts'
import type { Certificate } from '../x509/index.ts'
import { AlertError, type AlertName, demand } from './alerts.ts'
import type { DigitallySigned } from './auth-messages.ts'
import type { Context } from './context.ts'
import { type SignatureScheme, signatureSchemeById, type TlsVersion } from './registry.ts'
import type { Session } from './resumption.ts'
import { schemeFitsKey } from './signatures.ts'

/** What a verdict on certificates depends on. */
type Judge = Pick<Context, 'config' | 'crypto' | 'unixTime'>

/** A chain that the verifier accepts for the peer's role. Nothing is known yet about who sent it. */
export class VerifiedChain {
  readonly certificates: readonly Uint8Array[]
  readonly leaf: Certificate
  readonly #passed = true

  private constructor(certificates: readonly Uint8Array[], leaf: Certificate) {
    this.certificates = certificates
    this.leaf = leaf
  }

  /** @throws AlertError when the verifier refuses the chain or the leaf may not sign. TLS-20, TLS-21 */
  static check(context: Judge, certificates: readonly Uint8Array[]): VerifiedChain {
    const { verifier, role } = context.config
    demand(verifier !== undefined, 'internal-error', 'no verifier')
    const peerRole = role === 'client' ? 'server' : 'client'
    const verdict = verifier.verify(certificates, peerRole, context.unixTime, context.crypto)
    if (verdict.type === 'refused') {
      const { problem, subject, detail, alert } = verdict
      throw new AlertError(alert ?? PROBLEM_ALERTS[problem] ?? 'bad-certificate', detail, { problem, subject })
    }
    const usage = verdict.leaf.extensions.keyUsage
    const maySign = usage === undefined || usage.has('digitalSignature')
    demand(maySign, 'illegal-parameter', "the certificate's keyUsage does not allow signatures")
    return new VerifiedChain(certificates, verdict.leaf)
  }

  /** The same without fault: `undefined` for a chain that {@link check} refuses. */
  static find(context: Judge, certificates: readonly Uint8Array[]): VerifiedChain | undefined {
    try {
      return VerifiedChain.check(context, certificates)
    } catch (error) {
      if (error instanceof AlertError) return undefined
      throw error
    }
  }

  /** Always true: keeps the class nominal. */
  get passed(): boolean {
    return this.#passed
  }
}

/** Alerts other than `bad-certificate` that tell a peer why its certificate was refused (RFC 8446 section 6.2). */
const PROBLEM_ALERTS: Readonly<Partial<Record<string, AlertName>>> = {
  'unsupported-public-key': 'unsupported-certificate',
  'unsupported-signature-algorithm': 'unsupported-certificate',
  'wrong-purpose': 'unsupported-certificate',
  'unknown-issuer': 'unknown-ca',
  'untrusted-root': 'unknown-ca',
  'not-yet-valid': 'certificate-expired',
  expired: 'certificate-expired',
  revoked: 'certificate-revoked',
  'no-certificate': 'certificate-required',
  'certificate-too-complex': 'certificate-unknown',
  'crl-missing': 'certificate-unknown',
  'crl-expired': 'certificate-unknown',
  'crl-not-yet-valid': 'certificate-unknown',
  'crl-unusable': 'certificate-unknown',
  'name-mismatch': 'access-denied',
  'fingerprint-mismatch': 'access-denied',
}

/** A peer that showed a verified chain and signed this handshake with its leaf's key. */
export class ProvenPeer {
  readonly type = 'proven'
  readonly chain: VerifiedChain
  readonly scheme: SignatureScheme
  readonly #passed = true

  private constructor(chain: VerifiedChain, scheme: SignatureScheme) {
    this.chain = chain
    this.scheme = scheme
  }

  /**
   * Checks a signature of the peer over this handshake.
   * @param signed - as received.
   * @param message - what must have been signed.
   * @throws AlertError TLS-22, TLS-23
   */
  static check(
    context: Context,
    chain: VerifiedChain,
    version: TlsVersion,
    signed: DigitallySigned,
    message: Uint8Array,
  ): ProvenPeer {
    const scheme = signatureSchemeById(signed.scheme)
    const offered = scheme !== undefined && context.config.signatureSchemes.includes(scheme)
    demand(offered, 'illegal-parameter', `signature scheme ${signed.scheme.toString(16)} was not offered`)
    const { publicKey } = chain.leaf
    demand(publicKey !== undefined, 'unsupported-certificate', "the kind of the certificate's key is not supported")
    demand(
      schemeFitsKey(scheme, publicKey, version),
      'illegal-parameter',
      `${scheme.name} does not fit the certificate's ${publicKey.type} key`,
    )
    const valid = context.crypto.verify(scheme.algorithm, publicKey, message, signed.signature)
    demand(valid, 'decrypt-error', "the peer's handshake signature is wrong")
    return new ProvenPeer(chain, scheme)
  }

  get passed(): boolean {
    return this.#passed
  }
}

/**
 * A peer that proved itself in an earlier connection and would be taken today. That it is the same peer is proven by the
 * secret that only the two share: by a binder, and by Finished.
 */
export class ResumedPeer {
  readonly type = 'resumed'
  /** As judged now; `undefined` for a client that showed no certificate. */
  readonly chain: VerifiedChain | undefined
  readonly scheme: SignatureScheme | undefined
  readonly #passed = true

  private constructor(chain: VerifiedChain | undefined, scheme: SignatureScheme | undefined) {
    this.chain = chain
    this.scheme = scheme
  }

  /** `undefined` when this configuration, at this time, would not take the session's peer. TLS-50 */
  static judge(context: Judge, session: Session): ResumedPeer | undefined {
    const { role, clientAuth, signatureSchemes } = context.config
    const { peerCertificates, peerScheme } = session
    if (peerScheme === undefined) {
      return role === 'server' && clientAuth !== 'required' ? new ResumedPeer(undefined, undefined) : undefined
    }
    const asked = role === 'client' || clientAuth !== 'none'
    if (!asked || !signatureSchemes.includes(peerScheme)) return undefined
    const chain = VerifiedChain.find(context, peerCertificates)
    return chain && new ResumedPeer(chain, peerScheme)
  }

  get passed(): boolean {
    return this.#passed
  }
}

/** A client that showed no certificate, where the configuration allows that. */
export class AnonymousClient {
  readonly type = 'anonymous'
  readonly #passed = true

  private constructor() {
    // Only through `allow`.
  }

  /** @throws AlertError when a certificate is required. TLS-24 */
  static allow(context: Context, version: TlsVersion): AnonymousClient {
    const required = context.config.clientAuth === 'required'
    const alert = version === 'TLSv1.3' ? 'certificate-required' : 'handshake-failure'
    demandCertificate(!required, alert)
    return new AnonymousClient()
  }

  get passed(): boolean {
    return this.#passed
  }
}

function demandCertificate(condition: boolean, alert: AlertName): void {
  if (condition) return
  throw new AlertError(alert, 'the peer sent no certificate', { problem: 'no-certificate', subject: undefined })
}

/** Who the peer is, as far as this connection demands to know. */
export type PeerIdentity = ProvenPeer | AnonymousClient | ResumedPeer

/** The peer's Finished matched: both sides saw the same handshake and hold the same secrets. */
export class FinishedProof {
  readonly #passed = true

  private constructor() {
    // Only through `check`.
  }

  /** @throws AlertError TLS-25 */
  static check(expected: Uint8Array, received: Uint8Array): FinishedProof {
    demand(equalConstantTime(expected, received), 'decrypt-error', "the peer's Finished is wrong")
    return new FinishedProof()
  }

  get passed(): boolean {
    return this.#passed
  }
}

/** Refuses an empty chain where one is mandatory. */
export function demandChain(certificates: readonly Uint8Array[], alert: AlertName): void {
  demandCertificate(certificates.length > 0, alert)
}
