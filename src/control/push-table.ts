/**
 * The table of options a server may push: for each its argument count, whether `route-nopull` takes it away, whether
 * PUSH_UPDATE may change it, and its parser (spec/push.md).
 *
 * What is not in this table does not exist for a server (`push-refused.ts` names what it may not ask for). Numbers are decimal and in range,
 * addresses strict, times are turned into milliseconds.
 */
import { fromBase64, utf8DecodeStrict } from '../bytes/index.ts'
import { networkOf4, networkOf6, parseIpv4, parseIpv6, parseIpv6Prefix, parseNetmask } from './addresses.ts'
import type { CompressionFraming } from './compression.ts'
import { readProtocolFlags } from './protocol-flags.ts'
import { applyDhcpOption, applyDns } from './push-dns.ts'
import type { OptionsDraft, ProtocolDraft, PushProblem, Switch } from './push-draft.ts'
import { isVariableName } from './push-names.ts'
import { isPlainAscii, parseDecimal } from './text.ts'
import type { RedirectGateway, Route } from './tunnel-options.ts'

/** How an option is treated. */
export interface PushOption {
  /** Fewest and most arguments. */
  readonly min: number
  readonly max: number
  /** Taken away by `route-nopull`. */
  readonly route?: true
  /** Name of the group that PUSH_UPDATE replaces or removes as one; absent: PUSH_UPDATE may not touch it. */
  readonly update?: string
  /** Notes the option, or says what is wrong. A problem of reason `unknown-flag` leaves the rest noted. */
  readonly apply: (draft: OptionsDraft, args: readonly string[]) => PushProblem | undefined
}

type Apply = PushOption['apply']

function bad(detail: string): PushProblem {
  return { reason: 'bad-value', detail }
}

function setSwitch(name: Switch): Apply {
  return (draft) => {
    draft.switches.add(name)
    return undefined
  }
}

/** An option with one decimal argument. */
function numeric(min: number, max: number, store: (draft: OptionsDraft, value: number) => void): Apply {
  return (draft, args) => {
    const value = parseDecimal(args[0] ?? '', min, max)
    if (value === undefined) return bad(`a number from ${min} to ${max}`)
    store(draft, value)
    return undefined
  }
}

/** Longest of the keepalive timers, in seconds: one day. PUSH-10 */
const MAX_PING = 86_400
/** Longest of the other timers, in seconds. */
const MAX_SECONDS = 0x7fffffff

type TimerField = 'ping' | 'pingRestart' | 'pingExit' | 'sessionTimeout'

function timer(field: TimerField, max: number): Apply {
  return numeric(0, max, (draft, value) => {
    draft.protocol[field] = value * 1000
  })
}

function applyIfconfig(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const [local, remote] = args as [string, string]
  if (parseIpv4(local) === undefined || parseIpv4(remote) === undefined) return bad('two IPv4 addresses')
  draft.ifconfig = [local, remote]
  return undefined
}

function applyIfconfigIpv6(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const own = parseIpv6Prefix(args[0] as string)
  if (own === undefined || own.prefix === 0) return bad('an IPv6 address with a prefix length')
  const peer = args[1] === undefined ? undefined : parseIpv6(args[1])
  if (args[1] !== undefined && peer === undefined) return bad("the peer's IPv6 address")
  draft.ipv6 = peer === undefined ? own : { ...own, peer }
  return undefined
}

const KEYWORDS: ReadonlySet<string> = new Set(['vpn_gateway', 'net_gateway', 'remote_host'])

/** `route network [netmask [gateway [metric]]]`; `default` stands for a part left out. PUSH-9 */
function applyRoute(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const [network = '', maskText = 'default', gateway = 'default', metricText = 'default'] = args
  const prefix = maskText === 'default' ? 32 : parseNetmask(maskText)
  if (prefix === undefined) return bad('the netmask')
  const keyword = KEYWORDS.has(network)
  const canonical = keyword ? network : networkOf4(network, prefix)
  if (canonical === undefined) return bad('the network')
  if (gateway !== 'default' && !KEYWORDS.has(gateway) && parseIpv4(gateway) === undefined) return bad('the gateway')
  return addRoute(draft.routes, { network: canonical, prefix }, gateway, metricText)
}

