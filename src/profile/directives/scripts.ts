/**
 * Directives that call something outside: commands, plugins, the management socket, hardware keys.
 *
 * Nothing is run here. Commands and plugins are decisions of the host, which gets events where the reference calls them.
 */
import {
  choice,
  command,
  custom,
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

const EVENT = 'The host gets an event.'
const NO_SOCKET = 'The library is driven by calls, not by a management socket.'
const HARDWARE = 'The host signs: the session asks for signatures.'
const SERVER = ['server'] as const

/** Management sockets are named by a port, or by the word unix. */
const managementPort = custom('port', 'a port number or "unix"', readPort)

/** Commands, plugins, management socket, hardware keys. */
export const scriptDirectives = {
  'auth-user-pass-verify': directive([command(), optional(choice('method', ['via-env', 'via-file']))], {
    status: 'host',
    roles: SERVER,
    does: 'The host judges logins.',
  }),
  'client-connect': directive([command()], { status: 'host', program: true, roles: SERVER, does: EVENT }),
  'client-disconnect': directive([command()], { status: 'host', program: true, roles: SERVER, does: EVENT }),
  'dns-updown': directive([command()], { status: 'host', program: true, since: '2.7', does: EVENT }),
  down: directive([command()], { status: 'host', program: true, does: EVENT }),
  'down-pre': directive([], { status: 'host', does: EVENT }),
  ipchange: directive([command()], { status: 'host', program: true, does: EVENT }),
  'learn-address': directive([command()], { status: 'host', program: true, roles: SERVER, does: EVENT }),
  'route-pre-down': directive([command()], { status: 'host', program: true, does: EVENT }),
  'route-up': directive([command()], { status: 'host', program: true, does: EVENT }),
  up: directive([command()], { status: 'host', program: true, does: EVENT }),
  'up-delay': directive([], { status: 'host', does: EVENT }),
  'up-restart': directive([], { status: 'host', does: EVENT }),
  plugin: directive([path('module'), rest(text('word'))], {
    status: 'host',
    program: true,
    repeats: true,
    does: 'Modules of the reference can’t be loaded, and the host decides by itself.',
  }),
  management: directive([host('address'), managementPort, optional(path('password-file'))], {
    status: 'ignored',
    does: NO_SOCKET,
  }),
  'management-client': directive([optional(text('x'))], {
    status: 'ignored',
    does: NO_SOCKET,
    counts: { '2.6': [0, 0], '2.7': [0, 0] },
  }),
  'management-client-auth': directive([], { status: 'host', roles: SERVER, does: 'The host judges logins.' }),
  'management-client-group': directive([text('group')], { status: 'ignored', does: NO_SOCKET }),
  'management-client-pf': directive([], { status: 'ignored', until: '2.5', does: NO_SOCKET }),
  'management-client-user': directive([text('user')], { status: 'ignored', does: NO_SOCKET }),
  'management-external-cert': directive([text('hint')], { status: 'host', does: 'The host supplies the certificate.' }),
  'management-external-key': directive([rest(text('method'))], {
    status: 'host',
    does: HARDWARE,
    counts: { '2.4': [0, 0] },
  }),
  'management-forget-disconnect': directive([], { status: 'ignored', does: NO_SOCKET }),
  'management-hold': directive([], { status: 'ignored', does: NO_SOCKET }),
  'management-log-cache': directive([rangedInteger('lines', 1, 1_000_000)], { status: 'ignored', does: NO_SOCKET }),
  'management-query-passwords': directive([], { status: 'host', does: 'The host is asked for passwords.' }),
  'management-query-proxy': directive([], { status: 'host', does: 'The host chooses the proxy.' }),
  'management-query-remote': directive([], { status: 'host', does: 'The host chooses the remote.' }),
  'management-signal': directive([], { status: 'ignored', does: NO_SOCKET }),
  'management-up-down': directive([], { status: 'ignored', does: NO_SOCKET }),
  'pkcs11-cert-private': directive([rest(integer('flag', -2_147_483_648))], { status: 'ignored', does: HARDWARE }),
  'pkcs11-id': directive([text('id')], { status: 'host', does: HARDWARE }),
  'pkcs11-id-management': directive([], { status: 'host', does: HARDWARE }),
  'pkcs11-pin-cache': directive([seconds()], { status: 'ignored', does: HARDWARE }),
  'pkcs11-private-mode': directive([text('mode'), rest(text('mode'))], { status: 'ignored', does: HARDWARE }),
  'pkcs11-protected-authentication': directive([rest(integer('flag', -2_147_483_648))], {
    status: 'ignored',
    does: HARDWARE,
  }),
  'pkcs11-providers': directive([path('module'), rest(path('module'))], { status: 'host', does: HARDWARE }),
} as const

function readPort(word: string): number | 'unix' | undefined {
  return word === 'unix' ? word : port('port', 0).read(word)
}
