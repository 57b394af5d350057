/** Name constraints, kind by kind. */
import { describe, expect, it } from 'vitest'
import { der, derInteger, derSequence, derUtf8 } from '../../../src/x509/der-write.ts'
import { writeName } from '../../../src/x509/issue.ts'
import { DerBudget, parseDer } from '../../../src/x509/der.ts'
import { readName } from '../../../src/x509/name.ts'
import type { GeneralName } from '../../../src/x509/index.ts'
import { issue, PKI_NOW } from '../../support/pki.ts'
import { ca, ext, general, leaf, nameConstraints, outcome, verifyUnsigned } from '../../support/x509.ts'
import { writeGeneralName } from '../../../src/x509/issue.ts'
import { createPeerVerifier } from '../../../src/x509/index.ts'
import { noble } from '../../../src/crypto/index.ts'

const root = ca('root')
type Base = string | GeneralName

/** Outcome for a leaf with these alternative names, and this subject, below a CA with these constraints. */
function judge(
  permitted: readonly Base[],
  excluded: readonly Base[],
  names: readonly string[],
  subject: [string, string][] = [['O', 'x']],
): string {
  const constrained = ca('constrained', root, { extensions: [nameConstraints(permitted, excluded)] })
  const alternative = names.length === 0 ? {} : { subjectAltName: names.map(general) }
  return outcome(verifyUnsigned([root, constrained, leaf('end', constrained, { subject, ...alternative })]))
}
const OK = 'verified'
const BAD = 'name-constraint-violated'
const CANNOT = 'name-constraint-unsupported'

const directory = (...parts: [string, string][]): GeneralName => ({
  type: 'directory',
  value: readName(parseDer(writeName(parts), new DerBudget(50))),
})

describe('DNS names', () => {
  it.each([
    ['example.com', 'example.com', OK],
    ['example.com', 'EXAMPLE.com', OK],
    ['example.com', 'a.b.example.com', OK],
    ['example.com', 'badexample.com', BAD],
    ['example.com', 'com', BAD],
    ['example.com', 'example.com.evil', BAD],
    ['.example.com', 'a.example.com', OK],
    ['.example.com', 'example.com', BAD],
    ['', 'anything.at.all', OK],
    ['example.com', '*.example.com', OK],
    ['a.example.com', '*.example.com', BAD],
    ['example.com', '*.com', BAD],
  ])('X509-62 permitted %s, named %s: %s', (base, name, expected) => {
    expect(judge([`dns:${base}`], [], [`dns:${name}`])).toBe(expected)
  })

  it.each([
    ['example.com', 'example.com', BAD],
    ['example.com', 'a.EXAMPLE.com', BAD],
    ['example.com', 'example.org', OK],
    ['.example.com', 'example.com', OK],
    ['', 'anything', BAD],
    ['a.example.com', '*.example.com', BAD],
    ['a.b.example.com', '*.example.com', OK],
    ['example.com', '*.example.com', BAD],
    ['example.com', '*.com', BAD],
    ['example.org', '*.com', OK],
  ])('X509-62 excluded %s, named %s: %s', (base, name, expected) => {
    expect(judge([], [`dns:${base}`], [`dns:${name}`])).toBe(expected)
  })

  it('checks every name, and exclusion wins', () => {
    expect(judge(['dns:example.com'], [], ['dns:example.com', 'dns:other.org'])).toBe(BAD)
    expect(judge(['dns:example.com', 'dns:other.org'], [], ['dns:example.com', 'dns:other.org'])).toBe(OK)
    expect(judge(['dns:example.com'], ['dns:bad.example.com'], ['dns:x.bad.example.com'])).toBe(BAD)
  })

  it.each(['.example.com', 'exa mple.com', 'a..example.com', '-a.example.com', 'a.*.example.com', 'example.com.', ''])(
    'X509-66 refuses the malformed name "%s" where a DNS constraint applies',
    (name) => {
      expect(judge(['dns:example.com'], [], [`dns:${name}`])).toBe(BAD)
      expect(judge([], ['dns:example.org'], [`dns:${name}`])).toBe(BAD)
      expect(judge(['ip:10,0,0,0,255,0,0,0'], [], [`dns:${name}`])).toBe(OK)
    },
  )

  it('X509-66 cannot apply a malformed base', () => {
    for (const base of ['*.example.com', 'a b', '..example.com']) {
      expect(judge([`dns:${base}`], [], ['dns:example.com'])).toBe(CANNOT)
      expect(judge([], [`dns:${base}`], ['dns:example.com'])).toBe(CANNOT)
      expect(judge([`dns:${base}`], [], ['email:a@b.c'])).toBe(OK)
    }
  })
})

