/** Building and judging paths: time, strength, purpose, CA rules, lengths, anchors, order, budgets. */
import { describe, expect, it } from 'vitest'
import { noble } from '../../../src/crypto/index.ts'
import { createPeerVerifier, parsePrivateKey } from '../../../src/x509/index.ts'
import type { Identity } from '../../support/pki.ts'
import { issue, PKI_NOT_AFTER, PKI_NOT_BEFORE, PKI_NOW, rsaKeyPem, toyKey, toyPki } from '../../support/pki.ts'
import {
  basicConstraints,
  ca,
  counting,
  ext,
  extendedKeyUsage,
  keyUsage,
  leaf,
  NO_AUTHORITY_KEY,
  outcome,
  subjectKey,
  verify,
} from '../../support/x509.ts'
import { der, derNull, derOctets, derSequence } from '../../../src/x509/der-write.ts'

const root = ca('root')
const server = leaf('server', root)
const der0 = (identities: readonly Identity[]): Uint8Array[] => identities.map((identity) => identity.der)

/** Verifies `chain` (leaf first) against `anchors`. */
function judge(anchors: readonly Identity[], chain: readonly Identity[], crypto = noble): string {
  const verdict = createPeerVerifier({ ca: der0(anchors) }).verify(der0(chain), 'server', PKI_NOW, crypto)
  return outcome(verdict)
}

describe('time', () => {
  it.each([
    [PKI_NOT_BEFORE - 1, 'not-yet-valid'],
    [PKI_NOT_BEFORE, 'verified'],
    [PKI_NOT_AFTER - 1, 'verified'],
    [PKI_NOT_AFTER, 'expired'],
    [PKI_NOT_AFTER + 999, 'expired'],
    [NaN, 'not-yet-valid'],
    [Infinity, 'expired'],
    [-Infinity, 'not-yet-valid'],
  ])('X509-16 at %d it is %s', (now, expected) => {
    expect(outcome(verify([root, server], { now }))).toBe(expected)
  })

  it('X509-16 holds for every certificate of the path', () => {
    const short = ca('short', root, { notAfter: PKI_NOW })
    const late = ca('late', root, { notBefore: PKI_NOW + 1000 })
    const old = ca('old root', undefined, { notAfter: PKI_NOW - 1000 })
    expect(outcome(verify([root, short, leaf('x', short)]))).toBe('expired')
    expect(outcome(verify([root, late, leaf('x', late)]))).toBe('not-yet-valid')
    expect(verify([old, leaf('x', old)])).toMatchObject({ problem: 'expired', subject: 'CN=old root' })
  })
})

