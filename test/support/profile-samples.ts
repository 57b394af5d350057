/**
 * Right and wrong lines for every directive of the table.
 */
import { type Argument, directiveRow, type DirectiveName } from '../../src/profile/index.ts'

/** A line and whether its words are of the kind that the directive takes. */
export interface SampleLine {
  readonly line: string
  readonly right: boolean
}

/** Small files that samples name; certificates and keys come from a test's own PKI. */
export const PROFILE_FILES: Readonly<Record<string, string>> = {
  'login.txt': 'somebody\nsecret\n',
  'empty.conf': '# nothing\n',
  'included.conf': 'verb 3\nmute 5\n',
  'pass.txt': 'passphrase\n',
}

/** Words for directives whose arguments say too little about themselves. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  ca: ['ca.crt'],
  cert: ['client.crt'],
  key: ['client.key'],
  'extra-certs': ['ca.crt'],
  dh: ['dh.pem'],
  pkcs12: ['client.p12'],
  'tls-auth': ['ta.key', '1'],
  'tls-crypt': ['ta.key'],
  'tls-crypt-v2': ['v2c.key'],
  secret: ['ta.key', '1'],
  'auth-gen-token-secret': ['token.key'],
  'auth-user-pass': ['login.txt'],
  'http-proxy-user-pass': ['login.txt'],
  askpass: ['pass.txt'],
  config: ['empty.conf'],
  'crl-verify': ['crl.pem'],
  auth: ['SHA256'],
  cipher: ['AES-128-CBC'],
  'data-ciphers': ['AES-256-GCM:AES-128-CBC'],
  'ncp-ciphers': ['AES-128-GCM'],
  'data-ciphers-fallback': ['AES-256-CBC'],
  'tls-cipher': ['TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384'],
  'tls-ciphersuites': ['TLS_AES_256_GCM_SHA384'],
  'tls-groups': ['X25519:secp256r1'],
  'ecdh-curve': ['secp384r1'],
  'remote-cert-eku': ['serverAuth'],
  'remote-cert-ku': ['80', 'a0'],
  'verify-x509-name': ['server', 'name'],
  'verify-hash': ['AD:B0:95:D8:09:C8:36:45:12:A9:89:C8:90:09:CB:13:72:A6:AD:16'],
  'peer-fingerprint': [Array.from({ length: 32 }, () => 'AB').join(':')],
  'x509-username-field': ['CN'],
  'x509-track': ['CN'],
  dev: ['tun'],
  proto: ['udp4'],
  remote: ['127.0.0.1', '1195', 'udp4'],
  user: ['nobody'],
  group: ['nogroup'],
  lladdr: ['02:11:22:33:44:55'],
  'dhcp-option': ['DNS', '10.8.0.1'],
  dns: ['server', '1', 'address', '10.8.0.1'],
  route: ['10.9.0.0', '255.255.0.0'],
  'route-ipv6': ['fd00:9::/64'],
  ifconfig: ['10.8.0.2', '10.8.0.1'],
  server: ['10.8.0.0', '255.255.255.0'],
  'server-bridge': [],
  'ifconfig-pool': ['10.8.0.10', '10.8.0.20'],
  'ifconfig-push-constraint': ['10.8.0.0', '255.255.255.0'],
  'client-config-dir': ['.'],
  'ifconfig-pool-persist': ['pool.txt'],
  setenv: ['MYNAME', 'value'],
  'setenv-safe': ['NAME', 'value'],
  'compat-mode': ['2.4.0'],
  plugin: ['none.so'],
  management: ['127.0.0.1', '7505'],
  'script-security': ['2'],
  'auth-user-pass-verify': ['/bin/true', 'via-env'],
  'tls-export-cert': ['.'],
  'tmp-dir': ['.'],
  cd: ['.'],
  chroot: ['.'],
  'replay-persist': ['replay.bin'],
  'port-share': ['127.0.0.1', '8080'],
  'keying-material-exporter': ['EXPORTER-test', '32'],
  'client-crresponse': ['/bin/true'],
  'tls-crypt-v2-verify': ['/bin/true'],
  local: ['127.0.0.2'],
  'connect-retry': ['2', '10'],
  keepalive: ['10', '60'],
  'remap-usr1': ['SIGTERM'],
  'static-challenge': ['Code?', '1'],
  'http-proxy': ['127.0.0.1', '8080'],
  'socks-proxy': ['127.0.0.1', '1080'],
  'http-proxy-option': ['AGENT', 'test'],
  'iroute-ipv6': ['fd00:1::/64'],
  'key-derivation': ['tls-ekm'],
  'protocol-flags': ['tls-ekm'],
  capath: ['.'],
  'allow-compression': ['no'],
  'verify-client-cert': ['require'],
  engine: [],
  prng: ['SHA1', '32'],
  'client-nat': ['snat', '10.64.0.0', '255.255.0.0', '192.168.0.0'],
  'route-gateway': ['10.8.0.1'],
  'bind-dev': ['lo'],
  iroute: ['10.9.0.0', '255.255.0.0'],
  'show-gateway': [],
  log: ['/dev/stdout'],
  'log-append': ['/dev/stdout'],
}

/** What a word of this kind looks like. */
function rightWord(argument: Argument): string {
  const { expected } = argument
  if (expected.includes('IPv6 network')) return 'fd00::/64'
  const range = /from (-?\d+) to (-?\d+)/.exec(expected)
  const least = /of at least (-?\d+)/.exec(expected)
  if (range !== null) return String(Math.min(Number(range[2]), Math.max(Number(range[1]), 1)))
  if (least !== null) return String(Math.max(Number(least[1]), 1))
  const quoted = /"([^"]*)"/.exec(expected)
  if (quoted !== null) return quoted[1]!
  if (expected.includes('netmask')) return '255.255.255.0'
  if (expected.includes('IPv6')) return 'fd00::1'
  if (expected.includes('IPv4') || expected.includes('host name')) return '10.8.0.1'
  if (argument.file === 'path') return 'some.txt'
  if (expected === 'a command') return '/bin/true'
  if (expected.startsWith('one of udp') || expected.startsWith('udp or tcp')) return 'udp'
  if (expected.includes('hexadecimal')) return 'a0'
  if (expected.includes('1 or 2')) return '1'
  return 'word'
}