describe('mail addresses', () => {
  it.each([
    ['user@example.com', 'user@example.com', OK],
    ['user@example.com', 'user@EXAMPLE.com', OK],
    ['user@example.com', 'User@example.com', BAD],
    ['user@example.com', 'other@example.com', BAD],
    ['example.com', 'any@example.com', OK],
    ['example.com', 'any@a.example.com', BAD],
    ['.example.com', 'any@a.example.com', OK],
    ['.example.com', 'any@example.com', BAD],
    ['*@example.com', 'user@example.com', BAD],
    ['*@example.com', '*@example.com', OK],
    ['example.com', '"a b@c"@example.com', OK],
    ['example.com', '"a"b"@example.com', BAD],
    ['example.com', 'a@b@example.com', BAD],
    ['example.com', '@example.com', BAD],
    ['example.com', 'example.com', BAD],
  ])('X509-63 permitted %s, named %s: %s', (base, name, expected) => {
    expect(judge([`email:${base}`], [], [`email:${name}`])).toBe(expected)
  })

  it('X509-66 cannot apply a malformed base', () => {
    for (const base of ['', 'a@b@c', '@example.com', 'a@', 'exa mple.com']) {
      expect(judge([`email:${base}`], [], ['email:a@example.com'])).toBe(CANNOT)
    }
  })
})

describe('addresses', () => {
  it.each([
    ['10,0,0,0,255,0,0,0', '10,1,2,3', OK],
    ['10,0,0,0,255,0,0,0', '11,1,2,3', BAD],
    ['10,1,2,3,255,255,255,255', '10,1,2,3', OK],
    ['10,1,2,3,255,255,255,255', '10,1,2,2', BAD],
    ['10,64,0,0,255,192,0,0', '10,127,0,1', OK],
    ['10,64,0,0,255,192,0,0', '10,128,0,1', BAD],
    ['0,0,0,0,0,0,0,0', '1,2,3,4', OK],
    ['10,0,0,0,255,0,0,0', `32,1,${'0,'.repeat(13)}1`, BAD],
    ['10,0,0,0,255,0,0,0', '10,0,0', BAD],
    ['10,0,0,0,255,0,0,0', '10,0,0,0,255,0,0,0', BAD],
  ])('X509-64 permitted %s, named %s: %s', (base, name, expected) => {
    expect(judge([`ip:${base}`], [], [`ip:${name}`])).toBe(expected)
  })

  it('X509-64 knows both families', () => {
    const net = `32,1,13,184,${'0,'.repeat(12)}255,255,255,255,${'0,'.repeat(11)}0`
    expect(judge([`ip:${net}`], [], [`ip:32,1,13,184,${'9,'.repeat(11)}9`])).toBe(OK)
    expect(judge([`ip:${net}`], [], [`ip:32,1,13,185,${'9,'.repeat(11)}9`])).toBe(BAD)
  })

  it('X509-66 cannot apply a base that is no address and prefix mask', () => {
    for (const base of ['10,0,0,0', '10,0,0,0,255,0,255,0', '10,0,0,0,0,0,0,1', '10,0,0,0,253,0,0,0', '1,2,3']) {
      expect(judge([`ip:${base}`], [], ['ip:10,0,0,1'])).toBe(CANNOT)
      expect(judge([], [`ip:${base}`], ['ip:10,0,0,1'])).toBe(CANNOT)
    }
  })
})

