/**
 * Revocation by lists (RFC 5280 section 6.3): every certificate of a path needs a current list that covers it, from an
 * issuer that may sign lists and leads to the same trust anchor.
 *
 * Everything fails closed: no list, an expired one, a bad signature, an unknown critical extension or a scope that
 * leaves reasons uncovered refuse the certificate. Of several lists with the same scope the newest usable one counts; a
 * delta list is read on top of its base. The issuer of a list is searched for and validated like any certificate when
 * it is not itself part of the path, and its own revocation is checked one level deep. Rules X509-84 to X509-90.
 */
import { compareBytes, equalBytes, toHex } from '../bytes/index.ts'
import { blame } from './certificate-checks.ts'
import type { Crl } from './crl.ts'
import { REASON_REMOVE } from './crl.ts'
import { ALL_REASONS, coveredReasons, includesName } from './crl-scope.ts'
import { CertificateFault, WorkExhausted } from './fault.ts'
import { equalNames, nameKey, nameText } from './name.ts'
import type { CertificateProblem } from './problem.ts'
import { checkSignatureStrength } from './profile.ts'
import { timeText } from './time.ts'
import type { Certificate } from './types.ts'
import type { CertificateProfile } from './verifier-types.ts'
import type { Work } from './work.ts'

/** What revocation checking needs to know. */
export interface RevocationInputs {
  readonly crls: readonly Crl[]
  readonly missing: 'refuse' | 'accept'
  readonly profile: CertificateProfile
  readonly unixTime: number
  readonly work: Work
  /** True while a list issuer itself is checked: it may then be cleared by its own list, where its CA says so. */
  readonly selfVouching: boolean
  /** Certificates with this subject that might have signed a list, from wherever. */
  readonly issuersNamed: (subject: string) => readonly Certificate[]
  /**
   * Validates a list issuer that is not part of the path and returns its own path.
   * @throws CertificateFault
   */
  readonly validateIssuer: (issuer: Certificate) => readonly Certificate[]
}

/** Reason names for messages, by code. */
const REASONS = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  '',
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
] as const

/** Checks the revocation of one path's certificates. */
export class RevocationCheck {
  readonly #inputs: RevocationInputs

  constructor(inputs: RevocationInputs) {
    this.#inputs = inputs
  }

  /** @throws CertificateFault for the first certificate that is revoked or cannot be cleared. */
  check(path: readonly Certificate[]): void {
    for (const [index, certificate] of path.entries()) {
      const anchor = index === path.length - 1
      blame(certificate, () => this.#checkOne(certificate, path.slice(anchor ? index : index + 1), anchor && index > 0))
    }
  }

  /** @param lenient - for an anchor above others: only a list that names it counts, because lists of its own are optional. */
  #checkOne(certificate: Certificate, issuers: readonly Certificate[], lenient: boolean): void {
    const covering = this.#inputs.crls
      .map((crl) => ({ crl, reasons: coveredReasons(crl, certificate) }))
      .filter(({ reasons }) => reasons !== 0)
      .sort((a, b) => b.crl.thisUpdate - a.crl.thisUpdate)
    const done = new Set<string>()
    let fault: CertificateFault | undefined
    let open = ALL_REASONS
    for (const { crl, reasons } of covering) {
      const key = `${nameKey(crl.issuer)}\0${crl.scopeKey}\0${toHex(crl.authorityKeyIdentifier?.keyIdentifier ?? new Uint8Array(0))}`
      if (crl.baseNumber !== undefined || done.has(key)) continue
      try {
        const signer = this.#usable(crl, certificate, issuers)
        done.add(key) // X509-88
        const code = this.#lookUp(crl, signer, certificate, covering)
        if (code !== undefined) throw new Revoked(REASONS[code] ?? String(code))
        open &= ~reasons
      } catch (error) {
        if (!(error instanceof CertificateFault) || error instanceof Revoked || error instanceof WorkExhausted)
          throw error
        fault ??= error
      }
    }
    // X509-84, X509-89
    if (open === 0 || lenient) return
    if (fault !== undefined) throw fault
    const named = this.#inputs.crls.some(({ issuer }) => equalNames(issuer, certificate.issuer))
    if (!named && this.#inputs.missing === 'accept') return
    if (!named) throw new CertificateFault('crl-missing', `There is no list of ${nameText(certificate.issuer)}.`)
    throw new CertificateFault('crl-unusable', 'The lists of its issuer do not cover it for all reasons.')
  }

  /** Reason code under which the list, with its delta, names the certificate. */
  #lookUp(
    base: Crl,
    signer: Certificate,
    certificate: Certificate,
    covering: readonly { readonly crl: Crl }[],
  ): number | undefined {
    for (const { crl } of covering) {
      if (!this.#isDeltaOf(crl, base) || !isCurrent(crl, this.#inputs.unixTime) || !this.#signedBy(crl, signer))
        continue
      this.#checkForm(crl)
      const code = entryOf(crl, certificate)
      // X509-90
      if (code === REASON_REMOVE) return undefined
      if (code !== undefined) return code
      break
    }
    return entryOf(base, certificate)
  }

  #isDeltaOf(delta: Crl, base: Crl): boolean {
    return (
      delta.baseNumber !== undefined &&
      base.number !== undefined &&
      delta.number !== undefined &&
      base.number >= delta.baseNumber &&
      base.number < delta.number &&
      equalNames(delta.issuer, base.issuer) &&
      delta.scopeKey === base.scopeKey
    )
  }

