/**
 * Taking what a server pushed: the list of option texts in, {@link TunnelOptions} and every refusal with its reason out
 * (spec/push.md).
 *
 * Each text passes the caps, our own `pull-filter`, the lexer, the table of pushable options and its parser; whatever does
 * not pass is a {@link PushRefusal}, never an error. Only two things end the attempt: a `pull-filter reject`, and a
 * PUSH_UPDATE that insists on changing what cannot change.
 *
 * What was taken is kept as a list of lines ({@link PulledOptions}) and the options are their sum, so an update is list
 * work: it removes the lines of a group and adds others, and the sum is drawn again. The texts of an update's continued
 * parts must be given together (see `PushAssembler`), which makes "the first occurrence replaces" hold across parts.
 */
import { toHex, utf8Encode } from '../bytes/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import { createDraft, finishDraft, type PushProblem, tunnelAddress4 } from './push-draft.ts'
import { splitOptionWords } from './push-lexer.ts'
import { NOT_PULLABLE } from './push-refused.ts'
import { decodeTokenUser, PUSH_OPTIONS } from './push-table.ts'
import { PushedToken } from './pushed-token.ts'
import { isPlainAscii, printable } from './text.ts'
import type { PullFilter, PushRefusal, PushRefusalReason, TunnelOptions } from './tunnel-options.ts'

/** Most options taken, in one reply and after any number of updates. */
export const MAX_PULLED_OPTIONS = 4096
/** Most refusals reported; later ones are only counted. */
export const MAX_REFUSALS = 256

/** One option that was taken. */
export interface PulledLine {
  readonly name: string
  readonly args: readonly string[]
}

/** What is in force: input of a later update. Plain data. */
export interface PulledOptions {
  readonly device: 'tun' | 'tap'
  readonly lines: readonly PulledLine[]
}

/** How a client takes options. */
export interface PullPolicy {
  readonly device: 'tun' | 'tap'
  readonly filter?: PullFilter | undefined
  /** The lines are those of the client's own profile, which may say more than a server. Default false. */
  readonly own?: boolean
}

/** Result of a pull or an update. */
export type PullResult =
  | {
      readonly type: 'pulled'
      readonly options: TunnelOptions
      readonly state: PulledOptions
      readonly refused: readonly PushRefusal[]
      /** Refusals beyond {@link MAX_REFUSALS}. */
      readonly unreported: number
      /** A session token, when one was pushed. Not part of the options, because those are shown. */
      readonly token: PushedToken | undefined
    }
  /** The attempt must end: nothing is to be applied. */
  | {
      readonly type: 'rejected'
      readonly by: 'pull-filter' | 'not-updatable'
      /** Name of the option. */
      readonly option: string
    }

/** Collects refusals up to a cap. */
class Refusals {
  readonly list: PushRefusal[] = []
  unreported = 0

  add(option: string, text: string, reason: PushRefusalReason, detail: string): void {
    if (this.list.length >= MAX_REFUSALS) {
      this.unreported++
      return
    }
    const name = printable(option).slice(0, 64)
    // PUSH-7: a token never shows, not even where its option is malformed.
    const shown = isSecret(option) ? name : printable(text).slice(0, 256)
    this.list.push({ option: name, text: shown, reason, detail: printable(detail).slice(0, 256) })
  }
}

function isSecret(option: string): boolean {
  return option.startsWith('auth-token')
}

/** Token parts as they were pushed. */
interface TokenDraft {
  token: string | undefined
  username: string | undefined
}

/** A line taken, or what becomes of the text instead. */
type LineOutcome =
  | { readonly type: 'line'; readonly line: PulledLine; readonly update: string | undefined }
  | { readonly type: 'nothing' }
  | { readonly type: 'refused'; readonly name: string; readonly problem: PushProblem }

const NOTHING: LineOutcome = { type: 'nothing' }

/** Takes the options of a complete PUSH_REPLY. */
export function pullOptions(texts: readonly string[], policy: PullPolicy): PullResult {
  const refusals = new Refusals()
  const lines: PulledLine[] = []
  const token: TokenDraft = { token: undefined, username: undefined }
  for (const text of texts) {
    const verdict = filterText(text, policy.filter)
    if (verdict === 'reject') return { type: 'rejected', by: 'pull-filter', option: firstWord(text) }
    if (verdict === 'ignore') {
      refusals.add(firstWord(text), text, 'filtered', 'pull-filter ignore')
      continue
    }
    const outcome = readLine(text, policy, token)
    if (outcome.type === 'refused') refusals.add(outcome.name, text, outcome.problem.reason, outcome.problem.detail)
    else if (outcome.type === 'line') {
      if (lines.length < MAX_PULLED_OPTIONS) lines.push(outcome.line)
      else refusals.add(outcome.line.name, text, 'too-many', `at most ${MAX_PULLED_OPTIONS} options`)
    }
  }
  return sumUp({ device: policy.device, lines }, new Set(), refusals, token)
}

