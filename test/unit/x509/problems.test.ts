/** Every problem is reached by a chain that has just that problem, and says something an operator can act on. */
import { describe, expect, it } from 'vitest'
import { noble } from '../../../src/crypto/index.ts'
import type { CertificateProblem, PeerVerdict } from '../../../src/x509/index.ts'
import { CERTIFICATE_ADVICE, CERTIFICATE_PROBLEMS, createPeerVerifier } from '../../../src/x509/index.ts'
import { DerBudget, parseDer } from '../../../src/x509/der.ts'
import { derNull, derOid, derSequence } from '../../../src/x509/der-write.ts'
import { issue, PKI_NOW, rsaKeyPem, toyKey } from '../../support/pki.ts'
import { parsePrivateKey } from '../../../src/x509/index.ts'
import { ca, crl, ext, general, leaf, nameConstraints, policyConstraints, verify } from '../../support/x509.ts'

const root = ca('root')
const plain = leaf('plain', root)
const judge = (...chain: readonly Uint8Array[]): PeerVerdict =>
  createPeerVerifier({ ca: [root.der] }).verify(chain, 'server', PKI_NOW, noble)

const CASES: Readonly<Record<CertificateProblem, () => PeerVerdict>> = {
  'malformed-certificate': () => judge(plain.der.subarray(1)),
  'certificate-too-complex': () => judge(leaf('x', root, { extensions: [ext('1.2', new Uint8Array(70000))] }).der),
  'duplicate-extension': () =>
    judge(leaf('x', root, { extensions: [ext('1.2', derNull()), ext('1.2', derNull())] }).der),
  'unknown-critical-extension': () => verify([root, leaf('x', root, { extensions: [ext('1.2', derNull(), true)] })]),
  'signature-algorithm-mismatch': () => {
    const [tbs, , signature] = parseDer(plain.der, new DerBudget(200)).children
    return judge(derSequence(tbs!.bytes, derSequence(derOid('1.3.101.112')), signature!.bytes))
  },
  'unsupported-signature-algorithm': () => {
    const [tbs, algorithm, signature] = parseDer(plain.der, new DerBudget(200)).children
    const dsa = derSequence(derOid('1.2.840.10040.4.3'))
    const fields = tbs!.children.map(({ bytes }) => (bytes.toString() === algorithm!.bytes.toString() ? dsa : bytes))
    return judge(derSequence(derSequence(...fields), dsa, signature!.bytes))
  },
  'unsupported-public-key': () => {
    const key = {
      ...toyKey('P-256', 0),
      public: { type: 'ec' as const, curve: 'P-256' as const, point: new Uint8Array(33) },
    }
    return verify([root, issue('x', { key, issuer: root })])
  },
  'weak-signature': () => verify([root, leaf('x', root, { signature: { type: 'ecdsa', hash: 'SHA1' } })]),
  'weak-key': () =>
    verify([root, leaf('x', root, { key: parsePrivateKey(rsaKeyPem('rsa-1024')) })], { profile: 'preferred' }),
  'bad-signature': () => {
    const forged = plain.der.slice()
    forged[forged.length - 1] = (forged.at(-1)! ^ 1) & 255
    return judge(forged)
  },
  'no-certificate': () => judge(),
  'unknown-issuer': () => judge(leaf('x', ca('stranger')).der),
  'untrusted-root': () => judge(issue('self').der),
  'chain-too-long': () => {
    const chain = [ca('0')]
    while (chain.length < 17) chain.push(ca(String(chain.length), chain.at(-1)))
    return verify([...chain, leaf('x', chain.at(-1)!)])
  },
  'not-yet-valid': () => verify([root, leaf('x', root, { notBefore: PKI_NOW + 1000 })]),
  expired: () => verify([root, leaf('x', root, { notAfter: PKI_NOW })]),
  'not-a-ca': () => verify([root, plain, leaf('x', plain)]),
  'path-length-exceeded': () => {
    const narrow = ca('narrow', root, { pathLength: 0 })
    const below = ca('below', narrow)
    return verify([root, narrow, below, leaf('x', below)])
  },
  'wrong-purpose': () => verify([root, plain], { purpose: 'client' }),
  'name-constraint-violated': () => {
    const narrow = ca('narrow', root, { extensions: [nameConstraints(['dns:example.com'])] })
    return verify([root, narrow, leaf('x', narrow, { subjectAltName: [general('dns:example.org')] })])
  },
  'name-constraint-unsupported': () => {
    const narrow = ca('narrow', root, { extensions: [nameConstraints(['other:5,0'])] })
    return verify([root, narrow, leaf('x', narrow, { subjectAltName: [general('other:5,0')] })])
  },
  'policy-violated': () => {
    const strict = ca('strict', root, { extensions: [policyConstraints(0)] })
    return verify([root, strict, leaf('x', strict)])
  },
  'crl-missing': () => verify([root, plain], { crls: [crl(ca('other'))] }),
  'crl-expired': () => verify([root, plain], { crls: [crl(root, { nextUpdate: PKI_NOW })] }),
  'crl-not-yet-valid': () => verify([root, plain], { crls: [crl(root, { thisUpdate: PKI_NOW + 1000 })] }),
  'crl-unusable': () => verify([root, plain], { crls: [crl(root, { signer: plain })] }),
  revoked: () => verify([root, plain], { crls: [crl(root, { revoked: [plain] })] }),
  'key-usage-missing': () => verify([root, plain], { remoteCertKu: [0x08] }),
  'extended-key-usage-missing': () => verify([root, plain], { remoteCertTls: 'client' }),
  'ns-cert-type-mismatch': () => verify([root, plain], { nsCertType: 'server' }),
  'name-mismatch': () => verify([root, plain], { verifyName: { type: 'name', value: 'other' } }),
  'username-missing': () => verify([root, plain], { usernameFields: ['emailAddress'] }),
  'fingerprint-mismatch': () => verify([root, plain], { peerFingerprints: ['00'.repeat(32)] }),
  'issuer-hash-mismatch': () => verify([root, plain], { verifyHash: { hash: 'SHA256', values: ['00'.repeat(32)] } }),
}

describe('problems', () => {
  it('are a closed list of kebab-case words', () => {
    expect(CERTIFICATE_PROBLEMS.length).toBe(34)
    for (const problem of CERTIFICATE_PROBLEMS) expect(problem).toMatch(/^[a-z]+(-[a-z]+)*$/)
    expect(Object.keys(CASES).sort()).toEqual([...CERTIFICATE_PROBLEMS].sort())
  })

  it.each(CERTIFICATE_PROBLEMS)('X509-39 %s is reached, with words to act on', (problem) => {
    const verdict = CASES[problem]()
    expect(verdict).toMatchObject({ type: 'refused', problem })
    const detail = verdict.type === 'refused' ? verdict.detail : ''
    expect(detail.endsWith(CERTIFICATE_ADVICE[problem])).toBe(true)
    // What was found, then what would be right: at least two sentences.
    expect(detail.length).toBeGreaterThan(CERTIFICATE_ADVICE[problem].length + 10)
    expect(detail).toMatch(/^[A-Z].*\. [A-Z].*\.$/s)
  })
})
