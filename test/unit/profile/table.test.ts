/**
 * The directive table against the manual, against what three releases accept, and against what the session takes when it
 * is pushed.
 */
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { PUSH_OPTIONS } from '../../../src/control/push-table.ts'
import {
  countByStatus,
  DIRECTIVE_GROUPS,
  DIRECTIVE_NAMES,
  directiveRow,
  inspectProfile,
  isAtLeast,
  lint,
  OPENVPN3_NAMES,
  type Release,
  supportMatrix,
  wordCount,
} from '../../../src/profile/index.ts'

interface Vector<T> {
  readonly source: string
  readonly cases: readonly T[]
}

function vector<T>(name: string): Vector<T> {
  const text = readFileSync(new URL(`../../../vectors/profile/${name}.json`, import.meta.url), 'utf8')
  return JSON.parse(text) as Vector<T>
}

const MANUAL = new URL('../../../.reference/2.7/usr/share/man/man8/openvpn.8.gz', import.meta.url)

/** Names with an entry of their own in the manual page. */
function manualNames(page: string): string[] {
  const lines = page
    .replaceAll('\\-', '-')
    .replaceAll(/\\f[BPIR]/g, '')
    .split('\n')
  const names = lines.map((line) => /^\.BI? +--([a-zA-Z0-9-]+)/.exec(line)?.[1]).filter((name) => name !== undefined)
  return [...new Set(names)].sort()
}

type Counts = readonly [number, number] | { readonly exactly: readonly number[] } | null

describe('the directive table', () => {
  it('PROF-9 has every option of the 2.7 manual page', () => {
    const { cases } = vector<string>('manual-2.7')
    expect(cases).toHaveLength(297)
    expect(cases.filter((name) => directiveRow(name) === undefined)).toEqual([])
  })

  it.skipIf(!existsSync(MANUAL))('PROF-9 has every option of the manual page that is installed here', () => {
    const names = manualNames(gunzipSync(readFileSync(MANUAL)).toString('utf8'))
    expect(names.length).toBeGreaterThan(280)
    expect(names.filter((name) => directiveRow(name) === undefined)).toEqual([])
  })

  it('PROF-9 takes no name from an object’s own properties', () => {
    const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']
    for (const name of names) {
      expect(directiveRow(name)).toBeUndefined()
      const { profile, problems } = inspectProfile(`${name} 1\n<${name}>\nx\n</${name}>\nsetenv ${name} 1\n`)
      expect(problems.filter(({ code }) => code === 'unknown-directive').length).toBeGreaterThan(0)
      expect(profile.values('setenv')).toEqual([[name, '1']])
    }
    expect(({} as Record<string, unknown>)['1']).toBeUndefined()
  })

  it('PROF-10 counts words as 2.5, 2.6 and 2.7 do', () => {
    const { cases } = vector<{ name: string } & Record<'2.5' | '2.6' | '2.7', Counts>>('word-counts')
    expect(cases).toHaveLength(321)
    const wrong: string[] = []
    for (const measured of cases) {
      const row = directiveRow(measured.name)
      if (row === undefined) continue
      for (const release of ['2.5', '2.6', '2.7'] as const) {
        const counts = measured[release]
        const [least, most] = wordCount(row, release)
        const own = Array.from({ length: most - least + 1 }, (_, i) => least + i)
        if (!fits(row, release, counts, own))
          wrong.push(`${measured.name} ${release}: ${own.join()} but ${JSON.stringify(counts)}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('says what every directive is for, and why it is ignored or refused', () => {
    for (const name of DIRECTIVE_NAMES) {
      const does = directiveRow(name)?.does ?? ''
      expect(does, name).toMatch(/^[A-Z`].*\.$/)
    }
    const { supported, host, ignored, refused } = countByStatus()
    expect(supported + host + ignored + refused).toBe(322)
    expect(DIRECTIVE_NAMES).toHaveLength(322)
    expect(supported).toBeGreaterThan(130)
  })

  it('prints a matrix with a line for each directive', () => {
    const lines = supportMatrix()
      .split('\n')
      .filter((line) => line.startsWith('| `'))
    expect(lines).toHaveLength(322)
    expect(supportMatrix()).toContain('| `tls-auth file [direction]` | yes | all | any |')
    for (const [title] of DIRECTIVE_GROUPS) expect(supportMatrix()).toContain(`### ${title}`)
  })

  it('PROF-34 calls pushable what a session takes when it is pushed', () => {
    const taken = [...PUSH_OPTIONS.keys()]
    expect(taken.length).toBeGreaterThan(40)
    const beyond = taken.filter((name) => directiveRow(name)?.pushable === undefined)
    expect(beyond.filter((name) => !TOLERATED.has(name))).toEqual([])
  })

  it('knows OpenVPN 3’s lists', () => {
    expect(OPENVPN3_NAMES.length).toBeGreaterThan(150)
    const { profile } = inspectProfile('client\ndev tun\nremote a\nca x\nserver-bridge\ndaemon\nkeepalive 10 60\n')
    const found = lint(profile, { peer: 'openvpn3' }).map(({ directive, severity }) => [directive, severity])
    expect(found).toContainEqual(['server-bridge', 'error'])
    expect(found).toContainEqual(['daemon', 'error'])
    expect(found).toContainEqual(['keepalive', 'warning'])
  })
})

/** What a session takes from servers although the reference's clients refuse it: it does no harm, and some servers push it. */
const TOLERATED: ReadonlySet<string> = new Set([
  'persist-remote-ip',
  'persist-local-ip',
  'setenv',
  'keepalive',
  'ignore-unknown-option',
])

/** Own counts must be accepted by the release; the release may take more, for it refuses some with another message. */
function fits(
  row: NonNullable<ReturnType<typeof directiveRow>>,
  release: Release,
  counts: Counts,
  own: readonly number[],
): boolean {
  const known =
    (row.since === undefined || isAtLeast(release, row.since)) &&
    (row.until === undefined || isAtLeast(row.until, release)) &&
    row.only === undefined
  if (!known) return counts === null
  if (counts === null) return false
  const accepted = (count: number): boolean =>
    'exactly' in counts ? counts.exactly.includes(count) : count >= counts[0] && count <= counts[1]
  return own.every((count) => accepted(count) || row.check !== undefined || COUNTED_BY_WORD.has(row))
}

/** Rows whose second word only counts when it is the right one. */
const COUNTED_BY_WORD: ReadonlySet<unknown> = new Set([directiveRow('crl-verify')])
