/** Certificate policies: demands, mappings, inhibition, and work that stays linear. */
import { describe, expect, it } from 'vitest'
import type { Certificate, PolicyOptions } from '../../../src/x509/index.ts'
import { checkPolicies } from '../../../src/x509/policy.ts'
import type { Identity } from '../../support/pki.ts'
import {
  ca,
  inhibitAnyPolicy,
  leaf,
  outcome,
  policies,
  policyConstraints,
  policyMappings,
  verify,
  verifyUnsigned,
} from '../../support/x509.ts'
import type { Extension } from '../../../src/x509/index.ts'

const A = '1.2.3.1'
const B = '1.2.3.2'
const C = '1.2.3.3'
const ANY = '2.5.29.32.0'
const EXPLICIT: PolicyOptions = { requireExplicitPolicy: true }

/** Outcome for a path whose certificates below the root carry these extensions, the last being the leaf. */
function judge(policy: PolicyOptions, ...levels: readonly (readonly Extension[])[]): string {
  const chain: Identity[] = [ca('root')]
  for (const [index, extensions] of levels.entries()) {
    const make = index === levels.length - 1 ? leaf : ca
    chain.push(make(`level ${index}`, chain.at(-1)!, { extensions }))
  }
  return outcome(verifyUnsigned(chain, { policy }))
}
const OK = 'verified'
const BAD = 'policy-violated'

