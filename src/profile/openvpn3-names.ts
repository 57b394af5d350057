/**
 * What OpenVPN 3 makes of each directive: facts of its client option checks, found by giving its command line client (core
 * 3.11.7) every one of them.
 */
import { directiveRow } from './table.ts'

/**
 * `read` ones have a meaning, or are passed over without a word. What is in no list it does not know, which counts as
 * `missing`.
 */
export type Openvpn3Kind =
  | 'read'
  | 'server'
  | 'missing'
  | 'never'
  | 'passed-over'
  | 'push-only'
  | 'script'
  | 'command'
  | 'removed'

const words = (text: string): readonly string[] => text.split(' ')

const LISTS: readonly (readonly [Openvpn3Kind, readonly string[]])[] = [
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
        'win-sys writepid x509-username-field',
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
      'auth-token auth-token-user echo parameter ping-exit key-derivation peer-id protocol-flags ' +
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
  ['removed', words('mtu-dynamic no-replay no-name-remapping compat-names ncp-disable no-iv')],
  ['never', words('fragment secret')],
  [
    'read',
    words(
      'auth auth-nocache auth-user-pass block-ipv6 block-outside-dns ca cert cipher client client-cert-not-required ' +
        'comp-lzo compress connection crl-verify dev dev-type dhcp-option dns ecdh-curve extra-certs fast-io float ' +
        'hand-window http-proxy ignore-unknown-option inactive key key-direction key-method max-routes mode mssfix ' +
        'mute-replay-warnings nobind ns-cert-type peer-fingerprint ping ping-restart port prng proto pull pull-filter ' +
        'push-peer-info rcvbuf redirect-gateway redirect-private remote remote-cert-eku remote-cert-ku remote-cert-tls ' +
        'remote-random remote-random-hostname reneg-sec replay-persist route route-ipv6 route-metric route-nopull ' +
        'script-security server-poll-timeout setenv sndbuf static-challenge tcp-queue-limit tls-auth tls-cert-profile ' +
        'tls-cipher tls-ciphersuites tls-client tls-crypt tls-crypt-v2 tls-groups tls-timeout tls-version-min tmp-dir ' +
        'tran-window tun-ipv6 tun-mtu tun-mtu-max txqueuelen verb verify-x509-name windows-driver',
    ),
  ],
]

const KIND_OF: ReadonlyMap<string, Openvpn3Kind> = new Map(
  LISTS.flatMap(([kind, names]) => names.map((name) => [name, kind] as const)),
)

/** Every name in the lists, for a test that all of them are directives. */
export const OPENVPN3_NAMES: readonly string[] = [...KIND_OF.keys()].filter((name) => directiveRow(name) !== undefined)

/** What becomes of a directive. */
export function openvpn3Kind(name: string): Openvpn3Kind {
  return KIND_OF.get(name) ?? 'missing'
}