describe('strength', () => {
  const rsa = (name: string) => parsePrivateKey(rsaKeyPem(name))
  const weak = ca('weak', undefined, { key: rsa('rsa-1024') })
  const middle = ca('middle', undefined, { key: rsa('rsa-2048a') })

  it('X509-18 asks for RSA sizes by profile, of leaves and CAs alike', () => {
    const weakLeaf = leaf('weak leaf', root, { key: rsa('rsa-1024') })
    for (const chain of [
      [weak, leaf('x', weak)],
      [root, weakLeaf],
    ]) {
      expect(outcome(verify(chain))).toBe('verified')
      expect(outcome(verify(chain, { profile: 'legacy' }))).toBe('verified')
      expect(outcome(verify(chain, { profile: 'preferred' }))).toBe('weak-key')
      expect(outcome(verify(chain, { profile: 'suiteb' }))).toBe('weak-key')
    }
    expect(outcome(verify([middle, leaf('x', middle)], { profile: 'preferred' }))).toBe('verified')
    expect(outcome(verify([middle, leaf('x', middle)], { profile: 'suiteb' }))).toBe('weak-key')
  })

  it('X509-18, X509-19 Suite B takes P-256 and P-384 with their hashes', () => {
    const chain = (kind: 'P-256' | 'P-384' | 'P-521' | 'ed25519'): string => {
      const { ca: anchor, server: end } = toyPki(kind)
      return outcome(verify([anchor, end], { profile: 'suiteb' }))
    }
    expect(chain('P-256')).toBe('verified')
    expect(chain('P-384')).toBe('verified')
    expect(chain('P-521')).toBe('weak-key')
    expect(chain('ed25519')).toBe('weak-key')
    const long = leaf('x', root, { signature: { type: 'ecdsa', hash: 'SHA512' } })
    expect(outcome(verify([root, long], { profile: 'preferred' }))).toBe('verified')
    expect(outcome(verify([root, long], { profile: 'suiteb' }))).toBe('weak-signature')
  })

  it('X509-19 refuses MD5 and SHA-1 signatures under every profile', () => {
    for (const profile of ['legacy', 'preferred', 'suiteb'] as const) {
      for (const signature of [
        { type: 'ecdsa', hash: 'SHA1' },
        { type: 'rsa-pkcs1', hash: 'SHA1' },
        { type: 'rsa-pkcs1', hash: 'MD5' },
        { type: 'rsa-pss', hash: 'SHA1', saltLength: 20 },
      ] as const) {
        const anchor = signature.type === 'ecdsa' ? root : middle
        const verdict = verify([anchor, leaf('x', anchor, { signature })], { profile })
        expect(['weak-signature', 'weak-key']).toContain(outcome(verdict))
        expect(outcome(verdict)).toBe(profile === 'suiteb' && anchor === middle ? 'weak-key' : 'weak-signature')
      }
    }
  })

  it('X509-20 does not judge or check the anchor’s own signature', () => {
    const sha1 = ca('sha1 root', undefined, { signature: { type: 'ecdsa', hash: 'SHA1' } })
    const end = leaf('x', sha1)
    expect(outcome(verify([sha1, end]))).toBe('verified')
    const broken = sha1.der.slice()
    broken[broken.length - 1] = (broken.at(-1)! ^ 1) & 255
    expect(outcome(createPeerVerifier({ ca: [broken] }).verify([end.der], 'server', PKI_NOW, noble))).toBe('verified')
  })

  it('X509-11 refuses a signature that its key may not make', () => {
    const pss = toyPki('rsa-pss-2048')
    // A certificate that says PKCS#1 under a CA that is bound to PSS: the same numbers would verify it.
    const plain = parsePrivateKey(rsaKeyPem('rsa-2048a'))
    const claimed = {
      ...toyKey('rsa-pss-2048', 0),
      public: { ...plain.public, ...toyKey('rsa-pss-2048', 0).public, pssOnly: false },
    }
    const end = leaf('x', { ...pss.ca, key: claimed }, { signature: { type: 'rsa-pkcs1', hash: 'SHA256' } })
    expect(outcome(verify([pss.ca, end]))).toBe('bad-signature')
    const bound = parsePrivateKey(rsaKeyPem('rsa-pss-sha256'))
    const boundCa = ca('bound', undefined, { key: bound })
    const { n, e } = bound as Extract<typeof bound, { type: 'rsa' }>
    const free = { ...bound, public: { type: 'rsa', n, e, pssOnly: true } } as typeof bound
    for (const signature of [
      { type: 'rsa-pss', hash: 'SHA384', saltLength: 48 },
      { type: 'rsa-pss', hash: 'SHA256', saltLength: 20 },
    ] as const) {
      const verdict = verify([boundCa, leaf('x', { ...boundCa, key: free }, { signature })])
      expect(outcome(verdict)).toBe('bad-signature')
    }
    expect(outcome(verify([boundCa, leaf('x', boundCa)]))).toBe('verified')
  })

  it('X509-12 refuses keys and algorithms that are not supported', () => {
    const odd = issue('odd', {
      key: { ...toyKey('P-256', 0), public: { type: 'ec', curve: 'P-256', point: new Uint8Array(33).fill(2) } },
      issuer: root,
    })
    expect(outcome(verify([root, odd]))).toBe('unsupported-public-key')
  })
})

