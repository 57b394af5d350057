/**
 * Programs, directories and files of the host: which a profile names, and what a release says when they are not there.
 */
import { describe, expect, it } from 'vitest'
import { hostPaths, inspectProfile, isFatal, lint } from '../../../src/profile/index.ts'

const SERVER =
  'dev tun\nserver 10.8.0.0 255.255.255.0\ntopology subnet\ndh none\nca c\ncert c\nkey k\nscript-security 2\n'
const profileOf = (lines: string, file = '/etc/openvpn/a.conf') =>
  inspectProfile(SERVER + lines, undefined, { file }).profile

describe('hostPaths', () => {
  it('PROF-61 names what the reference looks for, by what it must be', () => {
    const lines = [
      'up "/sbin/route-it --fast"',
      'client-connect \'"/opt/my tools/hello" now\'',
      'client-config-dir ccd',
      'status log/status.txt 10',
      'management 127.0.0.1 7505 secret.txt',
      'tls-verify /old',
      'tls-verify /new',
    ]
    const found = hostPaths(profileOf(`${lines.join('\n')}\n`)).map(({ path, kind }) => `${kind} ${path}`)
    expect([...found].sort()).toEqual([
      'directory /etc/openvpn/ccd',
      'file /etc/openvpn/secret.txt',
      'place /etc/openvpn/log/status.txt',
      'program /new',
      'program /opt/my tools/hello',
      'program /sbin/route-it',
    ])
  })

  it.each([
    ['up /a', '/a', 'up'],
    ['client-config-dir /b', '/b', 'client-config-dir'],
    ['writepid /c/d', '/c/d', 'writepid'],
    ['management 127.0.0.1 7505 /e', '/e', 'management'],
  ])('PROF-61 %j is refused where %s is not there, and only then', (line, path, directive) => {
    const profile = profileOf(`${line}\n`)
    const errors = (absent?: readonly string[]): readonly string[] =>
      lint(profile, { peer: '2.6', ...(absent === undefined ? {} : { absent: new Set(absent) }) })
        .filter(isFatal)
        .map((problem) => `${problem.line} ${problem.directive} ${problem.code}`)
    expect(errors([path])).toEqual([`9 ${directive} file-missing`])
    expect(errors(['/other'])).toEqual([])
    expect(errors()).toEqual([])
  })

  it('PROF-61 lets a release pass over what it does not know', () => {
    const profile = profileOf('setenv opt client-crresponse /a\n')
    const errors = (peer: '2.5' | '2.6') => lint(profile, { peer, absent: new Set(['/a']) }).filter(isFatal)
    expect(errors('2.5')).toEqual([])
    expect(errors('2.6')).toHaveLength(1)
  })
})
