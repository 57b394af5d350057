/** Names: comparison, printing, refusals. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { Name } from '../../../src/x509/index.ts'
import { commonName, equalNames, nameText, writePem } from '../../../src/x509/index.ts'
import { DerBudget, parseDer, TAG } from '../../../src/x509/der.ts'
import { der, derOid, derSequence, derSet } from '../../../src/x509/der-write.ts'
import { attributeOid } from '../../../src/x509/oids.ts'
import { makeName, readName } from '../../../src/x509/name.ts'
import { certificateOf, issue, toyPki } from '../../support/pki.ts'

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf8'))
const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))
const utf16 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf16le').swap16())

type Attribute = readonly [name: string, tag: number, raw: Uint8Array]

function encode(...rdns: readonly (readonly Attribute[])[]): Uint8Array {
  return derSequence(
    ...rdns.map((rdn) =>
      derSet(...rdn.map(([name, tag, raw]) => derSequence(derOid(attributeOid(name)!), der(tag, raw)))),
    ),
  )
}
const name = (...rdns: readonly (readonly Attribute[])[]): Name =>
  readName(parseDer(encode(...rdns), new DerBudget(200)))
const cn = (tag: number, raw: Uint8Array): Name => name([['CN', tag, raw]])

describe('comparing names', () => {
  const example = cn(TAG.utf8String, bytes('Example CA'))
  it.each<[string, Name]>([
    ['PrintableString', cn(TAG.printableString, bytes('Example CA'))],
    ['BMPString', cn(TAG.bmpString, utf16('Example CA'))],
    [
      'UniversalString',
      cn(
        TAG.universalString,
        new Uint8Array(
          Buffer.from('Example CA', 'latin1').reduce<number[]>((all, byte) => [...all, 0, 0, 0, byte], []),
        ),
      ),
    ],
    ['TeletexString', cn(TAG.teletexString, latin1('Example CA'))],
    ['other case', cn(TAG.utf8String, bytes('eXAMPLE ca'))],
    ['white space around', cn(TAG.utf8String, bytes('  Example CA\t'))],
    ['white space runs', cn(TAG.utf8String, bytes('Example \n  CA'))],
  ])('X509-5 is equal: %s', (_, other) => {
    expect(equalNames(example, other)).toBe(true)
    expect(equalNames(other, example)).toBe(true)
  })

  it.each<[string, Name]>([
    ['no white space', cn(TAG.utf8String, bytes('ExampleCA'))],
    ['a longer value', cn(TAG.utf8String, bytes('Example CA2'))],
    ['another attribute', name([['O', TAG.utf8String, bytes('Example CA')]])],
    ['one attribute more', name([['CN', TAG.utf8String, bytes('Example CA')]], [['O', TAG.utf8String, bytes('x')]])],
    ['nothing', name()],
    ['not text', cn(TAG.octetString, bytes('Example CA'))],
  ])('X509-5 is different: %s', (_, other) => {
    expect(equalNames(example, other)).toBe(false)
    expect(equalNames(other, example)).toBe(false)
  })

  it('X509-5 compares letters outside ASCII exactly', () => {
    const upper = cn(TAG.utf8String, bytes('ÄÖ'))
    expect(equalNames(upper, cn(TAG.utf8String, bytes('äö')))).toBe(false)
    expect(equalNames(upper, cn(TAG.teletexString, latin1('ÄÖ')))).toBe(true)
    expect(equalNames(upper, cn(TAG.bmpString, utf16('ÄÖ')))).toBe(true)
  })

  it('X509-5 regards order between relative names and not inside one', () => {
    const a: Attribute = ['CN', TAG.utf8String, bytes('a')]
    const b: Attribute = ['OU', TAG.utf8String, bytes('b')]
    expect(equalNames(name([a, b]), name([b, a]))).toBe(true)
    expect(equalNames(name([a], [b]), name([b], [a]))).toBe(false)
    expect(equalNames(name([a, b]), name([a], [b]))).toBe(false)
  })
})

describe('reading names', () => {
  it('X509-6 refuses a NUL in every text type', () => {
    for (const [tag, raw] of [
      [TAG.utf8String, bytes('a\0b')],
      [TAG.printableString, bytes('a\0b')],
      [TAG.ia5String, bytes('a\0')],
      [TAG.bmpString, utf16('a\0')],
    ] as const) {
      expect(() => cn(tag, raw)).toThrow('NUL')
    }
  })

  it('refuses empty relative names and extra fields', () => {
    expect(() => name([])).toThrow()
    const extra = derSequence(derSet(derSequence(derOid('2.5.4.3'), der(TAG.utf8String), der(TAG.utf8String))))
    expect(() => readName(parseDer(extra, new DerBudget(20)))).toThrow()
  })

  it('keeps malformed wide strings as bytes', () => {
    expect(cn(TAG.bmpString, new Uint8Array([0xd8, 0])).rdns[0]![0]!.text).toBeUndefined()
    expect(cn(TAG.universalString, new Uint8Array([0, 0x11, 0, 0])).rdns[0]![0]!.text).toBeUndefined()
  })

  it('finds the last common name', () => {
    const twice = name([['CN', TAG.utf8String, bytes('first')]], [['CN', TAG.utf8String, bytes('last')]])
    expect(commonName(twice)).toBe('last')
    expect(commonName(makeName(new Uint8Array(0), []))).toBeUndefined()
  })
})

describe('printing names', () => {
  const subjects: [string, Uint8Array][] = [
    ['a plain subject', toyPki().server.certificate.subject.der],
    [
      'every known attribute',
      encode(
        ...(
          'C ST L O OU CN SN GN title initials name serialNumber dnQualifier pseudonym street postalCode description ' +
          'generationQualifier role organizationIdentifier businessCategory telephoneNumber unstructuredName ' +
          'jurisdictionC jurisdictionL jurisdictionST'
        )
          .split(' ')
          .map((attribute): Attribute[] => [[attribute, TAG.utf8String, bytes(`${attribute} value`)]]),
        [['emailAddress', TAG.ia5String, bytes('me@example.com')]],
        [['DC', TAG.ia5String, bytes('example')]],
        [['UID', TAG.utf8String, bytes('u')]],
      ),
    ],
    ['an unknown attribute', derSequence(derSet(derSequence(derOid('1.2.3.4'), der(TAG.utf8String, bytes('x')))))],
    [
      'several attributes in one',
      encode([
        ['CN', TAG.utf8String, bytes('a')],
        ['OU', TAG.utf8String, bytes('b')],
      ]),
    ],
    ['commas, plus, equals, quotes', encode([['CN', TAG.utf8String, bytes('a, b+c=d "e" <f>;#')]])],
    ['control characters and backslash', encode([['CN', TAG.utf8String, bytes('a\nb\x7f\\c\x01')]])],
    [
      'letters outside ASCII',
      encode([['CN', TAG.utf8String, bytes('Zürich 東京 🚀')]], [['O', TAG.bmpString, utf16('Ünïcode')]]),
    ],
    ['Latin-1', encode([['O', TAG.teletexString, latin1('Zürich')]])],
  ]
  it.each(subjects)('X509-7 prints as OpenSSL does: %s', (_, subject) => {
    const identity = issue('print')
    const own = identity.certificate.subject.der
    const text = Buffer.from(identity.certificate.tbs).toString('hex')
    // The certificate with another subject: its signature is wrong, which printing does not mind.
    const tbsHex = text
      .slice(text.indexOf('a003'), text.length)
      .replaceAll(Buffer.from(own).toString('hex'), Buffer.from(subject).toString('hex'))
    const tbs = der(0x30, new Uint8Array(Buffer.from(tbsHex, 'hex')))
    const [, algorithm, signature] = parseDer(identity.der, new DerBudget(200)).children
    const changed = derSequence(tbs, algorithm!.bytes, signature!.bytes)
    const printed = execFileSync(
      'openssl',
      ['x509', '-noout', '-subject', '-nameopt', 'sep_comma_plus_space,sname,utf8,esc_ctrl'],
      { input: writePem('CERTIFICATE', changed) },
    ).toString()
    expect(`subject=${nameText(certificateOf(changed).subject)}\n`).toBe(printed)
  })

  it('X509-7 prints what is no text as hex digits', () => {
    expect(nameText(cn(TAG.octetString, new Uint8Array([1, 171])))).toBe('CN=#01ab')
  })
})
