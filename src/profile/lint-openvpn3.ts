/**
 * Will OpenVPN 3 take this profile: the client core of the Connect apps and of the Linux client `openvpn3`.
 *
 * It reads clients' profiles only and sorts what it does not do into kinds: some directives stop it, some are passed over
 * with a warning, some only a server may push. The lists are facts of its client option checks.
 */
import type { Entry } from './entry.ts'
import type { ProfileProblem, ProblemCode, ProblemSeverity } from './problem.ts'
import { type Profile, startOf } from './profile.ts'
import { directiveRow } from './table.ts'

type Kind = 'server' | 'missing' | 'passed-over' | 'push-only' | 'script' | 'command' | 'removed'

const KINDS: Readonly<Record<Kind, readonly [ProblemCode, ProblemSeverity, message: string, remedy: string]>> = {
  server: ['not-in-release', 'error', 'OpenVPN 3 is a client and takes no directives of servers', 'take it out'],
  missing: ['not-in-release', 'error', 'OpenVPN 3 does not have it', 'take it out'],
  'passed-over': ['ignored', 'warning', 'OpenVPN 3 passes over it', 'nothing, unless you rely on it'],
  'push-only': [
    'not-in-release',
    'error',
    'OpenVPN 3 takes it from the server only',
    'take it out; let the server push it',
  ],
  script: ['ignored', 'warning', 'OpenVPN 3 runs no scripts and loads no plugins', 'nothing, unless you rely on it'],
  command: ['not-in-release', 'error', 'it is a command of the 2.x program', 'take it out'],
  removed: ['not-in-release', 'error', 'OpenVPN 3 counts it as removed', 'take it out'],
}

const words = (text: string): readonly string[] => text.split(' ')

const LISTS: readonly (readonly [Kind, readonly string[]])[] = [
  [
    'server',
    words(
      'auth-gen-token auth-gen-token-secret auth-user-pass-optional auth-user-pass-verify bcast-buffers ccd-exclusive ' +
        'client-config-dir client-connect client-disconnect client-to-client connect-freq dh disable duplicate-cn ' +
        'hash-size ifconfig-ipv6-pool ifconfig-pool ifconfig-pool-persist ifconfig-push ifconfig-push-constraint iroute ' +
        'iroute-ipv6 max-clients max-routes-per-client push push-remove push-reset server server-bridge server-ipv6 ' +
        'stale-routes-check tls-crypt-v2-verify username-as-common-name verify-client-cert vlan-accept vlan-pvid vlan-tagging',
    ),
  ],
  [
    'missing',
    words(
      'askpass capath cd chroot client-nat cryptoapicert daemon errors-to-stderr gremlin lladdr log log-append management ' +
        'memstats msg-channel ping-timer-rem single-session socks-proxy status status-version syslog tls-server verify-hash ' +
        'win-sys writepid x509-username-field fragment secret',
    ),
  ],
  [
    'passed-over',
    words(
      'allow-compression allow-recursive-routing auth-retry compat-mode connect-retry connect-retry-max connect-timeout ' +
        'data-ciphers data-ciphers-fallback disable-dco disable-occ engine explicit-exit-notify group ifconfig-nowarn ' +
        'ip-win32 keepalive link-mtu machine-readable-output mark mute ncp-ciphers nice opt-verify passtos persist-key ' +
        'persist-tun preresolve providers remap-usr1 reneg-bytes reneg-pkts replay-window resolv-retry route-method ' +
        'route-delay show-net-up socket-flags suppress-timestamps tcp-nodelay tls-version-max tun-mtu-extra udp-mtu user ' +
        'allow-pull-fqdn bind local lport mlock mtu-disc mtu-test persist-local-ip persist-remote-ip shaper tls-exit',
    ),
  ],
  [
    'push-only',
    words(
      'auth-token auth-token-user echo parameter ping ping-exit ping-restart key-derivation peer-id protocol-flags ' +
        'ifconfig ifconfig-ipv6 topology route-gateway',
    ),
  ],
  [
    'script',
    words(
      'down down-pre ifconfig-noexec ipchange learn-address plugin route-noexec route-pre-down route-up setenv-safe ' +
        'tls-export-cert tls-verify up up-delay x509-track',
    ),
  ],
  [
    'command',
    words('genkey mktun rmtun show-ciphers show-curves show-digests show-engines show-groups show-tls test-crypto'),
  ],
  ['removed', ['mtu-dynamic']],
]

const KIND_OF: ReadonlyMap<string, Kind> = new Map(
  LISTS.flatMap(([kind, names]) => names.map((name) => [name, kind] as const)),
)

/** Every name in the lists, for a test that all of them are directives. */
export const OPENVPN3_NAMES: readonly string[] = [...KIND_OF.keys()].filter((name) => directiveRow(name) !== undefined)

/** Findings about a profile in the eyes of OpenVPN 3. */
export function lintOpenvpn3(profile: Profile): ProfileProblem[] {
  const found = profile.entries.flatMap((entry) => lintEntry(entry, profile))
  if (!profile.has('client') && !profile.has('tls-client')) {
    found.push(whole(profile, 'client', 'OpenVPN 3 is a client', 'add "client"'))
  }
  if (profile.connections.every(({ remote }) => remote === undefined)) {
    found.push(whole(profile, 'remote', 'a client needs somebody to call', 'add "remote HOST PORT"'))
  }
  const device = profile.value('dev-type')?.[0] ?? profile.entry('dev')?.words[0]
  if (device?.startsWith('tap') === true) {
    found.push(whole(profile, 'dev', 'OpenVPN 3 carries IP packets only', 'use "dev tun" on both ends'))
  }
  const judged = profile.has('ca') || profile.has('peer-fingerprint') || profile.has('pkcs12')
  if (!judged) found.push(whole(profile, 'ca', 'there is nothing to judge the server’s certificate by', 'add "ca"'))
  return found
}

function lintEntry(entry: Entry, profile: Profile): ProfileProblem[] {
  const kind = KIND_OF.get(entry.name)
  if (kind === undefined) return []
  const [code, severity, message, remedy] = KINDS[kind]
  const allowed = entry.optional || profile.ignorable.has(entry.name)
  const { file, line, column } = entry.place
  const directive = entry.name
  return [
    { code, severity: allowed ? 'note' : severity, file, line, column, directive, message, remedy, since: 'openvpn3' },
  ]
}

function whole(profile: Profile, directive: string, message: string, remedy: string): ProfileProblem {
  const { file, line, column } = profile.entry(directive as 'dev')?.place ?? startOf(profile)
  return { code: 'dependency', severity: 'error', file, line, column, directive, message, remedy, since: 'openvpn3' }
}
