/**
 * The control messages: one typed union, read from and written to text (spec/messages.md).
 *
 * The reference matches by prefix, in a fixed order, and so does this parser: `AUTH_FAILED`, `PUSH_…`, `RESTART`, `HALT`,
 * `INFO_PRE`, `INFO`, `CR_RESPONSE`, `AUTH_PENDING`, `EXIT`. Anything else is `unknown`, kept as text for a log. Optional
 * flags that are malformed are left out rather than refused: a server that means "stop" must be understood even where it
 * spells the detail badly. Input is text from `splitControlText`, so every string in a result is safe to show.
 */
import { UsageError } from '../bytes/index.ts'
import { type DynamicChallengeText, parseDynamicChallenge, writeDynamicChallenge } from './challenge.ts'
import { parseDecimal } from './text.ts'

/** Where to connect next after a temporary refusal. */
export type AdvanceHint = 'no' | 'remote' | 'addr'

/** A question or page that the server shows before it decides about the login (`INFO_PRE`). */
export type PendingRequest =
  /** Ask the user; answer with CR_RESPONSE. */
  | {
      readonly type: 'text'
      readonly text: string
      /** The answer may be shown while typed. */
      readonly echo: boolean
      /** An answer is expected. */
      readonly responseRequired: boolean
    }
  /** Show a page in a web view. */
  | { readonly type: 'web-auth'; readonly url: string; readonly flags: readonly string[] }
  /** Open a page in the user's browser. */
  | { readonly type: 'open-url'; readonly url: string }
  /** Any other text. */
  | { readonly type: 'other'; readonly text: string }

/** What AUTH_FAILED says beyond the refusal. */
export type AuthFailure =
  /** No way in with this login. */
  | { readonly type: 'refused'; readonly message: string }
  /** The session token ran out or was revoked: log in again with real credentials. */
  | { readonly type: 'session'; readonly message: string }
  /** Try again, after `backoffSeconds` and where `advance` says; absent: as configured. */
  | {
      readonly type: 'temporary'
      readonly message: string
      readonly backoffSeconds: number | undefined
      readonly advance: AdvanceHint | undefined
    }
  /** Ask the user and log in again with the answer as password (`writeDynamicResponse`). */
  | { readonly type: 'challenge'; readonly challenge: DynamicChallengeText }

/** One control message. */
export type ControlMessage =
  | { readonly type: 'push-request' }
  /** The comma list behind `PUSH_REPLY,`; empty when there is none. Feed it to a `PushAssembler`. */
  | { readonly type: 'push-reply'; readonly options: string }
  | { readonly type: 'push-update'; readonly options: string }
  | { readonly type: 'auth-failed'; readonly failure: AuthFailure }
  /** The login is being decided elsewhere; `timeoutSeconds` when the server tells how long that may take. */
  | { readonly type: 'auth-pending'; readonly timeoutSeconds: number | undefined }
  | { readonly type: 'info'; readonly text: string }
  | { readonly type: 'info-pre'; readonly request: PendingRequest }
  /** Reconnect. `advance`: to the next server (flag N). `keepCredentials`: with the same login (flag P). */
  | {
      readonly type: 'restart'
      readonly advance: boolean
      readonly keepCredentials: boolean
      readonly text: string
    }
  /** Stop. */
  | { readonly type: 'halt'; readonly keepCredentials: boolean; readonly text: string }
  /** The answer to a text request, base64 as sent. */
  | { readonly type: 'cr-response'; readonly response: string }
  | { readonly type: 'exit' }
  | { readonly type: 'unknown'; readonly text: string }

/** Longest time that AUTH_PENDING can ask for, in seconds: one day. */
export const MAX_AUTH_PENDING = 86_400
/** Longest back-off that AUTH_FAILED,TEMP can ask for, in seconds: one day. */
export const MAX_SERVER_BACKOFF = 86_400

