/**
 * The specification is tied to the code: every rule id in spec/ is cited by a source line that obeys it and by a test that
 * proves it, every id cited anywhere is defined once, and the capability table names tests that exist.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = new URL('../../../', import.meta.url).pathname
const PREFIXES =
  'BYTES|CRY|WIRE|WRAP|REL|X509|TLS|TLS12|TLS13|KM2|NEG|PUSH|MSG|KDF|DATA|REP|FRAG|MSS|COMP|SESS|REKEY|SRV|PROF|SIM|NODE'
const DEFINED = new RegExp(`^- \\*\\*((?:${PREFIXES})-\\d+)\\*\\*`, 'gm')
const CITED = new RegExp(`\\b(?:${PREFIXES})-\\d+\\b(?!-)`, 'g')

function files(folder: string, pattern: RegExp): string[] {
  const path = join(ROOT, folder)
  if (!existsSync(path)) return []
  return readdirSync(path).flatMap((name) => {
    const inner = join(folder, name)
    if (statSync(join(ROOT, inner)).isDirectory()) return files(inner, pattern)
    return pattern.test(name) ? [inner] : []
  })
}

const textOf = (names: readonly string[]): string =>
  names.map((name) => readFileSync(join(ROOT, name), 'utf8')).join('\n')
const idsIn = (text: string): Set<string> => new Set(text.match(CITED) ?? [])

const pages = files('spec', /\.md$/)
const defined = pages.flatMap((page) => [...readFileSync(join(ROOT, page), 'utf8').matchAll(DEFINED)].map((m) => m[1]!))

describe('spec/', () => {
  const source = idsIn(textOf(files('src', /\.ts$/)))
  const tests = idsIn(textOf(files('test', /\.ts$/)))

  it('defines rules, each once', () => {
    expect(defined.length).toBeGreaterThan(100)
    expect(defined.filter((id, index) => defined.indexOf(id) !== index)).toEqual([])
  })

  it('has every rule cited by source', () => {
    expect(defined.filter((id) => !source.has(id))).toEqual([])
  })

  it('has every rule cited by a test', () => {
    expect(defined.filter((id) => !tests.has(id))).toEqual([])
  })

  it('defines every rule that source and tests cite', () => {
    const known = new Set(defined)
    expect([...source, ...tests].filter((id) => !known.has(id))).toEqual([])
  })
})

describe('spec/capabilities.json', () => {
  const STANDINGS = ['works', 'handed-to-host', 'not-yet', 'declined']
  interface Row {
    readonly id: string
    readonly title: string
    readonly standing: string
    readonly reason?: string
    readonly tests: readonly string[]
    readonly releases: readonly string[]
  }
  const { capabilities } = JSON.parse(readFileSync(join(ROOT, 'spec/capabilities.json'), 'utf8')) as {
    capabilities: readonly Row[]
  }

  it('has one row per capability', () => {
    expect(capabilities.length).toBe(255)
    expect(new Set(capabilities.map((row) => row.id)).size).toBe(255)
  })

  it('gives each row a standing, with a reason where it is not "works"', () => {
    for (const row of capabilities) {
      expect(STANDINGS, row.id).toContain(row.standing)
      if (row.standing === 'declined' || row.standing === 'handed-to-host') expect(row.reason, row.id).toBeTruthy()
    }
  })

  it('names tests that exist, and at least one for whatever works', () => {
    for (const row of capabilities) {
      if (row.standing === 'works') expect(row.tests.length, row.id).toBeGreaterThan(0)
      for (const test of row.tests) {
        const [file, title] = test.split('#')
        const path = join(ROOT, file!)
        expect(existsSync(path), `${row.id}: ${file}`).toBe(true)
        if (title !== undefined) expect(readFileSync(path, 'utf8'), row.id).toContain(title)
      }
    }
  })
})
