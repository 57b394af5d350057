/**
 * Whole configurations, seeded: a base that works, directives drawn from the table with right and wrong words, lines left
 * out, and now and then a broken line.
 */
import { DIRECTIVE_NAMES, directiveRow, type DirectiveName } from '../../src/profile/index.ts'
import { samplesFor } from './profile-samples.ts'
import type { SeededRandom } from './random.ts'

/** Directives that are not drawn, because what they do depends on the machine and not on the text. */
export const NOT_DRAWN: Readonly<Record<string, string>> = {
  daemon: 'the program goes away',
  syslog: 'nothing is printed any more',
  log: 'nothing is printed any more',
  'log-append': 'nothing is printed any more',
  inetd: 'the socket comes from another program',
  chroot: 'needs a populated directory',
  mlock: 'needs a limit that containers do not grant',
  nice: 'needs a right that containers do not grant',
  plugin: 'needs a module on disk',
  engine: 'needs a module on disk',
  providers: 'needs a module on disk',
  'management-client': 'needs somebody who listens',
  'pkcs11-providers': 'needs a module on disk',
  'pkcs11-id': 'needs a module on disk',
  'pkcs11-id-management': 'needs a module on disk',
  'management-client-user': 'needs a user of that name',
  'management-client-group': 'needs a group of that name',
  'management-query-passwords': 'waits for somebody to answer',
  'management-query-proxy': 'waits for somebody to answer',
  'management-query-remote': 'waits for somebody to answer',
  'management-hold': 'waits for somebody to answer',
  'management-external-cert': 'waits for somebody to answer',
  'management-external-key': 'waits for somebody to answer',
  'management-up-down': 'waits for somebody to answer',
  'bind-dev': 'binds to a device',
  mark: 'needs a right of the kernel',
  'ip-remote-hint': 'resolves a name',
  preresolve: 'resolves a name',
  'auth-gen-token-secret': 'depends on other directives for its format',
  'dev-node': 'names a device of the machine',
  'static-challenge': 'asks on a terminal',
  'machine-readable-output': 'changes how everything is printed',
  askpass: 'asks on a terminal',
  capath: 'needs a hashed directory',
  connection: 'is no line',
  config: 'is drawn as part of the base',
  cd: 'changes what other names mean',
  'tmp-dir': 'needs a writable directory',
  echo: '2.5.1 ends without a word on a bare echo',
  parameter: '2.5.1 ends without a word on a bare parameter',
}

/** What kind of end a configuration is for. */
export type GeneratedRole = 'client' | 'server' | 'peer'

/** A configuration and how it came about. */
export interface GeneratedProfile {
  readonly text: string
  readonly role: GeneratedRole
}

const BASES: Readonly<Record<GeneratedRole, readonly string[]>> = {
  client: [
    'client',
    'dev tun',
    'proto udp4',
    'remote 127.0.0.1 1194',
    'ca ca.crt',
    'cert client.crt',
    'key client.key',
  ],
  server: [
    'dev tun',
    'proto udp4',
    'local 127.0.0.1',
    'topology subnet',
    'server 10.8.0.0 255.255.255.0',
    'dh none',
    'ca ca.crt',
    'cert server.crt',
    'key server.key',
  ],
  peer: [
    'dev tun',
    'proto udp4',
    'remote 127.0.0.1 1195',
    'tls-client',
    'ifconfig 10.8.0.1 10.8.0.2',
    'ca ca.crt',
    'cert client.crt',
    'key client.key',
  ],
}

