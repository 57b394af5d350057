/**
 * Profiles back into text.
 */
import { describe, expect, it } from 'vitest'
import { commandLineText, inspectProfile, type Profile, writeProfile } from '../../../src/profile/index.ts'

const TEXT = `# a comment
client
  --dev tun
remote vpn.example.com 1194 udp
setenv opt tls-groups X25519
push 'route "10.0.0.0"'
<connection>
remote b 443
proto tcp-client
</connection>
verb 3
<ca>
CERTIFICATE
</ca>
tls-auth ta.key 1
`

const FILES = new Map([['ta.key', 'KEY']])
const read = (text: string, files: ReadonlyMap<string, string> = FILES): Profile => inspectProfile(text, files).profile

describe('writeProfile', () => {
  it('PROF-32 writes what a profile means', () => {
    const { text, files } = writeProfile(read(TEXT))
    expect(text).toBe(
      'client\ndev tun\nremote vpn.example.com 1194 udp\nsetenv opt tls-groups X25519\npush "route \\"10.0.0.0\\""\n' +
        '<connection>\nremote b 443\nproto tcp-client\n</connection>\nverb 3\n<ca>\nCERTIFICATE\n</ca>\ntls-auth ta.key 1\n',
    )
    expect(files.size).toBe(0)
    expect(writeProfile(read(text)).text).toBe(text)
  })

  it('PROF-32 puts files into blocks, with the direction on a line of its own', () => {
    const { text } = writeProfile(read(TEXT), { style: 'inline' })
    expect(text).toContain('key-direction 1\n<tls-auth>\nKEY\n</tls-auth>\n')
    expect(writeProfile(read(text, new Map()), { style: 'inline' }).text).toBe(text)
  })

  it('PROF-32 puts blocks into files', () => {
    const { text, files } = writeProfile(read(TEXT), { style: 'files', stem: 'home' })
    expect(text).toContain('ca home-ca.crt\n')
    expect(files).toEqual(new Map([['home-ca.crt', 'CERTIFICATE\n']]))
    const two = '<connection>\nremote a\n<tls-crypt>\nA\n</tls-crypt>\n</connection>\n<tls-crypt>\nB\n</tls-crypt>\n'
    expect([...writeProfile(read(two), { style: 'files' }).files]).toEqual([
      ['profile-tls-crypt.key', 'A\n'],
      ['profile-tls-crypt-2.key', 'B\n'],
    ])
  })

  it('PROF-32 takes includes in, and names files from where the text lies', () => {
    const files = new Map([['/etc/vpn/sub/more.conf', 'ca keys/ca.crt\nkey /abs/k\n']])
    const { profile } = inspectProfile('config sub/more.conf\n', files, { file: '/etc/vpn/client.conf' })
    expect(writeProfile(profile).text).toBe('ca sub/keys/ca.crt\nkey /abs/k\n')
    const moved = inspectProfile('ca ca.crt\ncd keys\n', undefined, { file: 'client.conf' }).profile
    expect(writeProfile(moved).text).toBe('ca keys/ca.crt\n')
  })

  it('PROF-32 what is optional by FORWARD_COMPATIBLE gets no words of its own, so that a long line stays in its limit', () => {
    const long = `setenv A ${'x'.repeat(240)}\n`
    const text = `setenv opt dev tun\nsetenv FORWARD_COMPATIBLE 1\n${long}setenv opt verb 3\n`
    const written = writeProfile(read(text)).text
    expect(written).toBe(`setenv opt dev tun\nsetenv FORWARD_COMPATIBLE 1\n${long}verb 3\n`)
    expect(writeProfile(read(written)).text).toBe(written)
    expect(read(written).entries.map(({ optional }) => optional)).toEqual(
      read(text).entries.map((entry) => entry.optional),
    )
  })

  it('refuses words that no line can hold', () => {
    const text = commandLineText(['--setenv', 'A', 'x'])
    expect(writeProfile(read(text)).text).toBe('setenv A x\n')
    expect(writeProfile(read('setenv A x\\\n')).text).toBe('setenv A x\\\n')
  })
})