/** `route-ipv6 network/bits [gateway [metric]]`. PUSH-9 */
function applyRoute6(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const [text = '', gatewayText = 'default', metricText = 'default'] = args
  const parsed = parseIpv6Prefix(text)
  if (parsed === undefined) return bad('the network')
  let gateway: string | undefined = gatewayText
  if (gateway !== 'default' && gateway !== 'vpn_gateway' && gateway !== 'net_gateway') gateway = parseIpv6(gateway)
  if (gateway === undefined) return bad('the gateway')
  const network = networkOf6(parsed.address, parsed.prefix) as string
  return addRoute(draft.routes6, { network, prefix: parsed.prefix }, gateway, metricText)
}

function addRoute(routes: Route[], base: Route, gateway: string, metricText: string): PushProblem | undefined {
  const withGateway = gateway === 'default' ? base : { ...base, gateway }
  if (metricText === 'default') {
    routes.push(withGateway)
    return undefined
  }
  const metric = parseDecimal(metricText, 0, MAX_SECONDS)
  if (metric === undefined) return bad('the metric')
  routes.push({ ...withGateway, metric })
  return undefined
}

const NO_REDIRECTION: RedirectGateway = {
  ipv4: true,
  ipv6: false,
  def1: false,
  local: false,
  autoLocal: false,
  bypassDhcp: false,
  bypassDns: false,
  blockLocal: false,
}

const REDIRECT_FLAGS: ReadonlyMap<string, Partial<RedirectGateway>> = new Map<string, Partial<RedirectGateway>>([
  ['local', { local: true }],
  ['autolocal', { autoLocal: true }],
  ['def1', { def1: true }],
  ['bypass-dhcp', { bypassDhcp: true }],
  ['bypass-dns', { bypassDns: true }],
  ['block-local', { blockLocal: true }],
  ['ipv6', { ipv6: true }],
  ['!ipv4', { ipv4: false }],
])

/** Lines add up. An unknown flag does not stop the redirection: traffic would leave unprotected. PUSH-11 */
function redirect(field: 'redirectGateway' | 'redirectPrivate'): Apply {
  return (draft, args) => {
    let flags = draft[field] ?? NO_REDIRECTION
    const unknown: string[] = []
    for (const word of args) {
      const flag = REDIRECT_FLAGS.get(word)
      if (flag === undefined) unknown.push(word)
      else flags = { ...flags, ...flag }
    }
    draft[field] = flags
    return unknown.length === 0 ? undefined : { reason: 'unknown-flag', detail: unknown.join(' ') }
  }
}

function applyRouteGateway(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const value = args[0] as string
  if (value !== 'dhcp' && parseIpv4(value) === undefined) return bad('an IPv4 address or dhcp')
  draft.routeGateway = value
  return undefined
}

function applyRouteIpv6Gateway(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const address = parseIpv6(args[0] as string)
  if (address === undefined) return bad('an IPv6 address')
  draft.route6Gateway = address
  return undefined
}

function applyRouteDelay(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const delay = parseDecimal(args[0] ?? '0', 0, MAX_PING)
  const window = parseDecimal(args[1] ?? '30', 0, MAX_PING)
  if (delay === undefined || window === undefined) return bad(`seconds from 0 to ${MAX_PING}`)
  draft.routeDelay = { delay: delay * 1000, window: window * 1000 }
  return undefined
}

function applyTopology(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const value = args[0]
  if (value !== 'net30' && value !== 'p2p' && value !== 'subnet') return bad('net30, p2p or subnet')
  draft.topology = value
  return undefined
}

function applyLinkAddress(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const value = (args[0] as string).toLowerCase()
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(value) || (parseInt(value.slice(0, 2), 16) & 1) === 1)
    return bad('a unicast MAC address')
  draft.linkAddress = value
  return undefined
}

function applyKeepalive(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const ping = parseDecimal(args[0] as string, 0, MAX_PING)
  const restart = parseDecimal(args[1] as string, 0, MAX_PING)
  if (ping === undefined || restart === undefined || restart < 2 * ping)
    return bad('two times, the second at least twice the first')
  draft.protocol.ping = ping * 1000
  draft.protocol.pingRestart = restart * 1000
  return undefined
}

function applyInactive(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const seconds = parseDecimal(args[0] as string, 0, MAX_SECONDS)
  const bytesText = args[1] ?? '0'
  if (seconds === undefined || !/^[0-9]{1,15}$/.test(bytesText)) return bad('seconds, then bytes')
  draft.protocol.inactive = { time: seconds * 1000, bytes: Number(bytesText) }
  return undefined
}

function applyExitNotify(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const count = parseDecimal(args[0] ?? '1', 0, 255)
  if (count === undefined) return bad('a number from 0 to 255')
  draft.protocol.explicitExitNotify = count
  return undefined
}

