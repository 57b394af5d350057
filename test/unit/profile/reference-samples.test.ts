/**
 * What the reference's own samples and the manual's examples are found to be. They are read from where Debian puts them; what
 * is not there is skipped, unless `OVPN_INTEROP=required` says that it must be.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { commandLineText, inspectProfile, isFatal, lint, LINT_PEERS } from '../../../src/profile/index.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const DOCUMENTATION = 'usr/share/doc/openvpn'
const REQUIRED = process.env['OVPN_INTEROP'] === 'required'

interface Sample {
  readonly release: string
  /** A sample's file name, or the number of a command in the manual's examples. */
  readonly file: string
  readonly role: string
  readonly directives: number
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  readonly refusedBy: readonly string[]
}

const { cases: SAMPLES } = JSON.parse(readFileSync(`${ROOT}vectors/profile/reference-samples.json`, 'utf8')) as {
  readonly cases: readonly Sample[]
}

/** A file of a release's documentation; `undefined` where the package is not here. */
function documentation(release: string, name: string): string | undefined {
  const places = [`${ROOT}.reference/${release}/${DOCUMENTATION}`, ...(release === '2.6' ? [`/${DOCUMENTATION}`] : [])]
  const path = places.map((place) => `${place}/${name}`).find((file) => existsSync(file))
  return path === undefined ? undefined : readFileSync(path, 'latin1')
}

/** The commands of the manual's examples as texts of profiles, with a fingerprint where the shell would put one. */
function manualCommands(page: string): readonly string[] {
  const blocks = [...page.matchAll(/<pre[^>]*>([^]*?)<\/pre>/g)].map(([, block]) => block!.replace(/<[^>]+>/g, ''))
  const commands = blocks
    .map((block) => block.replaceAll('&quot;', '"').trim())
    .filter((it) => it.startsWith('openvpn -'))
  return commands.map((command) => {
    const joined = command.replace(/\\\n\s*/g, ' ').replace(/"\$\w+"/, Array(32).fill('AB').join(':'))
    return commandLineText(joined.split(/\s+/).slice(1))
  })
}

function textOf({ release, file }: Sample): string | undefined {
  const number = /^example (\d)$/.exec(file)?.[1]
  if (number === undefined) return documentation(release, `examples/sample-config-files/${file}`)
  const page = documentation(release, 'openvpn-examples.5.html')
  return page === undefined ? undefined : manualCommands(page)[Number(number) - 1]
}

describe('the reference’s own samples', () => {
  it.each(SAMPLES)('OpenVPN $release: $file', (sample) => {
    const text = textOf(sample)
    if (text === undefined) {
      expect(REQUIRED, 'the reference’s documentation is not here').toBe(false)
      return
    }
    const { profile, problems } = inspectProfile(text)
    const named = (severity: string): string[] =>
      [...new Set(problems.filter((found) => found.severity === severity).map(({ directive }) => directive))].sort()
    const { release, file } = sample
    const refusedBy = LINT_PEERS.filter((peer) => lint(profile, { peer }).some(isFatal))
    const directives = profile.entries.length
    const found = { role: profile.role, directives, errors: named('error'), warnings: named('warning'), refusedBy }
    expect({ release, file, ...found }).toEqual(sample)
  })

  it('are a known number', () => {
    expect(SAMPLES).toHaveLength(27)
  })
})
