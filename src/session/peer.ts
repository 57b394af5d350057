/**
 * What to call a peer: its certificate's subject, in the form that logs and scripts of the reference use.
 */
import { nameText, parseCertificate } from '../x509/index.ts'

/** Subject of the leaf; undefined without a certificate. */
export function subjectOf(certificates: readonly Uint8Array[]): string | undefined {
  const [leaf] = certificates
  if (leaf === undefined) return undefined
  const certificate = parseCertificate(leaf)
  return typeof certificate === 'string' ? undefined : nameText(certificate.subject)
}
