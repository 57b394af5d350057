/**
 * Laws of the profile reader over generated, mutated and hostile texts.
 *
 * Whatever the text: reading ends, throws nothing, and every finding is well-formed. Whatever reads without errors prints
 * back to the same profile. Documents are lossless. Words survive spelling.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  documentText,
  inspectProfile,
  isFatal,
  joinWords,
  lint,
  LINT_PEERS,
  parseDocument,
  parseProfile,
  PROBLEM_CODES,
  type Profile,
  ProfileError,
  readPushed,
  splitLine,
  writeProfile,
} from '../../src/profile/index.ts'
import { generateLine, generateProfile } from '../support/profile-generator.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'

const TEXTS = scaled(2_000, 2_000_000)
const PUSHES = scaled(10_000, 5_000_000)

const PIECES = [
  '\n',
  '\r\n',
  ' ',
  '\t',
  '"',
  "'",
  '\\',
  '#',
  ';',
  '<ca>',
  '</ca>',
  '<connection>',
  '</connection>',
  '<',
  '>',
  '--',
  '\0',
  '\ufeff',
  '\u2028',
  'ü',
  '😀',
  '__proto__',
  'constructor',
  'toString',
  '<__proto__>',
  'setenv opt ',
  'ignore-unknown-option ',
  'config a\n',
  'cd ..\n',
  '0',
  '-1',
  '99999999999999999999',
  '255.255.255.0',
  'fd00::/64',
  'x'.repeat(300),
]

/** A generated configuration with random damage. */
function damaged(random: SeededRandom): string {
  let { text } = generateProfile(random)
  for (let i = random.int(0, 4); i > 0; i--) {
    const at = random.below(text.length + 1)
    const cut = random.chance(0.5) ? random.below(8) : 0
    text = text.slice(0, at) + (random.chance(0.7) ? random.pick(PIECES) : generateLine(random)) + text.slice(at + cut)
  }
  return text
}

/** Files that look right at first sight, so that only the text decides. */
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\n'
const STATIC_KEY = '-----BEGIN OpenVPN Static key V1-----\n'
const FILES = new Map([
  ['a', 'verb 3\nconfig b\n'],
  ['b', 'ping 5\n'],
  ['empty.conf', ''],
  ['login.txt', 'a\nb\n'],
  ['ca.crt', CERTIFICATE],
  ['client.crt', CERTIFICATE],
  ['server.crt', CERTIFICATE],
  ['client.key', '-----BEGIN PRIVATE KEY-----\n'],
  ['server.key', '-----BEGIN PRIVATE KEY-----\n'],
  ['client.p12', ''],
  ['ta.key', STATIC_KEY],
  ['v2c.key', '-----BEGIN OpenVPN tls-crypt-v2 client key-----\n'],
  ['crl.pem', ''],
])

/** What a profile says, without where it says it. */
function meaning(profile: Profile): unknown {
  return profile.entries
    .filter(({ name }) => name !== 'config' && name !== 'cd')
    .map((entry) => [
      entry.name,
      entry.words.map((word, index) => (entry.row.arguments[index]?.file ? profile.resolve(entry, word) : word)),
      entry.content?.reveal(),
      entry.connection,
      entry.optional,
    ])
}

describe('profiles', () => {
  it(`reads ${TEXTS} damaged configurations: a profile or findings, nothing else`, { timeout: 7_200_000 }, () => {
    const random = new SeededRandom('profiles')
    const tally = { good: 0, bad: 0, printed: 0 }
    for (let i = 0; i < TEXTS; i++) {
      const text = damaged(random)
      const { profile, problems } = inspectProfile(text, FILES)
      for (const problem of problems) {
        if (!Object.hasOwn(PROBLEM_CODES, problem.code) || problem.line < 1 || problem.column < 1) {
          throw new Error(`malformed finding ${JSON.stringify(problem)} for ${JSON.stringify(text)}`)
        }
      }
      if (documentText(profile.documents[0]!) !== text.replace(/^\ufeff/, '')) throw new Error(JSON.stringify(text))
      const fatal = problems.some(isFatal)
      tally[fatal ? 'bad' : 'good']++
      if (i % 8 === 0 && throwsProfileError(text) !== fatal) throw new Error(JSON.stringify(text))
      lint(profile, { peer: LINT_PEERS[i % LINT_PEERS.length]! })
      if (isPrintable(problems.map(({ code }) => code))) {
        roundTrip(profile, text)
        tally.printed++
      }
    }
    expect(tally.good).toBeGreaterThan(TEXTS / 50)
    expect(tally.bad).toBeGreaterThan(TEXTS / 5)
    expect(tally.printed).toBeGreaterThan(TEXTS / 5)
  })

  it(`PROF-34 reads ${PUSHES} pushed options: an option or findings, nothing else`, { timeout: 7_200_000 }, () => {
    const random = new SeededRandom('pushed')
    const tally = { option: 0, refused: 0 }
    for (let i = 0; i < PUSHES; i++) {
      let text = generateLine(random)
      for (let j = random.int(0, 2); j > 0; j--) {
        const at = random.below(text.length + 1)
        text = text.slice(0, at) + random.pick(PIECES) + text.slice(at + random.below(4))
      }
      const read = readPushed(text)
      tally[read.type]++
      if (read.type === 'refused' && read.problems.length === 0) throw new Error(JSON.stringify(text))
    }
    expect(tally.option).toBeGreaterThan(PUSHES / 50)
    expect(tally.refused).toBeGreaterThan(PUSHES / 5)
  })

  it('PROF-3 PROF-32 spells words so that they are read back', () => {
    const word = fc.string({ unit: 'binary', maxLength: 20 })
    const odd = fc.string({ unit: fc.constantFrom('\\', '"', "'", '#', ';', ' ', '\t', 'a', '<', '>'), maxLength: 8 })
    fc.assert(
      fc.property(fc.array(fc.oneof(word, odd), { minLength: 1, maxLength: 16 }), (words) => {
        const line = joinWords(words)
        if (line === undefined) {
          expect(words.some((text) => /[\0\n]/.test(text))).toBe(true)
          return
        }
        expect(splitLine(`${line}\n`, false).words.map(({ text }) => text)).toEqual(words)
      }),
      { seed: 6, numRuns: scaled(2_000, 200_000) },
    )
  })

  it('PROF-8 loses nothing of any text', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }), (pieces) => {
        const text = pieces.join('')
        expect(documentText(parseDocument('a', text))).toBe(text.replace(/^\ufeff/, ''))
      }),
      { seed: 6, numRuns: scaled(2_000, 200_000) },
    )
  })
})

/** True when parsing ends with findings, false when with a profile; anything else is passed on. */
function throwsProfileError(text: string): boolean {
  try {
    parseProfile(text, FILES)
    return false
  } catch (error) {
    if (error instanceof ProfileError) return true
    throw error
  }
}

/** Findings that leave something out of the profile, so that it can't come back. */
function isPrintable(codes: readonly string[]): boolean {
  const losing = /quote|backslash|long|words|nul|block|tag|nested|connection-directive|include|unknown/
  return !codes.some((code) => losing.test(code))
}

function roundTrip(profile: Profile, source: string): void {
  const { text } = writeProfile(profile)
  const again = inspectProfile(text, FILES).profile
  if (JSON.stringify(meaning(again)) !== JSON.stringify(meaning(profile)) || writeProfile(again).text !== text) {
    throw new Error(`not the same again: ${JSON.stringify(source)} became ${JSON.stringify(text)}`)
  }
}