function applyCompLzo(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const value = args[0] ?? 'adaptive'
  if (value !== 'yes' && value !== 'no' && value !== 'adaptive') return bad('yes, no or adaptive')
  draft.protocol.compression = 'comp-lzo'
  return undefined
}

const COMPRESS: ReadonlyMap<string, CompressionFraming> = new Map<string, CompressionFraming>([
  ['', 'stub'],
  ['stub', 'stub'],
  ['stub-v2', 'stub-v2'],
  ['lzo', 'lzo'],
  ['lz4', 'lz4'],
  ['lz4-v2', 'lz4-v2'],
])

function applyCompress(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const framing = COMPRESS.get(args[0] ?? '')
  if (framing === undefined) return bad('unknown framing')
  draft.protocol.compression = framing
  return undefined
}

function applyCipher(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const name = (args[0] as string).toUpperCase()
  if (!/^[A-Z0-9][A-Z0-9-]{0,63}$/.test(name)) return bad('a cipher name')
  draft.protocol.cipher = name
  return undefined
}

function applyKeyDerivation(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  if (args[0] !== 'tls-ekm') return bad('tls-ekm')
  draft.protocol.keyDerivation = 'tls-ekm'
  return undefined
}

function applyProtocolFlags(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const { known, unknown } = readProtocolFlags(args)
  draft.protocol.protocolFlags = [...new Set([...draft.protocol.protocolFlags, ...known])]
  return unknown.length === 0 ? undefined : { reason: 'unknown-flag', detail: unknown.join(' ') }
}

function applySocketFlags(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const unknown = args.filter((flag) => flag !== 'TCP_NODELAY')
  if (args.includes('TCP_NODELAY')) draft.protocol.tcpNoDelay = true
  return unknown.length === 0 ? undefined : { reason: 'unknown-flag', detail: unknown.join(' ') }
}

function buffer(field: 'sendBuffer' | 'receiveBuffer'): Apply {
  return numeric(0, 100_000_000, (draft, value) => {
    draft.protocol[field] = value
  })
}

/** PUSH-15: only names that no program takes orders from. */
function applySetenv(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const [name = '', value = ''] = args
  if (!isVariableName(name) || !/^(UV_|OPENVPN_)/.test(name))
    return { reason: 'not-pullable', detail: 'only variables named UV_… or OPENVPN_…' }
  return addVariable(draft, name, value)
}

function applySetenvSafe(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const [name = '', value = ''] = args
  return isVariableName(name) ? addVariable(draft, `OPENVPN_${name}`, value) : bad('a variable name')
}

