/**
 * Extension blocks (RFC 8446 section 4.2): read once, by type, duplicates refused; written in the caller's order.
 *
 * What an extension holds is decoded by the message that it came in, because the same number means different things in
 * a ClientHello and in a ServerHello.
 */
import { Reader, type Writer } from '../bytes/index.ts'
import { type AlertName, demand } from './alerts.ts'

/** Extensions of one message by type; values are views into it. Iteration is in wire order. */
export type Extensions = ReadonlyMap<number, Uint8Array>

/**
 * Reads a block with its own two-byte length, in which no type occurs twice.
 * @param onDuplicate - no RFC names the alert; peers expect another one for a HelloRetryRequest.
 */
export function readExtensions(reader: Reader, onDuplicate: AlertName = 'decode-error'): Extensions {
  const block = reader.sub(2)
  const extensions = new Map<number, Uint8Array>()
  while (!block.failed && block.remaining > 0) {
    const type = block.u16()
    const value = block.vector(2)
    demand(!block.failed, 'decode-error', 'an extension is cut short')
    demand(!extensions.has(type), onDuplicate, `extension ${type} occurs twice`) // TLS-10
    extensions.set(type, value)
  }
  demand(!block.failed, 'decode-error', 'the extensions are cut short')
  return extensions
}

/** Demands that a server answers only what was offered to it. TLS-11 */
export function demandOffered(answers: Extensions, offered: ReadonlySet<number>, where: string): void {
  for (const type of answers.keys()) {
    demand(offered.has(type), 'unsupported-extension', `extension ${type} in ${where} was not offered`)
  }
}

/** Writes one extension. */
export function writeExtension(writer: Writer, type: number, body: (writer: Writer) => void): void {
  writer.u16(type).block(2, body)
}

/** Demands that a message or extension was read to its last byte and no further. */
export function demandComplete(reader: Reader, what: string): void {
  demand(reader.complete, 'decode-error', `${what} is malformed`) // TLS-9
}

/** A list of 16-bit numbers behind a length prefix of `prefix` bytes; empty lists are malformed. */
export function readU16List(reader: Reader, prefix: number): readonly number[] {
  const list = reader.sub(prefix)
  const values: number[] = []
  while (!list.failed && list.remaining > 0) values.push(list.u16())
  if (list.failed || values.length === 0) reader.failed = true
  return values
}

/** Decodes one extension's value with `read`, to its last byte; `undefined` when the extension is absent. */
export function decodeExtension<T>(
  extensions: Extensions,
  type: number,
  name: string,
  read: (reader: Reader) => T,
): T | undefined {
  const value = extensions.get(type)
  if (value === undefined) return undefined
  const reader = new Reader(value)
  const decoded = read(reader)
  demandComplete(reader, name)
  return decoded
}

/** True when a flag extension is present; it must then be empty. */
export function decodeFlag(extensions: Extensions, type: number, name: string): boolean {
  return decodeExtension(extensions, type, name, () => true) ?? false
}

/** Distinguished names: at least one, none empty. */
export function readNames(reader: Reader): readonly Uint8Array[] {
  const list = reader.sub(2)
  const names: Uint8Array[] = []
  while (!list.failed && list.remaining > 0) {
    const name = list.copy(list.u16())
    if (name.length === 0) list.failed = true
    names.push(name)
  }
  if (list.failed || names.length === 0) reader.failed = true
  return names
}