/**
 * Applies a complete PUSH_UPDATE to what is in force. PUSH-17, PUSH-18
 *
 * `-name` removes, `?name` may be unknown or fixed without harm, the first mention of a group in this update replaces all
 * that it held before.
 */
export function updateOptions(state: PulledOptions, texts: readonly string[], policy: PullPolicy): PullResult {
  const refusals = new Refusals()
  const token: TokenDraft = { token: undefined, username: undefined }
  const replaced = new Set<string>()
  let lines = [...state.lines]
  const dropGroup = (group: string): void => {
    lines = lines.filter((line) => PUSH_OPTIONS.get(line.name)?.update !== group)
  }
  for (const marked of texts) {
    const { text, remove, optional } = readMarks(marked)
    const verdict = filterText(text, policy.filter)
    if (verdict === 'reject') return { type: 'rejected', by: 'pull-filter', option: firstWord(text) }
    if (verdict === 'ignore') {
      refusals.add(firstWord(text), text, 'filtered', 'pull-filter ignore')
      continue
    }
    const name = firstWord(text)
    if (name === 'push-continuation' || name === '') continue
    const group = PUSH_OPTIONS.get(name)?.update
    if (group === undefined) {
      if (!optional) return { type: 'rejected', by: 'not-updatable', option: name }
      refusals.add(name, text, 'not-updatable', 'cannot change while the tunnel is up')
      continue
    }
    if (remove) {
      dropGroup(group)
      replaced.add(group)
      continue
    }
    const outcome = readLine(text, policy, token)
    if (outcome.type === 'refused') refusals.add(name, text, outcome.problem.reason, outcome.problem.detail)
    if (outcome.type !== 'line') continue
    const problem = PUSH_OPTIONS.get(name)?.apply(createDraft(state.device), outcome.line.args)
    if (problem !== undefined && problem.reason !== 'unknown-flag') {
      // What is in force stays when its replacement is no good.
      refusals.add(name, text, problem.reason, problem.detail)
      continue
    }
    if (!replaced.has(group)) {
      dropGroup(group)
      replaced.add(group)
    }
    if (lines.length < MAX_PULLED_OPTIONS) lines.push(outcome.line)
    else refusals.add(name, text, 'too-many', `at most ${MAX_PULLED_OPTIONS} options`)
  }
  return sumUp({ device: state.device, lines }, new Set(state.lines), refusals, token)
}

/** `-`, `?` and spaces in front of an updated option. */
function readMarks(text: string): { readonly text: string; readonly remove: boolean; readonly optional: boolean } {
  let start = 0
  while (start < text.length && '-? '.includes(text.charAt(start))) start++
  const marks = text.slice(0, start)
  return { text: text.slice(start), remove: marks.includes('-'), optional: marks.includes('?') }
}

/** PUSH-16: the first rule whose prefix fits decides; without one the option is accepted. */
function filterText(text: string, filter: PullFilter | undefined): 'accept' | 'ignore' | 'reject' {
  if (filter === undefined) return 'accept'
  const line = text.trimStart()
  for (const rule of filter.rules) if (line.startsWith(rule.prefix)) return rule.action
  return 'accept'
}

function firstWord(text: string): string {
  const line = text.trimStart()
  const end = line.search(/[ \t]/)
  return printable(end < 0 ? line : line.slice(0, end)).slice(0, 64)
}

function refused(name: string, reason: PushRefusalReason, detail: string): LineOutcome {
  return { type: 'refused', name, problem: { reason, detail } }
}

function readLine(text: string, policy: PullPolicy, token: TokenDraft): LineOutcome {
  const words = splitOptionWords(text)
  if (typeof words === 'string') return refused(firstWord(text), words, 'quoting or size')
  // `setenv opt` marks an option that older clients need not know.
  const [name, ...args] = words[0] === 'setenv' && words[1] === 'opt' ? words.slice(2) : words
  if (name === undefined || name === 'push-continuation') return NOTHING
  if (name === 'auth-token' || name === 'auth-token-user') return readToken(name, args, token)
  const option = PUSH_OPTIONS.get(name)
  if (option === undefined) {
    return NOT_PULLABLE.has(name)
      ? refused(name, 'not-pullable', 'no server may set this') // PUSH-5
      : refused(name, 'unknown-option', 'not an option that can be pushed') // PUSH-4
  }
  if (option.route === true && policy.filter?.routeNopull === true)
    return refused(name, 'route-nopull', 'route-nopull is set')
  if (args.length < option.min || args.length > option.max)
    return refused(name, 'wrong-argument-count', `${option.min} to ${option.max} arguments`)
  const word = policy.own === true ? undefined : wordForProfilesOnly(name, args)
  if (word !== undefined) return refused(name, 'bad-value', `${word} counts in the client's own profile only`)
  return { type: 'line', line: { name, args: args.map(printable) }, update: option.update }
}

