/** Revocation lists of other issuers, indirect lists and deltas. Everything fails closed. */
import { describe, expect, it } from 'vitest'
import { noble } from '../../../src/crypto/index.ts'
import type { Extension } from '../../../src/x509/index.ts'
import { createPeerVerifier } from '../../../src/x509/index.ts'
import { der, derInteger, derNull, derSequence } from '../../../src/x509/der-write.ts'
import { writeName } from '../../../src/x509/issue.ts'
import type { Identity } from '../../support/pki.ts'
import { PKI_NOW } from '../../support/pki.ts'
import type { CrlOptions, VerifyOptions } from '../../support/x509.ts'
import {
  ca,
  crl,
  distributionPoint,
  ext,
  flag,
  issuingPoint,
  keyUsage,
  leaf,
  outcome,
  pointName,
  reason,
  verify,
} from '../../support/x509.ts'

const root = ca('root')
const good = leaf('good', root)
const bad = leaf('bad', root)
const rootCrl = crl(root, { revoked: [bad] })

const judge = (crls: readonly Uint8Array[], end: Identity = good, options: VerifyOptions = {}): string =>
  outcome(verify([root, end], { crls, ...options }))

describe('list issuers', () => {
  const signer = (options: Parameters<typeof ca>[2] = {}): Identity =>
    ca('list signer', root, { kind: 'bare', subject: [['CN', 'root']], extensions: [keyUsage('cRLSign')], ...options })
  const signed = (by: Identity, crls: readonly Uint8Array[] = [], options: CrlOptions = {}): string => {
    const verifier = createPeerVerifier({ ca: [root.der], crls: [crl(by, options), ...crls] })
    return outcome(verifier.verify([good.der, by.der], 'server', PKI_NOW, noble))
  }

  it('X509-87 outside the path are found and validated, revocation included', () => {
    const own = signer()
    expect(signed(own, [rootCrl], { extensions: [issuingPoint(pointName('root'))] })).toBe('verified')
    expect(signed(own, [crl(root, { revoked: [own] })], { thisUpdate: PKI_NOW - 60_000 })).toBe('verified')
    const only = createPeerVerifier({ ca: [root.der], crls: [crl(own)] })
    expect(outcome(only.verify([good.der, own.der], 'server', PKI_NOW, noble))).toBe('crl-unusable')
  })

  it('X509-87 that are not valid make their lists useless', () => {
    for (const by of [
      signer({ notAfter: PKI_NOW }),
      signer({ extensions: [keyUsage('digitalSignature')] }),
      signer({ extensions: [keyUsage('cRLSign'), ext('1.2.3', derNull(), true)] }),
      ca('list signer', ca('stranger'), { kind: 'bare', subject: [['CN', 'root']], extensions: [keyUsage('cRLSign')] }),
    ]) {
      expect(signed(by)).toBe('crl-unusable')
    }
  })

  it('X509-87 must lead to the path’s own trust anchor', () => {
    const other = ca('other')
    const foreign = ca('foreign', other, { subject: [['CN', 'root']], extensions: [keyUsage('cRLSign')] })
    const verifier = createPeerVerifier({ ca: [root.der, other.der], crls: [crl(foreign), crl(other)] })
    expect(outcome(verifier.verify([good.der, foreign.der], 'server', PKI_NOW, noble))).toBe('crl-unusable')
  })
})

