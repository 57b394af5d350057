/**
 * Directives about the process: identity, logging, environment, files of its own.
 *
 * Most of them speak to a daemon. This library is none, so the host gets them as data or they have no effect.
 */
import { choice, custom, file, integer, optional, path, rangedInteger, rest, seconds, text, word } from '../argument.ts'
import { directive } from '../directive.ts'
import { digestName } from '../openssl-names.ts'

const NO_DAEMON = 'The library is no daemon.'
const HOST_LOG = 'Logging is the host’s.'

/** Process, logging and environment. */
export const generalDirectives = {
  cd: directive([path('directory')], {
    status: 'supported',
    does: 'Relative file names start here instead of at the profile.',
  }),
  chroot: directive([path('directory')], { status: 'ignored', does: NO_DAEMON }),
  'compat-mode': directive([custom('version', 'a release such as 2.4.0', releaseNumber), optional(text('x'))], {
    status: 'supported',
    since: '2.6',
    does: 'Falls back to the defaults of an older release.',
    danger: 'it brings back defaults that were given up for good reasons',
    counts: { '2.6': [1, 2], '2.7': [1, 2] },
  }),
  config: directive([file()], { status: 'supported', does: 'Includes another file.', repeats: true }),
  daemon: directive([optional(text('name'))], { status: 'ignored', does: NO_DAEMON }),
  'disable-occ': directive([], {
    status: 'ignored',
    does: 'The options string is never held against a peer here.',
    deprecated: { since: '2.4', instead: 'leave it out' },
  }),
  echo: directive([rest(text('word'))], {
    status: 'host',
    does: 'Words for the host’s user interface.',
    pushable: true,
    repeats: true,
  }),
  parameter: directive([rest(text('word'))], {
    status: 'host',
    does: 'Words for the host’s user interface.',
    pushable: true,
    repeats: true,
  }),
  engine: directive([optional(text('name'))], { status: 'ignored', does: 'There is no OpenSSL here to load engines.' }),
  'errors-to-stderr': directive([], { status: 'ignored', does: HOST_LOG, pushable: true }),
  gremlin: directive([integer('mask', 0)], {
    status: 'ignored',
    does: 'A built-in fault injector; the simulator does that here.',
  }),
  group: directive([text('name')], { status: 'ignored', does: NO_DAEMON }),
  'ignore-unknown-option': directive([text('name'), rest(text('name'))], {
    status: 'supported',
    does: 'Names that may be unknown.',
    repeats: true,
  }),
  iproute: directive([path('program')], {
    status: 'ignored',
    program: true,
    only: 'special',
    does: 'Addresses and routes are set by the host.',
  }),
  'keying-material-exporter': directive(
    [
      custom('label', 'a label that starts with EXPORTER', exporterLabel),
      rangedInteger('length', 16, 4095),
      rest(text('more')),
    ],
    {
      status: 'host',
      does: 'Key material for the host’s own use, through the session’s exporter.',
    },
  ),
  log: directive([path('file')], { status: 'host', does: HOST_LOG }),
  'log-append': directive([path('file')], { status: 'host', does: HOST_LOG }),
  'machine-readable-output': directive([], { status: 'ignored', does: HOST_LOG }),
  memstats: directive([path('file')], { status: 'ignored', until: '2.6', does: NO_DAEMON }),
  mlock: directive([], { status: 'ignored', does: 'A library can not pin the host’s memory.' }),
  mute: directive([integer('lines')], { status: 'host', does: HOST_LOG, pushable: true }),
  'mute-replay-warnings': directive([], { status: 'ignored', does: 'Replays are counted, not logged.' }),
  nice: directive([integer('level', -20)], { status: 'ignored', does: NO_DAEMON }),
  'no-name-remapping': directive([], {
    status: 'ignored',
    fatalSince: '2.5',
    does: 'Names are never rewritten here.',
    deprecated: { since: '2.4', instead: 'leave it out' },
  }),
  'compat-names': directive([rest(text('word'))], {
    status: 'ignored',
    since: '2.5',
    does: 'Names are never rewritten here.',
    fatalSince: '2.5',
  }),
  providers: directive([text('name'), rest(text('name'))], {
    status: 'ignored',
    since: '2.6',
    does: 'There is no OpenSSL here to load providers.',
  }),
  prng: directive([digestName(), optional(rangedInteger('length', 16, 64))], {
    inertSince: '2.6',
    status: 'ignored',
    does: 'Randomness comes from the host.',
    deprecated: { since: '2.6', instead: 'leave it out' },
  }),
  'remap-usr1': directive([choice('signal', ['SIGHUP', 'SIGTERM'])], { status: 'ignored', does: NO_DAEMON }),
  'script-security': directive([integer('level', 0, 3)], {
    status: 'host',
    does: 'Which commands the host may run.',
  }),
  setcon: directive([text('context')], { status: 'ignored', only: 'special', does: NO_DAEMON }),
  setenv: directive([word('name', 2), optional(text('value'))], {
    status: 'host',
    does: 'A variable for the host; `opt`, `CLIENT_CERT` and a few others steer the reader and the session.',
    repeats: true,
  }),
  'setenv-safe': directive([text('name'), optional(text('value'))], {
    status: 'host',
    does: 'A variable for the host, prefixed with OPENVPN_.',
    pushable: true,
    repeats: true,
  }),
  status: directive([path('file'), optional(seconds())], {
    status: 'host',
    does: 'Where the host may write counters.',
  }),
  'status-version': directive([rangedInteger('version', 1, 3)], {
    status: 'host',
    does: 'The form of the status file.',
  }),
  'suppress-timestamps': directive([], { status: 'ignored', does: HOST_LOG }),
  syslog: directive([optional(text('name'))], { status: 'ignored', does: HOST_LOG }),
  'test-crypto': directive([], { status: 'ignored', does: 'A self-test of the reference.', tool: true }),
  'tmp-dir': directive([path('directory')], { status: 'ignored', does: 'Nothing is written to disk.' }),
  'use-prediction-resistance': directive([], {
    status: 'ignored',
    only: 'special',
    does: 'Randomness comes from the host.',
  }),
  user: directive([text('name')], { status: 'ignored', does: NO_DAEMON }),
  verb: directive([integer('level')], { status: 'host', does: HOST_LOG, pushable: true }),
  writepid: directive([path('file')], { status: 'ignored', does: NO_DAEMON }),
  inetd: directive([optional(text('mode')), optional(text('name'))], {
    status: 'refused',
    until: '2.5',
    does: 'There is no super-server that hands sockets over.',
  }),
} as const

function releaseNumber(word: string): string | undefined {
  return /^\d+\.\d+(\.\d+)?/.test(word) ? word : undefined
}

function exporterLabel(word: string): string | undefined {
  return word.startsWith('EXPORTER') ? word : undefined
}