describe('URIs', () => {
  it.each([
    ['example.com', 'http://example.com/x', OK],
    ['example.com', 'https://user@EXAMPLE.com:8080?q', OK],
    ['example.com', 'http://a.example.com/', BAD],
    ['.example.com', 'ldap://a.example.com', OK],
    ['.example.com', 'http://example.com', BAD],
    ['example.com', 'http://evil.org/@example.com', BAD],
    ['example.com', 'http://example.com@evil.org/', BAD],
    ['example.com', 'mailto:a@example.com', BAD],
    ['example.com', 'http://10.0.0.1/', BAD],
    ['example.com', 'http://[::1]/', BAD],
    ['example.com', 'http:///x', BAD],
    ['example.com', 'example.com', BAD],
  ])('X509-65 permitted %s, named %s: %s', (base, name, expected) => {
    expect(judge([`uri:${base}`], [], [`uri:${name}`])).toBe(expected)
  })
  it('X509-66 cannot apply a base that is no host', () => {
    expect(judge(['uri:http://example.com'], [], ['uri:http://example.com/'])).toBe(CANNOT)
  })
})

describe('directory names', () => {
  const base = directory(['C', 'KG'], ['O', 'Example'])
  it('X509-60 are compared by their beginning, as names are compared', () => {
    const subjects: [[string, string][], string][] = [
      [
        [
          ['C', 'KG'],
          ['O', 'Example'],
        ],
        OK,
      ],
      [
        [
          ['C', 'kg'],
          ['O', 'EXAMPLE '],
          ['CN', 'x'],
        ],
        OK,
      ],
      [
        [
          ['C', 'KG'],
          ['CN', 'x'],
          ['O', 'Example'],
        ],
        BAD,
      ],
      [[['C', 'KG']], BAD],
      [[['O', 'Example']], BAD],
    ]
    for (const [subject, expected] of subjects) {
      expect(judge([base], [], [], subject)).toBe(expected)
      expect(judge([], [base], [], subject)).toBe(expected === OK ? BAD : OK)
    }
  })

  it('X509-61 an empty subject is no name, an alternative directory name is one', () => {
    expect(judge([base], [], ['dns:a.b'], [])).toBe(OK)
    const constrained = ca('constrained', root, { extensions: [nameConstraints([base])] })
    const inside: GeneralName[] = [directory(['C', 'KG'], ['O', 'Example'], ['CN', 'y'])]
    const outside: GeneralName[] = [directory(['C', 'DE'])]
    const subject: [string, string][] = [
      ['C', 'KG'],
      ['O', 'Example'],
    ]
    for (const [subjectAltName, expected] of [
      [inside, OK],
      [outside, BAD],
    ] as const) {
      expect(outcome(verifyUnsigned([root, constrained, leaf('x', constrained, { subject, subjectAltName })]))).toBe(
        expected,
      )
    }
  })
})