describe('purpose', () => {
  it('X509-21 asks for a fitting key usage where there is one', () => {
    const table = [
      [['digitalSignature'], true, true],
      [['keyEncipherment'], true, false],
      [['keyAgreement'], true, true],
      [['nonRepudiation'], false, false],
      [['keyCertSign', 'cRLSign'], false, false],
      [[], false, false],
    ] as const
    for (const [usages, asServer, asClient] of table) {
      const both = leaf('x', root, { kind: 'bare', extensions: [keyUsage(...usages)] })
      expect(outcome(verify([root, both])), usages.join()).toBe(asServer ? 'verified' : 'wrong-purpose')
      expect(outcome(verify([root, both], { purpose: 'client' })), usages.join()).toBe(
        asClient ? 'verified' : 'wrong-purpose',
      )
      expect(outcome(verify([root, both], { purpose: 'any' }))).toBe('verified')
    }
  })

  it('X509-21 asks for the role’s bit of nsCertType where there is one', () => {
    const typed = (octet: number): Identity =>
      leaf('x', root, { kind: 'bare', extensions: [ext('nsCertType', der(3, new Uint8Array([0, octet])))] })
    expect(outcome(verify([root, typed(0x40)]))).toBe('verified')
    expect(outcome(verify([root, typed(0x80)]))).toBe('wrong-purpose')
    expect(outcome(verify([root, typed(0x80)], { purpose: 'client' }))).toBe('verified')
    expect(outcome(verify([root, typed(0x40)], { purpose: 'client' }))).toBe('wrong-purpose')
  })

  it('X509-22 asks for the role’s extended usage in the leaf, if any is listed', () => {
    const listed = (...usages: string[]): Identity =>
      leaf('x', root, { kind: 'bare', extensions: [extendedKeyUsage(...usages)] })
    expect(outcome(verify([root, leaf('x', root, { kind: 'bare' })]))).toBe('verified')
    expect(outcome(verify([root, listed('serverAuth')]))).toBe('verified')
    expect(outcome(verify([root, listed('clientAuth')]))).toBe('wrong-purpose')
    expect(outcome(verify([root, listed('1.2.3', 'serverAuth', 'clientAuth')]))).toBe('verified')
    expect(outcome(verify([root, listed('2.5.29.37.0')]))).toBe('wrong-purpose')
    expect(outcome(verify([root, listed('clientAuth')], { purpose: 'client' }))).toBe('verified')
  })

  it('X509-22 asks for it in every CA that lists usages, the anchor too', () => {
    for (const usages of [['clientAuth'], ['1.2.3'], ['2.5.29.37.0']]) {
      const narrow = ca('narrow', root, { extensions: [extendedKeyUsage(...usages)] })
      expect(verify([root, narrow, leaf('x', narrow)])).toMatchObject({
        problem: 'wrong-purpose',
        subject: 'CN=narrow',
      })
      const narrowRoot = ca('narrow root', undefined, { extensions: [extendedKeyUsage(...usages)] })
      expect(outcome(verify([narrowRoot, leaf('x', narrowRoot)]))).toBe('wrong-purpose')
    }
    const fitting = ca('fitting', root, { extensions: [extendedKeyUsage('serverAuth', 'clientAuth')] })
    expect(outcome(verify([root, fitting, leaf('x', fitting)]))).toBe('verified')
  })
})

