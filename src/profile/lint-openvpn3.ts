/**
 * Will OpenVPN 3 take this profile: the client core of the Connect apps and of the Linux client `openvpn3`.
 *
 * It reads clients' profiles only and sorts what it does not do into kinds (`openvpn3-names.ts`): some directives stop it,
 * some are passed over with a warning, some only a server may push. `setenv opt` and `ignore-unknown-option` help against
 * what it does not know, not against what it knows and refuses; `setenv FORWARD_COMPATIBLE 1` means nothing to it.
 */
import { type Entry, isForwardCompatible } from './entry.ts'
import { type Openvpn3Kind, openvpn3Kind } from './openvpn3-names.ts'
import { openvpn3Remedy } from './openvpn3-words.ts'
import type { ProblemCode, ProblemSeverity, ProfileProblem } from './problem.ts'
import { unreadDirectives } from './problem-order.ts'
import { type Profile, startOf } from './profile.ts'
import { shown } from './read-words.ts'
import { applyRule } from './rules.ts'
import { contentRules } from './rules/contents.ts'
import { RuleView } from './rules/rule.ts'
import { directiveRow } from './table.ts'

const KINDS: Readonly<
  Record<Exclude<Openvpn3Kind, 'read'>, readonly [ProblemCode, ProblemSeverity, message: string, remedy: string]>
> = {
  server: ['not-in-release', 'error', 'OpenVPN 3 is a client and takes no directives of servers', 'take it out'],
  missing: ['not-in-release', 'error', 'OpenVPN 3 does not have it', 'take it out, or put "setenv opt" before it'],
  never: ['not-in-release', 'error', 'OpenVPN 3 does not have it, nor can it talk to who needs it', 'take it out'],
  'passed-over': ['ignored', 'warning', 'OpenVPN 3 passes over it', 'leave it, unless you rely on it'],
  'push-only': [
    'not-in-release',
    'error',
    'OpenVPN 3 takes it from the server only',
    'take it out; let the server push it',
  ],
  script: ['ignored', 'warning', 'OpenVPN 3 runs no scripts and loads no plugins', 'leave it, unless you rely on it'],
  command: ['not-in-release', 'error', 'it is a command of the 2.x program', 'take it out'],
  removed: ['not-in-release', 'error', 'OpenVPN 3 counts it as removed', 'take it out'],
}

/** Kinds that a profile can allow to be unknown. */
const FORGIVABLE: ReadonlySet<Openvpn3Kind> = new Set(['missing', 'passed-over', 'script'])

/** Whose contents it looks at before it starts. */
const OPENED: ReadonlySet<string> = new Set(['ca', 'cert', 'key', 'tls-auth', 'tls-crypt', 'tls-crypt-v2'])

const WRAPS = ['tls-auth', 'tls-crypt', 'tls-crypt-v2'] as const

