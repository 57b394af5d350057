/**
 * Making this side's handshake signatures: choosing the scheme, and signing here or asking the key's holder.
 */
import { UsageError } from '../bytes/index.ts'
import { demand } from './alerts.ts'
import type { Credential, ResolvedConfig } from './config.ts'
import type { Context } from './context.ts'
import type { SignatureScheme, TlsVersion } from './registry.ts'
import { schemeFitsKey } from './signatures.ts'

/** A signature that this side owes and whose making may take the host a while. */
export interface PendingSignature {
  readonly scheme: SignatureScheme
  /** What is signed. */
  readonly message: Uint8Array
}

/** The first of the own key's schemes that the peer takes; `undefined` when there is none. TLS-30 */
export function chooseScheme(
  credential: Credential,
  version: TlsVersion,
  peerSchemes: readonly number[],
): SignatureScheme | undefined {
  return credential.schemes.find(
    (scheme) => peerSchemes.includes(scheme.id) && schemeFitsKey(scheme, credential.publicKey, version),
  )
}

/**
 * How a client proves its certificate to a server that asked; `undefined` when it shows none, having none or none that
 * the server could check. TLS-44
 * @throws AlertError in the latter case when the host insists.
 */
export function chooseProof(
  { credential, insistOnCertificate }: ResolvedConfig,
  version: TlsVersion,
  peerSchemes: readonly number[],
): { readonly credential: Credential; readonly scheme: SignatureScheme } | undefined {
  if (credential === undefined) return undefined
  const scheme = chooseScheme(credential, version, peerSchemes)
  if (scheme !== undefined) return { credential, scheme }
  demand(!insistOnCertificate, 'handshake-failure', "the server cannot check this client's certificate")
  return undefined
}

/** The signature, or `undefined` when the host was asked for it with a `signature-needed` output. TLS-32 */
export function signOrAsk(
  context: Context,
  credential: Credential,
  { scheme, message }: PendingSignature,
): Uint8Array | undefined {
  const { key } = credential
  if (key.type === 'external') {
    context.emit({ type: 'signature-needed', scheme: scheme.name, message: message.slice() })
    return undefined
  }
  return context.crypto.sign(scheme.algorithm, key, message, context.random)
}

/**
 * Checks what a host handed in before it goes to the peer.
 * @throws UsageError when it is not a signature of the certificate's key over the message. TLS-32
 */
export function checkSignature(
  context: Context,
  credential: Credential,
  { scheme, message }: PendingSignature,
  signature: Uint8Array,
): void {
  if (!context.crypto.verify(scheme.algorithm, credential.publicKey, message, signature)) {
    throw new UsageError(`provideSignature: not a ${scheme.name} signature of the certificate's key over the message`)
  }
}
