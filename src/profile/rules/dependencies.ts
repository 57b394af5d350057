/**
 * Directives that need another one. PROF-16
 */
import type { DirectiveName } from '../table.ts'
import { ALWAYS, one, present, type Rule, type RuleView } from './rule.ts'

/** `directive` needs one of `others`. */
function needs(directive: DirectiveName, others: readonly DirectiveName[], message: string, remedy: string): Rule {
  return {
    code: 'dependency',
    directive,
    own: 'error',
    refusedBy: ALWAYS,
    message,
    remedy,
    find: (view) => (others.some((other) => view.has(other)) ? [] : one(view.entry(directive))),
  }
}

/** Somebody outside judges logins. */
function judgesLogins(view: RuleView): boolean {
  return view.has('auth-user-pass-verify') || view.has('plugin') || view.has('management-client-auth')
}

/** A server that lets clients in by their name needs somebody who knows names. */
function needsJudge(directive: DirectiveName): Rule {
  return {
    code: 'dependency',
    directive,
    own: 'error',
    refusedBy: ALWAYS,
    message: 'nobody judges the names that clients log in with',
    remedy: 'add "management-client-auth" or "auth-user-pass-verify"',
    find: (view) => {
      const strict =
        directive === 'verify-client-cert' && (view.value('verify-client-cert')?.[0] ?? 'require') === 'require'
      return view.isServer && !strict && !judgesLogins(view) ? one(view.entry(directive)) : []
    },
  }
}

/** The device is opened at the start: nobody has to tell this end its addresses first. */
function opensAtOnce(view: RuleView): boolean {
  return !view.pulls || view.has('ifconfig') || view.has('ifconfig-ipv6')
}

const MANAGEMENT_OPTIONS: readonly DirectiveName[] = [
  'management-client',
  'management-client-auth',
  'management-client-pf',
  'management-external-key',
  'management-external-cert',
  'management-forget-disconnect',
  'management-hold',
  'management-log-cache',
  'management-query-passwords',
  'management-query-proxy',
  'management-query-remote',
  'management-signal',
  'management-up-down',
]

