/**
 * What is pushed, how long things live, the oddments that real profiles are full of, and the one thing that does not fit.
 */
import type { Plan } from './draw.ts'
import { root } from './keys.ts'
import { fileLine, type Line, line } from './spelling.ts'
import { generateStaticKey } from '../configs.ts'

const PUSHED = [
  'redirect-gateway def1',
  'redirect-gateway def1 ipv6 bypass-dhcp',
  'dhcp-option DNS 10.8.0.1',
  'dhcp-option DNS6 fd00:8::1',
  'dhcp-option DOMAIN wild.example',
  'dhcp-option DOMAIN-SEARCH a.example',
  'dhcp-option WINS 10.8.0.9',
  'block-outside-dns',
  'block-ipv6',
  'register-dns',
  'route-metric 50',
  'route 192.168.77.0 255.255.255.0 vpn_gateway 20',
  'route 192.168.78.0 255.255.255.0 net_gateway',
  'route-ipv6 fd77::/64',
  'sndbuf 393216',
  'rcvbuf 393216',
  'ping 3',
  'ping-restart 20',
  'ping-exit 60',
  'explicit-exit-notify 2',
  'persist-key',
  'persist-tun',
  'echo hello',
  'setenv-safe A b',
  'inactive 3600',
  'inactive 3600 1000000',
  'session-timeout 3600',
  'no-such-option 1',
  'socket-flags TCP_NODELAY',
  'ip-win32 dynamic',
  'tap-sleep 1',
  'dns server 1 address 10.8.0.53',
  'dns search-domains wild.example',
  'tls-timeout 3',
  'reneg-sec 1800',
  'auth-token-user Ym9i',
  'verb 4',
  'client-nat snat 10.8.0.0 255.255.255.0 10.9.0.0',
] as const

/** Options that the server pushes. */
export function drawPushed(plan: Plan): void {
  const { random } = plan
  // Who blocks IPv6 gets no ping back.
  const pushed = PUSHED.filter((option) => option !== 'block-ipv6' || !plan.args.includes('fd00:8::1'))
  if (plan.chance('pushed', 0.6))
    for (const option of random.shuffle(pushed).slice(0, random.int(1, 8))) plan.push(option)
  if (plan.chance('many-routes', 0.12)) {
    const count = random.int(20, 150)
    for (let i = 0; i < count; i++) plan.push(`route 10.${100 + (i >> 8)}.${i & 255}.0 255.255.255.0`)
  }
}

/** Timers, renegotiation, keepalive. */
export function drawLife(plan: Plan): void {
  const { random, release, transport } = plan
  const alive = plan.pick('keepalive', ['keepalive 10 60', 'keepalive 10 60', 'keepalive 1 5', 'ping', ''])
  if (alive === 'ping') plan.both('ping 5', 'ping-restart 30')
  else if (alive !== '') plan.onServer(alive)
  if (plan.chance('hand-window', 0.2)) plan.onClient('hand-window 20')
  if (plan.chance('tran-window', 0.1)) plan.both('tran-window 10')
  if (plan.chance('tls-timeout', 0.1)) plan.onClient('tls-timeout 1')
  if (release !== '2.5' && plan.chance('max-packet-size', 0.15)) {
    const size = plan.pick('packet-size', ['1250', '900', '512', '300', '154'])
    if (random.chance(0.5)) plan.both(`max-packet-size ${size}`)
    else plan.either(`max-packet-size ${size}`)
  }
  if (plan.chance('replay-window', 0.1)) plan.both(plan.pick('window', ['replay-window 128', 'replay-window 64 15']))
  const many = plan.args.includes('300')
  if (many || plan.chance('reneg', 0.08)) {
    const by = plan.pick('reneg-by', ['reneg-sec 2', 'reneg-pkts 40', 'reneg-bytes 10000', 'reneg-sec 0'])
    // A server that gives tokens out must renegotiate by time.
    const isForClient = !plan.random.chance(0.5) || (by === 'reneg-sec 0' && plan.tags.includes('gen-token'))
    if (isForClient) plan.onClient(by)
    else plan.onServer(by)
    if (!many) {
      const at = plan.args.indexOf('--count')
      plan.args.splice(at, 4, '--count', '100', '--interval', '50')
    }
  }
  if (transport === 'udp' && plan.chance('exit-notify', 0.4)) plan.both('explicit-exit-notify 1')
}

const CLIENT_ODDMENTS: readonly (readonly string[])[] = [
  ['push-peer-info'],
  ['push-peer-info', 'setenv UV_ID 77'],
  ['pull-filter ignore redirect-gateway'],
  ['pull-filter accept route', 'pull-filter ignore dhcp-option'],
  ['route-nopull'],
  ['route-noexec'],
  ['ifconfig-nowarn'],
  ['persist-key', 'persist-tun'],
  ['resolv-retry infinite'],
  ['verb 3', 'mute 20'],
  ['remote-random'],
  ['connect-retry 1 5'],
  ['connect-retry-max 3'],
  ['auth-nocache'],
  ['script-security 2', 'up /bin/true'],
  ['mute-replay-warnings'],
  ['single-session'],
  ['tls-exit'],
  ['ignore-unknown-option no-such-thing', 'no-such-thing 1 2 3'],
  ['setenv opt block-outside-dns'],
  ['setenv opt some-future-option 5'],
  ['setenv CLIENT_CERT 1'],
  ['setenv FRIENDLY_NAME wild'],
  ['dhcp-option DNS 9.9.9.9'],
  ['route 192.168.99.0 255.255.255.0'],
  ['route 192.168.98.0 255.255.255.0 net_gateway 5'],
  ['route-ipv6 fd98::/64'],
  ['redirect-gateway def1'],
  ['route-metric 7'],
  ['route-delay 0'],
  ['nice 0'],
  ['txqueuelen 500'],
  ['user nobody', 'group nogroup'],
  ['status status.txt 10'],
  ['allow-pull-fqdn'],
  ['reneg-sec 0'],
  ['x509-username-field CN'],
  ['block-ipv6'],
  ['inactive 3600'],
  ['ping-timer-rem'],
  ['suppress-timestamps'],
  ['machine-readable-output'],
  ['disable-dco'],
  ['dns server 0 address 10.8.0.53'],
  ['tun-mtu-extra 32'],
  ['management 127.0.0.1 7505'],
]