/** Words that hardly any directive takes. */
const WRONG_WORDS = ['bogus', '-5', '99999999999', '1x']

const made = new Map<DirectiveName, readonly SampleLine[]>()

/** Right and wrong lines of a directive. */
export function samplesFor(name: DirectiveName): readonly SampleLine[] {
  const known = made.get(name) ?? makeSamples(name)
  made.set(name, known)
  return known
}

function makeSamples(name: DirectiveName): readonly SampleLine[] {
  const row = directiveRow(name)
  if (row === undefined) return []
  const required = row.arguments.filter((argument) => argument.need === 'required')
  const words = WORDS[name] ?? required.map(rightWord)
  const all = WORDS[name] ?? row.arguments.map(rightWord)
  const line = (list: readonly string[]): string => [name, ...list.map(quoteWord)].join(' ')
  const samples: SampleLine[] = [{ line: line(words), right: true }]
  if (all.length > words.length) samples.push({ line: line(all), right: true })
  for (const [index, argument] of row.arguments.entries()) {
    if (argument.need === 'required' && words[index] === undefined) continue
    for (const wrong of WRONG_WORDS) {
      const list = [...all.slice(0, index), wrong, ...all.slice(index + 1, Math.max(words.length, index + 1))]
      samples.push({ line: line(list), right: argument.read(wrong) !== undefined })
    }
  }
  return samples
}

/** A word as a configuration spells it. */
export function quoteWord(word: string): string {
  return word === '' || /[\s\\"'#;]/.test(word) ? `"${word.replace(/["\\]/g, (character) => `\\${character}`)}"` : word
}
