/** Judging the certificates of a path: time, strength, purpose, CA rules, lengths. */
import { describe, expect, it } from 'vitest'
import type { PrivateKey, PublicKey } from '../../../src/crypto/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import { createPeerVerifier, parsePrivateKey } from '../../../src/x509/index.ts'
import type { Identity } from '../../support/pki.ts'
import { issue, PKI_NOT_AFTER, PKI_NOT_BEFORE, PKI_NOW, rsaKeyPem, toyPki, toyKey } from '../../support/pki.ts'
import { basicConstraints, ca, ext, extendedKeyUsage, keyUsage, leaf, outcome, verify } from '../../support/x509.ts'
import { der, derNull } from '../../../src/x509/der-write.ts'
import { fingerprint, fingerprintText } from '../../../src/x509/fingerprint.ts'

const root = ca('root')
const server = leaf('server', root)

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

  it('X509-12 refuses a leaf whose key is no point of its curve', () => {
    const { point } = toyKey('P-256', 0).public as PublicKey & { type: 'ec' }
    const off = point.map((byte, index) => (index === 40 ? byte ^ 1 : byte))
    const keyed = (key: PublicKey): Identity =>
      issue('off', { key: { ...toyKey('P-256', 0), public: key } as PrivateKey, issuer: root })
    expect(outcome(verify([root, keyed({ type: 'ec', curve: 'P-256', point: off })]))).toBe('unsupported-public-key')
    expect(outcome(verify([root, keyed({ type: 'ec', curve: 'P-256', point })]))).toBe('verified')
    const pinned = keyed({ type: 'ec', curve: 'P-256', point: off })
    const verifier = createPeerVerifier({ peerFingerprints: [fingerprintText(fingerprint(pinned.der, noble))] })
    expect(outcome(verifier.verify([pinned.der], 'server', PKI_NOW, noble))).toBe('unsupported-public-key')
    for (const key of [new Uint8Array(32), new Uint8Array(32).fill(255)]) {
      expect(outcome(verify([root, keyed({ type: 'ed25519', key })]))).toBe('unsupported-public-key')
    }
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
