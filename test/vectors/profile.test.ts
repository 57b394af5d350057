/**
 * `vectors/profile/`: configurations as the world has them, and what is said about each.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { inspectProfile, isFatal, lint, LINT_PEERS, writeProfile } from '../../src/profile/index.ts'

const FOLDER = new URL('../../vectors/profile/', import.meta.url)

interface RealWorld {
  readonly name: string
  readonly text: string
  readonly role: string
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  readonly refusedBy: readonly string[]
  readonly connections?: readonly (readonly [string, number, string])[]
  readonly files?: Readonly<Record<string, string>>
}

interface VectorFile {
  readonly source: string
  readonly cases: readonly unknown[]
}

const load = (name: string): VectorFile => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as VectorFile

const cases = load('real-world.json').cases as readonly RealWorld[]

describe('vectors/profile', () => {
  it('has a source and its cases in every file', () => {
    const counts = Object.fromEntries(readdirSync(FOLDER).map((name) => [name, load(name).cases.length]))
    expect(counts).toEqual({
      'disagreements.json': 10,
      'manual-2.7.json': 297,
      'openvpn3.json': 507,
      'real-world.json': 27,
      'reference-samples.json': 27,
      'word-counts.json': 321,
    })
    for (const name of Object.keys(counts)) expect(load(name).source.length).toBeGreaterThan(40)
  })

  it.each(cases)('$name', ({ text, role, errors, warnings, refusedBy, connections, files }) => {
    const supplied = files === undefined ? undefined : new Map(Object.entries(files))
    const { profile, problems } = inspectProfile(text, supplied)
    const named = (severity: string): string[] =>
      [...new Set(problems.filter((problem) => problem.severity === severity).map(({ directive }) => directive))].sort()
    expect({ role: profile.role, errors: named('error'), warnings: named('warning') }).toEqual({
      role,
      errors,
      warnings,
    })
    const refusing = LINT_PEERS.filter((peer) => lint(profile, { peer }).some(isFatal))
    expect(refusing).toEqual(refusedBy)
    if (connections !== undefined) {
      expect(profile.connections.map(({ host, port, protocol }) => [host, port, protocol])).toEqual(connections)
    }
    const printed = writeProfile(profile).text
    if (errors.length === 0) expect(writeProfile(inspectProfile(printed, supplied).profile).text).toBe(printed)
  })
})
