/**
 * What only a server for many clients may say, and what it may not. PROF-15
 */
import { networkOf4, parseNetmask } from '../../control/index.ts'
import { isAtLeast } from '../release.ts'
import type { DirectiveName } from '../table.ts'
import { ALWAYS, one, type ReleaseRange, type Rule, type RuleView } from './rule.ts'

/** A directive of a client or peer that a server for many clients may not have. */
function notForServer(directive: DirectiveName, because: string, remedy: string): Rule {
  return {
    code: 'conflict',
    directive,
    own: 'error',
    refusedBy: ALWAYS,
    message: `a server for many clients ${because}`,
    remedy,
    find: (view) => (view.isServer ? one(view.entry(directive)) : []),
  }
}

/** A directive that only a server for many clients understands. */
function onlyForServer(directive: DirectiveName, refusedBy: ReleaseRange | undefined = ALWAYS): Rule {
  return {
    code: 'conflict',
    directive,
    own: 'error',
    refusedBy,
    message: 'only a server for many clients can have it',
    remedy: 'take it out, or make this a server with "server" or "mode server"',
    find: (view) => (view.isServer ? [] : one(view.entry(directive))),
  }
}

/** An IPv4 address as a number. */
function asNumber(address: string): number {
  return address.split('.').reduce((number, byte) => number * 256 + Number(byte), 0)
}

/** IPv4 addresses or blocks of the pool; `undefined` where there is none. */
function poolPlaces(view: RuleView): number | undefined {
  const [network, mask] = view.value('server') ?? []
  const [first, last] = view.value('ifconfig-pool') ?? []
  const before27 = view.release !== undefined && !isAtLeast(view.release, '2.7')
  const topology = view.value('topology')?.[0] ?? (before27 ? 'net30' : 'subnet')
  const block = view.device === 'tun' && topology === 'net30' ? 4 : 1
  if (first !== undefined && last !== undefined)
    return Math.floor(asNumber(last) / block) - Math.floor(asNumber(first) / block) + 1
  const bits = parseNetmask(mask ?? '')
  if (network === undefined || bits === undefined || view.hasNoPool) return undefined
  if (view.device === 'tap' || topology === 'subnet') return 2 ** (32 - bits) - 3
  return (bits === 29 ? 4 : 2 ** (32 - bits) - 8) / block
}