describe('certificate authorities', () => {
  const under = (issuer: Identity): string => outcome(verify([root, issuer, leaf('x', issuer)]))

  it('X509-23 takes only certificates that say CA:TRUE as issuers', () => {
    expect(under(ca('good', root))).toBe('verified')
    expect(under(leaf('a leaf', root))).toBe('not-a-ca')
    expect(under(ca('no constraints', root, { kind: 'bare', extensions: [keyUsage('keyCertSign')] }))).toBe('not-a-ca')
    expect(under(ca('nothing', root, { kind: 'bare' }))).toBe('not-a-ca')
    expect(under(ca('false', root, { extensions: [basicConstraints(false)] }))).toBe('not-a-ca')
    expect(under(ca('empty', root, { extensions: [basicConstraints(undefined)] }))).toBe('not-a-ca')
    expect(under(ca('not critical', root, { extensions: [basicConstraints(true, undefined, false)] }))).toBe('verified')
  })

  it('X509-23 asks issuers for keyCertSign where there is a key usage', () => {
    expect(under(ca('no sign', root, { extensions: [keyUsage('cRLSign', 'digitalSignature')] }))).toBe('not-a-ca')
    expect(under(ca('no usage', root, { kind: 'bare', extensions: [basicConstraints(true)] }))).toBe('verified')
  })

  it('X509-23 is lenient with old roots only', () => {
    const old = ca('old', undefined, { kind: 'bare', extensions: [keyUsage('keyCertSign')] })
    expect(outcome(verify([old, leaf('x', old)]))).toBe('verified')
    const bare = ca('bare root', undefined, { kind: 'bare' })
    expect(outcome(verify([bare, leaf('x', bare)]))).toBe('not-a-ca')
    const no = ca('no root', undefined, { extensions: [basicConstraints(false)] })
    expect(outcome(verify([no, leaf('x', no)]))).toBe('not-a-ca')
    const noSign = ca('no sign root', undefined, { extensions: [keyUsage('cRLSign')] })
    expect(outcome(verify([noSign, leaf('x', noSign)]))).toBe('not-a-ca')
  })

  it('X509-23 takes no nameless issuer', () => {
    const nameless = ca('nameless', root, { subject: [] })
    expect(under(nameless)).toBe('not-a-ca')
  })

  it('X509-24 counts the CAs below a path length', () => {
    const build = (rootLength: number | undefined, ...lengths: (number | undefined)[]): string => {
      const chain = [ca(`l${rootLength}`, undefined, rootLength === undefined ? {} : { pathLength: rootLength })]
      for (const [index, length] of lengths.entries()) {
        chain.push(ca(`level ${index}`, chain.at(-1), length === undefined ? {} : { pathLength: length }))
      }
      return outcome(verify([...chain, leaf('end', chain.at(-1)!)]))
    }
    expect(build(0)).toBe('verified')
    expect(build(0, undefined)).toBe('path-length-exceeded')
    expect(build(1, undefined)).toBe('verified')
    expect(build(1, 5)).toBe('verified')
    expect(build(1, 0, undefined)).toBe('path-length-exceeded')
    expect(build(2, 1, 0)).toBe('verified')
    expect(build(2, 0, 0)).toBe('path-length-exceeded')
    expect(build(undefined, undefined, 0, undefined)).toBe('path-length-exceeded')
  })

  it('X509-24 does not count self-issued CAs, nor a leaf that is a CA', () => {
    const top = ca('top', undefined, { pathLength: 0 })
    const rolled = ca('rolled', top, { subject: [['CN', 'top']] })
    expect(outcome(verify([top, rolled, leaf('x', rolled)]))).toBe('verified')
    const caLeaf = ca('ca leaf', top)
    expect(outcome(verify([top, caLeaf], { purpose: 'any' }))).toBe('verified')
  })

  it('X509-14 refuses unknown critical extensions anywhere in the path', () => {
    const odd = { extensions: [ext('1.2.3', derNull(), true)] }
    const oddRoot = ca('odd root', undefined, odd)
    const oddCa = ca('odd ca', root, odd)
    for (const [chain, subject] of [
      [[root, leaf('odd', root, odd)], 'CN=odd'],
      [[root, oddCa, leaf('x', oddCa)], 'CN=odd ca'],
      [[oddRoot, leaf('x', oddRoot)], 'CN=odd root'],
    ] as const) {
      expect(verify(chain)).toMatchObject({ problem: 'unknown-critical-extension', subject })
    }
  })
})