/** 2.5 does not know these. */
const NEW = /^(disable-dco|dns )/

/** Lines that change nothing about whether a tunnel comes up. */
export function drawOddments(plan: Plan): void {
  const { random, release } = plan
  for (const lines of random.shuffle(CLIENT_ODDMENTS).slice(0, random.below(7))) {
    if (release === '2.5' && NEW.test(lines[0]!)) continue
    if (lines[0] === 'block-ipv6' && plan.args.includes('fd00:8::1')) continue
    plan.tags.push(lines[0]!)
    for (const text of lines) {
      const kept = text.startsWith('setenv opt') || text.startsWith('no-such')
      plan.client.push(kept ? { ...line(text), plain: true } : line(text))
    }
  }
  if (plan.chance('opt-verify', 0.04) && release === '2.5') plan.onServer('opt-verify')
  if (plan.chance('client-to-client', 0.1)) plan.onServer('client-to-client')
  if (plan.chance('max-clients', 0.05)) plan.onServer('max-clients 2')
}

type Misfit = (plan: Plan) => readonly string[] | undefined

const named = (plan: Plan, name: string): Line | undefined =>
  plan.client.find((item): item is Line => 'words' in item && item.words[0] === name)

function replace(plan: Plan, name: string, other: Line): boolean {
  const at = plan.client.findIndex((item) => 'words' in item && item.words[0] === name)
  if (at >= 0) plan.client[at] = other
  return at >= 0
}

/** Each spoils the client and names what ours must end with. */
const MISFITS: Readonly<Record<string, Misfit>> = {
  'foreign-ca': (plan) =>
    named(plan, 'peer-fingerprint') === undefined &&
    replace(plan, 'ca', fileLine('ca', root('P-256', 'foreign').certificate))
      ? ['certificate']
      : undefined,
  'wrong-name': (plan) => {
    if (named(plan, 'ca') === undefined || named(plan, 'verify-x509-name') !== undefined) return undefined
    plan.onClient('verify-x509-name somebody-else name')
    return ['certificate']
  },
  'wrong-print': (plan) => {
    if (plan.release === '2.5' || named(plan, 'peer-fingerprint') !== undefined) return undefined
    if (named(plan, 'verify-hash') !== undefined) return undefined
    plan.onClient(`peer-fingerprint ${'ab:'.repeat(31)}ab`)
    return ['certificate']
  },
  'wrong-wrap-key': (plan) => {
    const wrap = ['tls-auth', 'tls-crypt'].find((name) => named(plan, name) !== undefined)
    if (wrap === undefined) return undefined
    replace(plan, wrap, fileLine(wrap, generateStaticKey(), ...named(plan, wrap)!.words.slice(1)))
    return plan.transport === 'udp' ? ['timed-out', 'no-answer'] : ['transport-broken']
  },
  'wrong-port': (plan) => {
    const at = plan.client.findIndex((item) => 'words' in item && item.words[0] === 'remote')
    const item = plan.client[at]
    if (item === undefined || !('words' in item) || item.words[2] === undefined) return undefined
    plan.client[at] = { words: [item.words[0]!, item.words[1]!, '7', ...item.words.slice(3)] }
    return ['timed-out', 'no-answer', 'transport-broken']
  },
  'no-common-cipher': (plan) => {
    const said = (name: string) => plan.server.some((item) => 'words' in item && item.words[0] === name)
    if (said('ncp-disable') || said('cipher') || named(plan, 'cipher') !== undefined) return undefined
    const kept = plan.client.filter(
      (item) => 'block' in item || !/^(data|ncp)-ciphers|^compat-mode/.test(item.words[0] ?? ''),
    )
    const others = plan.server.filter((item) => 'block' in item || !/^(data|ncp)-ciphers/.test(item.words[0] ?? ''))
    plan.client.splice(0, plan.client.length, ...kept, line('data-ciphers AES-192-CBC'))
    plan.server.splice(0, plan.server.length, ...others, line('data-ciphers AES-256-GCM:AES-128-GCM'))
    return ['auth-failed', 'no-common-cipher', 'cipher-mismatch']
  },
  'tls-versions': (plan) => {
    const kept = plan.client.filter((item) => 'block' in item || !/^tls-(version|cipher)/.test(item.words[0] ?? ''))
    const others = plan.server.filter((item) => 'block' in item || !/^tls-(version|cipher)/.test(item.words[0] ?? ''))
    plan.client.splice(0, plan.client.length, ...kept, line('tls-version-max 1.2'))
    plan.server.splice(0, plan.server.length, ...others, line('tls-version-min 1.3'))
    return ['timed-out', 'tls-alert', 'no-answer', 'transport-broken']
  },
}

/** Spoils the client in one way, where that way is open. */
export function drawMisfit(plan: Plan): void {
  if (plan.fate !== 'up') return
  const name = plan.pick('misfit', Object.keys(MISFITS))
  const fate = MISFITS[name]!(plan)
  if (fate === undefined) return
  plan.fate = fate
  if (named(plan, 'hand-window') !== undefined) replace(plan, 'hand-window', line('hand-window 4'))
  else plan.onClient('hand-window 4')
}