  #signedBy(crl: Crl, signer: Certificate): boolean {
    return this.#inputs.work.verifies(crl, signer)
  }

  /** The certificate whose key signed the list, when the list can be used at all. */
  #usable(crl: Crl, certificate: Certificate, issuers: readonly Certificate[]): Certificate {
    this.#checkForm(crl)
    checkCurrent(crl, this.#inputs.unixTime)
    return this.#findSigner(crl, certificate, issuers)
  }

  /** Refuses lists with critical extensions that are not understood (X509-81), and weak signatures. */
  #checkForm(crl: Crl): void {
    if (crl.unknownCritical !== undefined) throw unusable(crl, `its extension ${crl.unknownCritical} is not understood`)
    try {
      checkSignatureStrength(crl.signatureAlgorithm, this.#inputs.profile)
    } catch (error) {
      throw error instanceof CertificateFault ? unusable(crl, error.message) : error
    }
  }

  #findSigner(crl: Crl, certificate: Certificate, issuers: readonly Certificate[]): Certificate {
    const anchor = issuers[issuers.length - 1] as Certificate
    const outside = this.#inputs.issuersNamed(nameKey(crl.issuer))
    const candidates = [...issuers.filter(({ subject }) => equalNames(subject, crl.issuer)), ...outside]
    let reason = 'no certificate of its issuer fits its signature'
    for (const [index, candidate] of candidates.entries()) {
      this.#inputs.work.step()
      if (candidates.slice(0, index).some(({ der }) => equalBytes(der, candidate.der)) || !fits(crl, candidate))
        continue
      const { keyUsage } = candidate.extensions
      if (!this.#signedBy(crl, candidate)) continue
      // X509-86
      if (keyUsage !== undefined && !keyUsage.has('cRLSign')) {
        reason = 'its issuer’s key usage lacks cRLSign'
        continue
      }
      if (issuers.includes(candidate) || (this.#inputs.selfVouching && vouchesForItself(certificate, candidate))) {
        return candidate
      }
      try {
        const path = this.#inputs.validateIssuer(candidate)
        // X509-87
        if (compareBytes((path[path.length - 1] as Certificate).der, anchor.der) === 0) return candidate
        reason = 'its issuer leads to another trust anchor'
      } catch (error) {
        if (!(error instanceof CertificateFault) || error instanceof WorkExhausted) throw error
        reason = `its issuer ${nameText(candidate.subject)} is not valid: ${error.message}`
      }
    }
    throw unusable(crl, reason)
  }
}

/** The certificate signs the list itself, and its CA named it as the issuer of its lists. */
function vouchesForItself(certificate: Certificate, signer: Certificate): boolean {
  const points = certificate.extensions.crlDistributionPoints ?? []
  return (
    certificate === signer &&
    points.some(({ crlIssuer }) => crlIssuer !== undefined && includesName(crlIssuer, certificate.subject))
  )
}

/** The certificate is on a list. */
class Revoked extends CertificateFault {
  constructor(reason: string) {
    super('revoked', `Its issuer revoked it (${reason}).`)
  }
}

function unusable(crl: Crl, why: string): CertificateFault {
  return new CertificateFault('crl-unusable', `The list of ${nameText(crl.issuer)} cannot be used: ${why}.`)
}

/** A list signed by another key of the same name is not this candidate's, as far as key identifiers tell. */
function fits(crl: Crl, candidate: Certificate): boolean {
  const wanted = crl.authorityKeyIdentifier?.keyIdentifier
  const offered = candidate.extensions.subjectKeyIdentifier
  return wanted === undefined || offered === undefined || equalBytes(wanted, offered)
}

function isCurrent(crl: Crl, unixTime: number): boolean {
  const now = Math.floor(unixTime / 1000) * 1000
  return crl.thisUpdate <= now && crl.nextUpdate !== undefined && now < crl.nextUpdate
}

/** Refuses lists from the future, expired ones and those that never expire (X509-85). */
function checkCurrent(crl: Crl, unixTime: number): void {
  if (isCurrent(crl, unixTime)) return
  const issuer = nameText(crl.issuer)
  if (crl.nextUpdate === undefined) throw unusable(crl, 'it has no nextUpdate')
  const [problem, detail]: [CertificateProblem, string] =
    crl.thisUpdate <= unixTime
      ? ['crl-expired', `The list of ${issuer} was to be replaced by ${timeText(crl.nextUpdate)}.`]
      : ['crl-not-yet-valid', `The list of ${issuer} is valid from ${timeText(crl.thisUpdate)}.`]
  throw new CertificateFault(problem, detail)
}

function entryOf(crl: Crl, { issuer, serial }: Certificate): number | undefined {
  return crl.entries.get(nameKey(issuer))?.get(toHex(serial))
}
