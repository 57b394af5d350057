/**
 * Odd certificates and lists, judged by `openssl verify` and by us: single oddities at every height of a chain, and several
 * at once. Where the two differ one of the oddities must say so, and in which direction.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/bytes/index.ts'
import { nodeCrypto } from '../../../src/node/index.ts'
import { createPeerVerifier, writePem } from '../../../src/x509/index.ts'
import type { Oddity } from '../../support/odd-certificates.ts'
import {
  CERTIFICATE_ODDITIES,
  draft,
  draftList,
  LIST_ODDITIES,
  signDraft,
  signList,
} from '../../support/odd-certificates.ts'
import { PKI_NOW } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'
import { scaled, soaking } from '../../support/scale.ts'

const directory = mkdtempSync(join(tmpdir(), 'x509-odd-'))
afterAll(() => rmSync(directory, { recursive: true }))

interface Chain {
  /** Root, intermediate, leaf. */
  readonly certificates: readonly [Uint8Array, Uint8Array, Uint8Array]
  readonly lists: readonly Uint8Array[]
  readonly purpose: 'client' | 'server'
}

/** An oddity and the height that it is laid on: 0 is the root. */
type Placed = readonly [oddity: Oddity, height: number]

function build(placed: readonly Placed[], withLists: boolean, random: SeededRandom): Chain {
  const purpose = random.pick(['server', 'client'] as const)
  const root = draft('root', 'ca')
  const middle = draft('middle', 'ca', root)
  const leaf = draft('leaf', purpose, middle)
  const drafts = [root, middle, leaf] as const
  const lists = [draftList(root), draftList(middle)] as const
  for (const [oddity, height] of placed) {
    const target = drafts[height]!
    const before = target.subject
    oddity.apply({ draft: target, above: drafts[height - 1], list: lists[height - 1] }, random)
    if (target.subject === before) continue
    // A name that compares equal is left in its old form below.
    const compares = oddity.name.startsWith('PrintableString') || oddity.name.startsWith('subject in capitals')
    const written = compares ? before : target.subject
    if (height === 0) root.issuer = root.subject
    if (height < 2) drafts[height + 1]!.issuer = written
    if (height < 2) lists[height]!.issuer = written
  }
  return {
    certificates: [signDraft(root), signDraft(middle), signDraft(leaf)],
    lists: withLists ? lists.map(signList) : [],
    purpose,
  }
}

function theirs({ certificates: [root, middle, leaf], lists, purpose }: Chain): boolean {
  const file = (name: string, label: string, items: readonly Uint8Array[]): string => {
    const path = join(directory, name)
    writeFileSync(path, items.map((item) => writePem(label, item)).join(''))
    return path
  }
  const args = ['verify', '-purpose', `ssl${purpose}`, '-attime', String(PKI_NOW / 1000), '-auth_level', '1']
  args.push('-CAfile', file('root', 'CERTIFICATE', [root]), '-no-CApath', '-no-CAstore')
  args.push('-untrusted', file('middle', 'CERTIFICATE', [middle]))
  if (lists.length > 0) args.push('-crl_check_all', '-CRLfile', file('lists', 'X509 CRL', lists))
  return spawnSync('openssl', [...args, file('leaf', 'CERTIFICATE', [leaf])]).status === 0
}

function ours({ certificates: [root, middle, leaf], lists, purpose }: Chain): boolean {
  try {
    const verifier = createPeerVerifier({ ca: [root], ...(lists.length > 0 && { crls: lists }) })
    return verifier.verify([leaf, middle], purpose, PKI_NOW, nodeCrypto).type === 'verified'
  } catch (error) {
    if (error instanceof ConfigError) return false
    throw error
  }
}

/** Judges both ways; tells of a difference that no oddity owns up to. */
function compare(placed: readonly Placed[], withLists: boolean, seed: string): { both: boolean; undue?: string } {
  const chain = build(placed, withLists, new SeededRandom(seed))
  const [us, them] = [ours(chain), theirs(chain)]
  if (us === them) return { both: us }
  const owned = placed.some(([oddity]) => (us ? oddity.taken : oddity.refused) !== undefined)
  const what = placed.map(([oddity, height]) => `${oddity.name} at ${height}`).join(', ')
  return owned ? { both: false } : { both: false, undue: `${us ? 'taken' : 'refused'} here only: ${what}` }
}

describe('against openssl verify', () => {
  /** Of every so many placements one is judged. */
  const every = soaking() ? 1 : 3

  it('each oddity of a certificate at each height', () => {
    const undue: string[] = []
    let taken = 0
    let judged = 0
    for (const [index, oddity] of CERTIFICATE_ODDITIES.entries()) {
      for (const height of [0, 1, 2]) {
        if ((index + height) % every !== 0) continue
        const { both, undue: problem } = compare([[oddity, height]], false, `${oddity.name}/${height}`)
        judged++
        if (both) taken++
        if (problem !== undefined) undue.push(problem)
      }
    }
    expect(undue).toEqual([])
    expect(judged).toBeGreaterThan(60)
    expect(taken).toBeGreaterThan(judged / 4)
    expect(taken).toBeLessThan((judged * 3) / 4)
  }, 3_600_000)

  it('each oddity of a list', () => {
    const undue: string[] = []
    let taken = 0
    for (const [index, oddity] of LIST_ODDITIES.entries()) {
      for (const height of [1, 2]) {
        if (every > 1 && (index + height) % 2 !== 0) continue
        const { both, undue: problem } = compare([[oddity, height]], true, `${oddity.name}/${height}`)
        if (both) taken++
        if (problem !== undefined) undue.push(problem)
      }
    }
    expect(undue).toEqual([])
    expect(taken).toBeGreaterThan(3)
    expect(taken).toBeLessThan(LIST_ODDITIES.length)
  }, 3_600_000)

  const runs = scaled(40, 3000)
  it(`several oddities at once, ${runs} times`, () => {
    const undue: string[] = []
    for (let run = 0; run < runs; run++) {
      const random = new SeededRandom(`odd/${run}`)
      const withLists = random.chance(0.4)
      const pool = withLists ? [...CERTIFICATE_ODDITIES, ...LIST_ODDITIES, ...LIST_ODDITIES] : CERTIFICATE_ODDITIES
      const placed = Array.from({ length: random.int(2, 3) }, (): Placed => [random.pick(pool), random.int(0, 2)])
      const { undue: problem } = compare(placed, withLists, `odd/${run}`)
      if (problem !== undefined) undue.push(`run ${run}: ${problem}`)
    }
    expect(undue).toEqual([])
  }, 3_600_000)
})
