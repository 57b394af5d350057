/** Known attacks on certificate handling, one named test each. Every one counts what was accepted: nothing. */
import { describe, expect, it } from 'vitest'
import { noble } from '../../src/crypto/index.ts'
import { createPeerVerifier, parseCertificate } from '../../src/x509/index.ts'
import { DerBudget, parseDer } from '../../src/x509/der.ts'
import { der, derBits, derNull, derOctets, derSequence } from '../../src/x509/der-write.ts'
import { writeName } from '../../src/x509/issue.ts'
import { issue, PKI_KINDS, PKI_NOW, toyPki } from '../support/pki.ts'
import { basicConstraints, ca, counting, crl, ext, keyUsage, leaf, outcome, verify } from '../support/x509.ts'

const root = ca('root')
const verifier = createPeerVerifier({ ca: [root.der] })
const judge = (...chain: readonly Uint8Array[]): string => outcome(verifier.verify(chain, 'server', PKI_NOW, noble))

describe('forged certificates', () => {
  it.each(PKI_KINDS)('no flipped bit of a %s certificate is accepted', (kind) => {
    const pki = toyPki(kind)
    const anchored = createPeerVerifier({ ca: [pki.ca.der] })
    const bits = pki.server.der.length * 8
    const step = kind === 'P-521' || kind === 'P-384' ? 149 : 31
    let tried = 0
    let accepted = 0
    for (let bit = 0; bit < bits; bit += step) {
      const forged = pki.server.der.slice()
      forged[bit >> 3] = forged[bit >> 3]! ^ (0x80 >> (bit & 7))
      tried++
      if (anchored.verify([forged], 'server', PKI_NOW, noble).type === 'verified') accepted++
    }
    expect(tried).toBeGreaterThan(20)
    expect(accepted).toBe(0)
  })

  it('a self-made root with the right name is not the root (name alone proves nothing)', () => {
    const fake = ca('root', undefined, { key: issue('fake').key })
    const end = leaf('x', fake)
    expect(judge(end.der)).toBe('bad-signature')
    expect(judge(end.der, fake.der)).toBe('bad-signature')
    expect(judge(end.der, root.der)).toBe('bad-signature')
  })

  it('a leaf that signs is no CA (CVE-2021-3450, missing basicConstraints)', () => {
    for (const options of [
      {},
      { kind: 'bare' as const },
      { kind: 'bare' as const, extensions: [keyUsage('keyCertSign')] },
      { extensions: [basicConstraints(false)] },
      { extensions: [basicConstraints(undefined, 5)] },
    ]) {
      const signer = leaf('signer', root, options)
      expect(judge(leaf('x', signer).der, signer.der)).toBe('not-a-ca')
    }
  })

  it('a signature moved from one certificate to another does not fit', () => {
    const parts = [leaf('a', root), leaf('b', root)].map(
      (identity) => parseDer(identity.der, new DerBudget(200)).children,
    )
    const [a, b] = parts
    expect(judge(derSequence(a![0]!.bytes, a![1]!.bytes, b![2]!.bytes))).toBe('bad-signature')
  })

  it('empty, zero and oversized signatures do not fit', () => {
    const [tbs, algorithm] = parseDer(leaf('x', root).der, new DerBudget(200)).children
    for (const signature of [
      new Uint8Array(),
      derSequence(),
      new Uint8Array(64),
      new Uint8Array(10000),
      Uint8Array.from([0x30, 6, 2, 1, 0, 2, 1, 0]),
      Uint8Array.from([0x30, 6, 2, 1, 1, 2, 1, 1]),
    ]) {
      expect(judge(derSequence(tbs!.bytes, algorithm!.bytes, derBits(signature)))).toBe('bad-signature')
    }
  })

  it('a curve given by its own parameters imitates no key (CVE-2020-0601)', () => {
    const [tbs, algorithm, signature] = parseDer(root.der, new DerBudget(200)).children
    const key = tbs!.children[6]!
    const explicit = derSequence(
      derSequence(key.children[0]!.children[0]!.bytes, derSequence(derNull())),
      key.children[1]!.bytes,
    )
    const fields = tbs!.children.map((field) => (field === key ? explicit : field.bytes))
    const fake = derSequence(derSequence(...fields), algorithm!.bytes, signature!.bytes)
    expect(judge(leaf('x', ca('root', undefined, { key: issue('other').key })).der, fake)).toBe('bad-signature')
  })
})

describe('names', () => {
  it('a NUL inside a name does not end it (CVE-2009-2408)', () => {
    const end = leaf('x', root, { subject: [['CN', 'server\0.evil.org']] })
    expect(parseCertificate(end.der)).toBe('malformed-certificate')
    expect(judge(end.der)).toBe('malformed-certificate')
  })

  it('line ends in a subject are written out, not printed', () => {
    const end = leaf('x', root, { subject: [['CN', 'a\nVERIFY OK\r\x1b[31m']], notAfter: PKI_NOW })
    expect(verifier.verify([end.der], 'server', PKI_NOW, noble)).toMatchObject({
      subject: 'CN=a\\0AVERIFY OK\\0D\\1B[31m',
    })
  })

  it('a nameless CA issues nothing', () => {
    const nameless = ca('nameless', root, { subject: [] })
    expect(judge(leaf('x', nameless).der, nameless.der)).toBe('not-a-ca')
  })
})

