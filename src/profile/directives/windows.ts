/**
 * Directives that only the reference's Windows builds act on. On other systems most of them are not even known.
 */
import { choice, integer, optional, path, rest, text } from '../argument.ts'
import { directive } from '../directive.ts'

const WINDOWS = 'A setting of the Windows adapter, for the host.'

/** Settings of the Windows adapter and service. */
export const windowsDirectives = {
  'allow-nonadmin': directive([optional(text('adapter'))], {
    status: 'ignored',
    only: 'Windows',
    tool: true,
    does: WINDOWS,
  }),
  'block-outside-dns': directive([], { status: 'host', only: 'Windows', pushable: true, does: WINDOWS }),
  cryptoapicert: directive([text('select')], {
    status: 'host',
    only: 'Windows',
    does: 'The host signs: the session asks for signatures.',
  }),
  'dhcp-pre-release': directive([], { status: 'host', only: 'Windows', pushable: true, does: WINDOWS }),
  'dhcp-release': directive([], { status: 'host', only: 'Windows', pushable: true, does: WINDOWS }),
  'dhcp-renew': directive([], { status: 'host', only: 'Windows', pushable: true, does: WINDOWS }),
  'ip-win32': directive(
    [
      choice('method', ['manual', 'dynamic', 'netsh', 'ipapi', 'adaptive']),
      optional(text('offset')),
      optional(integer('lease')),
    ],
    { status: 'host', only: 'Windows', pushable: true, does: WINDOWS },
  ),
  'msg-channel': directive([text('handle'), rest(text('word'))], {
    status: 'ignored',
    fatalSince: '2.4',
    does: 'Internal to the Windows service.',
  }),
  'pause-exit': directive([], { status: 'ignored', only: 'Windows', does: 'A console window of the reference.' }),
  'register-dns': directive([], { status: 'host', only: 'Windows', pushable: true, does: WINDOWS }),
  'route-method': directive([choice('method', ['adaptive', 'ipapi', 'exe', 'service'], 'never')], {
    status: 'host',
    pushable: true,
    does: WINDOWS,
  }),
  service: directive([text('event'), optional(integer('state'))], {
    status: 'ignored',
    only: 'Windows',
    does: 'Internal to the Windows service.',
  }),
  'show-net-up': directive([], {
    status: 'ignored',
    only: 'Windows',
    pushable: true,
    does: 'Diagnostics of the reference.',
  }),
  'tap-sleep': directive([integer('seconds', 0, 255)], {
    status: 'host',
    only: 'Windows',
    pushable: true,
    does: WINDOWS,
  }),
  'win-sys': directive([path('path')], { status: 'ignored', only: 'Windows', does: 'Nothing is run here.' }),
  'windows-driver': directive([choice('driver', ['tap-windows6', 'wintun', 'ovpn-dco'])], {
    status: 'host',
    only: 'Windows',
    since: '2.5',
    does: WINDOWS,
  }),
} as const
