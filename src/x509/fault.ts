/**
 * The one exception of this floor, thrown by readers deep inside a structure and caught at the floor's border.
 *
 * It never leaves `src/x509`: `parseCertificate` and the verifier turn it into its problem, the configuration-time
 * readers into a `ConfigError`.
 */
import type { CertificateProblem } from './problem.ts'

/** A structure that cannot be accepted. */
export class CertificateFault extends Error {
  override readonly name = 'CertificateFault'
  readonly problem: CertificateProblem

  constructor(problem: CertificateProblem, detail: string) {
    super(detail)
    this.problem = problem
  }
}

/** Refuses the structure being read as malformed. */
export function malformed(detail: string): never {
  throw new CertificateFault('malformed-certificate', detail)
}

/** The work allowed for one chain is used up: the verification ends at once, whatever else could be tried. */
export class WorkExhausted extends CertificateFault {
  constructor(detail: string) {
    super('certificate-too-complex', detail)
  }
}
