/**
 * Name constraints (RFC 5280 section 4.2.1.10): what a CA may put into the names of certificates below it.
 *
 * Directory names, DNS names, mail addresses, IP addresses and URIs are matched; a name of any other kind below a
 * constraint of that kind is refused, and so is a name or a constraint that is malformed, because nobody can say on
 * which side it falls. Mail addresses in the subject count as mail addresses, and a leaf's common name counts as a DNS
 * name when it looks like one and no DNS name is given. Comparisons are counted. Rules X509-60 to X509-66.
 */
import { isSelfIssued, PathFault } from './certificate-checks.ts'
import { generalNameText } from './general-name.ts'
import { lowerAscii, nameText, startsWithName } from './name.ts'
import { ATTRIBUTE_OID } from './oids.ts'
import type { Certificate, GeneralName, Name, NameConstraints } from './types.ts'
import type { Work } from './work.ts'

/** Checks every name of the path against every CA's constraints above it. @throws CertificateFault */
export function checkNameConstraints(path: readonly Certificate[], work: Work): void {
  if (path.every(({ extensions }) => extensions.nameConstraints === undefined)) return
  const names = path.map((certificate, index) => (skips(certificate, index) ? [] : namesOf(certificate, index === 0)))
  for (const [height, issuer] of path.entries()) {
    const constraints = issuer.extensions.nameConstraints
    if (constraints === undefined || height === 0) continue
    // X509-66
    if (constraints.hasDistances) throw unsupported(issuer, 'They use minimum or maximum distances.')
    for (let below = 0; below < height; below++) {
      const certificate = path[below] as Certificate
      for (const name of names[below] as readonly GeneralName[]) {
        work.compare(constraints.permitted.length + constraints.excluded.length)
        checkName(name, certificate, constraints, issuer)
      }
    }
  }
}

/** Constraints do not bind self-issued CAs below, but always the leaf (X509-60). */
function skips(certificate: Certificate, index: number): boolean {
  return index > 0 && isSelfIssued(certificate)
}

/** All names of a certificate that constraints speak of (X509-61). */
function namesOf({ subject, extensions }: Certificate, leaf: boolean): readonly GeneralName[] {
  const alternative = extensions.subjectAltName ?? []
  const names: GeneralName[] = [...alternative]
  if (subject.rdns.length > 0) names.push({ type: 'directory', value: subject })
  for (const { oid, text } of subject.rdns.flat()) {
    if (oid === ATTRIBUTE_OID.emailAddress) names.push({ type: 'email', value: text ?? '' })
  }
  if (leaf && !alternative.some(({ type }) => type === 'dns')) names.push(...hostNames(subject))
  return names
}

/** Common names that look like DNS names. Which of several a reader takes is not ours to say: all count. */
function hostNames(subject: Name): readonly GeneralName[] {
  return subject.rdns.flat().flatMap(({ oid, text }) => {
    const host = oid === ATTRIBUTE_OID.commonName && text?.includes('.') === true && isDnsName(text)
    return host ? [{ type: 'dns', value: text } as const] : []
  })
}

function checkName(
  name: GeneralName,
  certificate: Certificate,
  { permitted, excluded }: NameConstraints,
  issuer: Certificate,
): void {
  const sameKind = (base: GeneralName): boolean =>
    base.type === name.type && (base.type !== 'other' || name.type !== 'other' || base.tag === name.tag)
  const allowed = permitted.filter(sameKind)
  const forbidden = excluded.filter(sameKind)
  if (allowed.length + forbidden.length === 0) return
  if (name.type === 'other') throw unsupported(issuer, `They constrain a ${generalNameText(name)}.`) // X509-66
  const text = generalNameText(name)
  if (!isWellFormed(name)) {
    throw new PathFault('name-constraint-violated', `Its name ${text} is malformed.`, certificate)
  }
  for (const base of [...allowed, ...forbidden]) {
    if (!isUsableBase(base)) throw unsupported(issuer, `Their entry ${generalNameText(base)} is malformed.`)
  }
  if (forbidden.some((base) => lies(name, base) || wildcardReaches(name, base))) {
    throw violated(certificate, text, issuer, 'excluded')
  }
  if (allowed.length > 0 && !allowed.some((base) => lies(name, base))) {
    throw violated(certificate, text, issuer, 'not permitted')
  }
}

function unsupported(issuer: Certificate, detail: string): PathFault {
  return new PathFault('name-constraint-unsupported', `Its name constraints cannot be applied. ${detail}`, issuer)
}

function violated(certificate: Certificate, name: string, issuer: Certificate, how: string): PathFault {
  const detail = `Its ${name} is ${how} by the CA ${nameText(issuer.subject)}.`
  return new PathFault('name-constraint-violated', detail, certificate)
}