/** Snippets that single samples do not make: other right words, blocks, and pairs that do or do not go together. */
const SNIPPETS: readonly string[] = [
  'cipher BF-CBC',
  'cipher AES-256-GCM',
  'cipher none',
  'cipher DES-EDE3-CBC\ndata-ciphers AES-256-GCM:DES-EDE3-CBC',
  'data-ciphers BF-CBC:AES-256-GCM',
  'data-ciphers ?NO-SUCH:AES-256-GCM',
  'data-ciphers ?NO-SUCH',
  'data-ciphers DEFAULT:AES-128-CBC',
  'data-ciphers AES-256-GCM:none',
  'data-ciphers-fallback BF-CBC',
  'data-ciphers-fallback none',
  'auth none',
  'auth MD5',
  'auth SHA3-256',
  'auth none\ntls-auth ta.key 1',
  'compress lz4-v2',
  'compress stub-v2',
  'compress migrate',
  'comp-lzo no',
  'comp-lzo adaptive',
  'comp-lzo\nallow-compression no',
  'compress lz4\nallow-compression no',
  'compress lz4\nallow-compression asym',
  'allow-compression yes\ncomp-lzo yes',
  'secret ta.key',
  'tls-auth ta.key 1\ntls-crypt ta.key',
  'tls-crypt-v2 v2c.key\ntls-auth ta.key',
  'tls-crypt-v2 v2s.key',
  'proto tcp',
  'proto tcp-client',
  'proto tcp4-server',
  'proto tcp-client\nfragment 1200',
  'proto tcp-client\nexplicit-exit-notify 1',
  'proto tcp-client\nhttp-proxy 127.0.0.1 8080',
  'proto tcp-client\nsocks-proxy 127.0.0.1 1080',
  'proto tcp-server\nport-share 127.0.0.1 8443',
  'http-proxy 127.0.0.1 8080\nsocks-proxy 127.0.0.1 1080',
  'remote 127.0.0.1 443 tcp-client',
  'remote 127.0.0.1 443 bogus',
  'remote 127.0.0.1\nremote 127.0.0.1 1195 udp',
  'nobind\nlport 1300',
  'nobind\nbind',
  'bind ipv6only',
  'rport 1200\nlport 1201',
  'keepalive 10 15',
  'keepalive 10 60\nping 5',
  'ping 10\nping-exit 60',
  'dev tap',
  'dev null',
  'dev tun7',
  'dev myvpn\ndev-type tun',
  'dev myvpn',
  'dev-type tap',
  'lladdr 02:11:22:33:44:55',
  'topology net30',
  'topology p2p',
  'server 10.8.0.0 255.255.255.0 nopool',
  'server 10.8.0.0 255.255.255.252',
  'server 10.8.0.0 255.254.0.0',
  'server-ipv6 fd00::/64',
  'server-ipv6 fd00::/48',
  'ifconfig-pool 10.8.0.10 10.8.0.20',
  'ifconfig-pool-persist pool.txt 60',
  'ifconfig 10.8.0.1 10.8.0.1',
  'push "route 10.9.0.0 255.255.0.0"',
  'push "dhcp-option DNS 10.8.0.1"',
  'duplicate-cn\nmax-clients 10',
  'client-to-client',
  'verify-client-cert none',
  'verify-client-cert optional\nauth-user-pass-verify /bin/true via-env\nscript-security 2',
  'username-as-common-name\nmanagement 127.0.0.1 7505\nmanagement-client-auth',
  'auth-gen-token 3600\nauth-user-pass-verify /bin/true via-env\nscript-security 2',
  'auth-gen-token\nreneg-sec 0',
  'connect-freq 5 10',
  'redirect-gateway def1 bypass-dhcp ipv6 !ipv4',
  'redirect-gateway bogus',
  'tls-version-min 1.3\ntls-version-max 1.2',
  'tls-version-min 1.2 or-highest',
  'tls-cert-profile insecure',
  'tls-cert-profile suiteb',
  'remote-cert-tls server',
  'verify-x509-name server subject',
  'tun-mtu 1400\nmssfix 0',
  'tun-mtu 9000',
  'tun-mtu 1500\nlink-mtu 1500',
  'mssfix 1200 fixed',
  'fragment 1300 mtu',
  'replay-window 128 30',
  'no-replay\nreplay-window 64 15',
  'reneg-sec 100 50',
  'auth-user-pass login.txt',
  'setenv opt no-such-directive 1',
  'setenv opt dns server 1 address 10.8.0.1',
  'setenv CLIENT_CERT 0',
  'setenv FORWARD_COMPATIBLE 1\nno-such-directive',
  'setenv GENERIC_CONFIG 1',
  'ignore-unknown-option no-such-directive\nno-such-directive 1 2',
  'config empty.conf',
  'config nowhere.conf',
  'script-security 2\nup /bin/true',
  'route 10.9.0.0 255.255.0.0 vpn_gateway 5',
  'route-ipv6 fd00:9::/64 fd00::1 10',
  'allow-deprecated-insecure-static-crypto',
  'compat-mode 2.3.0',
  'dns search-domains example.org',
  'dns server 0 dnssec maybe',
  'vlan-tagging\nvlan-pvid 5',
  'crl-verify . dir',
  '<connection>\nremote 127.0.0.1 1300\n</connection>',
  '<connection>\nremote 127.0.0.1 1300 tcp-client\n</connection>\n<connection>\nremote 127.0.0.1\nproto udp4\n</connection>',
  '<connection>\nremote 127.0.0.1\nverb 3\n</connection>',
  '<connection>\nproto udp4\n</connection>',
  '<ca>\nnot a certificate\n</ca>',
  '<verb>\n3\n</verb>',
  '<tls-auth>\nunclosed',
  '<auth-user-pass>\nsomebody\nsecret\n</auth-user-pass>',
  `verb 3 ${'x'.repeat(260)}`,
  `push "${'x'.repeat(230)}"`,
]

const BROKEN_LINES = [
  '"no end',
  "dev 'tun",
  'verb \\3',
  'no-such-directive 1',
  '</ca>',
  '--verb 3',
  'verb 3 # comment',
  ';',
]

const DRAWN: readonly DirectiveName[] = DIRECTIVE_NAMES.filter(
  (name) => directiveRow(name)?.tool !== true && !Object.hasOwn(NOT_DRAWN, name),
)

const fittingFor = (role: GeneratedRole): readonly DirectiveName[] =>
  DRAWN.filter((name) => directiveRow(name)?.roles?.includes(role) !== false)
const FITTING = { client: fittingFor('client'), server: fittingFor('server'), peer: fittingFor('peer') }

/** One line of a directive: right most of the time. */
export function generateLine(random: SeededRandom, name: DirectiveName = random.pick(DRAWN)): string {
  const samples = samplesFor(name)
  const wrong = samples.filter((sample) => !sample.right)
  return (wrong.length > 0 && random.chance(0.15) ? random.pick(wrong) : samples[0])?.line ?? name
}

/** A configuration of the given role, or of a drawn one. */
export function generateProfile(random: SeededRandom): GeneratedProfile {
  const role = random.pick<GeneratedRole>(['client', 'client', 'server', 'peer'])
  const fitting = FITTING[role]
  let lines = [...BASES[role]]
  if (random.chance(0.25)) lines = lines.filter(() => !random.chance(0.12))
  for (let i = random.int(0, 5); i > 0; i--) {
    if (random.chance(0.35)) lines.push(random.pick(SNIPPETS))
    else lines.push(generateLine(random, random.pick(random.chance(0.85) ? fitting : DRAWN)))
  }
  if (random.chance(0.08)) lines.push(random.pick(BROKEN_LINES))
  return { text: `${random.shuffle(lines).join('\n')}\n`, role }
}