describe('work', () => {
  it('nesting is bounded before the stack is', () => {
    let bytes: Uint8Array = derSequence()
    for (let depth = 0; depth < 15000; depth++) bytes = der(0x30, bytes)
    expect(parseCertificate(bytes)).toBe('certificate-too-complex')
    let inner: Uint8Array = derOctets(new Uint8Array())
    for (let depth = 0; depth < 60; depth++) inner = der(0xa0, inner)
    const wrapped = leaf('x', root, { extensions: [ext('subjectAltName', derSequence(inner))] })
    expect(judge(wrapped.der)).toBe('certificate-too-complex')
  })

  it('breadth is bounded', () => {
    const wide = derSequence(...Array.from({ length: 8000 }, () => derNull()))
    expect(parseCertificate(wide)).toBe('certificate-too-complex')
    const subject: [string, string][] = Array.from({ length: 1000 }, () => ['OU', 'x'])
    expect(judge(leaf('x', root, { subject }).der)).toBe('certificate-too-complex')
  })

  it('two CAs that certify each other end the search (pkijs never returns)', () => {
    const a = ca('a', ca('b'))
    const b = ca('b', ca('a'))
    const crypto = counting()
    const verdict = verifier.verify([leaf('x', a).der, a.der, b.der], 'server', PKI_NOW, crypto)
    expect(outcome(verdict)).toBe('unknown-issuer')
    expect(crypto.counts.verify).toBeLessThanOrEqual(3)
  })

  it('a mesh of CAs of one name costs at most 64 signature checks', () => {
    const bare = {
      kind: 'bare' as const,
      subject: [['CN', 'mesh']] as [string, string][],
      extensions: [basicConstraints(true)],
    }
    const keys = Array.from({ length: 9 }, (_, i) => issue(`mesh key ${i}`).key)
    const cas = keys.map((key, i) => issue(`mesh ${i}`, { ...bare, key }))
    const mesh = cas.flatMap((issuer, i) =>
      keys.filter((_, j) => j !== i).map((key, j) => issue(`cross ${i} ${j}`, { ...bare, key, issuer })),
    )
    const crypto = counting()
    const end = leaf('x', cas[0]!, { kind: 'bare' })
    const verdict = verifier.verify(
      [end.der, ...mesh.slice(0, 40).map((identity) => identity.der)],
      'server',
      PKI_NOW,
      crypto,
    )
    expect(['certificate-too-complex', 'unknown-issuer', 'untrusted-root', 'bad-signature']).toContain(outcome(verdict))
    expect(crypto.counts.verify).toBeLessThanOrEqual(64)
  })

  it('keys that are too large are never used (CVE-2023-29409)', () => {
    const n = new Uint8Array(2048).fill(255)
    const key = {
      ...issue('large').key,
      public: { type: 'rsa' as const, n, e: new Uint8Array([1, 0, 1]), pssOnly: false },
    }
    const crypto = counting()
    const large = leaf('large', root, { key })
    expect(outcome(verifier.verify([large.der], 'server', PKI_NOW, crypto))).toBe('unsupported-public-key')
    expect(crypto.counts.verify).toBe(0)
  })
})

describe('revocation', () => {
  it('a list from a CA of the same name but another key revokes and clears nothing', () => {
    const twin = ca('root', undefined, { key: issue('twin').key })
    const end = leaf('x', root)
    expect(outcome(verify([root, end], { crls: [crl(twin)] }))).toBe('crl-unusable')
    expect(outcome(verify([root, end], { crls: [crl(twin, { revoked: [end] }), crl(root)] }))).toBe('verified')
  })

  it('a leaf’s key signs no lists', () => {
    const end = leaf('x', root, { subject: [['CN', 'root']] })
    const list = crl({ ...root, key: end.key })
    const withLists = createPeerVerifier({ ca: [root.der], crls: [list] })
    expect(outcome(withLists.verify([end.der], 'server', PKI_NOW, noble))).toBe('crl-unusable')
  })
})

describe('identities', () => {
  it('an extension that looks like a name is none', () => {
    const fake = ext('1.2.3', writeName([['CN', 'Server-1']]))
    const end = leaf('x', root, {
      extensions: [fake, ext('issuerAltName', derSequence(der(0x81, new Uint8Array([97, 64, 98]))))],
    })
    for (const usernameFields of [['ext:subjectAltName'], ['OU']]) {
      expect(outcome(verify([root, end], { usernameFields }))).toBe('username-missing')
    }
    expect(outcome(verify([root, end], { verifyName: { type: 'name', value: 'Server-1' } }))).toBe('name-mismatch')
  })

  it('a client’s certificate is no server’s', () => {
    const client = leaf('x', root, { kind: 'client' })
    expect(judge(client.der)).toBe('wrong-purpose')
    expect(outcome(verify([root, client], { remoteCertTls: 'server', purpose: 'any' }))).toBe(
      'extended-key-usage-missing',
    )
  })
})
