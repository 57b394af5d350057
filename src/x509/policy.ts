/**
 * Certificate policies (RFC 5280 section 6.1, with the policy graph of RFC 9618 in place of its tree).
 *
 * The tree of RFC 5280 can grow exponentially with the path; the graph holds each policy once per certificate and only
 * remembers which policies of the level above led to it, so the work is linear in what the certificates list. By
 * default every policy is acceptable and none is required, and then only what the CAs themselves demand can fail. Rules
 * X509-70 to X509-73.
 */
import { isSelfIssued, PathFault } from './certificate-checks.ts'
import { CertificateFault } from './fault.ts'
import { ANY_POLICY } from './oids.ts'
import type { Certificate, PolicyMapping } from './types.ts'
import type { PolicyOptions } from './verifier-types.ts'

/** The policies valid at one certificate. */
interface Level {
  /** Policies and, for each, those of the level above it came from; none when it came from anyPolicy. */
  readonly parents: Map<string, readonly string[]>
  /** True while anyPolicy itself is valid. */
  any: boolean
}

/** How many more certificates a demand leaves open; zero when it is in force. */
interface Counters {
  explicitPolicy: number
  policyMapping: number
  inhibitAny: number
}

/** Processes the policies of a path, leaf first. @throws CertificateFault */
export function checkPolicies(path: readonly Certificate[], options: PolicyOptions): void {
  const certificates = path.slice(0, -1).reverse()
  const unlimited = certificates.length + 1
  const counters: Counters = {
    explicitPolicy: options.requireExplicitPolicy === true ? 0 : unlimited,
    policyMapping: options.inhibitPolicyMapping === true ? 0 : unlimited,
    inhibitAny: options.inhibitAnyPolicy === true ? 0 : unlimited,
  }
  const levels: Level[] = []
  let expected: Level = { parents: new Map(), any: true }
  for (const [index, certificate] of certificates.entries()) {
    const leaf = index === certificates.length - 1
    const anyAllowed = counters.inhibitAny > 0 || (!leaf && isSelfIssued(certificate))
    const level = applyPolicies(expected, certificate.extensions.policies, anyAllowed)
    levels.push(level)
    if (leaf) {
      finish(counters, certificate)
    } else {
      expected = applyMappings(level, certificate, counters.policyMapping > 0)
      advance(counters, certificate)
    }
  }
  // X509-72
  if (counters.explicitPolicy === 0 && !hasAcceptable(levels, options.acceptable)) {
    throw new CertificateFault(
      'policy-violated',
      'A policy is required, and none along the chain is valid and acceptable.',
    )
  }
}

/** Section 6.1.3 (d) and (e): what the certificate's own policies leave of the expected ones (X509-70). */
function applyPolicies(expected: Level, policies: readonly string[] | undefined, anyAllowed: boolean): Level {
  const level: Level = { parents: new Map(), any: false }
  if (policies === undefined) return level
  const any = anyAllowed && policies.includes(ANY_POLICY)
  for (const [policy, parents] of expected.parents) {
    if (any || policies.includes(policy)) level.parents.set(policy, parents)
  }
  if (expected.any) {
    for (const policy of policies) {
      if (policy !== ANY_POLICY && !level.parents.has(policy)) level.parents.set(policy, [])
    }
  }
  level.any = expected.any && any
  return level
}

/** Section 6.1.4 (a) and (b): which policies are expected of the next certificate (X509-71). */
function applyMappings(level: Level, certificate: Certificate, mappingAllowed: boolean): Level {
  const mappings = certificate.extensions.policyMappings ?? []
  if (mappings.some(mapsAny)) {
    throw new PathFault('policy-violated', 'It maps anyPolicy, which is not allowed.', certificate)
  }
  const mapped = new Set(mappings.map(({ issuerDomainPolicy }) => issuerDomainPolicy))
  if (mappingAllowed && level.any) {
    for (const policy of mapped) if (!level.parents.has(policy)) level.parents.set(policy, [])
  }
  const expected = new Map<string, string[]>()
  const expect = (policy: string, parent: string): void => {
    const parents = expected.get(policy)
    if (parents === undefined) expected.set(policy, [parent])
    else if (!parents.includes(parent)) parents.push(parent)
  }
  for (const policy of level.parents.keys()) if (!mapped.has(policy)) expect(policy, policy)
  if (mappingAllowed) {
    for (const { issuerDomainPolicy, subjectDomainPolicy } of mappings) {
      if (level.parents.has(issuerDomainPolicy)) expect(subjectDomainPolicy, issuerDomainPolicy)
    }
  }
  return { parents: expected, any: level.any }
}

function mapsAny({ issuerDomainPolicy, subjectDomainPolicy }: PolicyMapping): boolean {
  return issuerDomainPolicy === ANY_POLICY || subjectDomainPolicy === ANY_POLICY
}

/** Section 6.1.4 (h) to (j). */
function advance(counters: Counters, certificate: Certificate): void {
  const { policyConstraints, inhibitAnyPolicy } = certificate.extensions
  if (!isSelfIssued(certificate)) {
    counters.explicitPolicy = Math.max(counters.explicitPolicy - 1, 0)
    counters.policyMapping = Math.max(counters.policyMapping - 1, 0)
    counters.inhibitAny = Math.max(counters.inhibitAny - 1, 0)
  }
  const { requireExplicitPolicy = Infinity, inhibitPolicyMapping = Infinity } = policyConstraints ?? {}
  counters.explicitPolicy = Math.min(counters.explicitPolicy, requireExplicitPolicy)
  counters.policyMapping = Math.min(counters.policyMapping, inhibitPolicyMapping)
  counters.inhibitAny = Math.min(counters.inhibitAny, inhibitAnyPolicy ?? Infinity)
}

/** Section 6.1.5 (a) and (b). */
function finish(counters: Counters, leaf: Certificate): void {
  counters.explicitPolicy = Math.max(counters.explicitPolicy - 1, 0)
  if (leaf.extensions.policyConstraints?.requireExplicitPolicy === 0) counters.explicitPolicy = 0
}

/** Section 6.1.5 (g): true when the leaf is valid under a policy that is acceptable in the anchor's own terms. */
function hasAcceptable(levels: readonly Level[], acceptable: readonly string[] | undefined): boolean {
  const last = levels[levels.length - 1]
  if (last === undefined) return false
  if (acceptable === undefined || acceptable.includes(ANY_POLICY)) return last.any || last.parents.size > 0
  if (last.any && acceptable.length > 0) return true
  let reached: ReadonlySet<string> = new Set(last.parents.keys())
  for (const { parents } of [...levels].reverse()) {
    const above = new Set<string>()
    for (const policy of reached) {
      const origins = parents.get(policy) ?? []
      if (origins.length === 0 && acceptable.includes(policy)) return true // X509-73
      for (const origin of origins) above.add(origin)
    }
    reached = above
  }
  return false
}
