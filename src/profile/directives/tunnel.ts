/**
 * Directives about the tunnel's inner side: device, addresses, routes, names.
 *
 * The library carries packets; addresses, routes and resolvers are set by the host, which gets them as data.
 */
import { checked, choice, custom, integer, optional, path, rest, seconds, text } from '../argument.ts'
import { directive } from '../directive.ts'
import { ipv4, ipv6, ipv6Prefix, netmask, routeWord } from '../network.ts'
import { checkDhcpOption, checkDns } from './name-service.ts'

const ROUTES = 'Routes are set by the host.'
const ADDRESSES = 'Addresses are set by the host.'

/** What `redirect-gateway` can be told. */
export const REDIRECT_FLAGS = [
  'local',
  'autolocal',
  'def1',
  'bypass-dhcp',
  'bypass-dns',
  'block-local',
  'ipv6',
  '!ipv4',
] as const

const metric = integer('metric', 0)

/** Device, addresses, routes, names. */
export const tunnelDirectives = {
  'allow-recursive-routing': directive([], {
    status: 'host',
    does: 'Packets to the peer’s own address may go into the tunnel.',
  }),
  'block-ipv6': directive([], {
    status: 'host',
    since: '2.5',
    does: 'IPv6 packets are answered with “unreachable” instead of being sent.',
    pushable: '2.5',
  }),
  'client-nat': directive([choice('type', ['snat', 'dnat']), ipv4('network'), netmask(), ipv4('alias')], {
    status: 'host',
    does: 'Rewrites addresses on their way through the tunnel.',
    pushable: true,
    repeats: true,
  }),
  dev: directive([text('device')], {
    status: 'supported',
    does: 'A tun device carries IP packets, a tap device Ethernet frames.',
  }),
  'dev-node': directive([path('node')], { status: 'host', does: 'The device is the host’s.' }),
  'dev-type': directive([choice('type', ['tun', 'tap', 'null'], 'never')], {
    status: 'supported',
    does: 'What a device with a name of its own is.',
  }),
  'dhcp-option': directive([text('type'), optional(text('value')), rest(text('more'))], {
    status: 'host',
    check: checkDhcpOption,
    checkSince: '2.7',
    does: 'Resolvers and other network settings for the host.',
    pushable: true,
    repeats: true,
    counts: { '2.4': [1, 2], '2.5': [1, 2], '2.6': [1, 2] },
  }),
  'disable-dco': directive([rest(text('word'))], {
    status: 'ignored',
    since: '2.6',
    does: 'No kernel carries the data here.',
  }),
  dns: directive([choice('subject', ['server', 'search-domains']), rest(text('word'))], {
    status: 'host',
    since: '2.6',
    check: checkDns,
    does: 'Resolvers for the host.',
    pushable: '2.6',
    repeats: true,
  }),
  'foreign-option': directive([text('option'), rest(text('word'))], {
    status: 'host',
    until: '2.5',
    only: 'Android',
    does: 'An option of another program, for the host.',
    pushable: true,
    repeats: true,
  }),
  ifconfig: directive([ipv4('local'), ipv4('remote-or-netmask')], {
    status: 'supported',
    does: 'The tunnel’s own IPv4 address.',
    pushable: true,
  }),
  'ifconfig-ipv6': directive([ipv6Prefix('local', { bare: true }), ipv6('remote')], {
    status: 'supported',
    does: 'The tunnel’s own IPv6 address.',
    pushable: true,
  }),
  'ifconfig-noexec': directive([], { status: 'host', does: ADDRESSES, pushable: true }),
  'ifconfig-nowarn': directive([], { status: 'ignored', does: 'No warning is given.', pushable: true }),
  lladdr: directive([custom('address', 'a hardware address such as 02:11:22:33:44:55', macAddress)], {
    status: 'host',
    does: 'The hardware address of a tap device.',
    pushable: true,
  }),
  'persist-tun': directive([], {
    status: 'host',
    does: 'The host keeps its device over reconnects.',
    pushable: true,
  }),
  'redirect-gateway': directive([rest(choice('flag', REDIRECT_FLAGS))], {
    status: 'host',
    does: 'All traffic goes through the tunnel.',
    pushable: true,
    repeats: true,
  }),
  'redirect-private': directive([rest(choice('flag', REDIRECT_FLAGS))], {
    status: 'host',
    does: 'As redirect-gateway, without the default route.',
    pushable: true,
    repeats: true,
  }),
  route: directive(
    [
      routeWord('network'),
      optional(routeWord('netmask')),
      optional(routeWord('gateway')),
      optional(custom('metric', 'a number or "default"', routeMetric, 'never')),
    ],
    { status: 'host', does: ROUTES, pushable: true, repeats: true },
  ),
  'route-delay': directive([optional(seconds()), optional(seconds('window'))], {
    status: 'host',
    does: ROUTES,
    pushable: true,
  }),
  'route-gateway': directive([custom('gateway', 'an IPv4 address or "dhcp"', routeGateway)], {
    status: 'host',
    does: ROUTES,
    pushable: true,
  }),
  'route-ipv6': directive(
    [
      checked('never', ipv6Prefix('network', { bare: true })),
      optional(custom('gateway', 'an IPv6 address or "default"', routeGateway6, 'never')),
      optional(custom('metric', 'a number or "default"', routeMetric, 'never')),
    ],
    { status: 'host', does: ROUTES, pushable: true, repeats: true },
  ),
  'route-ipv6-gateway': directive([ipv6('gateway')], { status: 'host', since: '2.5', does: ROUTES, pushable: '2.5' }),
  'route-metric': directive([metric], { status: 'host', does: ROUTES, pushable: true }),
  'route-noexec': directive([], { status: 'host', does: ROUTES }),
  'route-table': directive([integer('table', 0)], { status: 'host', since: '2.7', does: ROUTES, pushable: '2.7' }),
  topology: directive([choice('topology', ['net30', 'p2p', 'subnet'])], {
    status: 'supported',
    does: 'How a tun device’s addresses are cut.',
    pushable: true,
  }),
  'tun-ipv6': directive([], {
    status: 'ignored',
    does: 'IPv6 is always carried.',
    pushable: true,
    inertSince: '2.4',
    deprecated: { since: '2.4', instead: 'leave it out' },
  }),
  txqueuelen: directive([integer('packets', 0)], { status: 'host', does: 'The device is the host’s.' }),
  'max-routes': directive([optional(integer('routes', 0, 2_147_483_647, 'never'))], {
    status: 'ignored',
    inertSince: '2.4',
    does: 'The number of routes has no limit.',
    deprecated: { since: '2.4', instead: 'leave it out' },
  }),
} as const

function routeMetric(word: string): number | 'default' | undefined {
  if (word === 'default') return word
  return /^\d{1,9}$/.test(word) ? Number(word) : undefined
}

function routeGateway6(word: string): string | undefined {
  return word === 'default' ? word : ipv6().read(word)
}

function macAddress(word: string): string | undefined {
  return /^[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}$/.test(word) ? word : undefined
}

function routeGateway(word: string): string | undefined {
  return word === 'dhcp' ? word : ipv4().read(word)
}