/** Findings about a profile in the eyes of OpenVPN 3. */
export function lintOpenvpn3(profile: Profile): ProfileProblem[] {
  const found = profile.entries.flatMap((entry) => lintEntry(entry, profile))
  const view = new RuleView(profile, undefined)
  const isUnread = unreadDirectives(profile)
  for (const rule of contentRules) {
    if (OPENED.has(rule.directive)) found.push(...applyRule(rule, view, 'error', 'openvpn3'))
  }
  const need = (directive: string, message: string, remedy: string, severity: ProblemSeverity = 'error'): void => {
    if (isUnread(directive)) return
    const own = profile.entry(directive as 'dev')?.place
    const { file, line, column } = own ?? startOf(profile)
    const place = { file, line, column, ...(own === undefined ? { ofWhole: true as const } : {}) }
    found.push({ ...place, code: 'dependency', severity, directive, message, remedy, since: 'openvpn3' })
  }
  if (!profile.has('client') && !(profile.has('tls-client') && profile.has('pull'))) {
    need('client', 'OpenVPN 3 is a client, and pulls', 'add "client"')
  }
  if (!profile.has('remote') && profile.connections.every(({ remote }) => remote === undefined)) {
    need('remote', 'a client needs somebody to call', 'add "remote HOST PORT"')
  }
  const device = profile.value('dev-type')?.[0] ?? profile.entry('dev')?.words[0]
  if (device?.startsWith('tap') === true) need('dev', 'OpenVPN 3 carries IP packets only', 'use "dev tun" on both ends')
  else if (device?.startsWith('tun') === false)
    need('dev', 'it says nothing of the kind of device', 'add "dev-type tun"')
  if (!profile.has('ca') && !profile.has('peer-fingerprint')) {
    need('ca', 'there is nothing to judge the server’s certificate by', 'add "ca"')
  }
  const without = profile.has('client-cert-not-required') || setenv(profile, 'CLIENT_CERT')?.words[1] === '0'
  if (!without && !(profile.has('cert') && profile.has('key'))) {
    const message = 'without a certificate and its key it asks the device for one'
    need('cert', message, 'add both, or "setenv CLIENT_CERT 0"', 'warning')
  }
  const wraps = WRAPS.filter((name) => profile.has(name))
  if (wraps.length > 1) need(wraps[1] as string, `it is one of ${wraps.join(' and ')}`, 'take one out')
  if (profile.has('http-proxy') && profile.connections.every(({ protocol }) => protocol !== 'tcp')) {
    need('http-proxy', 'an HTTP proxy carries TCP, and no remote is reached by it', 'add "proto tcp"')
  }
  return [...found, ...unknownNames(profile)]
}

function lintEntry(entry: Entry, profile: Profile): ProfileProblem[] {
  const kind = kindOf(entry, profile)
  const place = { ...entry.place, directive: entry.name, since: 'openvpn3' as const }
  if (kind === 'read') {
    const remedy = openvpn3Remedy(entry, profile)
    if (remedy === undefined) return []
    return [
      { ...place, code: 'bad-argument', severity: 'error', message: `OpenVPN 3 does not take ${quote(entry)}`, remedy },
    ]
  }
  const [code, severity, message, remedy] = KINDS[kind]
  const allowed = FORGIVABLE.has(kind) && (entry.behindSetenvOpt || profile.ignorable.has(entry.name))
  return [{ ...place, code, severity: allowed ? 'note' : severity, message, remedy }]
}

/** The words of a directive, as far as they may be shown: of variables only the name. PROF-20 */
function quote({ name, row, words }: Entry): string {
  const open = name === 'setenv' ? words.slice(0, 1) : words
  if (open.length === 0 || row.arguments.some(({ secret }) => secret)) return 'its words'
  return `"${shown(open.join(' '))}"`
}

/** In a connection block it looks for what it knows and leaves the rest alone; what belongs to a proxy it looks for with one. */
function kindOf(entry: Entry, profile: Profile): Openvpn3Kind {
  const isLeftAlone =
    entry.connection !== undefined || (entry.name === 'http-proxy-option' && profile.has('http-proxy'))
  return isLeftAlone ? 'read' : openvpn3Kind(entry.name)
}

/** What no release knows, and only FORWARD_COMPATIBLE allows. */
function unknownNames(profile: Profile): ProfileProblem[] {
  if (!profile.entries.some(isForwardCompatible)) return []
  return profile.readProblems
    .filter(({ code, directive }) => code === 'ignored' && directiveRow(directive) === undefined)
    .filter(({ directive }) => !profile.ignorable.has(directive))
    .map((problem) => ({
      ...problem,
      code: 'unknown-directive' as const,
      severity: 'error' as const,
      message: 'OpenVPN 3 takes no FORWARD_COMPATIBLE for an excuse',
      remedy: 'take it out, or put "setenv opt" before it',
      since: 'openvpn3' as const,
    }))
}

function setenv(profile: Profile, name: string): Entry | undefined {
  return profile.entries.find((entry) => entry.name === 'setenv' && entry.words[0] === name)
}
