/**
 * Directives of an end that connects: remotes, retries, proxies, login, what it takes from the server.
 */
import {
  checked,
  choice,
  command,
  custom,
  host,
  integer,
  optional,
  passwordFile,
  port,
  rest,
  seconds,
  secretText,
  text,
} from '../argument.ts'
import { directive } from '../directive.ts'
import { PROTOCOLS } from './link.ts'

const remoteProtocol = custom('proto', 'udp or tcp, with 4 or 6 for one IP version', (word) =>
  PROTOCOLS.find((name) => name === word),
)

/** Remotes, retries, proxies, login, pulling. */
export const clientDirectives = {
  'allow-pull-fqdn': directive([], {
    status: 'host',
    roles: ['client'],
    does: 'The server may push host names in ifconfig, route and route-gateway.',
  }),
  'auth-nocache': directive([], {
    status: 'supported',
    does: 'Passwords are asked for again at each connection.',
  }),
  'auth-retry': directive([choice('type', ['none', 'nointeract', 'interact'])], {
    status: 'supported',
    roles: ['client'],
    does: 'What to do after a refused login.',
  }),
  'auth-token': directive([secretText('token')], {
    status: 'supported',
    roles: ['client'],
    does: 'Stands in for the password from now on.',
    pushable: true,
  }),
  'auth-token-user': directive([text('base64-username')], {
    status: 'supported',
    roles: ['client'],
    since: '2.6',
    does: 'Stands in for the username from now on.',
    pushable: '2.6',
  }),
  'auth-user-pass': directive([optional(passwordFile())], {
    status: 'supported',
    roles: ['client', 'peer'],
    inline: '2.6',
    does: 'Logs in with a name and a password.',
  }),
  client: directive([], { status: 'supported', roles: ['client'], does: 'Short for pull and tls-client.' }),
  'client-crresponse': directive([command()], {
    status: 'host',
    program: true,
    roles: ['server'],
    since: '2.6',
    does: 'The host hears clients’ answers to challenges.',
  }),
  connection: directive([text('lines'), optional(text('x'))], {
    status: 'supported',
    inline: true,
    repeats: true,
    does: 'A remote with settings of its own.',
  }),
  'connect-retry': directive([seconds('seconds', 1), optional(seconds('most', 1))], {
    status: 'supported',
    roles: ['client', 'peer'],
    does: 'The pause between two attempts, and its upper bound.',
    connection: true,
  }),
  'connect-retry-max': directive([integer('attempts')], {
    status: 'supported',
    roles: ['client', 'peer'],
    does: 'How often the list of remotes is gone through.',
    connection: true,
  }),
  'connect-timeout': directive([seconds()], {
    status: 'supported',
    roles: ['client', 'peer'],
    does: 'How long to wait for a server’s first answer.',
    connection: true,
  }),
  'server-poll-timeout': directive([seconds()], {
    status: 'supported',
    roles: ['client', 'peer'],
    does: 'Another name of connect-timeout.',
    aliasOf: 'connect-timeout',
    connection: true,
  }),
  'explicit-exit-notify': directive([optional(integer('times'))], {
    status: 'supported',
    does: 'Says goodbye over UDP.',
    pushable: true,
    connection: true,
  }),
  'http-proxy': directive([host('server'), port(), optional(passwordFile('auth')), optional(text('method'))], {
    status: 'supported',
    roles: ['client', 'peer'],
    does: 'Connects through an HTTP proxy. TCP only.',
    connection: true,
  }),
  'http-proxy-option': directive(
    [choice('type', ['VERSION', 'AGENT', 'CUSTOM-HEADER']), optional(text('value')), optional(text('content'))],
    {
      check: checkProxyOption,
      status: 'supported',
      roles: ['client', 'peer'],
      does: 'What the HTTP proxy is told.',
      connection: true,
      repeats: true,
    },
  ),
  'http-proxy-override': directive([host('server'), port(), optional(checked('never', passwordFile('auth')))], {
    status: 'supported',
    roles: ['client', 'peer'],
    does: 'Puts an HTTP proxy in front of every remote.',
  }),
  'http-proxy-retry': directive([rest(text('word'))], {
    status: 'ignored',
    does: 'Failing proxies are always tried again.',
    inertSince: '2.4',
    connection: true,
    deprecated: { since: '2.4', instead: 'connect-retry' },
  }),
  'http-proxy-timeout': directive([seconds()], {
    status: 'supported',
    roles: ['client', 'peer'],
    does: 'An old name of connect-timeout.',
    aliasOf: 'connect-timeout',
    connection: true,
    deprecated: { since: '2.4', instead: 'connect-timeout' },
    counts: { '2.7': [0, 15] },
    inertSince: '2.7',
  }),
  'http-proxy-user-pass': directive([passwordFile(), rest(text('word'))], {
    status: 'supported',
    roles: ['client', 'peer'],
    inline: true,
    does: 'Name and password for the HTTP proxy.',
  }),
  inactive: directive([seconds(), optional(integer('bytes', 0, Number.MAX_SAFE_INTEGER))], {
    status: 'supported',
    does: 'Ends when the tunnel carries too little for so long.',
    pushable: true,
    perClient: true,
  }),
  preresolve: directive([optional(text('x'))], { status: 'host', does: 'Names are resolved by the host.' }),
  'proto-force': directive([remoteProtocol], {
    status: 'supported',
    roles: ['client', 'peer'],
    does: 'Uses only remotes of this transport.',
  }),
  pull: directive([], { status: 'supported', roles: ['client'], does: 'Takes settings from the server.' }),
  'pull-filter': directive([choice('action', ['accept', 'ignore', 'reject']), text('prefix')], {
    status: 'supported',
    roles: ['client'],
    does: 'Which pushed options are taken.',
    repeats: true,
  }),
  'push-peer-info': directive([], {
    status: 'supported',
    roles: ['client', 'peer'],
    does: 'Tells the server more about this end.',
  }),
  remote: directive([host(), optional(port()), optional(remoteProtocol)], {
    status: 'supported',
    roles: ['client', 'peer'],
    does: 'The peer’s address.',
    connection: true,
    repeats: true,
  }),
  'remote-random': directive([], {
    status: 'supported',
    roles: ['client', 'peer'],
    does: 'Tries the remotes in random order.',
  }),
  'remote-random-hostname': directive([], {
    status: 'supported',
    roles: ['client', 'peer'],
    does: 'Puts random letters before host names, against caches.',
  }),
  'resolv-retry': directive([custom('seconds', 'a number of seconds or "infinite"', retrySeconds, '2.7')], {
    status: 'supported',
    roles: ['client', 'peer'],
    does: 'How long to try to resolve a name.',
  }),
  'route-nopull': directive([], {
    status: 'supported',
    roles: ['client'],
    does: 'Takes no routes and no resolvers from the server.',
  }),
  'single-session': directive([], { status: 'ignored', does: 'A session is always single here.' }),
  'socks-proxy': directive([host('server'), optional(port()), optional(checked('never', passwordFile('authfile')))], {
    status: 'supported',
    roles: ['client', 'peer'],
    does: 'Connects through a SOCKS5 proxy.',
    connection: true,
  }),
  'socks-proxy-retry': directive([rest(text('word'))], {
    status: 'ignored',
    does: 'Failing proxies are always tried again.',
    inertSince: '2.4',
    connection: true,
    deprecated: { since: '2.4', instead: 'connect-retry' },
  }),
  'static-challenge': directive(
    [text('text'), choice('echo', ['0', '1'], '2.7'), optional(choice('format', ['scrv1', 'concat']))],
    {
      status: 'supported',
      roles: ['client'],
      does: 'A question that is answered together with the password.',
      counts: { '2.4': [2, 2], '2.5': [2, 2], '2.6': [2, 2] },
    },
  ),
} as const

function retrySeconds(word: string): number | 'infinite' | undefined {
  if (word === 'infinite') return word
  return /^\d{1,9}$/.test(word) ? Number(word) : undefined
}

/** `VERSION 1.1`, `AGENT text`, `CUSTOM-HEADER name [content]`. */
function checkProxyOption(words: readonly string[]): string | undefined {
  const fits = words[0] === 'CUSTOM-HEADER' ? words.length >= 2 : words.length === 2
  return fits ? undefined : 'behind VERSION and AGENT comes one word, behind CUSTOM-HEADER a name and its content'
}