describe('scope', () => {
  it('kinds without a constraint are free', () => {
    expect(judge(['dns:example.com'], [], ['ip:1,2,3,4', 'email:a@b.c', 'uri:http://a.b/', 'other:5,0'])).toBe(OK)
  })

  it('X509-66 cannot compare other names, and refuses them where they are constrained', () => {
    const utf8 = { type: 'other', tag: 0, raw: derUtf8('x') } as const
    const constrained = ca('constrained', root, { extensions: [nameConstraints([], [utf8])] })
    const with0 = leaf('x', constrained, { subjectAltName: [utf8] })
    const with8 = leaf('x', constrained, { subjectAltName: [{ type: 'other', tag: 8, raw: new Uint8Array([42]) }] })
    expect(outcome(verifyUnsigned([root, constrained, with0]))).toBe(CANNOT)
    expect(outcome(verifyUnsigned([root, constrained, with8]))).toBe(OK)
  })

  it('X509-66 refuses minimum and maximum distances', () => {
    for (const distance of [derInteger(1, 0x80), derInteger(0, 0x81)]) {
      const subtree = derSequence(writeGeneralName(general('dns:example.com')), distance)
      const extension = ext('nameConstraints', derSequence(der(0xa0, subtree)), true)
      const constrained = ca('constrained', root, { extensions: [extension] })
      expect(outcome(verifyUnsigned([root, constrained, leaf('x', constrained)]))).toBe(CANNOT)
    }
    const zero = derSequence(writeGeneralName(general('dns:example.com')), derInteger(0, 0x80))
    const constrained = ca('constrained', root, { extensions: [ext('nameConstraints', derSequence(der(0xa0, zero)))] })
    expect(outcome(verifyUnsigned([root, constrained, leaf('x', constrained)]))).toBe(OK)
  })

  it('X509-60 binds everything below, from the anchor on', () => {
    const top = ca('top', undefined, { extensions: [nameConstraints(['dns:example.com'])] })
    const middle = ca('middle', top, { extensions: [nameConstraints(['dns:org'])] })
    const below = (name: string): string =>
      outcome(verifyUnsigned([top, middle, leaf('x', middle, { subjectAltName: [general(`dns:${name}`)] })]))
    expect(below('example.com')).toBe(BAD)
    expect(below('example.org')).toBe(BAD)
    const direct = leaf('x', top, { subjectAltName: [general('dns:example.org')] })
    expect(outcome(verifyUnsigned([top, direct]))).toBe(BAD)
    const named = ca('named', top, { subjectAltName: [general('dns:evil.org')] })
    const fine = leaf('x', named, { subjectAltName: [general('dns:example.com')] })
    expect(verifyUnsigned([top, named, fine])).toMatchObject({ problem: BAD, subject: 'CN=named' })
  })

  it('X509-60 lets self-issued CAs pass, but not a self-issued leaf', () => {
    const top = ca('top', undefined, { extensions: [nameConstraints([], [directory(['CN', 'top'])])] })
    const rolled = ca('rolled', top, { subject: [['CN', 'top']] })
    expect(outcome(verifyUnsigned([top, rolled, leaf('x', rolled)]))).toBe(OK)
    const selfIssued = leaf('x', top, { subject: [['CN', 'top']] })
    expect(outcome(verifyUnsigned([top, selfIssued]))).toBe(BAD)
  })

  it('X509-61 takes mail addresses in the subject for mail addresses', () => {
    const subject = (mail: string): [string, string][] => [
      ['CN', 'x'],
      ['emailAddress', mail],
    ]
    expect(judge(['email:example.com'], [], [], subject('a@example.com'))).toBe(OK)
    expect(judge(['email:example.com'], [], [], subject('a@evil.org'))).toBe(BAD)
    expect(judge(['email:example.com'], [], ['email:b@example.com'], subject('a@evil.org'))).toBe(BAD)
  })

  it('X509-61 takes a leaf’s common name for a DNS name when it looks like one and there is no other', () => {
    const named = (common: string, ...names: string[]): string =>
      judge(['dns:example.com'], [], names, [['CN', common]])
    expect(named('vpn.example.com')).toBe(OK)
    expect(named('vpn.example.org')).toBe(BAD)
    expect(named('server')).toBe(OK)
    expect(named('My Server 1.0')).toBe(OK)
    expect(named('vpn.example.org', 'dns:vpn.example.com')).toBe(OK)
    expect(named('vpn.example.org', 'ip:1,2,3,4')).toBe(BAD)
    for (const [first, second, expected] of [
      ['vpn.example.org', 'vpn.example.com', BAD],
      ['vpn.example.com', 'vpn.example.org', BAD],
      ['vpn.example.com', 'b.example.com', OK],
    ] as const) {
      const subject: [string, string][] = [
        ['CN', first],
        ['CN', second],
      ]
      expect(judge(['dns:example.com'], [], [], subject)).toBe(expected)
    }
  })

  it('X509-27 counts comparisons', () => {
    // One name against many constraints, many times over, from certificates of the host's own.
    const many = Array.from({ length: 600 }, (_, i) => `dns:a${i}.example`)
    const chain = [ca('nc 0', undefined, { extensions: [nameConstraints([], many)] })]
    for (let i = 1; i < 8; i++) chain.push(ca(`nc ${i}`, chain.at(-1), { extensions: [nameConstraints([], many)] }))
    const names = Array.from({ length: 300 }, (_, i) => general(`dns:n${i}.org`))
    const end = issue('nc end', { issuer: chain.at(-1)!, subjectAltName: names })
    const verifier = createPeerVerifier({ ca: chain.map(({ der: bytes }) => bytes) })
    expect(outcome(verifier.verify([end.der], 'server', PKI_NOW, noble))).toBe('certificate-too-complex')
    const few = issue('nc few', { issuer: chain.at(-1)!, subjectAltName: names.slice(0, 3) })
    expect(outcome(verifier.verify([few.der], 'server', PKI_NOW, noble))).toBe(OK)
  })
})
