/**
 * What is told first, what is left unsaid because something else is its cause, and files that are no profile at all.
 */
import { describe, expect, it } from 'vitest'
import { utf8Encode } from '../../../src/bytes/index.ts'
import { describeProblem, inspectProfile, lint, parseProfile, type ProfileProblem } from '../../../src/profile/index.ts'
import { SeededRandom } from '../../support/random.ts'

/** Findings in the eyes of this library and of each that lint can be asked about. */
function judgements(text: string | Uint8Array): readonly (readonly ProfileProblem[])[] {
  const { problems, profile } = inspectProfile(text, undefined, { file: 'x' })
  return [problems, ...(['2.4', '2.7', 'openvpn3'] as const).map((peer) => lint(profile, { peer }))]
}

const named = (problems: readonly ProfileProblem[]): readonly string[] =>
  problems.filter(({ severity }) => severity === 'error').map(({ code, directive }) => `${code} ${directive}`)

describe('PROF-63 findings', () => {
  it('about what a profile lacks come last, without line and column', () => {
    for (const problems of judgements('client\nremote a\nca\nverb x\nbogus\n')) {
      const lacking = problems.findIndex(({ ofWhole }) => ofWhole === true)
      expect(lacking).toBeGreaterThan(0)
      expect(problems.slice(lacking).every(({ ofWhole }) => ofWhole === true)).toBe(true)
      expect(describeProblem(problems[lacking]!)).toMatch(/^x: (error|warning): /)
    }
    expect(() => parseProfile('dev tun\nbogus\n')).toThrow('no release knows this directive')
    expect(() => parseProfile('dev tun\n', undefined, { file: 'x' })).toThrow(
      expect.objectContaining({ option: 'tls-client', location: { file: 'x' } }),
    )
  })

  it.each([
    ['a block that is not closed', 'client\ndev tun\nremote a\n<ca>\nMII\n', 'unterminated-block ca'],
    ['a quotation mark', 'client\ndev tun\nremote a\nauth-user-pass\nca "c\n', 'unbalanced-quote ca'],
    [
      'a key without its certificate',
      'client\ndev tun\nremote a\nca c\nkey k\n<cert>\nMII\n',
      'unterminated-block cert',
    ],
  ])('do not miss what is there and could not be read: %s', (_, text, cause) => {
    for (const problems of judgements(text)) expect(named(problems)).toEqual([cause])
    // The same without the line: it is missing then.
    const without = text.replace(/(<cert>|<ca>|ca ")[^]*$/, '')
    for (const problems of judgements(without).slice(0, 3)) expect(named(problems).join()).toMatch(/^dependency /)
  })

  it('say once that nothing authenticates the peer', () => {
    const text = 'dev tun\nca c\ncert c\nkey k\n'
    expect(named(inspectProfile(text).problems)).toEqual(['dependency tls-client'])
    expect(named(inspectProfile(`${text}ifconfig 10.8.0.1 10.8.0.2\nsecret k\n`).problems)).toContain('conflict ca')
  })
})

describe('PROF-62 a file that is no text', () => {
  const random = new SeededRandom('binary').source
  const wide = (text: string): Uint8Array => utf8Encode(text.replace(/./gs, '$&\0'))
  const profile = 'client\ndev tun\nremote vpn.example.com\n'
  it.each([
    ['a program', Uint8Array.from({ length: 9000 }, (_, i) => (i % 3 === 0 ? 0 : 128 + (i % 77)))],
    ['compressed bytes', random(20_000)],
    ['UTF-16 with its mark', Uint8Array.from([0xff, 0xfe, ...wide(profile)])],
    ['UTF-16 without', wide(profile)],
  ])('%s is one finding', (_, bytes) => {
    for (const problems of judgements(bytes)) expect(named(problems)).toEqual(['not-text '])
    expect(() => parseProfile(bytes)).toThrow('the file is no text')
    const including = inspectProfile(`${profile}ca c\ncert c\nkey k\nconfig other\n`, new Map([['other', bytes]]))
    expect(including.problems.filter(({ code }) => code === 'not-text')).toMatchObject([{ file: 'other' }])
  })

  it('a slip in a text is told at its place', () => {
    const text = `${profile}# a comment that makes it a longer text\nver\0b 3\n`
    for (const problems of judgements(text)) expect(named(problems)).toContain('nul-character ')
    const latin = Uint8Array.from(`# M\xfcnchen\n${'verb 3\n'.repeat(200)}ver\0b 3\n`, (c) => c.charCodeAt(0))
    expect(inspectProfile(latin).problems.find(({ code }) => code === 'nul-character')).toMatchObject({ line: 202 })
  })
})

it('PROF-18 a program that the reference would start is a note', () => {
  const lines = ['up ./x', 'down ./x', 'route-up ./x', 'tls-verify ./x', 'plugin ./x.so', 'iproute /sbin/ip']
  const { problems } = inspectProfile(`client\ndev tun\nremote a\nca c\ncert c\nkey k\n${lines.join('\n')}\n`)
  const notes = problems.filter(({ message }) => message.startsWith('no program is started here: '))
  expect(notes.map(({ directive, severity }) => `${severity} ${directive}`)).toEqual(
    lines.map((line) => `note ${line.split(' ')[0]!}`),
  )
})
