/**
 * From one piece of TLS plaintext to the control messages in it (spec/messages.md).
 *
 * Messages are text with a NUL behind each. A piece may hold several. Trailing carriage returns and line feeds are cut
 * off, because scripts behind servers leave them there; any other control character makes the whole message ignored, as
 * the reference does since CVE-2024-5594. Text without its NUL is ignored too. Nothing here keeps state.
 */
import { concat, utf8Encode, UsageError } from '../bytes/index.ts'
import { printableText } from './text.ts'

/** Longest piece of plaintext looked at: one TLS record. */
export const MAX_CONTROL_TEXT = 16_384
/** Most messages taken out of one piece. */
export const MAX_MESSAGES_PER_TEXT = 64

/** Why (a part of) a piece of plaintext was ignored. */
export type ControlTextProblem =
  /** A control character inside the message. */
  | 'control-text-unprintable'
  /** The last message has no NUL. */
  | 'control-text-unterminated'
  /** Longer than one TLS record, or more messages than anyone sends at once. */
  | 'control-text-too-long'

/** The messages of a piece, and what was ignored. */
export interface ControlText {
  /** Messages in order, safe to show. Empty messages are left out. */
  readonly messages: readonly string[]
  readonly ignored: readonly ControlTextProblem[]
}

/** Splits a piece of TLS plaintext. MSG-1 to MSG-4 */
export function splitControlText(plaintext: Uint8Array): ControlText {
  const messages: string[] = []
  const ignored: ControlTextProblem[] = []
  if (plaintext.length > MAX_CONTROL_TEXT) return { messages, ignored: ['control-text-too-long'] }
  let start = 0
  while (start < plaintext.length) {
    const end = plaintext.indexOf(0, start)
    if (end < 0) {
      ignored.push('control-text-unterminated') // MSG-1
      break
    }
    if (messages.length + ignored.length >= MAX_MESSAGES_PER_TEXT) {
      ignored.push('control-text-too-long')
      break
    }
    let last = end
    while (last > start && isLineEnd(plaintext[last - 1] as number)) last-- // MSG-2
    const message = plaintext.subarray(start, last)
    if (message.some(isControl))
      ignored.push('control-text-unprintable') // MSG-3
    else if (message.length > 0) messages.push(printableText(message))
    start = end + 1
  }
  return { messages, ignored }
}

function isLineEnd(byte: number): boolean {
  return byte === 10 || byte === 13
}

function isControl(byte: number): boolean {
  return byte < 0x20 || byte === 0x7f
}

/**
 * The plaintext of one message: its UTF-8 form and a NUL.
 *
 * @throws UsageError when the text holds a control character or is longer than one TLS record.
 */
export function writeControlText(message: string): Uint8Array {
  const bytes = utf8Encode(message)
  if (bytes.some(isControl)) throw new UsageError('a control message cannot hold control characters')
  if (bytes.length >= MAX_CONTROL_TEXT) throw new UsageError('a control message must fit one TLS record')
  return concat(bytes, new Uint8Array(1))
}
