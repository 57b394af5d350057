/**
 * What a drawn server configuration says beside the protocol: lines for a daemon, which must not disturb, and what clients are
 * pushed.
 */
import type { Drawing } from './wild-server-lines.ts'

/** What has nothing to do with the protocol, and must not disturb. */
export function drawHousekeeping({ random, server }: Drawing): void {
  const lines = [
    'user nobody',
    'group nogroup',
    'persist-key',
    'persist-tun',
    'status openvpn-status.log',
    'status openvpn-status.log 10',
    'status-version 2',
    'log-append openvpn.log',
    'log openvpn.log',
    'verb 3',
    'verb 4',
    'mute 20',
    'management 127.0.0.1 7505',
    'management management.sock unix',
    'ifconfig-pool-persist ipp.txt',
    'ifconfig-pool-persist ipp.txt 0',
    'sndbuf 0',
    'rcvbuf 393216',
    'mute-replay-warnings',
    'writepid openvpn.pid',
    'replay-window 128 20',
    'tcp-queue-limit 128',
    'fast-io',
    'txqueuelen 500',
    'nice 1',
    'max-routes-per-client 64',
    'stale-routes-check 300 60',
    'tls-timeout 3',
    'setenv FORWARD yes',
    'suppress-timestamps',
    'bcast-buffers 512',
    'script-security 2',
    'float',
    'ignore-unknown-option no-such-thing',
    'route 10.77.0.0 255.255.255.0',
    'push-peer-info',
    'connect-freq-initial 200 10',
    'max-packet-size 1250',
    'tcp-nodelay',
    'passtos',
    'persist-local-ip',
    'disable-dco',
    'errors-to-stderr',
  ]
  const seen = new Set<string>()
  for (const line of random.shuffle(lines).slice(0, random.int(0, 10))) {
    const [word = ''] = line.split(' ')
    if (seen.has(word)) continue
    seen.add(word)
    server.add(line)
  }
}

/** What clients are pushed. */
export function drawPush({ random, server }: Drawing, device: 'tun' | 'tap'): void {
  const lines = [
    'route 192.168.77.0 255.255.255.0',
    'route 192.168.78.0 255.255.255.0 vpn_gateway 7',
    'route 198.51.100.7',
    'dhcp-option DNS 10.8.0.1',
    'dhcp-option DOMAIN example.com',
    'dhcp-option WINS 10.8.0.2',
    'redirect-gateway def1 bypass-dhcp',
    'redirect-private def1',
    'block-outside-dns',
    'register-dns',
    'sndbuf 393216',
    'rcvbuf 393216',
    'route-metric 50',
    'echo hello world',
    'setenv-safe COLOR blue',
    'persist-tun',
    'route-ipv6 2001:db8:77::/48',
    'auth-nocache',
    'ip-win32 dynamic',
    'socket-flags TCP_NODELAY',
    'session-timeout 86400',
    'verb 4',
  ]
  for (const line of random.shuffle(lines).slice(0, random.pick([0, 1, 3, 6]))) {
    if (line.startsWith('route-ipv6') && device === 'tap') continue
    server.add(random.chance(0.8) ? `push "${line}"` : `push '${line}'`)
  }
  if (random.chance(0.07)) {
    for (let i = 0; i < 120; i++) server.add(`push "route 10.99.${i}.0 255.255.255.0"`)
  }
}