/** Reads one message. MSG-5 */
export function parseControlMessage(text: string): ControlMessage {
  if (text.startsWith('AUTH_FAILED')) return { type: 'auth-failed', failure: parseAuthFailure(text.slice(11)) }
  if (text.startsWith('PUSH_')) return parsePush(text)
  if (text.startsWith('RESTART')) return { type: 'restart', ...parseSignal(text.slice(7)) }
  if (text.startsWith('HALT')) {
    const { keepCredentials, text: message } = parseSignal(text.slice(4))
    return { type: 'halt', keepCredentials, text: message }
  }
  if (text.startsWith('INFO_PRE')) return { type: 'info-pre', request: parsePendingRequest(behindComma(text.slice(8))) }
  if (text.startsWith('INFO')) return { type: 'info', text: behindComma(text.slice(4)) }
  if (text.startsWith('CR_RESPONSE')) return { type: 'cr-response', response: behindComma(text.slice(11)) }
  if (text.startsWith('AUTH_PENDING')) return { type: 'auth-pending', timeoutSeconds: parsePending(text.slice(12)) }
  if (text.startsWith('EXIT')) return { type: 'exit' }
  return { type: 'unknown', text }
}

function parsePush(text: string): ControlMessage {
  if (text === 'PUSH_REQUEST') return { type: 'push-request' }
  if (text === 'PUSH_REPLY') return { type: 'push-reply', options: '' }
  if (text.startsWith('PUSH_REPLY,')) return { type: 'push-reply', options: text.slice(11) }
  if (text.startsWith('PUSH_UPDATE,')) return { type: 'push-update', options: text.slice(12) }
  return { type: 'unknown', text }
}

function behindComma(rest: string): string {
  return rest.startsWith(',') ? rest.slice(1) : ''
}

/** MSG-6: what follows `AUTH_FAILED`. */
function parseAuthFailure(rest: string): AuthFailure {
  const reason = behindComma(rest)
  if (reason.startsWith('TEMP')) return parseTemporary(reason.slice(4))
  if (reason.startsWith('CRV1:')) {
    const challenge = parseDynamicChallenge(reason)
    if (challenge !== undefined) return { type: 'challenge', challenge }
  }
  if (reason.startsWith('SESSION:')) return { type: 'session', message: reason.slice(8).trimStart() }
  return { type: 'refused', message: reason }
}

/** MSG-7: `[backoff N,advance X]:text`; unknown or bad flags are left out. */
function parseTemporary(rest: string): AuthFailure {
  let message = rest
  let backoffSeconds: number | undefined
  let advance: AdvanceHint | undefined
  const close = rest.indexOf(']')
  if (rest.startsWith('[') && close > 0) {
    message = rest.slice(close + 1)
    for (const flag of rest.slice(1, close).split(',')) {
      const [name, value = ''] = flag.split(' ', 2)
      if (name === 'backoff') backoffSeconds = parseDecimal(value, 0, MAX_SERVER_BACKOFF) ?? backoffSeconds
      else if (name === 'advance' && (value === 'no' || value === 'remote' || value === 'addr')) advance = value
    }
  }
  return { type: 'temporary', message: message.startsWith(':') ? message.slice(1) : '', backoffSeconds, advance }
}

/** MSG-8: N moves to the next server, P preserves the credentials; no flag means neither. */
function parseSignal(rest: string): { advance: boolean; keepCredentials: boolean; text: string } {
  const text = behindComma(rest)
  if (!text.startsWith('[')) return { advance: false, keepCredentials: false, text }
  const close = text.indexOf(']')
  const flags = text.slice(1, close < 0 ? undefined : close)
  const message = close < 0 ? '' : text.slice(close + 1)
  return { advance: flags.includes('N'), keepCredentials: flags.includes('P'), text: message }
}

/** MSG-9: the last readable `timeout N`; a number out of range is as none. */
function parsePending(rest: string): number | undefined {
  let timeout: number | undefined
  for (const item of behindComma(rest).split(',')) {
    if (item.startsWith('timeout ')) timeout = parseDecimal(item.slice(8), 1, MAX_AUTH_PENDING)
  }
  return timeout
}

/** MSG-10 */
function parsePendingRequest(text: string): PendingRequest {
  const [kind, flagText, rest] = splitFields(text)
  const flags = flagText === '' ? [] : flagText.split(',')
  if (kind === 'CR_TEXT' && rest !== undefined)
    return { type: 'text', text: rest, echo: flags.includes('E'), responseRequired: flags.includes('R') }
  if (kind === 'WEB_AUTH' && rest !== undefined && isWebAddress(rest)) return { type: 'web-auth', url: rest, flags }
  if (kind === 'OPEN_URL') {
    const url = text.slice('OPEN_URL:'.length)
    if (isWebAddress(url)) return { type: 'open-url', url }
  }
  return { type: 'other', text }
}

