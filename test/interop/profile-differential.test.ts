/**
 * Lint against the reference: does a release take at its start what `lint` says it takes.
 *
 * Generated configurations, right and wrong, are given to both. The reference is started in a namespace and watched until
 * it has its sockets or ends. Where the two disagree, `vectors/profile/disagreements.json` must say why.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { absentPaths } from '../../src/node/profile-files.ts'
import { inspectProfile, isFatal, lint } from '../../src/profile/index.ts'
import { generateProfile } from '../support/profile-generator.ts'
import { PROFILE_FILES } from '../support/profile-samples.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import { generate, generateStaticKey } from './support/configs.ts'
import { Lab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { program, type Release, releasesToTest } from './support/reference.ts'
import { referenceVerdict } from './support/verdict.ts'

interface Disagreement {
  readonly releases: readonly Release[]
  /** What lint says where the reference says the opposite. */
  readonly lint: 'accepts' | 'refuses'
  /** A regular expression that one line of the configuration matches. */
  readonly line: string
  readonly reason: string
}

const { cases: KNOWN } = JSON.parse(
  readFileSync(new URL('../../vectors/profile/disagreements.json', import.meta.url), 'utf8'),
) as { readonly cases: readonly Disagreement[] }

/** Another word in `OVPN_SEED` draws other configurations. */
const SEED = process.env['OVPN_SEED'] ?? ''

/** How many configurations each release gets: the main one most. */
const COUNTS: Readonly<Record<Release, number>> = {
  '2.5': scaled(50, 500),
  '2.6': scaled(200, 2000),
  '2.7': scaled(50, 500),
}

const state: { lab?: Lab; files: Map<string, string> } = { files: new Map() }

/** Certificates, keys and small files that generated configurations name. */
function supplies(folder: string): ReadonlyMap<string, string> {
  const pki = opensslPki('P-256')
  const key = generateStaticKey()
  const serverKey = generate('2.6', 'tls-crypt-v2-server')
  const files = new Map(Object.entries(PROFILE_FILES))
  files.set('ca.crt', pki.ca).set('client.crt', pki.client.certificate).set('client.key', pki.client.key)
  files.set('server.crt', pki.server.certificate).set('server.key', pki.server.key)
  files.set('ta.key', key).set('v2s.key', serverKey)
  return withOpenssl(folder, files)
}

/** What only openssl and the reference make: a CRL, a bundle, DH parameters, a client's tls-crypt-v2 key. */
function withOpenssl(folder: string, files: Map<string, string>): Map<string, string> {
  for (const [name, text] of files) state.lab?.file(name, text)
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  }
  openssl(
    'pkcs12',
    '-export',
    '-in',
    'client.crt',
    '-inkey',
    'client.key',
    '-certfile',
    'ca.crt',
    '-out',
    'client.p12',
    '-passout',
    'pass:',
  )
  openssl('dhparam', '-dsaparam', '-out', 'dh.pem', '2048')
  const start = program('2.6')
  const [path, ...args] = [...start.command, '--tls-crypt-v2', 'v2s.key', '--genkey', 'tls-crypt-v2-client', 'v2c.key']
  execFileSync(path, args, { cwd: folder, stdio: 'pipe' })
  // An authority that has revoked nobody: its own key is not at hand, so it is one of its own.
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ed25519',
    '-nodes',
    '-keyout',
    'crl.key',
    '-out',
    'crl-ca.pem',
    '-subj',
    '/CN=CRL',
    '-days',
    '30',
  )
  state.lab?.file('crl.cnf', '[ca]\ndefault_ca=d\n[d]\ndatabase=crl.index\ndefault_md=default\ndefault_crl_days=30\n')
  state.lab?.file('crl.index', '')
  openssl('ca', '-config', 'crl.cnf', '-gencrl', '-keyfile', 'crl.key', '-cert', 'crl-ca.pem', '-out', 'crl.pem')
  for (const name of ['client.p12', 'dh.pem', 'v2c.key', 'crl.pem'])
    files.set(name, readFileSync(join(folder, name), 'latin1'))
  return files
}

/** Removes what the last run of the reference left behind. */
function tidy(folder: string, keep: ReadonlyMap<string, string>): void {
  for (const name of readdirSync(folder)) if (!keep.has(name)) rmSync(join(folder, name), { recursive: true })
}

function explained(release: Release, text: string, lintAccepts: boolean): Disagreement | undefined {
  const lines = text.split('\n')
  return KNOWN.find(({ releases, lint: said, line }) => {
    const pattern = new RegExp(line)
    return (
      releases.includes(release) && (said === 'accepts') === lintAccepts && lines.some((text) => pattern.test(text))
    )
  })
}

const releases = releasesToTest()

beforeAll(() => {
  if (releases.length === 0) return
  state.lab = new Lab()
  state.files = new Map(supplies(state.lab.folder))
})

afterAll(async () => {
  await state.lab?.close()
})

describe.each(releases)('lint against OpenVPN %s', (release) => {
  it(`PROF-19 agrees on ${COUNTS[release]} generated configurations, or a listed reason says why not`, async () => {
    const lab = state.lab!
    const random = new SeededRandom(`differential ${release}${SEED}`)
    const unexplained: string[] = []
    const tally = { agreed: 0, accepted: 0, listed: 0 }
    for (let i = 0; i < COUNTS[release]; i++) {
      const { text } = generateProfile(random, state.files)
      tidy(lab.folder, state.files)
      lab.file('test.conf', text)
      const { profile } = inspectProfile(text, state.files, { file: 'test.conf' })
      const absent = absentPaths(join(lab.folder, 'test.conf'), profile)
      const errors = lint(profile, { peer: release, absent }).filter(isFatal)
      const verdict = await referenceVerdict(lab, release, 'test.conf')
      const line = Number(/test\.conf:(\d+)/.exec(verdict.because)?.[1])
      // Where the reference names a line, a finding stands there, too.
      if (line > 0 && errors.length > 0 && !errors.some((problem) => problem.line === line))
        unexplained.push(`line ${line} has no finding | reference: ${verdict.because}\n${text}`)
      if (verdict.accepts === (errors.length === 0)) {
        tally.agreed++
        if (verdict.accepts) tally.accepted++
      } else if (explained(release, text, errors.length === 0) !== undefined) {
        tally.listed++
      } else {
        const said = errors.map(({ directive, message }) => `${directive}: ${message}`).join('; ')
        unexplained.push(`lint: ${said || 'accepts'} | reference: ${verdict.because}\n${text}`)
      }
    }
    console.log(`lint and ${release} agree on ${tally.agreed} of ${COUNTS[release]}, ${tally.listed} listed`)
    expect(unexplained).toEqual([])
    // Both kinds must be among them, or the comparison shows nothing.
    expect(tally.accepted).toBeGreaterThan(COUNTS[release] / 5)
    expect(tally.agreed - tally.accepted).toBeGreaterThan(COUNTS[release] / 5)
    expect(tally.listed).toBeLessThan(COUNTS[release] / 20)
  }, 1_800_000)
})

it.skipIf(releases.length > 0)('lint against the reference: skipped, no release is here', () => undefined)
