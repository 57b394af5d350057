/**
 * Every rule: one profile that breaks it, and a small change after which it holds.
 */
import { describe, expect, it } from 'vitest'
import { describeProblem, inspectProfile, type ProfileProblem, RULES } from '../../../src/profile/index.ts'
import { about, CLIENT, PEER, SERVER } from '../../support/small-profiles.ts'

const problems = (text: string): readonly ProfileProblem[] => inspectProfile(text).problems

describe('rules', () => {
  it('leave sound profiles alone', () => {
    for (const text of [CLIENT, SERVER, PEER]) {
      expect(
        problems(text)
          .filter(({ severity }) => severity !== 'note')
          .map(describeProblem),
      ).toEqual([])
    }
  })

  it('have a sentence each, without a full stop, and a remedy', () => {
    expect(RULES.length).toBeGreaterThan(150)
    for (const rule of RULES) {
      expect(rule.message, rule.directive).not.toMatch(/\.$/)
      expect(rule.message.length, rule.directive).toBeGreaterThan(10)
      expect(rule.remedy, rule.directive).not.toMatch(/\.$/)
      expect(rule.remedy.length, rule.directive).toBeGreaterThan(3)
      expect(rule.own !== undefined || rule.refusedBy !== undefined || rule.code === 'dependency').toBe(true)
    }
  })

  it.each([
    ['client and server', `${CLIENT}server 10.8.0.0 255.255.255.0\n`, 'server'],
    ['two wraps', `${CLIENT}tls-auth t\ntls-crypt t\n`, 'tls-auth'],
    ['three wraps', `${CLIENT}tls-auth t\ntls-crypt-v2 t\n`, 'tls-crypt-v2'],
    ['TLS client and server', `${PEER}tls-server\n`, 'tls-client'],
    ['secret with TLS', `${CLIENT}secret s\n`, 'secret'],
    ['TLS words without TLS', 'dev tun\nremote a\nsecret s\nca c\n', 'ca'],
    ['two keys', `${CLIENT}pkcs12 p\n`, 'cert'],
    ['two ping timers', `${CLIENT}keepalive 10 60\nping 5\n`, 'keepalive'],
    ['nobind and lport', `${CLIENT}nobind\nlport 1\n`, 'nobind'],
    ['two proxies', `${CLIENT}proto tcp-client\nhttp-proxy p 1\nsocks-proxy s\n`, 'http-proxy'],
    ['HTTP proxy over UDP', `${CLIENT}http-proxy p 1\n`, 'http-proxy'],
    ['fragment over TCP', `${CLIENT}proto tcp-client\nfragment 1200\n`, 'fragment'],
    ['a hardware address for tun', `${CLIENT}lladdr 02:11:22:33:44:55\n`, 'lladdr'],
    ['a calling client that waits', `${CLIENT}proto tcp-server\n`, 'proto'],
    ['a remote of a server', `${SERVER}remote a\n`, 'remote'],
    ['a nobind of a server', `${SERVER}nobind\n`, 'nobind'],
    ['a redirected server', `${SERVER}redirect-gateway\n`, 'redirect-gateway'],
    ['a login of a server', `${SERVER}auth-user-pass f\n`, 'auth-user-pass'],
    ['a pool of a client', `${CLIENT}ifconfig-pool 10.8.0.2 10.8.0.9\n`, 'ifconfig-pool'],
    ['client-to-client of a client', `${CLIENT}client-to-client\n`, 'client-to-client'],
    ['two pools', `${SERVER}ifconfig-pool 10.8.0.2 10.8.0.9\n`, 'ifconfig-pool'],
    ['a bridge of tun', SERVER.replace('server 10.8.0.0 255.255.255.0', 'server-bridge'), 'server-bridge'],
    ['a server too large', SERVER.replace('255.255.255.0', '255.0.0.0'), 'server'],
    ['a server off its network', SERVER.replace('10.8.0.0', '10.8.0.1'), 'server'],
    ['equal addresses', PEER.replace('10.8.0.2', '10.8.0.1'), 'ifconfig'],
    ['an address where tap wants a mask', PEER.replace('dev tun', 'dev tap'), 'ifconfig'],
    ['versions upside down', `${CLIENT}tls-version-min 1.3\ntls-version-max 1.2\n`, 'tls-version-min'],
    ['tls-auth without a digest', `${CLIENT}auth none\ntls-auth t\n`, 'tls-auth'],
    ['many locals', `${CLIENT}local 10.0.0.1\nlocal 10.0.0.2\n`, 'local'],
  ])('PROF-15 %s', (_, text, directive) => {
    expect(about(text, directive)).toBe('error conflict')
  })

  it.each([
    ['a client without remote', CLIENT.replace('remote vpn.example.com\n', ''), 'remote'],
    ['a block without remote', `${CLIENT}<connection>\nproto udp\n</connection>\n`, 'connection'],
    ['no authority', CLIENT.replace('ca c\n', ''), 'ca'],
    ['a certificate without key', CLIENT.replace('key k\n', ''), 'cert'],
    ['a client without anything', CLIENT.replace('cert c\nkey k\n', ''), 'auth-user-pass'],
    ['a peer without certificate', PEER.replace('cert c\nkey k\n', ''), 'cert'],
    ['a server without key', SERVER.replace('key k\n', ''), 'key'],
    ['no role', PEER.replace('tls-client\n', '').replace('ca c\ncert c\nkey k\n', ''), 'tls-client'],
    ['mode server without TLS', 'mode server\ndev tun\n', 'mode'],
    ['a short keepalive', `${CLIENT}keepalive 10 15\n`, 'keepalive'],
    ['ccd-exclusive alone', `${SERVER}ccd-exclusive\n`, 'ccd-exclusive'],
    ['tokens without renegotiation', `${SERVER}auth-gen-token\nreneg-sec 0\n`, 'auth-gen-token'],
    ['nobody to judge logins', `${SERVER}verify-client-cert none\n`, 'verify-client-cert'],
    ['a login without pulling', `${PEER}auth-user-pass f\n`, 'auth-user-pass'],
    ['a template', `${CLIENT}setenv GENERIC_CONFIG 1\n`, 'setenv'],
    ['a device of unknown kind', PEER.replace('dev tun', 'dev myvpn'), 'dev'],
  ])('PROF-16 %s', (_, text, directive) => {
    expect(about(text, directive)).toBe('error dependency')
  })

  it.each([
    ['no check of the server', CLIENT.replace('remote-cert-tls server\n', ''), 'remote-cert-tls', 'dangerous'],
    ['compression', `${CLIENT}comp-lzo\n`, 'comp-lzo', 'dangerous'],
    ['small blocks', `${CLIENT}data-ciphers AES-256-GCM:BF-CBC\n`, 'data-ciphers', 'dangerous'],
    ['a broken digest', `${CLIENT}auth MD5\n`, 'auth', 'dangerous'],
    ['an old TLS', `${CLIENT}tls-version-min 1.0\n`, 'tls-version-min', 'dangerous'],
    ['shared names with addresses', `${SERVER}duplicate-cn\nclient-config-dir d\n`, 'duplicate-cn', 'dangerous'],
    ['an open management port', `${CLIENT}management 127.0.0.1 7505\n`, 'management', 'dangerous'],
    ['passwords in the environment', `${CLIENT}script-security 3\n`, 'script-security', 'dangerous'],
    ['a cipher that is not negotiated', `${CLIENT}cipher AES-256-CBC\n`, 'cipher', 'deprecated'],
    ['net30', SERVER.replace('topology subnet', 'topology net30'), 'topology', 'deprecated'],
    ['an old name', `${CLIENT}ncp-ciphers AES-256-GCM\n`, 'ncp-ciphers', 'deprecated'],
  ])('PROF-17 warns of %s', (_, text, directive, code) => {
    expect(about(text, directive)).toBe(`warning ${code}`)
  })

  it('PROF-17 leaves switched-off compression alone', () => {
    expect(about(`${CLIENT}compress stub-v2\n`, 'compress')).toBe('warning deprecated')
    expect(about(`${CLIENT}comp-lzo no\n`, 'comp-lzo')).toBe('warning deprecated')
  })

  it.each([
    ['a directive that is refused', `${SERVER}capath certs\n`, 'capath'],
    ['a cipher', `${CLIENT}data-ciphers CAMELLIA-128-CBC\n`, 'data-ciphers'],
    ['a digest', `${CLIENT}auth SHA3-256\n`, 'auth'],
    ['TLS 1.1 at most', `${CLIENT}tls-version-max 1.1\n`, 'tls-version-max'],
    ['unknown suites only', `${CLIENT}tls-ciphersuites TLS_SM4_GCM_SM3\n`, 'tls-ciphersuites'],
    ['unknown groups only', `${CLIENT}tls-groups X448\n`, 'tls-groups'],
  ])('PROF-18 refuses %s', (_, text, directive) => {
    expect(about(text, directive)).toBe('error unsupported')
  })

  it('PROF-18 notes what has no effect', () => {
    const notes = problems(`${CLIENT}user nobody\n`).filter(({ severity }) => severity === 'note')
    expect(notes.map(({ directive, code }) => [directive, code])).toEqual([['user', 'ignored']])
  })

  it('PROF-33 looks into blocks and files', () => {
    const block = (name: string, text: string): string => `<${name}>\n${text}\n</${name}>\n`
    expect(about(`${CLIENT}${block('ca', 'nothing here')}`, 'ca')).toBe('error file-unreadable')
    expect(about(`${CLIENT}${block('tls-crypt', 'deadbeef')}`, 'tls-crypt')).toBe('error file-unreadable')
    expect(
      about(`${CLIENT}${block('tls-crypt-v2', '-----BEGIN OpenVPN tls-crypt-v2 server key-----')}`, 'tls-crypt-v2'),
    ).toBe('error file-unreadable')
    const files = new Map([['k', 'no key']])
    const found = inspectProfile(CLIENT, new Map([...files, ['c', '-----BEGIN CERTIFICATE-----']])).problems
    expect(found.find(({ directive, code }) => directive === 'key' && code === 'file-unreadable')).toBeDefined()
  })

  it('PROF-34 looks at what a server pushes', () => {
    expect(about(`${SERVER}push "route 10.9.0.0 255.255.0.0"\n`, 'push')).toBeUndefined()
    expect(about(`${SERVER}push "up /bin/sh"\n`, 'push')).toBe('warning bad-argument')
    expect(about(`${SERVER}push "route 10.9.0.0 255.255.0.0 default 7"\n`, 'push')).toBe('warning bad-argument')
    expect(about(`${SERVER}push "dns server -1 address 10.8.0.1"\n`, 'push')).toBe('warning bad-argument')
    expect(about(`${SERVER}push "dns server 0 address 10.8.0.1"\n`, 'push')).toBeUndefined()
  })
})