/** True when `name` lies in the subtree that `base` roots. Both are well-formed and of the same kind. */
function lies(name: GeneralName, base: GeneralName): boolean {
  switch (base.type) {
    case 'directory':
      return name.type === 'directory' && startsWithName(name.value, base.value)
    case 'dns':
      return name.type === 'dns' && dnsLies(lowerAscii(name.value), lowerAscii(base.value))
    case 'email':
      return name.type === 'email' && mailLies(name.value, base.value)
    case 'uri':
      return name.type === 'uri' && hostLies(uriHost(name.value) ?? '', lowerAscii(base.value))
    case 'ip':
      return name.type === 'ip' && addressLies(name.value, base.value)
    case 'other':
      return true
  }
}

/** The domain itself and everything below it; only below it for a base with a leading dot (X509-62). */
function dnsLies(name: string, base: string): boolean {
  if (base === '') return true
  return base.startsWith('.') ? name.endsWith(base) : name === base || name.endsWith(`.${base}`)
}

/** True when a wildcard DNS name could be expanded into the subtree: `*.example.com` reaches `host.example.com`. */
function wildcardReaches(name: GeneralName, base: GeneralName): boolean {
  if (name.type !== 'dns' || base.type !== 'dns' || !name.value.startsWith('*.')) return false
  const domain = lowerAscii(base.value).replace(/^\./, '')
  return domain.slice(domain.indexOf('.') + 1) === lowerAscii(name.value.slice(2))
}

/** A mailbox, all mailboxes of a host, or with a leading dot those of all hosts of a domain (X509-63). */
function mailLies(name: string, base: string): boolean {
  const at = name.lastIndexOf('@')
  const host = lowerAscii(name.slice(at + 1))
  const baseAt = base.lastIndexOf('@')
  if (baseAt >= 0) return name.slice(0, at) === base.slice(0, baseAt) && host === lowerAscii(base.slice(baseAt + 1))
  return hostLies(host, lowerAscii(base))
}

/** Exactly the host, or with a leading dot every host below it. */
function hostLies(host: string, base: string): boolean {
  return base.startsWith('.') ? host.length > base.length && host.endsWith(base) : host === base
}

/** Address family must agree, and all bits under the mask (X509-64). */
function addressLies(address: Uint8Array, base: Uint8Array): boolean {
  const { length } = address
  if (base.length !== 2 * length) return false
  return address.every((byte, i) => ((byte ^ (base[i] as number)) & (base[length + i] as number)) === 0)
}

function isWellFormed(name: GeneralName): boolean {
  switch (name.type) {
    case 'dns':
      return isDnsName(name.value.replace(/^\*\./, ''))
    case 'email':
      return isMailbox(name.value)
    case 'uri':
      return uriHost(name.value) !== undefined
    case 'ip':
      return name.value.length === 4 || name.value.length === 16
    default:
      return true
  }
}

function isUsableBase(base: GeneralName): boolean {
  switch (base.type) {
    case 'dns':
      return base.value === '' || isDnsName(base.value.replace(/^\./, ''))
    case 'email':
      return base.value.includes('@') ? isMailbox(base.value) : isDnsName(base.value.replace(/^\./, ''))
    case 'uri':
      return isDnsName(base.value.replace(/^\./, ''))
    case 'ip':
      return (base.value.length === 8 || base.value.length === 32) && isPrefixMask(base.value)
    default:
      return true
  }
}

/** Labels of letters, digits, hyphens and underscores, 253 characters at most. */
function isDnsName(name: string): boolean {
  return (
    name.length <= 253 &&
    /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i.test(name)
  )
}

function isMailbox(mailbox: string): boolean {
  const at = mailbox.lastIndexOf('@')
  const local = mailbox.slice(0, Math.max(at, 0))
  const plain = /^[^\s@"\\]+$/.test(local) || /^"([^"\\]|\\.)*"$/.test(local)
  return plain && local.length <= 64 && isDnsName(mailbox.slice(at + 1))
}

/** One bits, then zero bits. */
function isPrefixMask(base: Uint8Array): boolean {
  let ended = false
  for (const byte of base.subarray(base.length / 2)) {
    if (ended ? byte !== 0 : ![0, 128, 192, 224, 240, 248, 252, 254, 255].includes(byte)) return false
    ended ||= byte !== 255
  }
  return true
}

/** The host name of a URI with an authority; `undefined` where it is an address or there is none (X509-65). */
function uriHost(uri: string): string | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(uri)?.[1]
  const host = authority?.slice(authority.lastIndexOf('@') + 1).replace(/:\d*$/, '')
  if (host === undefined || !isDnsName(host) || /^[\d.]+$/.test(host)) return undefined
  return lowerAscii(host)
}
