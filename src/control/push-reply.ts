/**
 * PUSH_REPLY and PUSH_UPDATE as they travel: packed into parts by a server, put together again by a client
 * (spec/push.md).
 *
 * A part stays below the size a reference client reads; every part but the last ends with `push-continuation 2`, the last
 * of several with `push-continuation 1`. The options count as one list, to be applied when the last part is there.
 * {@link PushAssembler} is the one object of this floor that lives with a connection; what it holds is capped.
 */
import { UsageError, utf8Encode } from '../bytes/index.ts'
import { isPlainAscii, parseDecimal } from './text.ts'

/** Size of the buffer a part must fit, in bytes. */
export const PUSH_BUNDLE_SIZE = 1024
/** Kept free in a part for the continuation mark and what surrounds it, in bytes. */
export const PUSH_BUNDLE_RESERVE = 84
/** Most characters that an assembled list may have. */
export const MAX_PUSH_LENGTH = 262_144
/** Most options that an assembled list may have. */
export const MAX_PUSH_OPTIONS = 4096

/**
 * The messages that carry `options`. PUSH-20
 *
 * @throws UsageError when an option holds a comma or a control character, or does not fit a part by itself.
 */
export function writePushParts(keyword: 'PUSH_REPLY' | 'PUSH_UPDATE', options: readonly string[]): readonly string[] {
  const parts: string[] = []
  const capacity = PUSH_BUNDLE_SIZE - PUSH_BUNDLE_RESERVE
  let part: string = keyword
  let size = part.length
  for (const option of options) {
    const length = optionLength(option)
    if (size + length >= capacity) {
      if (keyword.length + length >= capacity) throw new UsageError('a pushed option does not fit one message')
      parts.push(`${part},push-continuation 2`)
      part = keyword
      size = part.length
    }
    part += `,${option}`
    size += length + 1
  }
  parts.push(parts.length > 0 ? `${part},push-continuation 1` : part)
  return parts
}

function optionLength(option: string): number {
  if (option.includes(',')) throw new UsageError('a pushed option cannot hold a comma')
  if (option.trim() === '') throw new UsageError('a pushed option cannot be empty')
  const bytes = utf8Encode(option)
  if (!isPlainAscii(option) && bytes.some((byte) => byte < 0x20 || byte === 0x7f))
    throw new UsageError('a pushed option cannot hold control characters')
  return bytes.length
}

/** What a part led to. */
export type AssemblyResult =
  /** More parts follow. */
  | { readonly type: 'more' }
  /** All option texts, in order. */
  | { readonly type: 'complete'; readonly options: readonly string[] }
  /** Over a cap: the peer is broken or hostile, close. */
  | { readonly type: 'too-large' }

/** Puts the parts of a PUSH_REPLY or PUSH_UPDATE together. PUSH-1 */
export class PushAssembler {
  #options: string[] = []
  #length = 0
  #overflowed = false

  /** True while parts are missing. */
  get pending(): boolean {
    return this.#options.length > 0
  }

  /** Adds the comma list of one part. After `complete` the next part starts anew; after `too-large` none is taken. */
  add(list: string): AssemblyResult {
    this.#length += list.length
    if (this.#overflowed || this.#length > MAX_PUSH_LENGTH) return this.#overflow()
    let continued = false
    let start = 0
    while (start < list.length) {
      const comma = list.indexOf(',', start)
      const end = comma < 0 ? list.length : comma
      const option = list.slice(start, end)
      start = end + 1
      if (option.startsWith('push-continuation ')) continued = parseDecimal(option.slice(18), 2, 2) === 2
      else if (option !== '') this.#options.push(option)
      if (this.#options.length > MAX_PUSH_OPTIONS) return this.#overflow()
    }
    // A part without options still counts against the cap, so that an endless row of them ends.
    this.#length += 32
    if (continued) return { type: 'more' }
    const options = this.#options
    this.reset()
    return { type: 'complete', options }
  }

  /** Forgets the parts so far. */
  reset(): void {
    this.#options = []
    this.#length = 0
  }

  #overflow(): AssemblyResult {
    this.reset()
    this.#overflowed = true
    return { type: 'too-large' }
  }
}
