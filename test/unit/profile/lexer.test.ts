/**
 * Lines into words, and words back into lines.
 */
import { describe, expect, it } from 'vitest'
import { joinWords, splitLine, utf8Length } from '../../../src/profile/index.ts'

const words = (line: string): string[] => splitLine(line).words.map((word) => word.text)
const fault = (line: string): string | undefined => splitLine(line).fault

describe('splitLine', () => {
  it('PROF-1 splits at white space of every kind', () => {
    expect(words('remote  host\t1194\v\f udp\r\n')).toEqual(['remote', 'host', '1194', 'udp'])
    expect(splitLine('  dev tun').words.map((word) => word.column)).toEqual([3, 7])
    expect(words('')).toEqual([])
    // Only C's white space counts: a no-break space is part of a word.
    expect(words('dev\u00a0tun')).toEqual(['dev\u00a0tun'])
  })

  it('PROF-2 takes # and ; as comments only where a word would start', () => {
    expect(words('verb 3 # loud')).toEqual(['verb', '3'])
    expect(words('; all of it')).toEqual([])
    expect(words('user a#b;c')).toEqual(['user', 'a#b;c'])
    expect(splitLine('verb 3 ;x').comment).toBe(8)
    // A backslash does not save the character from being a comment, for it is looked at first.
    expect(words('"#no"')).toEqual(['#no'])
  })

  it('PROF-3 knows both kinds of quotes and the backslash', () => {
    expect(words('push "route 10.0.0.0 255.0.0.0"')).toEqual(['push', 'route 10.0.0.0 255.0.0.0'])
    expect(words(`a 'b\\c "d"' e`)).toEqual(['a', 'b\\c "d"', 'e'])
    expect(words('"a"b')).toEqual(['a', 'b'])
    expect(words('a"b" c')).toEqual(['a"b"', 'c'])
    expect(words('""')).toEqual([''])
    expect(words('C:\\\\keys\\ of\\ mine')).toEqual(['C:\\keys of mine'])
    expect(words('"say \\"x\\""')).toEqual(['say "x"'])
    expect(words('end\\\n')).toEqual(['end\n'])
  })

  it('PROF-3 starts no word with white space, backslash or not', () => {
    expect(words('verb 3 \\\n')).toEqual(['verb', '3'])
    expect(words('verb 3 \\')).toEqual(['verb', '3'])
    expect(words('remote \\ \\\tvpn\\ a 1')).toEqual(['remote', 'vpn a', '1'])
    expect(splitLine('verb 3 \\# loud')).toMatchObject({ fault: undefined, comment: 9 })
    expect(words('verb 3 \\; loud')).toEqual(['verb', '3'])
    expect(fault('verb 3 \\x')).toBe('bad-backslash')
    expect(words('verb \\\\')).toEqual(['verb', '\\'])
  })

  it('PROF-3 says what is wrong with quotes and backslashes, and where', () => {
    expect(splitLine('dev "tun\n')).toMatchObject({ fault: 'unbalanced-quote', faultColumn: 5 })
    expect(fault("dev 'tun")).toBe('unbalanced-quote')
    expect(splitLine('ca C:\\keys')).toMatchObject({ fault: 'bad-backslash', faultColumn: 6 })
    expect(fault('dev tun\\')).toBe('dangling-backslash')
    expect(fault('dev t\0un')).toBe('nul-character')
  })

  it('PROF-4 takes 255 bytes with the line feed and no more', () => {
    expect(fault(`push "${'x'.repeat(247)}"\n`)).toBeUndefined()
    expect(fault(`push "${'x'.repeat(248)}"\n`)).toBe('line-too-long')
    expect(fault(`push "${'ü'.repeat(125)}"\n`)).toBe('line-too-long')
    expect(splitLine('x'.repeat(400), false).fault).toBeUndefined()
  })

  it('PROF-5 reads sixteen words', () => {
    const line = Array.from({ length: 20 }, (_, i) => `w${i}`).join(' ')
    expect(words(line)).toHaveLength(16)
    expect(fault(line)).toBe('too-many-words')
    expect(fault(line.split(' ').slice(0, 16).join(' '))).toBeUndefined()
  })
})

describe('joinWords', () => {
  it.each([
    [['dev', 'tun'], 'dev tun'],
    [['push', 'route 10.0.0.0'], 'push "route 10.0.0.0"'],
    [['a', ''], 'a ""'],
    [['a', '#x'], 'a "#x"'],
    [['a', 'C:\\x'], 'a "C:\\\\x"'],
    [['a', `'`], `a "'"`],
    [['a', ' b\tc'], 'a " b\tc"'],
    [['a', 'b\n'], 'a b\\\n'],
  ])('writes %j', (list, line) => {
    expect(joinWords(list)).toBe(line)
    expect(words(line)).toEqual(list)
  })

  it('writes a line as short as can be where it would be too long', () => {
    const list = ['push', '\\'.repeat(240)]
    const line = joinWords(list)
    expect(line).toBe(`push '${'\\'.repeat(240)}'`)
    expect(words(`${line ?? ''}\n`)).toEqual(list)
  })

  it('gives up on words that no line can hold', () => {
    expect(joinWords(['a', 'b\nc'])).toBeUndefined()
    expect(joinWords(['a\n', 'b'])).toBeUndefined()
    expect(joinWords(['a\0'])).toBeUndefined()
  })
})

describe('utf8Length', () => {
  it.each([
    ['abc', 3],
    ['ü', 2],
    ['€', 3],
    ['😀', 4],
  ])('counts %s', (text, length) => {
    expect(utf8Length(text)).toBe(length)
  })
})