/** Rules about what is missing. */
export const dependencyRules: readonly Rule[] = [
  {
    code: 'dependency',
    directive: 'dev',
    own: 'warning',
    refusedBy: { until: '2.6' },
    message: 'there is no device',
    remedy: 'write "dev tun", or "dev tap" for Ethernet frames',
    find: (view) => (view.has('dev') ? [] : ['profile']),
  },
  {
    code: 'dependency',
    directive: 'dev',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'its name does not tell whether it is tun or tap',
    remedy: 'add "dev-type tun" or "dev-type tap"',
    find: (view) =>
      view.device === undefined && opensAtOnce(view) ? one(view.entry('dev-type') ?? view.entry('dev')) : [],
  },
  {
    code: 'dependency',
    directive: 'dev',
    own: 'error',
    refusedBy: undefined,
    message: 'its name does not tell whether it is tun or tap',
    remedy: 'add "dev-type tun" or "dev-type tap"',
    find: (view) =>
      view.device === undefined && !opensAtOnce(view) ? one(view.entry('dev-type') ?? view.entry('dev')) : [],
  },
  {
    code: 'dependency',
    directive: 'remote',
    own: 'error',
    refusedBy: { since: '2.6' },
    message: 'a client needs somebody to call',
    remedy: 'add "remote HOST PORT"',
    find: (view) => {
      // A client that binds to something may wait, as far as the reference is concerned.
      const binds = view.release !== undefined && present(view, ['local', 'lport', 'bind']).length > 0
      const callsNobody = view.connections.every(({ remote }) => remote === undefined)
      return view.pulls && !view.isServer && callsNobody && !binds ? ['profile'] : []
    },
  },
  {
    code: 'dependency',
    directive: 'remote',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'an end that calls over TCP needs somebody to call',
    remedy: 'add "remote HOST PORT"',
    find: (view) =>
      view.connections.some(
        ({ remote, protocol, isTcpServer }) => remote === undefined && protocol === 'tcp' && !isTcpServer,
      )
        ? one(view.entry('proto') ?? 'profile')
        : [],
  },
  {
    code: 'dependency',
    directive: 'nobind',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'an end without a port that calls nobody can not be reached',
    remedy: 'add "remote", or take out "nobind"',
    find: (view) =>
      view.isServer || view.connections.some(({ remote }) => remote !== undefined) ? [] : one(view.entry('nobind')),
  },
  {
    code: 'dependency',
    directive: 'connection',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'a connection block has no remote',
    remedy: 'put one "remote" into each block',
    find: (view) =>
      view.profile.blocks.every((_, block) => view.profile.entriesIn(block).some((entry) => entry.name === 'remote'))
        ? []
        : ['profile'],
  },
  {
    code: 'dependency',
    directive: 'proto',
    own: 'warning',
    refusedBy: { until: '2.6' },
    message: 'plain "tcp" leaves open who calls',
    remedy: 'write "tcp-client" or "tcp-server"',
    find: (view) => {
      if (view.has('client') || view.isServer) return []
      return view.connections.flatMap((connection) =>
        /^tcp[46]?$/.test(connection.protocolName) ? one(connection.protocolEntry ?? 'profile') : [],
      )
    },
  },
  {
    code: 'dependency',
    directive: 'mode',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'a server for many clients needs TLS',
    remedy: 'add "tls-server"',
    find: (view) => (view.isServer && !view.isTlsServer ? one(view.entry('mode')) : []),
  },
  {
    code: 'dependency',
    directive: 'pull',
    own: 'error',
    refusedBy: { until: '2.6' },
    message: 'settings come through TLS only',
    remedy: 'write "client", or add "tls-client"',
    find: (view) => (view.usesTls ? [] : one(view.entry('pull'))),
  },
  {
    code: 'dependency',
    directive: 'keepalive',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'the timeout must be at least twice the interval',
    remedy: 'write "keepalive 10 60"',
    find: (view) => {
      const [ping, timeout] = view.value('keepalive') ?? []
      return ping !== undefined && timeout !== undefined && ping * 2 > timeout ? one(view.entry('keepalive')) : []
    },
  },
  needs('ccd-exclusive', ['client-config-dir'], 'there is no directory of clients’ files', 'add "client-config-dir"'),
  needs(
    'ifconfig-ipv6-pool',
    ['ifconfig-ipv6', 'server-ipv6'],
    'the server has no IPv6 address of its own',
    'add "ifconfig-ipv6"',
  ),
  {
    code: 'dependency',
    directive: 'ifconfig-pool-persist',
    own: 'warning',
    refusedBy: ALWAYS,
    message: 'there is no pool to remember',
    remedy: 'add "ifconfig-pool", or take it out',
    find: (view) => {
      const server = view.has('server') && !view.hasNoPool
      const bridge = view.has('server-bridge') && view.entry('server-bridge')?.words.length === 4
      const pools =
        server || bridge || view.has('server-ipv6') || view.has('ifconfig-pool') || view.has('ifconfig-ipv6-pool')
      return view.isServer && !pools ? one(view.entry('ifconfig-pool-persist')) : []
    },
  },
  needsJudge('verify-client-cert'),
  needsJudge('username-as-common-name'),
  needsJudge('auth-user-pass-optional'),
  {
    code: 'dependency',
    directive: 'ncp-disable',
    own: undefined,
    refusedBy: { since: '2.5', until: '2.5' },
    message: 'without negotiation a cipher must be named',
    remedy: 'add "data-ciphers-fallback"',
    find: (view) => {
      const named = view.has('cipher') || view.has('data-ciphers-fallback')
      return named || !(view.pulls || view.isServer) ? [] : one(view.entry('ncp-disable'))
    },
  },
  {
    code: 'dependency',
    directive: 'vlan-accept',
    own: undefined,
    refusedBy: { since: '2.5' },
    message: 'VLANs are not switched on',
    remedy: 'add "vlan-tagging"',
    find: (view) => {
      if (!view.isServer || view.has('vlan-tagging')) return []
      const accept = view.value('vlan-accept')?.[0] === 'all' ? undefined : view.entry('vlan-accept')
      const pvid = view.value('vlan-pvid')?.[0] === 1 ? undefined : view.entry('vlan-pvid')
      return one(accept ?? pvid)
    },
  },
  {
    code: 'dependency',
    directive: 'http-proxy-option',
    own: 'warning',
    refusedBy: ALWAYS,
    message: 'there is no HTTP proxy that it could be for',
    remedy: 'add "http-proxy", or take it out',
    find: (view) =>
      view.profile.scopes.flatMap((scope) =>
        scope.entry('http-proxy') === undefined ? one(scope.entry('http-proxy-option')) : [],
      ),
  },
  {
    code: 'dependency',
    directive: 'setenv',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'the profile is a template, not meant to be used as it is',
    remedy: 'get one that was made for you',
    find: (view) => view.profile.entriesOf('setenv').filter((entry) => entry.words[0] === 'GENERIC_CONFIG'),
  },
  {
    code: 'dependency',
    directive: 'http-proxy-user-pass',
    own: 'warning',
    refusedBy: ALWAYS,
    message: 'there is no HTTP proxy that it could be for',
    remedy: 'add "http-proxy", or take it out',
    find: (view) => {
      const proxies = view.profile.scopes.some((scope) => scope.entry('http-proxy') !== undefined)
      return proxies || view.has('http-proxy-override') ? [] : one(view.entry('http-proxy-user-pass'))
    },
  },
  {
    code: 'dependency',
    directive: 'up',
    own: undefined,
    refusedBy: ALWAYS,
    message: 'commands are not allowed to run, and this one runs at the start',
    remedy: 'add "script-security 2"',
    find: (view) => {
      const allowed = (view.value('script-security')?.[0] ?? 1) >= 2
      return allowed || view.pulls ? [] : one(view.entry('up'))
    },
  },
  {
    code: 'dependency',
    directive: 'management',
    own: undefined,
    refusedBy: ALWAYS,
    message: 'there is no management socket that it could be for',
    remedy: 'add "management", or take it out',
    find: (view) => (view.has('management') ? [] : present(view, MANAGEMENT_OPTIONS)),
  },
]