/** `kind:flags:rest`, where the rest may hold more colons. */
function splitFields(text: string): readonly [kind: string, flags: string, rest: string | undefined] {
  const first = text.indexOf(':')
  if (first < 0) return [text, '', undefined]
  const second = text.indexOf(':', first + 1)
  if (second < 0) return [text.slice(0, first), text.slice(first + 1), undefined]
  return [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)]
}

/** MSG-11: a page is only handed on when it is http or https and has nothing in it that a shell would read as its own. */
function isWebAddress(url: string): boolean {
  return /^https?:\/\/[A-Za-z0-9._~:/?#[\]@!&*+,;=%-]{1,2000}$/.test(url)
}

/**
 * The text of a message.
 *
 * @throws UsageError when a field cannot be written so that it reads back the same.
 */
export function writeControlMessage(message: ControlMessage): string {
  switch (message.type) {
    case 'push-request':
      return 'PUSH_REQUEST'
    case 'push-reply':
      return message.options === '' ? 'PUSH_REPLY' : `PUSH_REPLY,${message.options}`
    case 'push-update':
      return `PUSH_UPDATE,${message.options}`
    case 'auth-failed':
      return writeAuthFailure(message.failure)
    case 'auth-pending':
      return message.timeoutSeconds === undefined
        ? 'AUTH_PENDING'
        : `AUTH_PENDING,timeout ${inRange(message.timeoutSeconds, 1, MAX_AUTH_PENDING)}`
    case 'info':
      return `INFO,${message.text}`
    case 'info-pre':
      return `INFO_PRE,${writePendingRequest(message.request)}`
    case 'restart':
      return `RESTART${writeSignal(message.advance, message.keepCredentials, message.text)}`
    case 'halt':
      return `HALT${writeSignal(false, message.keepCredentials, message.text)}`
    case 'cr-response':
      return `CR_RESPONSE,${message.response}`
    case 'exit':
      return 'EXIT'
    case 'unknown':
      return message.text
  }
}

function writeAuthFailure(failure: AuthFailure): string {
  switch (failure.type) {
    case 'refused':
      if (/^(TEMP|CRV1:|SESSION:)/.test(failure.message))
        throw new UsageError('a refusal cannot begin with a word that has a meaning of its own')
      return failure.message === '' ? 'AUTH_FAILED' : `AUTH_FAILED,${failure.message}`
    case 'session':
      return `AUTH_FAILED,SESSION: ${failure.message}`
    case 'temporary': {
      const flags: string[] = []
      if (failure.backoffSeconds !== undefined)
        flags.push(`backoff ${inRange(failure.backoffSeconds, 0, MAX_SERVER_BACKOFF)}`)
      if (failure.advance !== undefined) flags.push(`advance ${failure.advance}`)
      const list = flags.length === 0 ? '' : `[${flags.join(',')}]`
      return `AUTH_FAILED,TEMP${list}${failure.message === '' ? '' : `:${failure.message}`}`
    }
    case 'challenge':
      return `AUTH_FAILED,${writeDynamicChallenge(failure.challenge)}`
  }
}

function writeSignal(advance: boolean, keepCredentials: boolean, text: string): string {
  const flags = `${advance ? 'N' : ''}${keepCredentials ? 'P' : ''}`
  if (flags === '') {
    if (text.startsWith('[')) throw new UsageError('a text that begins with a bracket would be read as flags')
    return text === '' ? '' : `,${text}`
  }
  return `,[${flags}]${text}`
}

function writePendingRequest(request: PendingRequest): string {
  switch (request.type) {
    case 'text': {
      const flags = [...(request.responseRequired ? ['R'] : []), ...(request.echo ? ['E'] : [])]
      return `CR_TEXT:${flags.join(',')}:${request.text}`
    }
    case 'web-auth':
      if (request.flags.some((flag) => /[:,]/.test(flag))) throw new UsageError('a flag holds no colon and no comma')
      return `WEB_AUTH:${request.flags.join(',')}:${webAddress(request.url)}`
    case 'open-url':
      return `OPEN_URL:${webAddress(request.url)}`
    case 'other':
      return request.text
  }
}

function webAddress(url: string): string {
  if (!isWebAddress(url)) throw new UsageError('not an http or https address')
  return url
}

function inRange(value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) throw new UsageError(`not within ${min} to ${max}`)
  return value
}
