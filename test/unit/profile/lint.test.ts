/**
 * What lint says on behalf of a release: profiles that one takes and another refuses.
 */
import { describe, expect, it } from 'vitest'
import { describeProblem, inspectProfile, lint, type LintPeer } from '../../../src/profile/index.ts'
import { about, CLIENT, PEER, SERVER } from '../../support/small-profiles.ts'

describe('lint', () => {
  const errors = (text: string, peer: '2.4' | '2.5' | '2.6' | '2.7' | 'openvpn3'): readonly string[] =>
    lint(inspectProfile(text).profile, { peer })
      .filter(({ severity }) => severity === 'error')
      .map(({ directive }) => directive)

  it.each([
    ['data-ciphers AES-256-GCM\n', ['2.4']],
    ['tls-crypt-v2 k\n', ['2.4']],
    ['peer-fingerprint ' + Array(32).fill('AB').join(':') + '\n', ['2.4', '2.5']],
    ['route-table 5\n', ['2.4', '2.5', '2.6', 'openvpn3']],
    ['keysize 128\n', ['2.6', '2.7', 'openvpn3']],
    ['mssfix 1400 mtu\n', ['2.4', '2.5']],
    ['verb 3x\n', ['2.7']],
    ['block-outside-dns\n', ['2.4', '2.5', '2.6', '2.7']],
    ['setenv opt block-outside-dns\n', []],
    ['ignore-unknown-option route-table\nroute-table 5\n', []],
    ['data-ciphers AES-256-GCM:BF-CBC\n', ['2.4', '2.6', '2.7']],
    ['compress migrate\n', ['2.4', '2.5', 'openvpn3']],
    ['no-replay\n', ['2.7', 'openvpn3']],
    ['daemon\n', ['openvpn3']],
    ['auth SHA256\n', []],
    ['auth SHA-256\n', ['2.4', '2.5', 'openvpn3']],
    ['auth RSA-SHA256\n', ['2.6', '2.7', 'openvpn3']],
    ['auth MD4\n', ['2.6', '2.7']],
    ['auth NONE\n', ['2.4', '2.5', '2.6', '2.7']],
    ['data-ciphers :AES-256-GCM::AES-128-GCM:\n', ['2.4']],
    ['data-ciphers ::\n', ['2.4', '2.5', '2.6', '2.7']],
    ['data-ciphers AES-256-GCM:AES-256-CTR:aes-128-xts:ChaCha20\n', ['2.4', '2.6', '2.7']],
    ['data-ciphers AES-256-GCM:DES-EDE3\n', ['2.4', '2.6', '2.7']],
    ['data-ciphers AES-256-GCM:aria128:SM4\n', ['2.4']],
    ['data-ciphers AES-256-GCM:SM4-OFB128\n', ['2.4', '2.5']],
    ['data-ciphers AES-256-GCM:ARIA-128-GCM\n', ['2.4']],
    ['cipher ARIA-128-GCM\n', ['2.5', 'openvpn3']],
    ['cipher CAST5-CBC\n', ['2.6', '2.7', 'openvpn3']],
    ['cipher CAST5-CBC\ndata-ciphers-fallback AES-256-CBC\n', ['2.4', 'openvpn3']],
    ['cipher bf-cbc\n', ['2.6', '2.7']],
    ['cipher BF-CBC\n', []],
    ['cipher DESX\n', ['2.6', '2.7', 'openvpn3']],
    ['cipher AES-256-CTR\n', ['2.4', '2.5', '2.6', '2.7']],
    ['cipher [null-cipher]\n', ['2.4', '2.5', '2.6', '2.7', 'openvpn3']],
    ['cipher AES-256-GCM\nauth RSA-SHA256\n', ['openvpn3']],
    ['cipher AES-256-GCM\nauth RSA-SHA256\ntls-auth k 1\n', ['2.6', '2.7', 'openvpn3']],
    ['data-ciphers AES-256-GCM\nauth RSA-SHA256\n', ['2.4', '2.6', '2.7', 'openvpn3']],
    ['auth KECCAK-256\n', ['2.4', '2.5', '2.6', 'openvpn3']],
    ['auth 2.16.840.1.101.3.4.2.1\n', ['2.4', '2.5', 'openvpn3']],
    ['auth sha1WithRSA\n', ['2.4', '2.5', '2.6', '2.7', 'openvpn3']],
    ['nobind\nlport 0\n', ['2.4', '2.5', '2.6']],
    ['tls-timeout 0\n', ['2.7']],
    ['tls-timeout 65537\n', ['2.7']],
    ['max-packet-size 1\n', ['2.4', '2.5', 'openvpn3']],
    ['max-packet-size 1x\n', ['2.4', '2.5', '2.7', 'openvpn3']],
    ['verify-x509-name "" name\n', ['2.4', '2.5', '2.6', '2.7']],
    ['setenv X 1\n', ['2.4', '2.5', '2.6', '2.7']],
    ['setenv XY 1\n', []],
    ['x509-track 2.5.4.3\n', []],
    ['x509-track 1.2.3\n', ['2.4', '2.5', '2.6', '2.7']],
    ['protocol-flags aead-epoch\n', ['2.4', '2.5', '2.6', 'openvpn3']],
    ['protocol-flags tls-ekm\n', ['2.4', '2.5', 'openvpn3']],
    ['extra-certs ""\n', ['2.4', '2.5', '2.6', '2.7']],
    ['dh ""\n', ['openvpn3']],
    ['nobind\nlport 1\n', ['2.4', '2.5', '2.6', '2.7']],
    ['auth [null-digest]\n', ['2.4', '2.5', '2.6', '2.7', 'openvpn3']],
    ['keepalive 0 60\nkeepalive 10 60\n', ['2.7']],
    ['keepalive 10 60\nkeepalive 0 60\n', ['2.4', '2.5', '2.6', '2.7']],
    ['dns server 1 resolve-domains example.org\n', ['2.4', '2.5', '2.6', '2.7']],
    ['dns server 1 resolve-domains example.org\ndns server 1 address 10.8.0.1\n', ['2.4', '2.5']],
    ['dns server 2 address 10.8.0.1\ndns server 1 dnssec yes\n', ['2.4', '2.5', '2.6', '2.7']],
    ['dns search-domains a_b.example bücher.example\n', ['2.4', '2.5']],
    ['dns search-domains a;b\n', ['2.4', '2.5', '2.7']],
    ['dns server 1 address 10.8.0.1\ndns server 1 sni "a b"\n', ['2.4', '2.5', '2.7']],
    ['dhcp-option DOMAIN "a b"\n', ['2.7']],
    ['dhcp-option DOMAIN-SEARCH a.example\n', []],
    ['proto-force udp\n', ['openvpn3']],
    ['proto-force tcp\n', ['2.4', '2.5', '2.6', '2.7', 'openvpn3']],
    ['dev myvpn\n', ['openvpn3']],
    ['dev myvpn\nifconfig 10.8.0.2 10.8.0.1\n', ['2.4', '2.5', '2.6', '2.7', 'openvpn3']],
    ['topology subnet\nifconfig 10.8.0.2 10.8.0.1\n', ['openvpn3']],
    ['up ""\nscript-security 2\n', ['2.4', '2.5', '2.6', '2.7']],
  ])('PROF-19 %j is refused by the releases it is refused by', (line, refusing) => {
    const found = (['2.4', '2.5', '2.6', '2.7', 'openvpn3'] as const).filter(
      (peer) => errors(CLIENT + line, peer).length > 0,
    )
    expect(found).toEqual(refusing)
  })

  it('PROF-19 says since when', () => {
    const [problem] = lint(inspectProfile(`${CLIENT}route-table 5\n`, undefined, { file: 'x' }).profile, {
      peer: '2.6',
    }).filter(({ severity }) => severity === 'error')
    expect(problem && describeProblem(problem)).toBe(
      'x:8:1: error: route-table: it came with 2.7; take it out, or put "setenv opt" before it (OpenVPN 2.6)',
    )
  })

  it('says which release the brackets mean', () => {
    const say = (lines: string, peer?: LintPeer): readonly string[] => {
      const inspection = inspectProfile(CLIENT + lines, undefined, { file: 'x' })
      const found = peer === undefined ? inspection.problems : lint(inspection.profile, { peer })
      return found.map(describeProblem)
    }
    const old = say('ns-cert-type server\n').find((line) => line.includes('ns-cert-type'))
    expect(old).toMatch(/^x:8:1: warning: ns-cert-type: .* \(since 2\.4\)$/)
    expect(say('tap-sleep 1\n', 'openvpn3').join()).toMatch(/^x:8:1: error: tap-sleep: .* \(OpenVPN 3\)/)
  })

  it('PROF-19 quotes a wrong word on behalf of a release as it does for this library', () => {
    const text = `${CLIENT}auth SHA9\ncomp-lzo\n`
    const { problems, profile } = inspectProfile(text)
    const own = problems.find(({ directive }) => directive === 'auth')?.message
    const found = lint(profile, { peer: '2.6' })
    expect(own).toBe('"SHA9" is no digest it takes')
    expect(found.find(({ directive }) => directive === 'auth')?.message).toBe(own)
    const third = lint(profile, { peer: 'openvpn3' }).find(({ directive }) => directive === 'auth')?.message
    expect(third).toBe('OpenVPN 3 does not take "SHA9"')
    const variable = inspectProfile(`${CLIENT}setenv GENERIC_CONFIG hunter2\n`).profile
    expect(JSON.stringify(lint(variable, { peer: 'openvpn3' }))).toMatch(/does not take \\"GENERIC_CONFIG\\"/)
    expect(JSON.stringify(lint(variable, { peer: 'openvpn3' }))).not.toContain('hunter2')
    // The line at fault is named, not its newer spelling.
    expect(found.find(({ code }) => code === 'interoperability')).toMatchObject({ directive: 'comp-lzo', line: 9 })
  })

  it.each([
    ['compress lz4\nallow-compression no\ncompress migrate\n', ['2.5', '2.6', '2.7']],
    ['compress lz4\ncompress stub\nallow-compression no\n', []],
    ['compress lz4\ncomp-lzo no\nallow-compression no\n', []],
    ['allow-compression no\ncompress lz4\ncompress stub\n', ['2.5']],
    ['allow-compression no\ncomp-lzo\n', ['2.5', '2.6', '2.7']],
    ['allow-compression no\nallow-compression asym\n', ['2.5', '2.6', '2.7']],
    ['comp-lzo no\nallow-compression no\n', []],
    ['allow-compression no\ncompress migrate\ncomp-lzo\n', ['2.5']],
    ['compress migrate\ncompress lz4\nallow-compression no\n', ['2.5', '2.6', '2.7']],
  ])('PROF-15 PROF-19 judges %j line by line', (lines, refusing) => {
    const found = (['2.5', '2.6', '2.7'] as const).filter((peer) => errors(CLIENT + lines, peer).length > 0)
    expect(found).toEqual(refusing)
  })

  it.each([
    ['', ['2.6', '2.7']],
    ['port 1300\n', ['2.6', '2.7']],
    ['lport 1300\n', []],
    ['local 127.0.0.2\n', []],
    ['bind ipv6only\n', []],
    ['proto tcp-client\nbind\n', ['2.5', '2.6', '2.7']],
  ])('PROF-16 PROF-19 asks a client that binds with %j for no remote', (lines, refusing) => {
    const text = CLIENT.replace('remote vpn.example.com\n', '') + lines
    expect(about(text, 'remote') ?? about(text, 'proto')).toBe('error dependency')
    expect((['2.5', '2.6', '2.7'] as const).filter((peer) => errors(text, peer).length > 0)).toEqual(refusing)
  })

  it('PROF-15 PROF-19 gives only 2.7 a server without a device', () => {
    expect(errors(SERVER.replace('dev tun', 'dev null'), '2.6')).toEqual(['dev'])
    expect(errors(SERVER.replace('dev tun', 'dev null'), '2.7')).toEqual([])
    expect(errors(SERVER.replace('dev tun', 'dev myvpn'), '2.7')).toContain('dev')
  })

  it('PROF-19 keeps a server’s dh and a static key apart by release', () => {
    const bare = SERVER.replace('dh none\n', '')
    expect(errors(bare, '2.6')).toEqual(['dh'])
    expect(errors(bare, '2.7')).toEqual([])
    const shared = 'dev tun\nremote a\nsecret s\nifconfig 10.0.0.1 10.0.0.2\ncipher AES-256-CBC\n'
    expect(errors(shared, '2.6')).toEqual([])
    expect(errors(shared, '2.7')).toEqual(['secret'])
    expect(errors(`${shared}allow-deprecated-insecure-static-crypto\n`, '2.7')).toEqual([])
  })

  it('PROF-15 PROF-19 wants a cipher of the CBC kind under a static key', () => {
    const shared = 'dev tun\nremote a\nsecret s\nifconfig 10.0.0.1 10.0.0.2\n'
    expect(errors(shared, '2.5')).toEqual([])
    expect(errors(shared, '2.6')).toEqual(['secret'])
    for (const line of ['cipher AES-256-CBC', 'cipher none', 'cipher BF-CBC\ndata-ciphers-fallback AES-128-CBC'])
      expect(errors(`${shared}${line}\n`, '2.6'), line).toEqual([])
    for (const name of ['AES-256-GCM', 'aes-128-ofb', 'AES-256-CFB8', 'CHACHA20-POLY1305'])
      expect(errors(`${shared}cipher ${name}\n`, '2.5'), name).toEqual(['cipher'])
    expect(about(shared, 'secret')).toBe('error dependency')
    expect(about(`${shared}cipher AES-256-GCM\n`, 'cipher')).toBe('error conflict')
    expect(about(`${shared}cipher AES-256-CBC\ndh d\n`, 'dh')).toBeUndefined()
  })

  it('PROF-15 PROF-19 wants a netmask in topology subnet', () => {
    const refusing = (text: string) => (['2.5', '2.6', '2.7'] as const).filter((peer) => errors(text, peer).length > 0)
    expect(refusing(PEER)).toEqual([])
    expect(refusing(`${PEER}topology subnet\n`)).toEqual(['2.5', '2.6', '2.7'])
    expect(refusing(`${PEER}topology subnet\nifconfig 10.8.0.1 255.255.255.0\n`)).toEqual([])
    expect(refusing(`${PEER}topology subnet\nifconfig-noexec\n`)).toEqual([])
    const server = 'dev tun\nmode server\ntls-server\ndh none\nifconfig 10.8.0.1 10.8.0.2\nca c\ncert c\nkey k\n'
    expect(refusing(server)).toEqual(['2.7'])
    expect(refusing(`${server}topology p2p\n`)).toEqual([])
  })

  it('PROF-15 PROF-19 keeps IPv6 out of devices that are too small for it', () => {
    const server = `${SERVER}server-ipv6 fd00::/64\n`
    expect(errors(`${server}tun-mtu 1279\n`, '2.6')).toEqual(['tun-mtu'])
    expect(errors(`${server}tun-mtu 1280\n`, '2.6')).toEqual([])
    expect(errors(`${SERVER}tun-mtu 1000\n`, '2.6')).toEqual([])
    expect(errors(`${CLIENT}ifconfig-ipv6 fd00::2/64 fd00::1\ntun-mtu 1000\n`, '2.6')).toEqual([])
  })

  it.each([
    ['auth-gen-token 3600', []],
    ['auth-gen-token 3600 120', ['2.5']],
    ['auth-gen-token 3600 119', ['2.5', '2.6', '2.7']],
    ['auth-gen-token 3600 20\nhand-window 10', ['2.5']],
    ['auth-gen-token 3600\nhand-window 1801', ['2.6', '2.7']],
    ['auth-gen-token\nreneg-sec 119', ['2.6', '2.7']],
    ['auth-gen-token 3600 external-auth\nreneg-sec 120', []],
  ])('PROF-16 PROF-19 gives tokens time: %j', (lines, refusing) => {
    const text = `${SERVER}management m unix\nmanagement-client-auth\n${lines}\n`
    expect((['2.5', '2.6', '2.7'] as const).filter((peer) => errors(text, peer).length > 0)).toEqual(refusing)
  })

  it('PROF-15 PROF-19 measures the pool', () => {
    const server = `${SERVER}server 10.8.0.0 255.255.255.0 nopool\n`
    const pool = (words: string) => about(`${server}ifconfig-pool ${words}\n`, 'ifconfig-pool')
    expect(pool('10.8.0.10 10.8.0.10')).toBeUndefined()
    expect(pool('10.8.0.10 10.8.0.9')).toBe('error conflict')
    expect(pool('10.8.0.10 10.9.0.9')).toBeUndefined()
    expect(pool('10.8.0.10 10.9.0.10')).toBe('error conflict')
    expect(errors(`${server}ifconfig-pool 10.8.0.10 10.8.0.9\n`, '2.6')).toEqual(['ifconfig-pool'])
  })

  it('PROF-33 PROF-19 reads blocks of fingerprints as strictly as the releases do', () => {
    const print = Array.from({ length: 32 }, () => 'A1').join(':')
    const refusing = (lines: string) =>
      (['2.6', '2.7'] as const).filter((peer) => {
        const text = `client\ndev tun\nremote a\nremote-cert-tls server\nca c\ncert c\nkey k\n${lines}`
        return errors(text, peer).length > 0
      })
    const block = (text: string, name = 'peer-fingerprint') => `<${name}>\n${text}\n</${name}>\n`
    const all = ['2.6', '2.7']
    expect(refusing(block(`${print}\n${print.toLowerCase()}`))).toEqual([])
    expect(refusing(block(`\n# one\n ; two\n\t${print}\n\r`))).toEqual([])
    for (const text of [`${print}\r`, `${print} `, `${print} # mine`, print.slice(3), print.replaceAll(':', '')]) {
      expect(refusing(block(text))).toEqual(all)
      expect(refusing(block(text, 'verify-hash'))).toEqual(all)
    }
    expect(refusing(block(print, 'verify-hash'))).toEqual([])
    expect(about(`${CLIENT}${block(`${print}\r`)}`, 'peer-fingerprint')).toBeUndefined()
  })

  it('PROF-15 PROF-19 wants one kind of fingerprint', () => {
    const print = Array.from({ length: 32 }, () => 'A1').join(':')
    const both = `${CLIENT}peer-fingerprint ${print}\nverify-hash ${print} SHA256\n`
    expect(about(both, 'verify-hash')).toBe('error conflict')
    expect(errors(both, '2.7')).toEqual(['verify-hash'])
  })

  it('PROF-19 counts first packets from 1 since 2.7, and takes a server’s IPv6 network without a length', () => {
    const refusing = (lines: string) =>
      (['2.5', '2.6', '2.7'] as const).filter((peer) => errors(SERVER + lines, peer).length > 0)
    expect(refusing('connect-freq-initial 0 1\n')).toEqual(['2.5', '2.7'])
    expect(refusing('connect-freq-initial -1 1\n')).toEqual(['2.5', '2.6', '2.7'])
    expect(refusing('connect-freq-initial 1 1\n')).toEqual(['2.5'])
    expect(refusing('server-ipv6 fd00::\n')).toEqual([])
    expect(inspectProfile(`${SERVER}server-ipv6 fd00::\n`).profile.value('server-ipv6')).toEqual([
      { address: 'fd00::', bits: 64 },
    ])
  })

  it('PROF-19 PROF-61 does not miss a proxy’s logins, but a program for names', () => {
    const text = `${CLIENT}socks-proxy 10.0.0.1 1080 nofile\ndns-updown /bin/nowhere\n`
    const { profile } = inspectProfile(
      text,
      new Map([
        ['c', ''],
        ['k', ''],
      ]),
    )
    const found = lint(profile, { peer: '2.7', absent: new Set(['/bin/nowhere', 'disable']) })
    const missing = found.filter(({ code }) => code === 'file-missing')
    expect(missing.map(({ directive, severity }) => `${directive} ${severity}`).sort()).toEqual([
      'dns-updown error',
      'socks-proxy warning',
    ])
    const off = inspectProfile(`${CLIENT}dns-updown disable\n`).profile
    expect(
      lint(off, { peer: '2.7', absent: new Set(['disable']) }).filter(({ severity }) => severity === 'error'),
    ).toEqual([])
  })

  it('PROF-19 wants room for two clients on behalf of every release', () => {
    const base = 'dev tun\ndh none\nca c\ncert c\nkey k\n'
    const refusing = (lines: string) =>
      (['2.5', '2.6', '2.7'] as const).filter((peer) => errors(base + lines, peer).length > 0)
    const small = 'server 10.8.0.0 255.255.255.248'
    expect(refusing(`${small}\ntopology net30\n`)).toEqual(['2.5', '2.6', '2.7'])
    expect(refusing(`${small}\n`)).toEqual(['2.5', '2.6'])
    expect(refusing(`${small} nopool\ntopology net30\n`)).toEqual([])
    expect(refusing(`${small}\ntopology p2p\n`)).toEqual([])
    expect(refusing('dev tap\nserver 10.8.0.0 255.255.255.252\n')).toEqual(['2.5', '2.6', '2.7'])
    expect(refusing('dev tap\nserver 10.8.0.0 255.255.255.252 nopool\n')).toEqual([])
    const own = 'mode server\ntls-server\ntopology net30\nifconfig 10.8.0.1 10.8.0.2\nifconfig-pool'
    expect(refusing(`${own} 10.8.0.4 10.8.0.7\n`)).toEqual(['2.5', '2.6', '2.7'])
    expect(refusing(`${own} 10.8.0.7 10.8.0.8\n`)).toEqual([])
    expect(about(`${base}${small}\ntopology net30\n`, 'server')).toBeUndefined()
  })

  it('PROF-15 PROF-16 keeps to "nopool" once it was said', () => {
    const server = `${SERVER}server 10.8.0.0 255.255.255.0 nopool\nserver 10.8.0.0 255.255.255.0\n`
    expect(about(`${server}server-ipv6 fd00::/64\n`, 'server-ipv6')).toBe('error conflict')
    expect(about(`${server}ifconfig-pool-persist p\n`, 'ifconfig-pool-persist')).toBe('warning dependency')
    expect(about(`${server}ifconfig-pool 10.8.0.10 10.8.0.20\n`, 'ifconfig-pool')).toBeUndefined()
  })

  it('PROF-16 PROF-19 takes a bare verify-client-cert for "require"', () => {
    for (const text of [SERVER, PEER]) {
      expect(about(`${text}verify-client-cert\n`, 'verify-client-cert')).toBeUndefined()
      expect(errors(`${text}verify-client-cert\n`, '2.6')).toEqual([])
      expect(errors(`${text}verify-client-cert none\n`, '2.6')).toEqual(['verify-client-cert'])
    }
  })

  it('PROF-19 PROF-33 reads a TLS server’s parameters, and only those', () => {
    const pem = (what: string): string => `-----BEGIN ${what}-----\nAA==\n-----END ${what}-----\n`
    const known = new Map([
      ['c', pem('CERTIFICATE')],
      ['k', pem('PRIVATE KEY')],
      ['d', pem('DH PARAMETERS')],
    ])
    const judge = (text: string): readonly string[] =>
      lint(inspectProfile(text, known).profile, { peer: '2.6' })
        .filter(({ severity }) => severity === 'error')
        .map(({ directive, code }) => `${directive} ${code}`)
    const server = SERVER.replace('dh none', 'dh d')
    expect(judge(server)).toEqual([])
    expect(judge(server.replace('dh d', 'dh c'))).toEqual(['dh file-unreadable'])
    expect(judge(server.replace('dh d', 'dh gone'))).toEqual(['dh file-missing'])
    expect(judge(server.replace('dh d', 'dh gone\ndh d'))).toEqual([])
    expect(judge(`${CLIENT}dh gone\n`)).toEqual([])
    expect(judge(`${CLIENT}dh c\n`)).toEqual([])
  })

  it('warns about what the other end may not understand', () => {
    const found = lint(inspectProfile(`${CLIENT}comp-lzo\ndata-ciphers CHACHA20-POLY1305\n`).profile, { peer: '2.5' })
    expect(found.filter(({ code }) => code === 'interoperability').map(({ directive }) => directive)).toEqual([
      'data-ciphers',
    ])
  })
})