describe('anchors and order', () => {
  const one = ca('one', root)
  const two = ca('two', one)
  const three = ca('three', two)
  const end = leaf('end', three)

  it('X509-29 needs no order in the received chain', () => {
    expect(judge([root], [end, three, two, one])).toBe('verified')
    expect(judge([root], [end, one, two, three])).toBe('verified')
    expect(judge([root], [end, two, root, one, server, three])).toBe('verified')
  })

  it('X509-29 finds intermediates in ca as well', () => {
    expect(judge([root, one, two, three], [end])).toBe('verified')
    expect(judge([root, two], [end, one, three])).toBe('verified')
    expect(judge([root, two], [end, three])).toBe('unknown-issuer')
  })

  it('X509-25 takes an intermediate in ca for no anchor', () => {
    expect(judge([three, two, one], [end])).toBe('unknown-issuer')
    expect(judge([one], [leaf('x', one)])).toBe('unknown-issuer')
  })

  it('X509-25 takes a root that the peer sends for no anchor', () => {
    const other = ca('other')
    expect(judge([root], [leaf('x', other), other])).toBe('untrusted-root')
    expect(judge([root], [issue('stranger')])).toBe('untrusted-root')
    const twin = ca('root', undefined, { key: toyKey('P-256', 2) })
    expect(judge([root], [leaf('x', twin), twin])).toBe('bad-signature')
  })

  it('X509-25 takes a leaf that is an anchor itself', () => {
    const self = issue('self')
    expect(judge([self], [self])).toBe('verified')
    expect(judge([self], [issue('self', { notAfter: PKI_NOT_AFTER - 1000 })])).toBe('untrusted-root')
  })

  it('X509-25 tells a rolled-over key from a self-signed root by key identifiers', () => {
    const rolled = ca('rolled', root, { subject: [['CN', 'root']] })
    const below = leaf('x', rolled)
    expect(judge([rolled], [below])).toBe('untrusted-root')
    expect(judge([root], [below, rolled])).toBe('verified')
    expect(judge([root, rolled], [below])).toBe('verified')
  })

  it('X509-26 checks every signature of the path', () => {
    const chain = [one, two, three, end]
    for (const [index, identity] of chain.entries()) {
      for (const position of [identity.der.length - 1, identity.certificate.tbs.length - 40]) {
        const forged = identity.der.slice()
        forged[position] = (forged[position]! ^ 1) & 255
        const received = chain.map((other, at) => (at === index ? forged : other.der)).reverse()
        const verdict = createPeerVerifier({ ca: [root.der] }).verify(received, 'server', PKI_NOW, noble)
        expect(verdict.type, `${index} ${position}`).toBe('refused')
      }
    }
  })

  it('X509-29 tries other issuers after one that leads nowhere', () => {
    const expired = ca('one', root, { notAfter: PKI_NOW - 1000 })
    expect(judge([root], [end, three, two, expired, one])).toBe('verified')
    expect(judge([root], [end, three, two, expired])).toBe('expired')
    const strict = ca('strict', undefined, { pathLength: 0 })
    const crossed = ca('one', strict)
    expect(judge([strict, root], [end, three, two, crossed, one])).toBe('verified')
    expect(judge([strict], [end, three, two, crossed])).toBe('path-length-exceeded')
  })

  it('X509-29 finds the way through cross-signed roots', () => {
    const roots = ['a', 'b', 'c'].map((name) => ca(name))
    const crosses = ['a', 'b', 'c'].flatMap((name, i) =>
      roots.filter((_, j) => j !== i).map((issuer) => ca(name, issuer)),
    )
    const below = leaf('x', roots[0]!)
    expect(judge([roots[2]!], [below, ...crosses])).toBe('verified')
    expect(judge([ca('d')], [below, ...crosses])).toBe('unknown-issuer')
  })

  it('X509-28 never steps onto the same CA twice', () => {
    const a = ca('loop a', ca('loop b'))
    const b = ca('loop b', ca('loop a'))
    const crypto = counting()
    expect(judge([root], [leaf('x', a), a, b], crypto)).toBe('unknown-issuer')
    expect(crypto.counts.verify).toBeLessThanOrEqual(3)
  })

  it('X509-29 does not judge certificates that are not needed', () => {
    const odd = ca('odd', root, { extensions: [ext('1.2.3', derNull(), true)] })
    expect(judge([root], [end, odd, three, two, one])).toBe('verified')
    const broken = createPeerVerifier({ ca: [root.der] })
    expect(outcome(broken.verify([server.der, new Uint8Array([1, 2, 3])], 'server', PKI_NOW, noble))).toBe('verified')
    expect(outcome(broken.verify([end.der, new Uint8Array([1, 2, 3])], 'server', PKI_NOW, noble))).toBe(
      'malformed-certificate',
    )
    expect(
      outcome(broken.verify([end.der, new Uint8Array(), three.der, two.der, one.der], 'server', PKI_NOW, noble)),
    ).toBe('verified')
  })

  it('X509-29 uses key identifiers as a hint only', () => {
    const hinted = ca('hinted', undefined, { extensions: [subjectKey(1, 2, 3), NO_AUTHORITY_KEY] })
    const mistaken = leaf('x', hinted, {
      extensions: [ext('authorityKeyIdentifier', derSequence(der(0x80, new Uint8Array([9]))))],
    })
    expect(judge([hinted], [mistaken])).toBe('verified')
    const decoys = Array.from({ length: 5 }, (_, i) => ca('same', undefined, { key: issue(`decoy ${i}`).key }))
    const real = ca('same')
    const crypto = counting()
    expect(judge([...decoys, real], [leaf('x', real)], crypto)).toBe('verified')
    expect(crypto.counts.verify).toBe(1)
    const silent = { extensions: [ext('authorityKeyIdentifier', derSequence())] }
    expect(judge([...decoys, real], [leaf('x', real, silent)])).toBe('verified')
  })
})

