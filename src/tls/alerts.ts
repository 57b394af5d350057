/**
 * Alerts (RFC 8446 section 6, RFC 5246 section 7.2) and the one error that exists inside this floor.
 *
 * A check that fails anywhere in a parser or a handshake throws {@link AlertError}; the connection catches it at one
 * place, queues the alert for the peer and closes. It never leaves the floor.
 */

import type { CertificateProblem } from '../x509/index.ts'

/** Every alert of the TLS registry that either version can send, by name. */
export const ALERT_CODES = {
  'close-notify': 0,
  'unexpected-message': 10,
  'bad-record-mac': 20,
  'record-overflow': 22,
  'decompression-failure': 30,
  'handshake-failure': 40,
  'bad-certificate': 42,
  'unsupported-certificate': 43,
  'certificate-revoked': 44,
  'certificate-expired': 45,
  'certificate-unknown': 46,
  'illegal-parameter': 47,
  'unknown-ca': 48,
  'access-denied': 49,
  'decode-error': 50,
  'decrypt-error': 51,
  'protocol-version': 70,
  'insufficient-security': 71,
  'internal-error': 80,
  'inappropriate-fallback': 86,
  'user-canceled': 90,
  'no-renegotiation': 100,
  'missing-extension': 109,
  'unsupported-extension': 110,
  'unrecognized-name': 112,
  'bad-certificate-status-response': 113,
  'unknown-psk-identity': 115,
  'certificate-required': 116,
  'no-application-protocol': 120,
} as const

/** The name of an alert. */
export type AlertName = keyof typeof ALERT_CODES

const NAMES = new Map(Object.entries(ALERT_CODES).map(([name, code]) => [code, name as AlertName]))

/** The name of an alert's code, or `undefined` for one outside the list. */
export function alertName(code: number): AlertName | undefined {
  return NAMES.get(code as (typeof ALERT_CODES)[AlertName])
}

/** Why the verifier refused a certificate. */
export interface CertificateRefusal {
  readonly problem: CertificateProblem
  readonly subject: string | undefined
}

/** A peer broke a rule: `alert` is what it will be told, the message is for the operator. Never leaves this floor. */
export class AlertError extends Error {
  override readonly name = 'AlertError'
  readonly alert: AlertName
  /** Given when the reason is the peer's certificate. */
  readonly refusal: CertificateRefusal | undefined

  constructor(alert: AlertName, message: string, refusal?: CertificateRefusal) {
    super(message)
    this.alert = alert
    this.refusal = refusal
  }
}

/** Throws {@link AlertError} unless `condition` holds. */
export function demand(condition: unknown, alert: AlertName, message: string): asserts condition {
  if (!condition) throw new AlertError(alert, message)
}