describe('indirect lists', () => {
  const issuerName = (common: string): Uint8Array => der(0xa2, der(0xa4, writeName([['CN', common]])))
  const delegate = ca('delegate', root, { kind: 'bare', extensions: [keyUsage('cRLSign')] })
  const pointed = leaf('pointed', root, { extensions: [distributionPoint(issuerName('delegate'))] })
  const other = leaf('other', root, { extensions: [distributionPoint(issuerName('delegate'))] })
  const indirect = issuingPoint(flag(0x84))
  const named = (common: string): Extension =>
    ext('certificateIssuer', derSequence(der(0xa4, writeName([['CN', common]]))), true)
  const judgeIndirect = (list: Uint8Array, end: Identity): string => {
    const verifier = createPeerVerifier({ ca: [root.der], crls: [rootCrl, list] })
    return outcome(verifier.verify([end.der, delegate.der], 'server', PKI_NOW, noble))
  }

  it('X509-82 cover certificates that name their issuer', () => {
    const only = (end: Identity, list: Uint8Array, ...more: Uint8Array[]): string => {
      const rest = crl(root, { extensions: [issuingPoint(flag(0x82))] })
      const verifier = createPeerVerifier({ ca: [root.der], crls: [list, rest, ...more] })
      return outcome(verifier.verify([end.der, delegate.der], 'server', PKI_NOW, noble))
    }
    // The delegate's own certificate is a leaf, cleared by a list of the root for users that is no use to the others.
    expect(only(pointed, crl(delegate, { extensions: [indirect] }))).toBe('crl-unusable')
    expect(judgeIndirect(crl(delegate, { extensions: [indirect] }), pointed)).toBe('verified')
    expect(
      judgeIndirect(
        crl(delegate, { extensions: [indirect], revoked: [{ identity: pointed, extensions: [named('root')] }] }),
        pointed,
      ),
    ).toBe('revoked')
  })

  it('X509-80 carry an entry’s issuer on to the entries after it', () => {
    const list = crl(delegate, {
      extensions: [indirect],
      revoked: [
        { identity: bad, extensions: [named('root'), reason(1)] },
        { identity: other, extensions: [reason(1)] },
      ],
    })
    expect(judgeIndirect(list, other)).toBe('revoked')
    expect(judgeIndirect(list, pointed)).toBe('verified')
    const own = crl(delegate, { extensions: [indirect], revoked: [other] })
    expect(judgeIndirect(own, other)).toBe('verified')
  })

  it('X509-82 must be marked indirect', () => {
    // A delegate that is a CA, cleared by a list of the root for CAs alone, which says nothing of the leaf.
    const authority = ca('authority', root)
    const end = leaf('end', root, { extensions: [distributionPoint(issuerName('authority'))] })
    const cas = crl(root, { extensions: [issuingPoint(flag(0x82))] })
    const of = (list: Uint8Array): string => {
      const verifier = createPeerVerifier({ ca: [root.der], crls: [list, cas] })
      return outcome(verifier.verify([end.der, authority.der], 'server', PKI_NOW, noble))
    }
    expect(of(crl(authority, { extensions: [indirect] }))).toBe('verified')
    expect(of(crl(authority))).toBe('crl-unusable')
    const revoked = [{ identity: end, extensions: [named('root')] }]
    expect(of(crl(authority, { extensions: [indirect], revoked }))).toBe('revoked')
    const other = ca('another authority', root)
    const verifier = createPeerVerifier({ ca: [root.der], crls: [crl(other, { extensions: [indirect] }), cas] })
    expect(outcome(verifier.verify([end.der, other.der], 'server', PKI_NOW, noble))).toBe('crl-unusable')
  })

  it('X509-87 may clear their own issuer where its CA says so', () => {
    const self = ca('self list', root, {
      kind: 'bare',
      extensions: [keyUsage('cRLSign'), distributionPoint(issuerName('self list'))],
    })
    const end = leaf('x', root, { extensions: [distributionPoint(issuerName('self list'))] })
    const list = (options: CrlOptions = {}): string => {
      const lists = [crl(self, { ...options, extensions: [indirect] })]
      const verifier = createPeerVerifier({ ca: [root.der], crls: lists })
      return outcome(verifier.verify([end.der, self.der], 'server', PKI_NOW, noble))
    }
    expect(list()).toBe('verified')
    expect(list({ revoked: [{ identity: self, extensions: [named('root')] }] })).toBe('crl-unusable')
  })

  it('X509-87 are not cleared by a stranger of their name', () => {
    const bare = { kind: 'bare', subject: [['CN', 'self list']] as [string, string][] } as const
    const self = ca('self list', root, {
      ...bare,
      extensions: [keyUsage('cRLSign'), distributionPoint(issuerName('self list'))],
    })
    const stranger = ca('stranger', undefined, { ...bare, extensions: [keyUsage('cRLSign')] })
    const end = leaf('x', root, { extensions: [distributionPoint(pointName('point'), issuerName('self list'))] })
    const forEnd = crl(self, { extensions: [issuingPoint(pointName('point'), flag(0x84))] })
    const of = (signer: Identity): string => {
      const crls = [forEnd, crl(signer, { extensions: [indirect] })]
      const verifier = createPeerVerifier({ ca: [root.der], crls })
      return outcome(verifier.verify([end.der, self.der, stranger.der], 'server', PKI_NOW, noble))
    }
    expect(of(self)).toBe('verified')
    expect(of(stranger)).toBe('crl-unusable')
  })
})

describe('delta lists', () => {
  const delta = (base: number, options: CrlOptions = {}): Uint8Array =>
    crl(root, { number: 5, ...options, extensions: [ext('deltaCrlIndicator', derInteger(base), true)] })
  const base = (options: CrlOptions = {}): Uint8Array => crl(root, { number: 3, ...options })
  const hold = { revoked: [{ identity: good, extensions: [reason(6)] }] }

  it('X509-90 do not stand alone', () => expect(judge([delta(1)])).toBe('crl-unusable'))

  it('X509-90 add to their base and take off from it', () => {
    expect(judge([base(), delta(3)])).toBe('verified')
    expect(judge([base(), delta(3, { revoked: [good] })])).toBe('revoked')
    expect(judge([base(hold)])).toBe('revoked')
    expect(judge([base(hold), delta(3)])).toBe('revoked')
    const release = { revoked: [{ identity: good, extensions: [reason(8)] }] }
    expect(judge([base(hold), delta(3, release)])).toBe('verified')
  })

  it('X509-90 count only on a base they build on, current and signed by its issuer', () => {
    const release = { revoked: [{ identity: good, extensions: [reason(8)] }] }
    expect(judge([base(hold), delta(4, release)])).toBe('revoked')
    expect(judge([base({ ...hold, number: 5 }), delta(3, release)])).toBe('revoked')
    expect(judge([base(hold), delta(3, { ...release, nextUpdate: PKI_NOW })])).toBe('revoked')
    expect(judge([base(hold), delta(3, { ...release, signer: bad })])).toBe('revoked')
  })

  it('X509-81 with unknown critical extensions make their base useless', () => {
    const odd = crl(root, {
      number: 5,
      extensions: [ext('deltaCrlIndicator', derInteger(3), true), ext('1.2.3', derNull(), true)],
    })
    expect(judge([base(), odd])).toBe('crl-unusable')
  })
})
