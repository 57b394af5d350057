/**
 * Directives of a server for many clients: pools, pushes, per-client files, limits.
 */
import {
  type Argument,
  checked,
  choice,
  custom,
  file,
  host,
  integer,
  optional,
  path,
  port,
  rangedInteger,
  rest,
  seconds,
  text,
} from '../argument.ts'
import { directive } from '../directive.ts'
import { parseIpv4 } from '../../control/index.ts'
import { ipv4, ipv6, ipv6Prefix, netmask } from '../network.ts'

const SERVER = ['server'] as const

/** At least 1 since 2.7; 2.6 takes any whole number. */
const countSince27 = (name: string): Argument<number, 'required'> => ({
  ...integer(name, 1),
  loose: (text) => (/^\+?\d{0,19}$/.test(text) ? text : undefined),
})

/** Pools, pushes, per-client files, limits. */
export const serverDirectives = {
  'auth-gen-token': directive([optional(seconds('lifetime')), optional(text('renewal')), rest(text('mode'))], {
    check: checkTokenWords,
    status: 'supported',
    roles: SERVER,
    does: 'Gives logged-in clients a token for their next login.',
    counts: { '2.5': [0, 2] },
  }),
  'auth-gen-token-secret': directive([checked('never', file())], {
    status: 'supported',
    roles: SERVER,
    since: '2.5',
    inline: '2.5',
    does: 'The key that signs tokens.',
  }),
  'auth-user-pass-optional': directive([], {
    status: 'supported',
    roles: SERVER,
    does: 'Clients may come without a name.',
    danger: 'clients without a name are let in',
  }),
  'bcast-buffers': directive([rangedInteger('packets', 1)], {
    status: 'ignored',
    roles: SERVER,
    does: 'Packets to many clients are not queued.',
  }),
  'ccd-exclusive': directive([], {
    status: 'supported',
    roles: SERVER,
    does: 'Only clients with a file of their own are let in.',
  }),
  'client-config-dir': directive([path('directory')], {
    status: 'host',
    roles: SERVER,
    does: 'The host looks up settings per client.',
  }),
  'client-to-client': directive([], { status: 'supported', roles: SERVER, does: 'Clients reach each other.' }),
  'connect-freq': directive(
    [
      rangedInteger('clients', 1, 2_147_483_647, { least: 0 }),
      rangedInteger('seconds', 1, 2_147_483_647, { least: 0 }),
    ],
    {
      status: 'supported',
      roles: SERVER,
      does: 'How many new clients per time.',
    },
  ),
  'connect-freq-initial': directive([countSince27('packets'), countSince27('seconds')], {
    status: 'supported',
    roles: SERVER,
    since: '2.6',
    does: 'How many first packets per time are answered.',
  }),
  disable: directive([], { status: 'supported', roles: SERVER, perClient: 'only', does: 'This client is not let in.' }),
  'duplicate-cn': directive([], {
    status: 'supported',
    roles: SERVER,
    does: 'One certificate may be connected several times.',
  }),
  'hash-size': directive([rangedInteger('real', 1), rangedInteger('virtual', 1)], {
    status: 'ignored',
    roles: SERVER,
    does: 'Tables grow by themselves.',
  }),
  'ifconfig-ipv6-pool': directive([ipv6Prefix('network', { least: 64, most: 124 })], {
    status: 'supported',
    roles: SERVER,
    does: 'IPv6 addresses for clients.',
  }),
  'ifconfig-ipv6-push': directive([ipv6Prefix('local', { bare: true }), optional(ipv6('remote'))], {
    status: 'supported',
    roles: SERVER,
    perClient: 'only',
    does: 'A client’s own IPv6 address.',
  }),
  'ifconfig-pool': directive([ipv4('first'), ipv4('last'), optional(netmask())], {
    status: 'supported',
    roles: SERVER,
    does: 'IPv4 addresses for clients.',
  }),
  'ifconfig-pool-persist': directive([path('file'), optional(seconds())], {
    status: 'host',
    roles: SERVER,
    does: 'The host remembers who had which address.',
  }),
  'ifconfig-push': directive([host('local'), host('remote-or-netmask'), optional(host('alias'))], {
    status: 'supported',
    roles: SERVER,
    perClient: 'only',
    does: 'A client’s own IPv4 address.',
  }),
  'ifconfig-push-constraint': directive([ipv4('network'), netmask()], {
    status: 'supported',
    roles: SERVER,
    does: 'Addresses that clients’ files may give away.',
  }),
  iroute: directive([ipv4('network'), optional(netmask())], {
    status: 'supported',
    roles: SERVER,
    perClient: 'only',
    repeats: true,
    does: 'A network behind this client.',
  }),
  'iroute-ipv6': directive([ipv6Prefix('network', { bare: true })], {
    status: 'supported',
    roles: SERVER,
    perClient: 'only',
    repeats: true,
    does: 'An IPv6 network behind this client.',
  }),
  'max-clients': directive([rangedInteger('clients', 1, 16_777_215, { least: 0 })], {
    status: 'supported',
    roles: SERVER,
    does: 'How many clients at once.',
  }),
  'max-routes-per-client': directive([integer('routes', 1)], {
    status: 'supported',
    roles: SERVER,
    perClient: true,
    does: 'How many addresses a client may have.',
  }),
  'opt-verify': directive([], {
    status: 'ignored',
    does: 'The options string is never held against a peer here.',
    deprecated: { since: '2.4', instead: 'leave it out' },
  }),
  'override-username': directive([text('username')], {
    status: 'supported',
    roles: SERVER,
    since: '2.7',
    perClient: 'only',
    does: 'The name a client goes by from now on.',
  }),
  'port-share': directive([host(), port(), optional(path('directory'))], {
    status: 'host',
    roles: SERVER,
    does: 'The host hands foreign connections to another service.',
  }),
  push: directive([text('option')], {
    status: 'supported',
    roles: SERVER,
    perClient: true,
    repeats: true,
    does: 'A setting for clients.',
  }),
  'push-remove': directive([text('prefix')], {
    status: 'supported',
    roles: SERVER,
    perClient: 'only',
    repeats: true,
    does: 'Takes a setting away from this client.',
  }),
  'push-reset': directive([], {
    status: 'supported',
    roles: SERVER,
    perClient: 'only',
    does: 'This client gets none of the common settings.',
  }),
  server: directive([ipv4('network'), netmask(), optional(choice('pool', ['nopool']))], {
    status: 'supported',
    roles: SERVER,
    does: 'A server for many clients, with addresses for them.',
  }),
  'server-bridge': directive(
    [
      optional(
        custom('gateway', 'an IPv4 address or "nogw"', (word) =>
          word === 'nogw' || parseIpv4(word) !== undefined ? word : undefined,
        ),
      ),
      optional(netmask()),
      optional(ipv4('first')),
      optional(ipv4('last')),
    ],
    {
      check: checkBridge,
      status: 'supported',
      roles: SERVER,
      does: 'A server for many clients on a bridge.',
    },
  ),
  'server-ipv6': directive([ipv6Prefix('network', { bare: 64, least: 64, most: 124 })], {
    status: 'supported',
    roles: SERVER,
    does: 'IPv6 addresses for clients, as server does for IPv4.',
  }),
  'stale-routes-check': directive([rangedInteger('age', 1), optional(rangedInteger('interval', 1))], {
    status: 'supported',
    roles: SERVER,
    does: 'Forgets addresses that were not used for so long.',
  }),
  'tcp-queue-limit': directive([rangedInteger('packets', 1)], {
    status: 'host',
    roles: SERVER,
    does: 'How many packets may wait for a slow client.',
  }),
  'username-as-common-name': directive([], {
    status: 'supported',
    roles: SERVER,
    does: 'A client goes by its username.',
  }),
  'verify-client-cert': directive([optional(choice('mode', ['none', 'optional', 'require']))], {
    status: 'supported',
    roles: SERVER,
    does: 'Whether clients must have a certificate.',
  }),
  'client-cert-not-required': directive([], {
    status: 'refused',
    roles: SERVER,
    does: 'Clients without certificates are asked for by its successor.',
    deprecated: { since: '2.4', instead: 'verify-client-cert none' },
    danger: 'clients without a certificate are let in',
    fatalSince: '2.5',
  }),
  'vlan-accept': directive([choice('mode', ['tagged', 'untagged', 'all'])], {
    status: 'supported',
    roles: SERVER,
    since: '2.5',
    does: 'Frames that the tunnel side may send.',
  }),
  'vlan-pvid': directive([rangedInteger('vlan', 1, 4094)], {
    status: 'supported',
    roles: SERVER,
    since: '2.5',
    perClient: true,
    does: 'The VLAN of frames without a tag.',
  }),
  'vlan-tagging': directive([], { status: 'supported', roles: SERVER, since: '2.5', does: 'Keeps VLANs apart.' }),
  'ifconfig-pool-linear': directive([], {
    status: 'supported',
    roles: SERVER,
    until: '2.4',
    does: 'One address per client.',
    deprecated: { since: '2.4', instead: 'topology p2p' },
  }),
} as const

/** `auth-gen-token [lifetime [renewal]] [external-auth]`. */
function checkTokenWords(words: readonly string[]): string | undefined {
  const [, second, ...more] = words
  const external = words.at(-1) === 'external-auth'
  const renewal = second === undefined || (external && words.length === 2) || /^[1-9]\d{0,8}$/.test(second)
  const fits = renewal && more.length <= 1 && (more.length === 0 || external)
  return fits ? undefined : 'behind the lifetime come the renewal time in seconds and "external-auth"'
}

/** Nothing, `nogw`, or a gateway with its netmask and the pool. */
function checkBridge(words: readonly string[]): string | undefined {
  const fits = words.length === 0 || words.length === 4 || (words.length === 1 && words[0] === 'nogw')
  return fits ? undefined : 'it stands alone, with "nogw", or with gateway, netmask, first and last address'
}
