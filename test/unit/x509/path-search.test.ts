/** Finding a path: anchors, order, budgets, and what a verdict says. */
import { describe, expect, it } from 'vitest'
import { utf8Encode } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import { createPeerVerifier } from '../../../src/x509/index.ts'
import type { Identity } from '../../support/pki.ts'
import { issue, PKI_NOT_AFTER, PKI_NOW, toyKey } from '../../support/pki.ts'
import {
  basicConstraints,
  ca,
  counting,
  ext,
  leaf,
  NO_AUTHORITY_KEY,
  outcome,
  subjectKey,
  verify,
} from '../../support/x509.ts'
import { der, derNull, derOctets, derSequence } from '../../../src/x509/der-write.ts'
import { writeName } from '../../../src/x509/issue.ts'

const root = ca('root')
const server = leaf('server', root)
const der0 = (identities: readonly Identity[]): Uint8Array[] => identities.map((identity) => identity.der)

/** Verifies `chain` (leaf first) against `anchors`. */
function judge(anchors: readonly Identity[], chain: readonly Identity[], crypto = noble): string {
  const verdict = createPeerVerifier({ ca: der0(anchors) }).verify(der0(chain), 'server', PKI_NOW, crypto)
  return outcome(verdict)
}

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

  it('X509-25 takes a self-issued certificate for no root when it says that another signed it', () => {
    const named = (common: string): Uint8Array => der(0xa1, der(0xa4, writeName([['CN', common]])))
    const own = ca('own', undefined, { serial: new Uint8Array([7, 7]) })
    const claiming = (...fields: Uint8Array[]): string => {
      const anchor = ca('own', undefined, {
        serial: new Uint8Array([7, 7]),
        extensions: [ext('authorityKeyIdentifier', derSequence(...fields))],
      })
      return judge([anchor], [leaf('x', own)])
    }
    expect(claiming(named('own'), der(0x82, new Uint8Array([7, 7])))).toBe('verified')
    expect(claiming(der(0xa1, der(0x82, utf8Encode('own.example'))))).toBe('verified')
    expect(claiming(der(0x82, new Uint8Array([7, 8])))).toBe('untrusted-root')
    expect(claiming(named('other'), der(0x82, new Uint8Array([7, 7])))).toBe('untrusted-root')
    const crossed = ca('own', issue('own', { kind: 'ca', subject: [['CN', 'own']], key: toyKey('rsa-2048', 0) }), {
      extensions: [NO_AUTHORITY_KEY],
    })
    expect(judge([crossed], [leaf('x', own)])).toBe('untrusted-root')
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
