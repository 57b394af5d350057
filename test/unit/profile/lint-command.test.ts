/**
 * `ovpn lint`: exit codes, text and JSON.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CommandLineError } from '../../../src/node/command/io.ts'
import { runLint } from '../../../src/node/command/lint.ts'
import { toyPki } from '../../support/pki.ts'

const folder = mkdtempSync(join(tmpdir(), 'ovpn-lint-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const GOOD =
  'client\ndev tun\nremote vpn.example.com\nremote-cert-tls server\nauth-user-pass\nca ca.crt\nroute-table 5\n'
const { ca } = toyPki('ed25519')
writeFileSync(join(folder, 'ca.crt'), ca.pem)
writeFileSync(join(folder, 'good.ovpn'), GOOD)
writeFileSync(join(folder, 'bad.ovpn'), `${GOOD}cert gone.crt\nremot x\n`)

/** A static key file with so many bytes. */
function staticKey(length: number): string {
  return `-----BEGIN OpenVPN Static key V1-----\n${'ab'.repeat(length)}\n-----END OpenVPN Static key V1-----\n`
}

function run(...args: readonly string[]): { code: number; lines: readonly string[] } {
  const lines: string[] = []
  const io = { out: (line: string) => lines.push(line), error: (line: string) => lines.push(line), colour: false }
  return { code: runLint(args, io), lines }
}

describe('ovpn lint', () => {
  it('says that a profile can work', () => {
    const { code, lines } = run(join(folder, 'good.ovpn'))
    expect(code).toBe(0)
    expect(lines.at(-1)).toBe('can work: 0 errors, 0 warnings, 0 notes')
  })

  it.each([
    [
      'a CA that is not base64',
      '<ca>\n-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n</ca>\n',
      ':6:1: warning: ca: ',
    ],
    ['a key that is too short', `ca ca.crt\n<tls-crypt>\n${staticKey(16)}</tls-crypt>\n`, ':7:1: warning: tls-crypt: '],
  ])('PROF-60 looks into keys and certificates: %s', (_, lines, expected) => {
    const path = join(folder, 'contents.ovpn')
    writeFileSync(path, GOOD.replace('ca ca.crt\n', lines))
    for (const peer of [[], ['--peer', '2.7']]) {
      const found = run(path, ...peer).lines.filter((line) => line.includes('it works once this is right'))
      expect(found).toHaveLength(1)
      expect(found[0]).toContain(expected)
    }
  })

  it('PROF-11 names file, line, directive and remedy of everything that is wrong', () => {
    const path = join(folder, 'bad.ovpn')
    const { code, lines } = run(path, '--quiet')
    expect(code).toBe(2)
    expect(lines).toContain(`${path}:9:1: error: remot: no release knows this directive; did you mean "remote"`)
    expect(lines.some((line) => line.startsWith(`${path}:8:1: error: cert: there is no file`))).toBe(true)
  })

  it('PROF-19 asks on behalf of a release', () => {
    expect(run(join(folder, 'good.ovpn'), '--peer', '2.7').code).toBe(0)
    const { code, lines } = run(join(folder, 'good.ovpn'), '--peer', '2.6', '--json')
    expect(code).toBe(2)
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(events[0]).toMatchObject({
      event: 'problem',
      code: 'not-in-release',
      directive: 'route-table',
      since: '2.6',
      line: 7,
    })
    expect(events.at(-1)).toMatchObject({ event: 'verdict', peer: '2.6', works: false, errors: 1 })
  })

  it('PROF-61 looks for programs and directories on behalf of a release', () => {
    const path = join(folder, 'scripts.ovpn')
    const judge = (lines: string, ...args: readonly string[]): readonly string[] => {
      writeFileSync(path, GOOD.replace('route-table 5\n', lines))
      return run(path, '--quiet', ...args).lines.slice(0, -1)
    }
    const name = 'script-security 2\nup "./hello.sh now"\n'
    expect(judge(name, '--peer', '2.6')).toEqual([
      `${path}:8:1: error: up: there is no program "${join(folder, 'hello.sh')}" that can be run; put it there and make it executable (OpenVPN 2.6)`,
    ])
    expect(judge(name)).toEqual([])
    writeFileSync(join(folder, 'hello.sh'), '#!/bin/sh\n', { mode: 0o755 })
    expect(judge(name, '--peer', '2.6')).toEqual([])
    expect(judge('status ./nowhere/status.txt\n', '--peer', '2.6')).toHaveLength(1)
    expect(judge('status ./status.txt\n', '--peer', '2.6')).toEqual([])
  })

  it('refuses command lines that make no sense', () => {
    expect(() => run()).toThrow(CommandLineError)
    expect(() => run('a', 'b')).toThrow(CommandLineError)
    expect(() => run(join(folder, 'good.ovpn'), '--peer', '1.0')).toThrow(
      '--peer wants one of 2.4, 2.5, 2.6, 2.7, openvpn3',
    )
    expect(() => run(join(folder, 'nowhere.ovpn'))).toThrow("can't read")
    const help = run('--help')
    expect(help.code).toBe(0)
    expect(help.lines.join('\n')).toMatch(/0 {2}it can work[^]*2 {2}it can't work/)
  })
})
