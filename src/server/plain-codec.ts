/**
 * Plain values as bytes and back: what a moved client's state is written in (spec/server.md, "Moving a client").
 *
 *     value = type (1)  then: number f64 | string u32 length, UTF-8 | bytes u32 length | list u32 count, values
 *                           | record u32 count, (key: u16 length, UTF-8; value)
 *
 * Fields that are undefined are left out. The bytes come out of a seal, so what is read here was written by this code; all
 * the same nothing is read past its end, nesting is bounded, and a record never touches a prototype.
 */
import { Reader, utf8DecodeStrict, utf8Encode, Writer } from '../bytes/index.ts'

/** What can be written. */
export type Plain =
  | undefined
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Plain[]
  | { readonly [name: string]: Plain }

const TYPES = { none: 0, no: 1, yes: 2, number: 3, text: 4, bytes: 5, list: 6, record: 7 } as const
/** Deepest nesting that is read. */
const MAX_DEPTH = 32

/** The bytes of a value. */
export function writePlain(value: Plain): Uint8Array {
  const writer = new Writer(4096)
  put(writer, value)
  return writer.finish()
}

function put(writer: Writer, value: Plain): void {
  if (value === undefined) writer.u8(TYPES.none)
  else if (typeof value === 'boolean') writer.u8(value ? TYPES.yes : TYPES.no)
  else if (typeof value === 'number') {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setFloat64(0, value)
    writer.u8(TYPES.number).bytes(bytes)
  } else if (typeof value === 'string') writer.u8(TYPES.text).vector(4, utf8Encode(value))
  else if (value instanceof Uint8Array) writer.u8(TYPES.bytes).vector(4, value)
  else if (isList(value)) {
    writer.u8(TYPES.list).u32(value.length)
    for (const item of value) put(writer, item)
  } else {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined)
    writer.u8(TYPES.record).u32(fields.length)
    for (const [name, field] of fields) {
      writer.vector(2, utf8Encode(name))
      put(writer, field)
    }
  }
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value)
}

/** The value in `bytes`, all of them; undefined when they are malformed (or are `undefined` written out). */
export function readPlain(bytes: Uint8Array): Plain {
  const reader = new Reader(bytes)
  const value = take(reader, 0)
  return reader.complete ? value : undefined
}

function take(reader: Reader, depth: number): Plain {
  const type = reader.u8()
  if (depth > MAX_DEPTH) return fail(reader)
  switch (type) {
    case TYPES.none:
      return undefined
    case TYPES.no:
    case TYPES.yes:
      return type === TYPES.yes
    case TYPES.number: {
      const bytes = reader.copy(8)
      return reader.failed ? undefined : new DataView(bytes.buffer).getFloat64(0)
    }
    case TYPES.text:
      return utf8DecodeStrict(reader.vector(4)) ?? fail(reader)
    case TYPES.bytes:
      return new Uint8Array(reader.vector(4))
    case TYPES.list: {
      const items: Plain[] = []
      for (let left = reader.u32(); left > 0 && !reader.failed; left--) items.push(take(reader, depth + 1))
      return items
    }
    case TYPES.record: {
      const fields: [string, Plain][] = []
      for (let left = reader.u32(); left > 0 && !reader.failed; left--) {
        fields.push([utf8DecodeStrict(reader.vector(2)) ?? '', take(reader, depth + 1)])
      }
      return Object.fromEntries(fields)
    }
    default:
      return fail(reader)
  }
}

function fail(reader: Reader): undefined {
  reader.take(reader.remaining + 1)
  return undefined
}
