/**
 * Directives that exclude each other. PROF-15
 */
import { parseNetmask } from '../../control/index.ts'
import type { DirectiveName } from '../table.ts'
import { ALWAYS, one, present, type ReleaseRange, type Rule } from './rule.ts'

/** Two directives that may not stand together; the first is the one to blame. */
function exclusive(
  directive: DirectiveName,
  other: DirectiveName,
  message: string,
  remedy: string,
  refusedBy: ReleaseRange | undefined = ALWAYS,
): Rule {
  return {
    code: 'conflict',
    directive,
    own: 'error',
    refusedBy,
    message,
    remedy,
    find: (view) => (view.has(other) ? one(view.entry(directive)) : []),
  }
}

/** Directives of TLS, useless with a static key. */
const TLS_ONLY: readonly DirectiveName[] = [
  'ca',
  'capath',
  'cert',
  'key',
  'pkcs12',
  'tls-cipher',
  'tls-ciphersuites',
  'tls-cert-profile',
  'tls-verify',
  'tls-export-cert',
  'verify-x509-name',
  'ns-cert-type',
  'tls-timeout',
  'reneg-bytes',
  'reneg-pkts',
  'reneg-sec',
  'hand-window',
  'tran-window',
  'tls-auth',
  'tls-crypt',
  'tls-crypt-v2',
  'push-peer-info',
  'single-session',
  'tls-exit',
  'crl-verify',
  'remote-cert-ku',
  'remote-cert-eku',
  'remote-cert-tls',
  'pkcs11-providers',
  'pkcs11-id',
]

