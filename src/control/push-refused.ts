/**
 * Options that no server may set, by name, so that a refusal can say more than "unknown" (spec/push.md).
 *
 * The list decides nothing: whatever is missing from the table of pushable options is refused.
 */

/**
 * Options of the reference that are the client's own business. PUSH-5: whoever pushes one of these wants a file, a
 * program, a key, another peer, or a weaker session.
 */
export const NOT_PULLABLE: ReadonlySet<string> = new Set(
  (
    'up down route-up route-pre-down ipchange tls-verify auth-user-pass-verify client-connect client-disconnect ' +
    'client-crresponse learn-address tls-crypt-v2-verify plugin script-security iproute config include cd chroot user ' +
    'group daemon log log-append status writepid tmp-dir capath ca cert key extra-certs pkcs12 pkcs11-providers ' +
    'pkcs11-id secret tls-auth tls-crypt tls-crypt-v2 crl-verify dh askpass auth-user-pass auth-user-pass-optional ' +
    'auth-nocache auth-retry management management-client management-hold management-query-passwords http-proxy ' +
    'http-proxy-option socks-proxy remote remote-random remote-random-hostname remote-cert-tls remote-cert-eku ' +
    'remote-cert-ku verify-x509-name verify-hash peer-fingerprint verify-client-cert x509-username-field x509-track ' +
    'tls-client tls-server tls-cipher tls-ciphersuites tls-groups tls-cert-profile tls-version-min tls-version-max ' +
    'tls-timeout tls-exit data-ciphers ncp-ciphers data-ciphers-fallback ncp-disable auth keysize engine providers ' +
    'no-iv no-replay replay-window replay-persist mute-replay-warnings prng reneg-sec reneg-bytes reneg-pkts ' +
    'hand-window tran-window key-direction mode client server server-bridge server-ipv6 push push-reset push-remove ' +
    'push-peer-info pull pull-filter route-nopull route-noexec ifconfig-noexec ifconfig-nowarn ifconfig-push iroute ' +
    'iroute-ipv6 client-config-dir ccd-exclusive client-to-client duplicate-cn dev dev-type dev-node proto port lport ' +
    'rport local bind nobind float mark bind-dev mtu-disc mtu-test link-mtu tun-mtu-extra tun-mtu-max fragment mssfix ' +
    'txqueuelen fast-io nice mlock mtu-dynamic allow-compression allow-pull-fqdn compat-mode disable-dco ' +
    'disable-occ static-challenge auth-gen-token auth-gen-token-secret connect-retry connect-retry-max ' +
    'connect-timeout server-poll-timeout resolv-retry single-session multihome vlan-tagging vlan-accept vlan-pvid ' +
    'win-sys service remap-usr1 machine-readable-output syslog errors-to-stderr opt-verify max-packet-size ' +
    'show-net-up dns-updown windows-driver allow-nonadmin pause-exit suppress-timestamps test-crypto ' +
    'allow-recursive-routing bcast-buffers connect-freq connect-freq-initial disable down-pre genkey hash-size ' +
    'ifconfig-ipv6-pool ifconfig-ipv6-push ifconfig-pool ifconfig-pool-persist keying-material-exporter ' +
    'management-client-auth management-client-group management-client-user management-forget-disconnect ' +
    'management-log-cache management-query-proxy management-query-remote management-signal management-up-down ' +
    'max-clients max-routes-per-client mktun rmtun no-name-remapping ns-cert-type passtos pkcs11-cert-private ' +
    'pkcs11-id-management pkcs11-pin-cache pkcs11-private-mode pkcs11-protected-authentication port-share ' +
    'proto-force socks-proxy-retry stale-routes-check status-version tcp-nodelay tcp-queue-limit up-delay ' +
    'up-restart username-as-common-name'
  ).split(' '),
)
