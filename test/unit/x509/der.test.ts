/** Strict DER: what is read, what is refused, and how much. */
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../src/bytes/index.ts'
import { DerBudget, MAX_DER_DEPTH, oidText, parseDer, TAG } from '../../../src/x509/der.ts'
import { der, derInteger, derNamedBits, derOid, derSequence, derUnsigned } from '../../../src/x509/der-write.ts'
import { CertificateFault } from '../../../src/x509/fault.ts'

function problem(hex: string, nodes = 100): string {
  try {
    parseDer(fromHex(hex.replaceAll(' ', ''))!, new DerBudget(nodes))
    return 'read'
  } catch (error) {
    if (error instanceof CertificateFault) return error.problem
    throw error
  }
}

describe('strict DER', () => {
  const good: [string, string][] = [
    ['an empty sequence', '30 00'],
    ['booleans', '30 06 0101ff 010100'],
    ['integers', '30 0d 020100 02017f 02020080 0201ff'],
    ['a negative integer of two bytes', '02 02 ff7f'],
    ['a bit string with padding', '03 02 07 80'],
    ['an empty bit string', '03 01 00'],
    ['a long-form length', `04 81 80 ${'00'.repeat(128)}`],
    ['a two-byte length', `04 82 0100 ${'00'.repeat(256)}`],
    ['UTF-8', '0c 02 c3bc'],
    ['context tags', '30 06 a0 02 0500 80 00'],
  ]
  it.each(good)('X509-1 reads %s', (_, hex) => expect(problem(hex)).toBe('read'))

  const bad: [string, string][] = [
    ['nothing', ''],
    ['a tag without length', '30'],
    ['an indefinite length', '30 80 0000'],
    ['a long form for a short length', '04 81 7f' + '00'.repeat(127)],
    ['a length with a leading zero', `04 82 0080 ${'00'.repeat(128)}`],
    ['a length of five octets', '04 85 0000000001 00'],
    ['a length beyond the end', '04 03 0000'],
    ['an inner length beyond its holder', '30 03 04 02 00'],
    ['a high tag number', '1f 01 00'],
    ['end-of-contents', '00 00'],
    ['a primitive sequence', '10 00'],
    ['a constructed octet string', '24 02 0400'],
    ['a constructed integer', '22 03 020100'],
    ['a boolean of 1', '01 01 01'],
    ['a boolean of two bytes', '01 02 ffff'],
    ['an empty integer', '02 00'],
    ['a padded positive integer', '02 02 007f'],
    ['a padded negative integer', '02 02 ff80'],
    ['a padded enumerated', '0a 02 0001'],
    ['a bit string without its count', '03 00'],
    ['a bit string with 8 unused bits', '03 02 08 00'],
    ['an empty bit string with unused bits', '03 01 01'],
    ['a bit string with padding bits set', '03 02 07 81'],
    ['a null with contents', '05 01 00'],
    ['malformed UTF-8', '0c 01 ff'],
    ['overlong UTF-8', '0c 02 c080'],
    ['a surrogate in UTF-8', '0c 03 eda080'],
    ['half a BMPString character', '1e 01 00'],
    ['half a UniversalString character', '1c 02 0000'],
  ]
  it.each(bad)('X509-1 refuses %s', (_, hex) => expect(problem(hex)).toBe('malformed-certificate'))

  it('X509-2 follows 24 levels and no more', () => {
    const nested = (levels: number): string => {
      let bytes: Uint8Array = derSequence()
      for (let i = 1; i < levels; i++) bytes = derSequence(bytes)
      return toHex(bytes)
    }
    expect(MAX_DER_DEPTH).toBe(24)
    expect(problem(nested(24))).toBe('read')
    expect(problem(nested(25))).toBe('certificate-too-complex')
    expect(problem(nested(5000), 1_000_000)).toBe('certificate-too-complex')
  })

  it('X509-2 reads as many values as the budget has and no more', () => {
    expect(problem(`30 14 ${'0500'.repeat(10)}`, 11)).toBe('read')
    expect(problem(`30 14 ${'0500'.repeat(10)}`, 10)).toBe('certificate-too-complex')
  })

  it('X509-2 refuses an integer longer than any key needs', () => {
    const integer = (length: number): string => toHex(derUnsigned(new Uint8Array(length).fill(1)))
    expect(problem(integer(2049))).toBe('read')
    expect(problem(integer(2050))).toBe('certificate-too-complex')
  })

  it('X509-3 refuses padded, unfinished, empty, oversized and too long object identifiers', () => {
    expect(problem('06 03 2a8648')).toBe('read')
    for (const oid of [
      '06 00',
      '06 02 2a80',
      '06 03 2a8001',
      '06 01 80',
      `06 41 ${'01'.repeat(65)}`,
      '06 09 2a ffffffffffffffff',
    ]) {
      expect(problem(oid), oid).toBe('malformed-certificate')
    }
  })

  it('X509-3 prints and writes object identifiers', () => {
    for (const oid of [
      '1.2.840.113549.1.1.11',
      '2.5.29.32.0',
      '2.999.3',
      '0.9.2342.19200300.100.1.25',
      '1.3.6.1.4.1.311.60.2.1.3',
    ]) {
      expect(oidText(parseDer(derOid(oid), new DerBudget(1)).content)).toBe(oid)
    }
  })

  it('X509-3 reads arcs of any size, such as those made of UUIDs', () => {
    const text = (hex: string): string =>
      oidText(parseDer(der(TAG.oid, fromHex(hex.replaceAll(' ', ''))!), new DerBudget(1)).content)
    // f81d4fae-7dec-11d0-a765-00a0c91e6bf6, the example of ITU-T X.667
    expect(text('69 83f09da7ebcfdee0c7a1a7b2c0948cc8f9d776')).toBe('2.25.329800735698586629295641978511506172918')
    for (const [arc, value] of [
      ['ffffffffffff7f', 2n ** 49n - 1n],
      ['8180808080808000', 2n ** 49n],
      ['818080808080808000', 2n ** 56n],
      ['9fffffffffffffff7f', 2n ** 61n - 1n],
    ] as const) {
      expect(text(`2a ${arc}`)).toBe(`1.2.${value}`)
      expect(text(arc)).toBe(`2.${value - 80n}`)
    }
  })

  it('X509-4 refuses bytes after the end', () => expect(problem('30 00 00')).toBe('malformed-certificate'))

  it('writes integers and named bits in their shortest form', () => {
    expect(toHex(derInteger(0))).toBe('020100')
    expect(toHex(derInteger(128))).toBe('02020080')
    expect(toHex(derUnsigned(new Uint8Array([0, 0, 255])))).toBe('020200ff')
    expect(toHex(derUnsigned(new Uint8Array(0)))).toBe('020100')
    expect(toHex(derNamedBits(0))).toBe('030100')
    expect(toHex(derNamedBits(0b1100000))).toBe('03020106')
    expect(toHex(derNamedBits(1 << 8))).toBe('0303070080')
  })
})