describe('budgets', () => {
  it('X509-27 follows 16 certificates and no more', () => {
    const chain = [ca('depth 0')]
    for (let i = 1; i < 16; i++) chain.push(ca(`depth ${i}`, chain.at(-1)))
    const ok = [...chain.slice(0, 15), leaf('end', chain[14]!)]
    expect(outcome(verify(ok))).toBe('verified')
    expect(outcome(verify([...chain, leaf('end', chain[15]!)]))).toBe('chain-too-long')
  })

  it('X509-27 checks at most 64 signatures', () => {
    // All CAs have one name and different keys, and no key identifiers tell them apart.
    const bare = [basicConstraints(true)]
    const mesh = Array.from({ length: 30 }, (_, i) =>
      issue(`mesh ${i}`, {
        kind: 'bare',
        subject: [['CN', 'mesh']],
        extensions: bare,
        serial: new Uint8Array([i + 1]),
      }),
    )
    const anchors = Array.from({ length: 70 }, (_, i) =>
      issue(`anchor ${i}`, {
        kind: 'bare',
        subject: [['CN', 'mesh']],
        extensions: bare,
        serial: new Uint8Array([i + 1]),
      }),
    )
    const crypto = counting()
    const end = leaf('x', mesh[29]!, { kind: 'bare' })
    expect(judge(anchors, [end, ...mesh.slice(0, 15)], crypto)).toBe('certificate-too-complex')
    expect(crypto.counts.verify).toBe(64)
  })

  it('X509-27 remembers signatures already checked', () => {
    const roots = ['p', 'q', 'r', 's'].map((name) => ca(name))
    const mesh = ['p', 'q', 'r', 's'].flatMap((name, i) =>
      roots.filter((_, j) => j !== i).map((issuer) => ca(name, issuer)),
    )
    const crypto = counting()
    expect(judge([root], [leaf('x', roots[0]!), ...mesh], crypto)).toBe('unknown-issuer')
    expect(crypto.counts.verify).toBeLessThanOrEqual(1 + mesh.length)
  })

  it('X509-2 bounds the whole received chain', () => {
    const many = Array.from({ length: 40 }, (_, i) => ca(`filler ${i}`, root))
    expect(judge([root], [leaf('x', ca('absent')), ...many])).toBe('certificate-too-complex')
    const long = ext('1.2.3.4', derOctets(new Uint8Array(60000)))
    const fat = leaf('fat', root, { extensions: [long] })
    expect(judge([root], [fat])).toBe('verified')
    expect(judge([root], [fat, fat])).toBe('certificate-too-complex')
  })
})

describe('verdicts', () => {
  it('X509-39 say what is wrong, with whom, and what would be right', () => {
    const verdict = verify([root, leaf('late', root, { notAfter: PKI_NOW })])
    expect(verdict).toMatchObject({ type: 'refused', problem: 'expired', subject: 'CN=late' })
    const detail = verdict.type === 'refused' ? verdict.detail : ''
    expect(detail).toMatch(/^It expired at 2025-10-09 08:53:20 UTC; it is 2025-10-09 08:53:20 UTC here\. .*renew it/)
  })

  it('X509-39 refuse an empty chain', () => expect(judge([root], [])).toBe('no-certificate'))

  it('X509-39 bound the subject’s length', () => {
    const verdict = verify([root, leaf('x'.repeat(5000), root, { notAfter: PKI_NOW })])
    expect(verdict.type === 'refused' && verdict.subject?.length).toBe(512)
  })

  it('give the path, leaf first', () => {
    const middle = ca('middle', root)
    const verdict = verify([root, middle, leaf('end', middle)])
    const names = verdict.type === 'verified' ? verdict.path.map(({ subject }) => subject.rdns[0]![0]!.text) : []
    expect(names).toEqual(['end', 'middle', 'root'])
  })
})