function addVariable(draft: OptionsDraft, name: string, value: string): PushProblem | undefined {
  if (!isPlainAscii(value) || /[`$(]/.test(value)) return bad('a value without shell syntax')
  draft.variables.push({ name, value })
  return undefined
}

function applyEcho(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  draft.echo.push(args.join(' '))
  return undefined
}

function applyClientNat(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const [type, network = '', maskText = '', foreign = ''] = args
  if (type !== 'snat' && type !== 'dnat') return bad('snat or dnat')
  const prefix = parseNetmask(maskText)
  if (prefix === undefined) return bad('the netmask')
  const own = networkOf4(network, prefix)
  const other = networkOf4(foreign, prefix)
  if (own === undefined || other === undefined) return bad('two networks')
  draft.clientNat.push({ type, network: own, prefix, foreign: other })
  return undefined
}

function noEffect(): PushProblem {
  return { reason: 'no-effect', detail: 'understood, but without meaning here' }
}

function store<K extends keyof ProtocolDraft>(field: K, value: ProtocolDraft[K]): Apply {
  return (draft) => {
    draft.protocol[field] = value
    return undefined
  }
}

/** Every option a server may push, by name. PUSH-4 */
export const PUSH_OPTIONS: ReadonlyMap<string, PushOption> = new Map<string, PushOption>([
  ['topology', { min: 1, max: 1, update: 'topology', apply: applyTopology }],
  ['ifconfig', { min: 2, max: 2, update: 'ifconfig', apply: applyIfconfig }],
  ['ifconfig-ipv6', { min: 1, max: 2, update: 'ifconfig-ipv6', apply: applyIfconfigIpv6 }],
  ['tun-mtu', { min: 1, max: 2, update: 'tun-mtu', apply: numeric(68, 65_535, (draft, value) => (draft.mtu = value)) }],
  ['lladdr', { min: 1, max: 1, apply: applyLinkAddress }],
  ['route', { min: 1, max: 4, route: true, update: 'route', apply: applyRoute }],
  ['route-ipv6', { min: 1, max: 3, route: true, update: 'route-ipv6', apply: applyRoute6 }],
  ['route-gateway', { min: 1, max: 1, update: 'route-gateway', apply: applyRouteGateway }],
  ['route-ipv6-gateway', { min: 1, max: 1, apply: applyRouteIpv6Gateway }],
  [
    'route-metric',
    {
      min: 1,
      max: 1,
      update: 'route-metric',
      apply: numeric(0, MAX_SECONDS, (draft, value) => (draft.routeMetric = value)),
    },
  ],
  ['route-delay', { min: 0, max: 2, apply: applyRouteDelay }],
  ['redirect-gateway', { min: 0, max: 15, route: true, update: 'redirect', apply: redirect('redirectGateway') }],
  ['redirect-private', { min: 0, max: 15, route: true, update: 'redirect', apply: redirect('redirectPrivate') }],
  ['block-ipv6', { min: 0, max: 0, route: true, update: 'block-ipv6', apply: setSwitch('block-ipv6') }],
  [
    'block-outside-dns',
    { min: 0, max: 0, route: true, update: 'block-outside-dns', apply: setSwitch('block-outside-dns') },
  ],
  ['client-nat', { min: 4, max: 4, route: true, apply: applyClientNat }],
  ['dns', { min: 2, max: 15, route: true, update: 'dns', apply: applyDns }],
  ['dhcp-option', { min: 1, max: 15, route: true, update: 'dhcp-option', apply: applyDhcpOption }],
  ['register-dns', { min: 0, max: 0, route: true, apply: setSwitch('register-dns') }],
  ['persist-tun', { min: 0, max: 0, apply: setSwitch('persist-tun') }],
  ['persist-remote-ip', { min: 0, max: 0, apply: setSwitch('persist-remote-ip') }],
  ['persist-local-ip', { min: 0, max: 0, apply: setSwitch('persist-local-ip') }],
  ['echo', { min: 0, max: 15, apply: applyEcho }],
  ['parameter', { min: 0, max: 15, apply: applyEcho }],
  ['setenv', { min: 1, max: 2, apply: applySetenv }],
  ['setenv-safe', { min: 1, max: 2, apply: applySetenvSafe }],
  ['cipher', { min: 1, max: 1, apply: applyCipher }],
  ['peer-id', { min: 1, max: 1, apply: numeric(0, 0xffffff, (draft, value) => (draft.protocol.peerId = value)) }],
  ['key-derivation', { min: 1, max: 1, apply: applyKeyDerivation }],
  ['protocol-flags', { min: 1, max: 15, apply: applyProtocolFlags }],
  ['ping', { min: 1, max: 1, apply: timer('ping', MAX_PING) }],
  ['ping-restart', { min: 1, max: 1, apply: timer('pingRestart', MAX_PING) }],
  ['ping-exit', { min: 1, max: 1, apply: timer('pingExit', MAX_PING) }],
  ['ping-timer-rem', { min: 0, max: 0, apply: store('pingTimerRemote', true) }],
  ['keepalive', { min: 2, max: 2, update: 'keepalive', apply: applyKeepalive }],
  ['inactive', { min: 1, max: 2, apply: applyInactive }],
  ['session-timeout', { min: 1, max: 1, apply: timer('sessionTimeout', MAX_SECONDS) }],
  ['explicit-exit-notify', { min: 0, max: 1, apply: applyExitNotify }],
  ['comp-lzo', { min: 0, max: 1, apply: applyCompLzo }],
  ['compress', { min: 0, max: 1, apply: applyCompress }],
  ['sndbuf', { min: 1, max: 1, apply: buffer('sendBuffer') }],
  ['rcvbuf', { min: 1, max: 1, apply: buffer('receiveBuffer') }],
  ['socket-flags', { min: 1, max: 15, apply: applySocketFlags }],
  ['shaper', { min: 1, max: 1, apply: numeric(100, 100_000_000, (draft, value) => (draft.protocol.shaper = value)) }],
  ...['verb', 'mute', 'comp-noadapt', 'persist-key', 'tun-ipv6', 'route-method', 'ip-win32', 'tap-sleep']
    .concat(['dhcp-renew', 'dhcp-release', 'dhcp-pre-release', 'ignore-unknown-option'])
    .map((name): [string, PushOption] => [name, { min: 0, max: 15, apply: noEffect }]),
])

/** A pushed token's username: base64 of UTF-8 text. */
export function decodeTokenUser(text: string): string | undefined {
  const bytes = fromBase64(text)
  return bytes === undefined ? undefined : utf8DecodeStrict(bytes)
}
