/**
 * Questions to a name server and its answers (RFC 1035): addresses of a name, nothing else.
 */
import { utf8Encode } from '../../bytes/index.ts'

/** Record types that are asked for. */
export const RECORD = { a: 1, aaaa: 28 } as const

const CLASS_IN = 1
const RECURSE = 0x0100
const HEADER = 12

/** A question for one name; undefined when it is no name. */
export function writeQuestion(id: number, name: string, type: number): Uint8Array | undefined {
  const labels = name.replace(/\.$/, '').split('.').map(utf8Encode)
  if (labels.some((label) => label.length === 0 || label.length > 63)) return undefined
  const size = labels.reduce((sum, label) => sum + label.length + 1, 1)
  if (size > 255) return undefined
  const message = new Uint8Array(HEADER + size + 4)
  const view = new DataView(message.buffer)
  view.setUint16(0, id)
  view.setUint16(2, RECURSE)
  view.setUint16(4, 1)
  let at = HEADER
  for (const label of labels) {
    message[at] = label.length
    message.set(label, at + 1)
    at += label.length + 1
  }
  view.setUint16(at + 1, type)
  view.setUint16(at + 3, CLASS_IN)
  return message
}

/**
 * The addresses in an answer, 4 or 16 bytes each.
 *
 * @returns undefined when it does not answer `question` or is damaged; an empty list when there are none.
 */
export function readAnswer(message: Uint8Array, question: Uint8Array): readonly Uint8Array[] | undefined {
  if (message.length < question.length) return undefined
  const view = new DataView(message.buffer, message.byteOffset, message.length)
  const flags = view.getUint16(2)
  const same = (from: number, to: number): boolean => {
    for (let i = from; i < to; i++) if (lower(message[i]) !== lower(question[i])) return false
    return true
  }
  // Its id, its being an answer, and the question repeated.
  if (!same(0, 2) || (flags & 0x8000) === 0 || view.getUint16(4) !== 1 || !same(HEADER, question.length))
    return undefined
  const type = (question[question.length - 3] ?? 0) | ((question[question.length - 4] ?? 0) << 8)
  const count = view.getUint16(6)
  const addresses: Uint8Array[] = []
  let at = question.length
  for (let i = 0; i < count; i++) {
    at = skipName(message, at)
    if (at + 10 > message.length) break
    const length = view.getUint16(at + 8)
    if (at + 10 + length > message.length) break
    const fits = length === (type === RECORD.a ? 4 : 16)
    if (view.getUint16(at) === type && fits) addresses.push(message.slice(at + 10, at + 10 + length))
    at += 10 + length
  }
  return addresses
}

function lower(byte: number | undefined): number {
  const value = byte ?? 0
  return value >= 65 && value <= 90 ? value + 32 : value
}

/** Behind a name, which may end in a pointer; the message's end when it is damaged. */
function skipName(message: Uint8Array, from: number): number {
  for (let at = from; at < message.length; ) {
    const length = message[at] as number
    if (length === 0) return at + 1
    if ((length & 0xc0) === 0xc0) return at + 2
    at += length + 1
  }
  return message.length
}
