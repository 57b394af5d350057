/**
 * What a way to the peer can't be: sockets, transports, proxies, and directives of one transport on another. PROF-15
 */
import { isAtLeast } from '../release.ts'
import { ALWAYS, one, type Rule } from './rule.ts'

/** Rules about addresses, ports, transports and proxies. */
export const linkRules: readonly Rule[] = [
  {
    code: 'conflict',
    directive: 'nobind',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'a local port or address is given and forbidden at once',
    remedy: 'take out "nobind", or the "bind", "lport" or "local" it forbids',
    find: (view) =>
      view.profile.scopes.flatMap((scope) => {
        const port = scope.entry('lport')
        // 2.7 takes port 0 for none.
        const isAny = port?.words[0] === '0' && view.release !== undefined && isAtLeast(view.release, '2.7')
        const given = scope.entry('bind') ?? (isAny ? undefined : port) ?? scope.entry('local')
        return given === undefined ? [] : one(scope.entry('nobind'))
      }),
  },
  {
    code: 'conflict',
    directive: 'http-proxy',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'a connection goes through one proxy only',
    remedy: 'keep "http-proxy" or "socks-proxy"',
    find: (view) =>
      view.profile.scopes.flatMap((scope) =>
        scope.entry('socks-proxy') === undefined ? [] : one(scope.entry('http-proxy')),
      ),
  },
  {
    code: 'conflict',
    directive: 'http-proxy',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'an HTTP proxy carries TCP only',
    remedy: 'use "proto tcp-client", or "socks-proxy"',
    find: (view) =>
      view.connections.flatMap((connection) =>
        connection.protocol === 'udp' || connection.isTcpServer ? one(connection.entry('http-proxy')) : [],
      ),
  },
  {
    code: 'conflict',
    directive: 'socks-proxy',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'an end that waits to be called has no use for a proxy',
    remedy: 'take out "socks-proxy", or call with "proto tcp-client"',
    find: (view) =>
      view.connections.flatMap((connection) => (connection.isTcpServer ? one(connection.entry('socks-proxy')) : [])),
  },
  {
    code: 'conflict',
    directive: 'fragment',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'fragments are for UDP, TCP splits by itself',
    remedy: 'take out "fragment", or use UDP',
    find: (view) =>
      view.profile.scopes.flatMap((scope) =>
        scope.protocol === 'tcp' && Number(scope.entry('fragment')?.words[0]) !== 0 ? one(scope.entry('fragment')) : [],
      ),
  },
  {
    code: 'conflict',
    directive: 'tun-mtu',
    own: 'warning',
    refusedBy: ALWAYS,
    message: 'a device that carries IPv6 takes packets of 1280 bytes at least',
    remedy: 'write "tun-mtu 1280" or more, or take the IPv6 addresses out',
    find: (view) => {
      const addressed = (view.has('ifconfig-ipv6') && !view.pulls) || view.has('server-ipv6')
      const small = (view.value('tun-mtu')?.[0] ?? 1500) < 1280
      return addressed && small && !view.has('ifconfig-noexec') ? one(view.entry('tun-mtu')) : []
    },
  },
  {
    code: 'conflict',
    directive: 'proto-force',
    own: undefined,
    refusedBy: ALWAYS,
    message: 'no connection is of the transport that it leaves',
    remedy: 'take it out, or add a "remote" of that transport',
    find: (view) => {
      const forced = view.value('proto-force')?.[0].slice(0, 3)
      return forced === undefined || view.profile.scopes.some(({ protocol }) => protocol === forced)
        ? []
        : one(view.entry('proto-force'))
    },
  },
  {
    code: 'conflict',
    directive: 'mtu-test',
    own: undefined,
    refusedBy: ALWAYS,
    message: 'the path is measured over UDP only',
    remedy: 'take it out',
    find: (view) => (view.profile.scopes.some((scope) => scope.protocol === 'tcp') ? one(view.entry('mtu-test')) : []),
  },
  {
    code: 'conflict',
    directive: 'explicit-exit-notify',
    own: 'warning',
    refusedBy: { until: '2.5' },
    message: 'TCP says goodbye by itself, so this does nothing',
    remedy: 'take it out',
    find: (view) =>
      view.profile.scopes.flatMap((scope) =>
        scope.protocol === 'tcp' && scope.value('explicit-exit-notify')?.[0] !== 0
          ? one(scope.entry('explicit-exit-notify'))
          : [],
      ),
  },
  {
    code: 'conflict',
    directive: 'proto',
    own: 'error',
    refusedBy: { since: '2.6' },
    message: 'a client calls, it does not wait to be called',
    remedy: 'write "proto tcp-client"',
    find: (view) =>
      view.pulls
        ? view.connections.flatMap((connection) =>
            connection.protocolName.endsWith('-server') ? one(connection.protocolEntry) : [],
          )
        : [],
  },
  {
    code: 'conflict',
    directive: 'connection',
    own: 'warning',
    refusedBy: undefined,
    message: 'where there are connection blocks, remotes outside of them do not count',
    remedy: 'put every remote into a block, or none',
    find: (view) => (view.profile.blocks.length > 0 ? one(view.entry('remote')) : []),
  },
  {
    code: 'conflict',
    directive: 'port',
    own: undefined,
    refusedBy: ALWAYS,
    message: 'no local port is called so',
    remedy: 'write a number from 1 to 65535',
    find: (view) => {
      const named = view.has('lport') || view.has('nobind') || view.pulls
      return named || view.value('port') !== undefined ? [] : one(view.entry('port'))
    },
  },
  {
    code: 'conflict',
    directive: 'local',
    own: 'error',
    refusedBy: { since: '2.7' },
    message: 'only a server for many clients listens on several addresses',
    remedy: 'keep one "local"',
    find: (view) => (!view.isServer && view.profile.entriesOf('local').length > 1 ? one(view.entry('local')) : []),
  },
  {
    code: 'conflict',
    directive: 'remote',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'an end that waits to be called over TCP has one peer at most',
    remedy: 'keep one "remote"',
    find: (view) => {
      const waiting = view.connections.filter((connection) => connection.isTcpServer && connection.remote !== undefined)
      return view.connections.length > 1 && waiting.length > 0 ? one(waiting[0]?.remote) : []
    },
  },
  {
    code: 'conflict',
    directive: 'local',
    own: 'warning',
    refusedBy: ALWAYS,
    message: 'both ends would be the same address and port',
    remedy: 'take out "local", or give the ends different ports',
    find: (view) =>
      view.connections.flatMap((connection) => {
        const same = connection.localAddress !== undefined && connection.localAddress === connection.host
        return same && connection.localPort === connection.port ? one(connection.entry('local')) : []
      }),
  },
]