/** Rules about servers for many clients. */
export const serverRules: readonly Rule[] = [
  notForServer('pull', 'pushes settings and takes none', 'take it out'),
  notForServer('remote', 'calls nobody', 'take it out; clients’ addresses become known when they call'),
  notForServer('nobind', 'must be found at its port', 'take it out'),
  notForServer('http-proxy', 'calls nobody', 'take it out'),
  notForServer('socks-proxy', 'calls nobody', 'take it out'),
  notForServer('shaper', 'can not be slowed down as a whole', 'take it out'),
  notForServer('ipchange', 'has no single peer whose address could change', 'use "client-connect"'),
  ...(['redirect-gateway', 'redirect-private'] as const).map(
    (directive): Rule => ({
      code: 'conflict',
      directive,
      own: 'error',
      refusedBy: ALWAYS,
      message: 'a server for many clients does not send its own traffic to them',
      remedy: 'write push "redirect-gateway" to do it to clients',
      find: (view) => {
        const flags = [...view.values('redirect-gateway'), ...view.values('redirect-private')].flatMap(([list]) => list)
        return view.isServer && !flags.includes('!ipv4') ? one(view.entry(directive)) : []
      },
    }),
  ),
  notForServer('route-delay', 'sets its routes at its start', 'take it out'),
  notForServer('up-delay', 'opens its device at its start', 'take it out'),
  notForServer('allow-recursive-routing', 'has no single peer to route around', 'take it out'),
  notForServer('auth-user-pass', 'logs in nowhere', 'take it out; clients log in with it'),
  {
    code: 'conflict',
    directive: 'connection',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'a server for many clients calls nobody',
    remedy: 'take the connection blocks out',
    find: (view) =>
      view.isServer
        ? view.profile.entries.filter((entry) => entry.connection !== undefined && entry.name === 'remote')
        : [],
  },
  onlyForServer('ifconfig-pool'),
  onlyForServer('ifconfig-pool-persist'),
  onlyForServer('ifconfig-ipv6-pool'),
  onlyForServer('learn-address'),
  onlyForServer('client-connect'),
  onlyForServer('client-crresponse', { since: '2.6' }),
  onlyForServer('client-disconnect'),
  onlyForServer('client-config-dir'),
  onlyForServer('ccd-exclusive'),
  onlyForServer('client-to-client'),
  onlyForServer('duplicate-cn'),
  onlyForServer('connect-freq'),
  onlyForServer('username-as-common-name'),
  onlyForServer('auth-user-pass-optional'),
  { ...onlyForServer('opt-verify', { until: '2.6' }), own: 'warning' },
  onlyForServer('auth-user-pass-verify'),
  onlyForServer('auth-gen-token'),
  onlyForServer('port-share'),
  onlyForServer('stale-routes-check'),
  onlyForServer('vlan-tagging', { since: '2.5' }),
  onlyForServer('force-tls-key-material-export', { since: '2.6' }),
  {
    code: 'conflict',
    directive: 'hash-size',
    own: 'warning',
    refusedBy: ALWAYS,
    message: 'only a server for many clients can have it',
    remedy: 'take it out',
    find: (view) => {
      const sizes = view.value('hash-size')
      const usual = sizes !== undefined && sizes[0] === 256 && sizes[1] === 256
      return view.isServer || usual ? [] : one(view.entry('hash-size'))
    },
  },
  {
    code: 'conflict',
    directive: 'verify-client-cert',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'only a server for many clients may let in clients without certificates',
    remedy: 'take it out, or write "verify-client-cert require"',
    find: (view) => {
      const mode = view.value('verify-client-cert')?.[0] ?? 'require'
      return view.isServer || mode === 'require' ? [] : one(view.entry('verify-client-cert'))
    },
  },
  {
    code: 'conflict',
    directive: 'connect-freq',
    own: 'warning',
    refusedBy: ALWAYS,
    message: 'new connections are limited over UDP only',
    remedy: 'use "max-clients"',
    find: (view) => (view.isServer && view.protocol === 'tcp' ? one(view.entry('connect-freq')) : []),
  },
  {
    code: 'conflict',
    directive: 'port-share',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'a port is shared over TCP only',
    remedy: 'use "proto tcp-server", or take it out',
    find: (view) => (view.isServer && view.protocol === 'udp' ? one(view.entry('port-share')) : []),
  },
  {
    code: 'conflict',
    directive: 'ifconfig-pool',
    own: 'error',
    refusedBy: ALWAYS,
    message: '"server" and "server-bridge" lay out the pool themselves',
    remedy: 'take out "ifconfig-pool", or write "nopool" behind "server"',
    find: (view) => {
      const laidOut = view.has('server-bridge') || (view.has('server') && !view.hasNoPool)
      return laidOut ? one(view.entry('ifconfig-pool')) : []
    },
  },
  {
    code: 'conflict',
    directive: 'ifconfig-pool',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'a netmask for clients needs Ethernet frames or topology subnet',
    remedy: 'take the netmask out, or use "topology subnet"',
    find: (view) => {
      const fits = view.device === 'tap' || view.value('topology')?.[0] === 'subnet'
      return view.isServer && !fits && view.value('ifconfig-pool')?.[2] !== undefined
        ? one(view.entry('ifconfig-pool'))
        : []
    },
  },
  {
    code: 'conflict',
    directive: 'ifconfig-pool',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'its last address comes before the first, or too far behind it',
    remedy: 'write the lower address first, and at most 65536 addresses',
    find: (view) => {
      const [first, last] = view.value('ifconfig-pool') ?? []
      if (first === undefined || last === undefined) return []
      const size = asNumber(last) - asNumber(first) + 1
      return size < 1 || size > 65_536 ? one(view.entry('ifconfig-pool')) : []
    },
  },
  {
    code: 'conflict',
    directive: 'ifconfig-pool',
    own: undefined,
    refusedBy: ALWAYS,
    message: 'the pool has room for one client only',
    remedy: 'make it larger, or write "nopool" behind "server" and give addresses with "ifconfig-push"',
    find: (view) => (poolPlaces(view) === 1 ? one(view.entry('ifconfig-pool') ?? view.entry('server')) : []),
  },
  {
    code: 'conflict',
    directive: 'ifconfig-ipv6-pool',
    own: 'error',
    refusedBy: ALWAYS,
    message: '"server-ipv6" lays out the pool itself',
    remedy: 'take one of the two out',
    find: (view) => (view.has('server-ipv6') ? one(view.entry('ifconfig-ipv6-pool')) : []),
  },
  {
    code: 'conflict',
    directive: 'server-ipv6',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'without an IPv4 pool there is none for IPv6 here',
    remedy: 'take "nopool" out, or "server-ipv6"',
    find: (view) => (view.hasNoPool ? one(view.entry('server-ipv6')) : []),
  },
  {
    code: 'conflict',
    directive: 'server-bridge',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'a bridge carries Ethernet frames',
    remedy: 'use "dev tap", or "server"',
    find: (view) => (view.device === 'tap' ? [] : one(view.entry('server-bridge'))),
  },
  {
    code: 'conflict',
    directive: 'dev',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'a server for many clients needs a tun or tap device',
    remedy: 'write "dev tun" or "dev tap"',
    find: (view) => {
      const takesNull = view.release !== undefined && isAtLeast(view.release, '2.7')
      const good = view.device === 'tun' || view.device === 'tap' || (takesNull && view.device === 'null')
      return view.isServer && !good ? one(view.entry('dev')) : []
    },
  },
  {
    code: 'conflict',
    directive: 'proto',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'a server for many clients waits to be called',
    remedy: 'write "proto udp" or "proto tcp-server"',
    find: (view) =>
      view.isServer && view.value('proto')?.[0].endsWith('-client') === true ? one(view.entry('proto')) : [],
  },
  {
    code: 'conflict',
    directive: 'server',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'the network is too small or too large',
    remedy: 'choose a netmask from 255.255.0.0 to 255.255.255.248',
    find: (view) => {
      const bits = parseNetmask(view.value('server')?.[1] ?? '') ?? 24
      return bits < 16 || bits > (view.device === 'tap' ? 30 : 29) ? one(view.entry('server')) : []
    },
  },
  {
    code: 'conflict',
    directive: 'server',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'the address lies inside the network, it is not the network',
    remedy: 'write the first address of the network, with zeros where the netmask has zeros',
    find: (view) => {
      const [network, mask] = view.value('server') ?? []
      const bits = mask === undefined ? undefined : parseNetmask(mask)
      if (network === undefined || bits === undefined) return []
      return networkOf4(network, bits) === network ? [] : one(view.entry('server'))
    },
  },
]
