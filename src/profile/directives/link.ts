/**
 * Directives about the way to the peer: addresses, ports, sockets, sizes, keepalive.
 */
import {
  type Argument,
  checked,
  choice,
  custom,
  integer,
  optional,
  path,
  port,
  rangedInteger,
  rest,
  seconds,
  text,
} from '../argument.ts'
import { parseIpv4, parseIpv6 } from '../../control/index.ts'
import { directive } from '../directive.ts'
import { isHostName } from '../network.ts'

/** No release looks at the range; 2.7 wants a whole number. */
const controlPacketSize: Argument<number, 'required'> = {
  ...integer('size', 154, 2048, 'never'),
  loose: (text, release) => (release < '2.7' || /^\+?\d{1,10}$/.test(text) ? text : undefined),
}

/** Spellings of a transport. */
export const PROTOCOLS = [
  'udp',
  'udp4',
  'udp6',
  'tcp',
  'tcp4',
  'tcp6',
  'tcp-client',
  'tcp4-client',
  'tcp6-client',
  'tcp-server',
  'tcp4-server',
  'tcp6-server',
] as const

/** A transport as a profile names it. */
export type ProtocolName = (typeof PROTOCOLS)[number]

/** A transport: IP version and role suffixes included. */
const protocol = custom<ProtocolName>(
  'proto',
  'one of udp, tcp, tcp-client, tcp-server, with 4 or 6 for one IP version',
  (word) => PROTOCOLS.find((name) => name === word),
)

/** `*` stands for every address. */
const localAddress = custom('address', 'an IP address, a host name or "*"', (word) =>
  word === '*' || parseIpv4(word) !== undefined || parseIpv6(word) !== undefined || isHostName(word) ? word : undefined,
)

const TUNNEL_SOCKET = 'A setting of the host’s socket.'