describe('policies', () => {
  it('X509-70 are free unless somebody requires one', () => {
    expect(judge({}, [], [])).toBe(OK)
    expect(judge({}, [policies(A)], [policies(B)])).toBe(OK)
    expect(judge({ acceptable: [C] }, [policies(A)], [policies(A)])).toBe(OK)
  })

  it('X509-72 must be common to the whole path where one is required', () => {
    expect(judge(EXPLICIT, [policies(A)], [policies(A)])).toBe(OK)
    expect(judge(EXPLICIT, [policies(A, B)], [policies(B, C)])).toBe(OK)
    expect(judge(EXPLICIT, [policies(A)], [policies(B)])).toBe(BAD)
    expect(judge(EXPLICIT, [policies(A)], [])).toBe(BAD)
    expect(judge(EXPLICIT, [], [policies(A)])).toBe(BAD)
    expect(judge(EXPLICIT, [policies(A)])).toBe(OK)
    expect(judge(EXPLICIT, [])).toBe(BAD)
  })

  it('X509-70 anyPolicy stands for all', () => {
    expect(judge(EXPLICIT, [policies(ANY)], [policies(B)])).toBe(OK)
    expect(judge(EXPLICIT, [policies(A)], [policies(ANY)])).toBe(OK)
    expect(judge(EXPLICIT, [policies(ANY)], [policies(ANY)])).toBe(OK)
    expect(judge({ ...EXPLICIT, acceptable: [C] }, [policies(ANY)], [policies(ANY)])).toBe(OK)
    expect(judge({ ...EXPLICIT, acceptable: [] }, [policies(ANY)], [policies(ANY)])).toBe(BAD)
  })

  it('X509-72 must be acceptable', () => {
    expect(judge({ ...EXPLICIT, acceptable: [A] }, [policies(A, B)], [policies(A)])).toBe(OK)
    expect(judge({ ...EXPLICIT, acceptable: [C, A] }, [policies(A, B)], [policies(A)])).toBe(OK)
    expect(judge({ ...EXPLICIT, acceptable: [B] }, [policies(A, B)], [policies(A)])).toBe(BAD)
    expect(judge({ ...EXPLICIT, acceptable: [ANY] }, [policies(A)], [policies(A)])).toBe(OK)
    expect(judge({ ...EXPLICIT, acceptable: [B] }, [policies(A)], [policies(ANY)])).toBe(BAD)
  })

  it('X509-72 are required by a CA’s constraint, after as many certificates as it says', () => {
    const demand = (skip: number): string => judge({}, [policies(A), policyConstraints(skip)], [], [], [])
    expect(demand(0)).toBe(BAD)
    expect(demand(2)).toBe(BAD)
    expect(demand(3)).toBe(BAD)
    expect(demand(4)).toBe(OK)
    expect(judge({}, [policies(A), policyConstraints(0)], [policies(A)])).toBe(OK)
    expect(judge({}, [], [policyConstraints(0)])).toBe(BAD)
    expect(judge({}, [], [policyConstraints(1)])).toBe(OK)
    expect(judge({}, [policyConstraints(5)], [policyConstraints(0), policies(A)], [policies(A)])).toBe(BAD)
  })

  it('X509-71 are mapped', () => {
    const map = [policies(A), policyMappings([A, B])]
    expect(judge(EXPLICIT, map, [policies(B)])).toBe(OK)
    expect(judge(EXPLICIT, map, [policies(A)])).toBe(BAD)
    expect(judge(EXPLICIT, [policies(A), policyMappings([A, B], [A, C])], [policies(C)])).toBe(OK)
    expect(judge(EXPLICIT, [policies(A)], [policies(A), policyMappings([A, B])], [policies(B)])).toBe(OK)
    expect(judge(EXPLICIT, [policies(B), policyMappings([A, C])], [policies(C)])).toBe(BAD)
    expect(judge(EXPLICIT, [policies(ANY), policyMappings([A, B])], [policies(B)])).toBe(OK)
  })

  it('X509-73 are accepted in the anchor’s terms', () => {
    const map = [policies(A), policyMappings([A, B])]
    expect(judge({ ...EXPLICIT, acceptable: [A] }, map, [policies(B)])).toBe(OK)
    expect(judge({ ...EXPLICIT, acceptable: [B] }, map, [policies(B)])).toBe(BAD)
    const any = [policies(ANY), policyMappings([A, B])]
    expect(judge({ ...EXPLICIT, acceptable: [A] }, any, [policies(B)])).toBe(OK)
  })

  it('X509-71 are not mapped where that is inhibited', () => {
    const map = [policies(A), policyMappings([A, B])]
    expect(judge({ ...EXPLICIT, inhibitPolicyMapping: true }, map, [policies(B)])).toBe(BAD)
    expect(judge({ ...EXPLICIT, inhibitPolicyMapping: true }, map, [policies(A)])).toBe(BAD)
    const inhibit = (skip: number): string =>
      judge(EXPLICIT, [policies(A), policyConstraints(undefined, skip)], map, [policies(B)])
    expect(inhibit(0)).toBe(BAD)
    expect(inhibit(1)).toBe(OK)
  })

  it('X509-71 never map anyPolicy', () => {
    expect(judge({}, [policies(ANY), policyMappings([ANY, A])], [policies(A)])).toBe(BAD)
    expect(judge({}, [policies(ANY), policyMappings([A, ANY])], [policies(A)])).toBe(BAD)
  })

  it('X509-70 anyPolicy does not count where it is inhibited', () => {
    expect(judge({ ...EXPLICIT, inhibitAnyPolicy: true }, [policies(ANY)], [policies(A)])).toBe(BAD)
    expect(judge({ ...EXPLICIT, inhibitAnyPolicy: true }, [policies(A)], [policies(A)])).toBe(OK)
    const inhibit = (skip: number): string =>
      judge(EXPLICIT, [policies(A), inhibitAnyPolicy(skip)], [policies(ANY)], [policies(A)])
    expect(inhibit(0)).toBe(BAD)
    expect(inhibit(1)).toBe(OK)
  })

  it('X509-70 self-issued CAs count for nothing', () => {
    const root = ca('root')
    const strict = ca('strict', root, { extensions: [policies(A), inhibitAnyPolicy(0), policyConstraints(1)] })
    const rolled = ca('rolled', strict, { subject: [['CN', 'strict']], extensions: [policies(ANY)] })
    const chain = (...names: string[]): string =>
      outcome(verifyUnsigned([root, strict, rolled, leaf('x', rolled, { extensions: [policies(...names)] })]))
    expect(chain(A)).toBe(OK)
    expect(chain(B)).toBe(BAD)
    const demanding = ca('demanding', root, { extensions: [policyConstraints(2)] })
    const below = (subject: string): string => {
      const next = ca('next', demanding, { subject: [['CN', subject]] })
      return outcome(verify([root, demanding, next, leaf('x', next)]))
    }
    expect(below('demanding')).toBe(OK)
    expect(below('next')).toBe(BAD)
  })

  it('X509-71 takes linear work where a tree would grow exponentially', () => {
    const names = Array.from({ length: 40 }, (_, i) => `1.2.3.${i}`)
    const pairs = names.flatMap((from) => names.slice(0, 20).map((to) => [from, to] as const))
    const level = (index: number): Certificate => ({
      ...ca(`level ${index}`).certificate,
      issuer: ca(`level ${index + 1}`).certificate.subject,
      extensions: {
        ...ca(`level ${index}`).certificate.extensions,
        policies: names,
        policyMappings: pairs.map(([issuerDomainPolicy, subjectDomainPolicy]) => ({
          issuerDomainPolicy,
          subjectDomainPolicy,
        })),
      },
    })
    const path = Array.from({ length: 16 }, (_, index) => level(index))
    const start = performance.now()
    for (let i = 0; i < 10; i++) checkPolicies(path, { ...EXPLICIT, acceptable: ['1.2.3.0'] })
    expect(performance.now() - start).toBeLessThan(5000)
  })
})
