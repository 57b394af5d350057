/**
 * Who may log in at `ovpn serve`: lists of users, and the profile's own program.
 */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/bytes/index.ts'
import { Logins, readVerifyProgram, type VerifyProgram } from '../../../src/node/command/serve-logins.ts'
import { inspectProfile } from '../../../src/profile/index.ts'
import type { LoginEvent } from '../../../src/server/index.ts'
import { SecretText } from '../../../src/session/index.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const login = (username: string, password: string, more: Partial<LoginEvent> = {}): LoginEvent => ({
  type: 'login',
  renewal: false,
  address: 'udp 0 ::ffff:192.0.2.7 4711',
  commonName: 'ada\nPATH=x',
  subject: undefined,
  certificates: [],
  username,
  password: new SecretText(password),
  tokenAccepted: false,
  keyMetadata: undefined,
  peerInfo: { IV_VER: '2.6.14', LD_PRELOAD: 'evil', UV_ID: 'a\nb' },
  ...more,
})

function judged(logins: Logins, event: LoginEvent): Promise<string | undefined> {
  return new Promise((done) => {
    logins.judge(event, done)
  })
}

/** A program that notes what it was given, and lets in whoever knows the word. */
function program(method: VerifyProgram['method']): { verify: VerifyProgram; seen: () => string } {
  const folder = mkdtempSync(join(tmpdir(), 'ovpn-verify-'))
  folders.push(folder)
  const path = join(folder, 'verify.sh')
  const read =
    method === 'via-file' ? 'password=$(sed -n 2p "$2"); echo "file $2" >>"$0.seen"; cat "$2" >>"$0.seen"' : ''
  writeFileSync(path, `#!/bin/sh\nenv >>"$0.seen"\n${read}\ntest "$1" = "an argument" && test "$password" = open\n`)
  chmodSync(path, 0o755)
  return { verify: { command: [path, 'an argument'], method }, seen: () => readFileSync(`${path}.seen`, 'utf8') }
}

describe('logins', () => {
  it('a list of users lets in who is on it; a token of the server is enough; without a judge nobody is asked', async () => {
    const logins = new Logins(new Map([['ada', 'open']]), undefined)
    expect(await judged(logins, login('ada', 'open'))).toBeUndefined()
    for (const [name, word] of [
      ['ada', 'shut'],
      ['ada', ''],
      ['eve', 'open'],
      ['', ''],
      ['ada\n', 'open'],
    ] as const) {
      expect(await judged(logins, login(name, word)), name).toBe('wrong name or password')
    }
    expect(await judged(logins, login('ada', 'SESS_ID_AT_x', { tokenAccepted: true }))).toBeUndefined()
    expect(await judged(new Logins(undefined, undefined), login('', ''))).toBeUndefined()
  })

  it.each(['via-file', 'via-env'] as const)(
    '%s: the program judges, and hears nothing that it could trip over',
    async (method) => {
      const { seen, verify } = program(method)
      const logins = new Logins(undefined, verify)
      expect(await judged(logins, login('ada', 'open'))).toBeUndefined()
      expect(await judged(logins, login('ada', 'shut'))).toBe('wrong name or password')
      // Two lines of one name never reach it.
      expect(await judged(logins, login('ada\nopen', 'open'))).toBe('wrong name or password')
      const overTcp = { address: 'tcp 198.51.100.3 4712 0' }
      expect(await judged(logins, login('ada', 'open', overTcp))).toBeUndefined()
      const text = seen()
      expect(text).toContain('common_name=ada_PATH=x\n')
      expect(text).toContain('untrusted_ip=192.0.2.7\n')
      expect(text).toContain('untrusted_port=4711\n')
      expect(text).toContain('untrusted_ip=198.51.100.3\n')
      expect(text).toContain('untrusted_port=4712\n')
      expect(text).toContain('IV_VER=2.6.14\n')
      expect(text).toContain('UV_ID=a_b\n')
      expect(text).not.toContain('LD_PRELOAD')
      expect(text.match(/^script_type=user-pass-verify$/gm)?.length).toBe(3)
      for (const [, file] of text.matchAll(/^file (.*)$/gm)) expect(existsSync(file!)).toBe(false)
      expect(/^username=ada$/m.test(text)).toBe(method === 'via-env')
    },
  )

  it('a program that cannot be run lets nobody in', async () => {
    const logins = new Logins(undefined, { command: ['/nowhere/verify'], method: 'via-file' })
    expect(await judged(logins, login('ada', 'open'))).toBe('wrong name or password')
  })
})

describe('what a profile wants', () => {
  const wanted = (lines: string, hasUsers = false): VerifyProgram | undefined => {
    const text = `dev tun\nserver 10.8.0.0 255.255.255.0\n${lines}\n`
    return readVerifyProgram(inspectProfile(text, undefined, { file: '/x/server.conf' }).profile, hasUsers)
  }

  it('reads the program and its arguments where it may be run', () => {
    const line = `auth-user-pass-verify "bin/verify 'two words'" via-file`
    expect(wanted(`script-security 2\n${line}`)).toEqual({
      command: ['/x/bin/verify', 'two words'],
      method: 'via-file',
    })
    expect(wanted('script-security 3\nauth-user-pass-verify /bin/true via-env')?.method).toBe('via-env')
    expect(wanted('')).toBeUndefined()
  })

  it('refuses to serve where nobody would judge', () => {
    for (const lines of [
      'auth-user-pass-verify /bin/true via-file',
      'script-security 2\nauth-user-pass-verify /bin/true via-env',
      'plugin /usr/lib/auth-pam.so login',
      'management 127.0.0.1 7505\nmanagement-client-auth',
    ]) {
      expect(() => wanted(lines), lines).toThrow(ConfigError)
      expect(wanted(lines, true), lines).toBeUndefined()
    }
    for (const lines of ['tls-verify /bin/true', 'tls-crypt-v2-verify /bin/true']) {
      expect(() => wanted(lines, true), lines).toThrow(ConfigError)
    }
    expect(wanted('plugin /usr/lib/openvpn-plugin-down-root.so x')).toBeUndefined()
  })
})