/** Addresses, sockets, sizes, keepalive. */
export const linkDirectives = {
  bind: directive([optional(choice('family', ['ipv6only'], 'never'))], {
    status: 'supported',
    does: 'The local port is fixed.',
    connection: true,
  }),
  'bind-dev': directive([text('device'), rest(text('more'))], {
    status: 'host',
    since: '2.5',
    does: TUNNEL_SOCKET,
    pushable: '2.5',
  }),
  float: directive([], {
    status: 'host',
    does: 'The host may pass on packets from any address of the peer.',
    connection: true,
  }),
  fragment: directive(
    [
      rangedInteger('size', 68, 65_535, { since: '2.6', most: 2_147_483_647 }),
      optional(choice('unit', ['mtu'], '2.6')),
    ],
    {
      status: 'supported',
      does: 'Splits tunnel packets that would not fit. UDP only, on both ends alike.',
      connection: true,
      counts: { '2.4': [1, 1], '2.5': [1, 1] },
    },
  ),
  'ip-remote-hint': directive([optional(text('address'))], {
    status: 'host',
    does: 'The server’s address, for a host whose remote is a local relay.',
  }),
  keepalive: directive([rangedInteger('ping', 1), rangedInteger('timeout', 1)], {
    judgedLast: true,
    status: 'supported',
    does: 'Sets ping and ping-restart on both ends.',
  }),
  'link-mtu': directive([integer('size', 0)], {
    status: 'ignored',
    does: 'Packet sizes follow from tun-mtu.',
    connection: true,
    deprecated: { since: '2.6', instead: 'tun-mtu, mssfix or fragment' },
  }),
  'udp-mtu': directive([integer('size', 0)], {
    status: 'ignored',
    does: 'An old name of link-mtu.',
    aliasOf: 'link-mtu',
    connection: true,
    deprecated: { since: '2.4', instead: 'tun-mtu, mssfix or fragment' },
  }),
  local: directive([localAddress, optional(checked('always', port())), optional(protocol)], {
    status: 'supported',
    does: 'The local address.',
    connection: true,
    repeats: true,
    counts: { '2.4': [1, 1], '2.5': [1, 1], '2.6': [1, 1] },
  }),
  lport: directive([checked('always', port('port', 0))], {
    status: 'supported',
    does: 'The local port.',
    connection: true,
  }),
  mark: directive([integer('value', -2_147_483_648)], { status: 'host', does: TUNNEL_SOCKET }),
  'max-packet-size': directive([controlPacketSize], {
    status: 'supported',
    since: '2.6',
    does: 'The largest control packet, headers included.',
    connection: true,
  }),
  mode: directive([choice('mode', ['p2p', 'server'])], {
    status: 'supported',
    does: 'Many clients on one port, or one peer.',
  }),
  mssfix: directive(
    [
      optional(custom('size', 'a size of at least 154 bytes, or 0', mssfixSize, '2.7')),
      optional(choice('unit', ['mtu', 'fixed'], '2.6')),
    ],
    {
      status: 'supported',
      does: 'Tells TCP connections inside the tunnel to send packets that fit.',
      connection: true,
      counts: { '2.4': [0, 1], '2.5': [0, 1] },
    },
  ),
  'mtu-disc': directive([choice('type', ['no', 'maybe', 'yes'])], {
    status: 'host',
    does: TUNNEL_SOCKET,
    connection: true,
  }),
  'mtu-dynamic': directive([rest(text('word'))], {
    status: 'refused',
    does: 'Fragmentation is asked for by its own name.',
    fatalSince: '2.4',
    connection: true,
    deprecated: { since: '2.4', instead: 'fragment' },
  }),
  'mtu-test': directive([], { status: 'ignored', does: 'The path is not measured.' }),
  multihome: directive([optional(choice('interface', ['same-interface'], '2.7'))], {
    status: 'host',
    roles: ['server'],
    does: 'The host answers from the address that was called.',
    counts: { '2.4': [0, 0], '2.5': [0, 0], '2.6': [0, 0] },
  }),
  nobind: directive([], { status: 'supported', does: 'Any local port will do.', connection: true }),
  passtos: directive([], { status: 'host', does: TUNNEL_SOCKET }),
  'persist-local-ip': directive([], {
    status: 'host',
    does: 'The host keeps its local address over reconnects.',
  }),
  'persist-remote-ip': directive([], {
    status: 'host',
    does: 'The host keeps the resolved address over reconnects.',
  }),
  ping: directive([seconds()], {
    status: 'supported',
    does: 'A ping after so long without sending.',
    pushable: true,
    perClient: true,
  }),
  'ping-exit': directive([seconds()], {
    status: 'supported',
    does: 'Ends for good after so long without hearing anything.',
    pushable: true,
    perClient: true,
  }),
  'ping-restart': directive([seconds()], {
    status: 'supported',
    does: 'Ends after so long without hearing anything; the client reconnects.',
    pushable: true,
    perClient: true,
  }),
  'ping-timer-rem': directive([], {
    status: 'supported',
    does: 'The ping timers run only while the peer’s address is known.',
    pushable: true,
    perClient: true,
  }),
  port: directive([port('port', 0)], { status: 'supported', does: 'Local and remote port.', connection: true }),
  proto: directive([protocol], { status: 'supported', does: 'UDP or TCP.', connection: true }),
  rcvbuf: directive([integer('bytes')], { status: 'host', does: TUNNEL_SOCKET, pushable: true }),
  sndbuf: directive([integer('bytes')], { status: 'host', does: TUNNEL_SOCKET, pushable: true }),
  'replay-persist': directive([path('file')], {
    status: 'ignored',
    does: 'Replay state lives as long as its keys do.',
  }),
  'replay-window': directive([rangedInteger('packets', 0, 65_536), optional(rangedInteger('seconds', 0, 600))], {
    status: 'supported',
    does: 'How far out of order packets may come.',
  }),
  rport: directive([port()], { status: 'supported', does: 'The remote port.', connection: true }),
  'session-timeout': directive([seconds()], {
    status: 'supported',
    since: '2.6',
    does: 'The tunnel’s whole life.',
    pushable: '2.6',
    perClient: true,
  }),
  shaper: directive([rangedInteger('bytes-per-second', 100, 100_000_000)], {
    status: 'ignored',
    does: 'The host decides how fast it sends.',
    pushable: '2.6',
  }),
  'socket-flags': directive([rest(choice('flag', ['TCP_NODELAY'], 'always'))], {
    status: 'host',
    does: TUNNEL_SOCKET,
    pushable: true,
  }),
  'tcp-nodelay': directive([], { status: 'host', does: TUNNEL_SOCKET }),
  'tun-mtu': directive([rangedInteger('size', 100, 65_536), optional(integer('occ-size', 100, 65_536))], {
    status: 'supported',
    does: 'The largest packet the tunnel takes.',
    pushable: '2.6',
    connection: true,
    counts: { '2.4': [1, 1], '2.5': [1, 1] },
  }),
  'tun-mtu-extra': directive([rangedInteger('bytes', 0, 65_536, { least: -2_147_483_648 })], {
    status: 'ignored',
    does: 'Buffers are as large as they must be.',
    connection: true,
  }),
  'tun-mtu-max': directive([rangedInteger('size', 1600, 65_536, { least: 68 }), optional(text('x'))], {
    status: 'supported',
    since: '2.6',
    does: 'The largest tun-mtu that may be pushed.',
    connection: true,
    counts: { '2.7': [1, 1] },
  }),
  'fast-io': directive([], {
    status: 'ignored',
    does: 'Sockets are the host’s.',
    deprecated: { since: '2.6', instead: 'leave it out' },
  }),
} as const

function mssfixSize(word: string): number | undefined {
  if (!/^\d{1,5}$/.test(word)) return undefined
  const size = Number(word)
  return size === 0 || (size >= 154 && size <= 65_535) ? size : undefined
}