/**
 * The word of an option that a client takes from its own profile and from no server: `default` for a netmask or gateway, and
 * the negative number of a name server, which puts it before all that servers push. PUSH-9, PUSH-13
 */
export function wordForProfilesOnly(name: string, args: readonly string[]): string | undefined {
  if (name === 'route') return args.slice(1, 3).find((word) => word === 'default')
  if (name === 'route-ipv6') return args[1] === 'default' ? args[1] : undefined
  if (name === 'dns' && args[0] === 'server') return args[1]?.startsWith('-') === true ? args[1] : undefined
  return undefined
}

function readToken(name: string, args: readonly string[], token: TokenDraft): LineOutcome {
  const value = args[0]
  if (args.length !== 1 || value === undefined || value === '')
    return refused(name, 'wrong-argument-count', 'one argument')
  if (name === 'auth-token') {
    if (!isPlainAscii(value)) return refused(name, 'bad-value', 'plain ASCII')
    token.token = value
    return NOTHING
  }
  const username = decodeTokenUser(value)
  if (username === undefined || username === '') return refused(name, 'bad-value', 'base64 of a username')
  token.username = username
  return NOTHING
}

/**
 * Draws the sum of the lines; lines that turn out wrong are refused and fall out of the state.
 *
 * @param judged - lines whose problems were reported before.
 */
function sumUp(
  state: PulledOptions,
  judged: ReadonlySet<PulledLine>,
  refusals: Refusals,
  token: TokenDraft,
): PullResult {
  const draft = createDraft(state.device)
  const lines: PulledLine[] = []
  for (const line of state.lines) {
    const problem = PUSH_OPTIONS.get(line.name)?.apply(draft, line.args)
    if (problem !== undefined && !judged.has(line))
      refusals.add(line.name, textOf(line), problem.reason, problem.detail)
    if (problem === undefined || problem.reason === 'unknown-flag') lines.push(line)
  }
  const ipv4 = tunnelAddress4(draft)
  if (ipv4 !== undefined && 'reason' in ipv4)
    refusals.add('ifconfig', `ifconfig ${(draft.ifconfig ?? []).join(' ')}`, ipv4.reason, ipv4.detail)
  for (const [number, server] of draft.dnsServers) {
    if (server.addresses.length === 0)
      refusals.add('dns', `dns server ${number}`, 'incomplete', 'a name server needs an address')
  }
  return {
    type: 'pulled',
    options: finishDraft(draft, ipv4 !== undefined && 'reason' in ipv4 ? undefined : ipv4),
    state: { device: state.device, lines },
    refused: refusals.list,
    unreported: refusals.unreported,
    token: token.token === undefined ? undefined : new PushedToken(token.token, token.username),
  }
}

function textOf(line: PulledLine): string {
  return [line.name, ...line.args].join(' ')
}

/** Nothing pushed at all: what a peer-to-peer session, or one without pull, starts from. */
export function emptyOptions(device: 'tun' | 'tap'): TunnelOptions {
  return finishDraft(createDraft(device), undefined)
}

/**
 * A fingerprint of everything that concerns the tunnel device, its addresses, routes and names: when it stays the same
 * over a reconnect, the device can stay open. Protocol options and texts do not count. PUSH-19
 */
export function tunnelDigest(crypto: CryptoProvider, options: TunnelOptions): string {
  const tunnel = { ...options, protocol: undefined, echo: undefined, variables: undefined }
  return toHex(
    crypto
      .createHash('SHA256')
      .update(utf8Encode(JSON.stringify(tunnel)))
      .finish(),
  )
}

/** The tunnel's far ends: where an IPv4 and an IPv6 packet to "the gateway" go. */
export function tunnelGateways(options: TunnelOptions): {
  readonly ipv4: string | undefined
  readonly ipv6: string | undefined
} {
  const named = options.routeGateway === 'dhcp' ? undefined : options.routeGateway
  return { ipv4: named ?? options.ipv4?.peer, ipv6: options.route6Gateway ?? options.ipv6?.peer }
}