/** Rules about what may not stand together. */
export const conflictRules: readonly Rule[] = [
  exclusive('server', 'client', 'one end can not be server and client at once', 'take out "server" or "client"'),
  exclusive('server-bridge', 'client', 'one end can not be server and client at once', 'take out one of the two'),
  exclusive('server-ipv6', 'client', 'one end can not be server and client at once', 'take out one of the two'),
  exclusive('server-bridge', 'server', 'a server routes or bridges, not both', 'keep "server" or "server-bridge"'),
  exclusive('secret', 'client', 'a static key leaves no room for TLS', 'take out "secret"'),
  exclusive('secret', 'tls-client', 'a static key leaves no room for TLS', 'take out "secret"'),
  exclusive('secret', 'tls-server', 'a static key leaves no room for TLS', 'take out "secret"'),
  exclusive('secret', 'server', 'a server for many clients needs TLS', 'take out "secret"'),
  exclusive('secret', 'server-bridge', 'a server for many clients needs TLS', 'take out "secret"'),
  {
    code: 'conflict',
    directive: 'tls-client',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'one end can not be TLS client and TLS server at once',
    remedy: 'keep the one, and the other on the other end',
    find: (view) => (view.isTlsServer ? one(view.entry('tls-client') ?? view.entry('client')) : []),
  },
  {
    code: 'conflict',
    directive: 'tls-auth',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'control packets are signed or encrypted, not both ways',
    remedy: 'keep "tls-auth" or "tls-crypt", the one the other end has',
    find: (view) =>
      view.profile.scopes.flatMap((scope) => {
        const auth = scope.entry('tls-auth')
        return scope.entry('tls-crypt') === undefined ? [] : one(auth)
      }),
  },
  {
    code: 'conflict',
    directive: 'tls-crypt-v2',
    own: 'error',
    refusedBy: { since: '2.5' },
    message: 'a client wraps its control packets in one way only',
    remedy: 'keep one of "tls-crypt-v2", "tls-crypt" and "tls-auth"',
    find: (view) => {
      if (!view.isTlsClient) return []
      return view.profile.scopes.flatMap((scope) => {
        const other = scope.entry('tls-auth') ?? scope.entry('tls-crypt')
        return other === undefined ? [] : one(scope.entry('tls-crypt-v2'))
      })
    },
  },
  ...TLS_ONLY.map(
    (directive): Rule => ({
      code: 'conflict',
      directive,
      own: 'error',
      refusedBy: directive === 'tls-crypt-v2' ? { since: '2.5' } : ALWAYS,
      message: 'it belongs to TLS, and nothing here asks for TLS',
      remedy: 'add "client", "tls-client", "tls-server" or "server", or take it out',
      // Of this library's own findings one says it for all of them: that nothing authenticates the peer.
      find: (view) =>
        view.usesTls || (view.release === undefined && !view.has('secret')) ? [] : one(view.entry(directive)),
    }),
  ),
  exclusive('cert', 'pkcs12', 'the certificate is in the PKCS#12 file already', 'keep one of the two'),
  exclusive('key', 'pkcs12', 'the key is in the PKCS#12 file already', 'keep one of the two'),
  exclusive('capath', 'pkcs12', 'the authorities are in the PKCS#12 file already', 'keep one of the two'),
  exclusive('key', 'management-external-key', 'the key is here or outside, not both', 'keep one of the two'),
  exclusive('cert', 'management-external-cert', 'the certificate is here or outside, not both', 'keep one of the two'),
  exclusive('pkcs12', 'management-external-key', 'the key is here or outside, not both', 'keep one of the two'),
  exclusive('cert', 'pkcs11-providers', 'the certificate is here or on the token, not both', 'keep one of the two'),
  exclusive('key', 'pkcs11-providers', 'the key is here or on the token, not both', 'keep one of the two'),
  exclusive('cert', 'pkcs11-id', 'the certificate is here or on the token, not both', 'keep one of the two'),
  exclusive('cert', 'pkcs11-id-management', 'the certificate is here or on the token, not both', 'keep one of the two'),
  exclusive('pkcs12', 'pkcs11-providers', 'the key is here or on the token, not both', 'keep one of the two'),
  exclusive('keepalive', 'ping', '"keepalive" sets the ping timers itself', 'keep one of the two'),
  exclusive('keepalive', 'ping-exit', '"keepalive" sets the ping timers itself', 'keep one of the two'),
  exclusive('keepalive', 'ping-restart', '"keepalive" sets the ping timers itself', 'keep one of the two'),
  exclusive('tun-mtu', 'link-mtu', 'one size follows from the other', 'keep "tun-mtu"'),
  {
    code: 'conflict',
    directive: 'lladdr',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'only a tap device has a hardware address',
    remedy: 'take it out, or use "dev tap"',
    find: (view) => (view.device === 'tap' ? [] : one(view.entry('lladdr'))),
  },
  {
    code: 'conflict',
    directive: 'vlan-tagging',
    own: 'error',
    refusedBy: { since: '2.5' },
    message: 'only Ethernet frames have VLANs',
    remedy: 'use "dev tap"',
    find: (view) => (view.device === 'tap' ? [] : one(view.entry('vlan-tagging'))),
  },
  {
    code: 'conflict',
    directive: 'no-replay',
    own: undefined,
    refusedBy: { until: '2.6' },
    message: 'a replay window needs replay protection',
    remedy: 'take out "no-replay"',
    find: (view) => {
      const [packets, seconds] = view.value('replay-window') ?? [64, 15]
      return packets === 64 && (seconds ?? 15) === 15 ? [] : one(view.entry('no-replay'))
    },
  },
  {
    code: 'conflict',
    directive: 'no-replay',
    own: undefined,
    refusedBy: { until: '2.6' },
    message: 'this cipher can not do without replay protection',
    remedy: 'take out "no-replay"',
    find: (view) =>
      /-(GCM|OFB|CFB\d?|POLY1305)$/i.test(view.value('cipher')?.[0] ?? '') ? one(view.entry('no-replay')) : [],
  },
  {
    code: 'conflict',
    directive: 'ifconfig',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'both addresses are the same',
    remedy: 'write this end’s address, then the other end’s address or the netmask',
    find: (view) => {
      const [local, remote] = view.value('ifconfig') ?? []
      // "server" sets the addresses itself.
      return local !== undefined && local === remote && !view.has('server') ? one(view.entry('ifconfig')) : []
    },
  },
  {
    code: 'conflict',
    directive: 'ifconfig',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'a tap device takes a netmask, not the other end’s address',
    remedy: 'write the netmask of the network as the second word',
    find: (view) => {
      const second = view.value('ifconfig')?.[1]
      const fits = second === undefined || parseNetmask(second) !== undefined
      return view.device !== 'tap' || view.pulls || view.has('server') || fits ? [] : one(view.entry('ifconfig'))
    },
  },
  {
    code: 'conflict',
    directive: 'ifconfig',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'in topology subnet the second word is a netmask',
    remedy: 'write the netmask of the network as the second word, or name another topology',
    find: (view) => {
      // Since 2.7 a server is in topology subnet where nothing else is said.
      const usual = view.isServer && view.release === '2.7' ? 'subnet' : 'net30'
      const subnet = (view.value('topology')?.[0] ?? usual) === 'subnet' && view.device === 'tun'
      const set = view.pulls || view.has('server') || view.has('ifconfig-noexec')
      const second = view.value('ifconfig')?.[1]
      const fits = second === undefined || parseNetmask(second) !== undefined
      return !subnet || set || fits ? [] : one(view.entry('ifconfig'))
    },
  },
  {
    code: 'conflict',
    directive: 'tls-auth',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'it needs a digest, and "auth none" takes it away',
    remedy: 'write "auth SHA256" on both ends, or use "tls-crypt"',
    find: (view) =>
      view.value('auth')?.[0].toLowerCase() === 'none'
        ? view.profile.scopes.flatMap((scope) => one(scope.entry('tls-auth')))
        : [],
  },
  {
    code: 'conflict',
    directive: 'tls-version-min',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'the oldest TLS version is newer than the newest one',
    remedy: 'lower "tls-version-min" or raise "tls-version-max"',
    find: (view) => {
      const least = view.value('tls-version-min')?.[0]
      const most = view.value('tls-version-max')?.[0]
      return least !== undefined && most !== undefined && least > most ? one(view.entry('tls-version-min')) : []
    },
  },
  {
    code: 'conflict',
    directive: 'management-client-user',
    own: undefined,
    refusedBy: ALWAYS,
    message: 'users are told apart on Unix sockets only',
    remedy: 'write "management PATH unix"',
    find: (view) =>
      view.value('management')?.[1] === 'unix'
        ? []
        : present(view, ['management-client-user', 'management-client-group']),
  },
]
