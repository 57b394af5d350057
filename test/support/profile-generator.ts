/**
 * Whole configurations, seeded: a base that works, directives drawn from the table with right and wrong words, lines left
 * out, and now and then a broken line.
 */
import { DIRECTIVE_NAMES, directiveRow, type DirectiveName } from '../../src/profile/index.ts'
import { quoteWord, samplesFor } from './profile-samples.ts'
import { BROKEN_LINES, THEMES } from './profile-snippets.ts'
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

const TLS_CLIENT = ['ca ca.crt', 'cert client.crt', 'key client.key']
const TLS_SERVER = ['ca ca.crt', 'cert server.crt', 'key server.key', 'dh none']

/** Configurations that work by themselves, several for each role. */
const BASES: Readonly<Record<GeneratedRole, readonly (readonly string[])[]>> = {
  client: [
    ['client', 'dev tun', 'proto udp4', 'remote 127.0.0.1 1194', ...TLS_CLIENT],
    ['client', 'dev tun', 'proto tcp-client', 'remote 127.0.0.1 1194', 'nobind', ...TLS_CLIENT],
    ['tls-client', 'pull', 'dev tap', 'remote 127.0.0.1', 'nobind', 'ca ca.crt', 'auth-user-pass login.txt'],
  ],
  server: [
    ['dev tun', 'proto udp4', 'local 127.0.0.1', 'topology subnet', 'server 10.8.0.0 255.255.255.0', ...TLS_SERVER],
    ['dev tap', 'proto tcp-server', 'server-bridge 10.8.0.1 255.255.255.0 10.8.0.50 10.8.0.100', ...TLS_SERVER],
    ['dev tun', 'mode server', 'tls-server', 'ifconfig 10.8.0.1 10.8.0.2', ...TLS_SERVER],
    ['dev tun', 'server 10.8.0.0 255.255.255.0', 'server-ipv6 fd00::/64', ...TLS_SERVER],
  ],
  peer: [
    ['dev tun', 'proto udp4', 'remote 127.0.0.1 1195', 'tls-client', 'ifconfig 10.8.0.1 10.8.0.2', ...TLS_CLIENT],
    ['dev tun', 'tls-server', 'ifconfig 10.8.0.1 10.8.0.2', ...TLS_SERVER],
    [
      'dev tun',
      'remote 127.0.0.1',
      'ifconfig 10.8.0.1 10.8.0.2',
      'secret ta.key',
      'cipher AES-256-CBC',
      'allow-deprecated-insecure-static-crypto',
    ],
    ['dev tun', 'remote 127.0.0.1', 'ifconfig 10.8.0.1 10.8.0.2', 'secret ta.key', 'cipher AES-256-CBC'],
  ],
}

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

/** Words that stand where something else is expected. */
const ODD_WORDS = ['', '0', '-1', '007', '0x10', '1e3', '4294967296', '9223372036854775808', '::1', '[::1]', 'a b', '"']

/** A word more, a word less, another word, or another spelling of the same words. */
function disturb(random: SeededRandom, line: string): string {
  // Blocks and lines with quotation marks stay as they are.
  if (/[<>"'\\\n]/.test(line)) return line
  const words = line.split(' ')
  const at = random.below(words.length)
  switch (random.int(0, 7)) {
    case 0:
      return words.slice(0, -1).join(' ') || line
    case 1:
      return `${line} ${quoteWord(random.pick(ODD_WORDS))}`
    case 2:
      return at === 0
        ? line
        : [...words.slice(0, at), quoteWord(random.pick(ODD_WORDS)), ...words.slice(at + 1)].join(' ')
    case 3:
      return words.map((word) => `"${word}"`).join(' ')
    case 4:
      return words.map((word) => `'${word}'`).join('\t')
    case 5:
      return `--${line}`
    default:
      return `  ${words.join('  ')}  # remark`
  }
}

/** The text of a file in place of its name. */
function inlined(random: SeededRandom, line: string, files: ReadonlyMap<string, string>): string {
  const [name = '', file = '', ...rest] = line.split(' ')
  const content = files.get(file)
  const row = directiveRow(name)
  if (row?.inline === undefined || content === undefined || rest.length > 0 || !random.chance(0.3)) return line
  if (!content.startsWith('-----BEGIN') && !content.startsWith('#')) return line
  return `<${name}>\n${content.trimEnd()}\n</${name}>`
}

/**
 * A configuration of a drawn role.
 *
 * @param files - what inline blocks are made of; without them files are only named.
 */
export function generateProfile(
  random: SeededRandom,
  files: ReadonlyMap<string, string> = new Map(),
): GeneratedProfile {
  const role = random.pick<GeneratedRole>(['client', 'client', 'server', 'server', 'peer'])
  const fitting = FITTING[role]
  let lines: string[] = [...random.pick(BASES[role])]
  if (random.chance(0.2)) lines = lines.filter(() => !random.chance(0.12))
  const theme = THEMES[random.pick(Object.keys(THEMES))]!
  for (let i = random.int(0, 2); i > 0; i--) lines.push(random.pick(theme))
  for (let i = random.int(0, 2); i > 0; i--) {
    if (random.chance(0.35)) lines.push(random.pick(THEMES[random.pick(Object.keys(THEMES))]!))
    else lines.push(generateLine(random, random.pick(random.chance(0.85) ? fitting : DRAWN)))
  }
  if (random.chance(0.08)) lines.push(random.pick(BROKEN_LINES))
  if (random.chance(0.2)) {
    const at = random.below(lines.length)
    lines[at] = disturb(random, lines[at] ?? '')
  }
  lines = random.shuffle(lines).map((line) => inlined(random, line, files))
  const end = random.chance(0.1) ? '\r\n' : '\n'
  const text = lines.join('\n').replaceAll('\n', end)
  return { text: `${random.chance(0.05) ? '\ufeff' : ''}${text}${random.chance(0.9) ? end : ''}`, role }
}
