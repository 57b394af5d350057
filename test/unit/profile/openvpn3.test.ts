/**
 * Lint for OpenVPN 3 against what the real client did: every directive of the table, and lines right and wrong.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { inspectProfile, isFatal, lint, type ProfileProblem } from '../../../src/profile/index.ts'
import { PROFILE_FILES } from '../../support/profile-samples.ts'

interface Case {
  readonly added?: string
  readonly text?: string
  readonly takes: boolean
}

const { base, cases, disagreements } = JSON.parse(
  readFileSync(new URL('../../../vectors/profile/openvpn3.json', import.meta.url), 'utf8'),
) as {
  readonly base: string
  readonly cases: readonly Case[]
  readonly disagreements: readonly (Case & { readonly reason: string })[]
}

const CERTIFICATE = '-----BEGIN CERTIFICATE-----'
const STATIC_KEY = '-----BEGIN OpenVPN Static key V1-----'

/** The files that the profiles name: each as much of its kind as a look at it tells. */
const FILES = new Map([
  ...Object.entries(PROFILE_FILES),
  ...['ca.crt', 'client.crt', 'server.crt', 'crl.pem', 'client.p12'].map((name) => [name, CERTIFICATE] as const),
  ['client.key', '-----BEGIN PRIVATE KEY-----'],
  ['ta.key', STATIC_KEY],
  ['v2c.key', '-----BEGIN OpenVPN tls-crypt-v2 client key-----'],
  ['v2s.key', '-----BEGIN OpenVPN tls-crypt-v2 server key-----'],
])

const errors = (text: string): readonly ProfileProblem[] =>
  lint(inspectProfile(text, FILES, { file: 'x' }).profile, { peer: 'openvpn3' }).filter(isFatal)
const textOf = ({ added, text }: Case): string => text ?? `${base}${added ?? ''}\n`

describe('PROF-19 OpenVPN 3', () => {
  it('lint says what it did', () => {
    const wrong = cases.filter((one) => (errors(textOf(one)).length === 0) !== one.takes)
    expect(wrong).toEqual([])
    expect(cases).toHaveLength(507)
    expect(cases.filter(({ takes }) => takes)).toHaveLength(253)
  })

  it('lint says something else only where a reason is given', () => {
    expect(disagreements).toHaveLength(7)
    for (const one of disagreements) {
      expect(errors(textOf(one)).length === 0).not.toBe(one.takes)
      expect(one.reason.length).toBeGreaterThan(20)
    }
  })

  it.each([
    ['no-such-3 1', 'unknown-directive', undefined],
    ['rport 5', 'not-in-release', 'take it out, or put "setenv opt" before it'],
    ['setenv opt no-replay', 'not-in-release', 'take it out'],
    ['cert', 'bad-argument', 'it wants a file'],
    ['tun-mtu 100', 'bad-argument', 'it wants a number from 576 to 65535'],
    ['http-proxy 127.0.0.1 8080', 'dependency', 'add "proto tcp"'],
    ['setenv FORWARD_COMPATIBLE 1\nno-such-3', 'unknown-directive', 'take it out, or put "setenv opt" before it'],
  ] as const)('%j is refused with its reason', (line, code, remedy) => {
    const [problem] = errors(`${base}${line}\n`)
    expect(problem?.code).toBe(code)
    if (remedy !== undefined) expect(problem).toMatchObject({ remedy, since: 'openvpn3' })
  })

  it.each(['ca', 'cert', 'key', 'tls-auth', 'tls-crypt', 'tls-crypt-v2'])(
    'PROF-33 %s with something else in it',
    (name) => {
      const found = errors(`${base.replace(new RegExp(`^${name} .*\n`, 'm'), '')}<${name}>\ngarbage\n</${name}>\n`)
      expect(found).toMatchObject([{ code: 'file-unreadable', directive: name, since: 'openvpn3' }])
    },
  )

  it('what it passes over is a warning, and a note where the profile allows it', () => {
    const severity = (line: string): string | undefined =>
      lint(inspectProfile(`${base}${line}\n`, FILES).profile, { peer: 'openvpn3' })[0]?.severity
    expect(severity('persist-key')).toBe('warning')
    expect(severity('setenv opt persist-key')).toBe('note')
    expect(severity('up /bin/true')).toBe('warning')
    expect(severity('ignore-unknown-option rport\nrport 5')).toBe('note')
  })
})
