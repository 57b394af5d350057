/**
 * A strict reader of DER (X.690 section 10), the only door by which encoded structures enter this floor.
 *
 * `parseDer` checks a whole value and returns its tree; `DerCursor` walks one level without building anything, for long
 * lists. Both refuse what DER refuses: indefinite and non-minimal lengths, tags above 30, padded integers and object
 * identifiers, booleans other than 00 and FF, set padding bits, primitive sequences and constructed strings, malformed
 * UTF-8, trailing bytes. Depth and the number of values are counted against a budget that several structures may share,
 * so the work an attacker can ask for is bounded before it is done.
 *
 * Not checked: the order of SET OF elements and explicitly encoded DEFAULT values, which working PKIs get wrong.
 * Rules X509-1 to X509-4 of spec/x509.md.
 */
import { utf8DecodeStrict } from '../bytes/index.ts'
import { CertificateFault, malformed } from './fault.ts'

/** Identifier octets used here; context-specific ones are `0x80 | n` primitive and `0xa0 | n` constructed. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const

/** Deepest nesting followed. */
export const MAX_DER_DEPTH = 24
/** Longest object identifier, in contents bytes. */
export const MAX_OID_LENGTH = 64
/** Longest INTEGER, in contents bytes: room for a 16,384-bit modulus. */
export const MAX_INTEGER_LENGTH = 2049

/** Counts down the DER values that may still be read. */
export class DerBudget {
  #left: number

  constructor(nodes: number) {
    this.#left = nodes
  }

  /** Values that may still be read. */
  get left(): number {
    return this.#left
  }

  /** Counts one value. */
  spend(): void {
    // X509-2
    if (this.#left-- <= 0) throw new CertificateFault('certificate-too-complex', 'It holds more values than are read.')
  }
}

/** One encoded value. Most of a structure's values are only passed through, so views are made when asked for. */
export class DerNode {
  /** Identifier octet: class, constructed bit and number. */
  readonly tag: number
  /** Values inside a constructed one; empty for a primitive one. */
  readonly children: readonly DerNode[]
  readonly #source: Uint8Array
  readonly #start: number
  readonly #contentStart: number
  readonly #end: number

  /** @param cursor - has just stepped over the value. */
  constructor(cursor: DerCursor, children: readonly DerNode[]) {
    this.tag = cursor.tag
    this.children = children
    this.#source = cursor.bytes
    this.#start = cursor.start
    this.#contentStart = cursor.contentStart
    this.#end = cursor.offset
  }

  /** The whole value with its header; a view of the input. */
  get bytes(): Uint8Array {
    return this.#source.subarray(this.#start, this.#end)
  }

  /** The contents; a view of the input. */
  get content(): Uint8Array {
    return this.#source.subarray(this.#contentStart, this.#end)
  }
}

const NO_CHILDREN: readonly DerNode[] = []

/** Steps over the values of one level. Does not look inside them. */
export class DerCursor {
  readonly bytes: Uint8Array
  readonly end: number
  /** Where the next value begins. */
  offset: number
  /** Identifier octet of the value last stepped over. */
  tag = 0
  /** Where its header began. */
  start = 0
  /** Where its contents began; they end at `offset`. */
  contentStart = 0

  constructor(bytes: Uint8Array, offset = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.offset = offset
    this.end = end
  }

  /** Steps over the next value; false at the end. */
  next(): boolean {
    if (this.offset === this.end) return false
    const { bytes, end } = this
    let at = this.offset
    const tag = bytes[at++] as number
    if ((tag & 0x1f) === 0x1f || tag === 0) malformed(`Tag octet ${tag} is not used in certificates.`)
    if (at >= end) malformed('A value is cut short.')
    let length = bytes[at++] as number
    if (length >= 0x80) {
      // X509-1
      const octets = length & 0x7f
      if (octets === 0 || octets > 4 || octets > end - at) malformed('A length is indefinite, too large or cut short.')
      length = 0
      for (let i = 0; i < octets; i++) length = length * 256 + (bytes[at++] as number)
      if (length < 0x80 || length < 2 ** (8 * (octets - 1))) malformed('A length is not in its shortest form.')
    }
    if (length > end - at) malformed('A value is longer than what holds it.')
    this.tag = tag
    this.start = this.offset
    this.contentStart = at
    this.offset = at + length
    return true
  }

  /** The contents of the value last stepped over. */
  get content(): Uint8Array {
    return this.bytes.subarray(this.contentStart, this.offset)
  }

  /** The value last stepped over, with its header. */
  get value(): Uint8Array {
    return this.bytes.subarray(this.start, this.offset)
  }

  /** A cursor over the values inside the one last stepped over. */
  enter(): DerCursor {
    return new DerCursor(this.bytes, this.contentStart, this.offset)
  }
}

/**
 * The tree of the one DER value that fills `bytes`.
 * @throws CertificateFault for anything that is not strict DER or exceeds the limits.
 */
export function parseDer(bytes: Uint8Array, budget: DerBudget): DerNode {
  const cursor = new DerCursor(bytes)
  if (!cursor.next()) malformed('It is empty.')
  if (cursor.offset !== bytes.length) malformed('Bytes follow the end of the structure.') // X509-4
  return readNode(cursor, budget, 1)
}

function readNode(cursor: DerCursor, budget: DerBudget, depth: number): DerNode {
  budget.spend()
  // X509-2
  if (depth > MAX_DER_DEPTH) throw new CertificateFault('certificate-too-complex', 'It is nested too deeply.')
  const { tag } = cursor
  checkForm(tag)
  if ((tag & 0x20) === 0) {
    checkContent(tag, cursor.bytes, cursor.contentStart, cursor.offset)
    return new DerNode(cursor, NO_CHILDREN)
  }
  const children: DerNode[] = []
  const inner = cursor.enter()
  while (inner.next()) children.push(readNode(inner, budget, depth + 1))
  return new DerNode(cursor, children)
}

/** Universal types have one form each in DER: sequences and sets constructed, all others primitive. */
function checkForm(tag: number): void {
  if ((tag & 0xc0) !== 0) return
  const number = tag & 0x1f
  const constructed = (tag & 0x20) !== 0
  if (constructed !== (number === 16 || number === 17)) malformed(`Tag octet ${tag} is not DER.`) // X509-1
}

/** The contents rules of primitive universal types, for the contents `bytes[start, end)`. */
function checkContent(tag: number, bytes: Uint8Array, start: number, end: number): void {
  switch (tag) {
    case TAG.boolean:
      if (end - start !== 1 || (bytes[start] !== 0 && bytes[start] !== 255)) malformed('A boolean is not DER.')
      break
    case TAG.integer:
    case TAG.enumerated:
      checkInteger(bytes, start, end)
      break
    case TAG.bitString:
      checkBitString(bytes, start, end)
      break
    case TAG.null:
      if (end !== start) malformed('A null has contents.')
      break
    case TAG.oid:
      checkOid(bytes, start, end)
      break
    case TAG.utf8String:
      if (utf8DecodeStrict(bytes.subarray(start, end)) === undefined) malformed('A UTF8String is not well-formed.')
      break
    case TAG.bmpString:
      if ((end - start) % 2 !== 0) malformed('A BMPString has an odd length.')
      break
    case TAG.universalString:
      if ((end - start) % 4 !== 0) malformed('A UniversalString has a length that is not a multiple of four.')
      break
    default:
  }
}

/** Refuses contents that are no INTEGER's; for those that a cursor steps over. X509-1 */
export function checkInteger(bytes: Uint8Array, start: number, end: number): void {
  if (start === end) malformed('An integer is empty.')
  // X509-1
  if (end - start > 1) {
    const [first, second] = [bytes[start] as number, bytes[start + 1] as number]
    const padded = (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)
    if (padded) malformed('An integer is not in its shortest form.')
  }
  if (end - start > MAX_INTEGER_LENGTH) {
    throw new CertificateFault('certificate-too-complex', 'It holds an integer that is too long.')
  }
}

/** Refuses contents that are no BIT STRING's; for implicitly tagged ones, which `parseDer` cannot tell. X509-1 */
export function checkBitString(bytes: Uint8Array, start: number, end: number): void {
  const unused = start === end ? 8 : (bytes[start] as number)
  if (unused > 7 || (end - start === 1 && unused > 0)) malformed('A bit string is not DER.')
  if (unused > 0 && ((bytes[end - 1] as number) & ((1 << unused) - 1)) !== 0) {
    malformed('A bit string has bits set in its padding.')
  }
}

function checkOid(bytes: Uint8Array, start: number, end: number): void {
  // X509-3
  if (start === end || end - start > MAX_OID_LENGTH) malformed('An object identifier has a wrong length.')
  if (((bytes[end - 1] as number) & 0x80) !== 0) malformed('An object identifier is cut short.')
  let arcStart = true
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    if (arcStart && byte === 0x80) malformed('An object identifier is padded.')
    arcStart = byte < 0x80
  }
}

/** Longest arc, in bytes, whose value a number holds exactly. */
const MAX_PLAIN_ARC = 7

/** The dotted form of an OBJECT IDENTIFIER's contents. The contents must have passed `parseDer`. */
export function oidText(content: Uint8Array): string {
  let text = ''
  let arc = 0
  let start = 0
  for (let at = 0; at < content.length; at++) {
    const byte = content[at] as number
    arc = arc * 128 + (byte & 0x7f)
    if (byte >= 0x80) continue
    // X509-3
    const value = at - start < MAX_PLAIN_ARC ? arc : longArc(content.subarray(start, at + 1))
    text += text === '' ? firstArcs(value) : `.${value}`
    arc = 0
    start = at + 1
  }
  return text
}

function longArc(bytes: Uint8Array): bigint {
  return bytes.reduce((arc, byte) => (arc << 7n) | BigInt(byte & 0x7f), 0n)
}

/** The first two arcs share one number. */
function firstArcs(joined: number | bigint): string {
  if (joined >= 80) return `2.${typeof joined === 'bigint' ? joined - 80n : joined - 80}`
  const root = joined < 40 ? 0 : 1
  return `${root}.${Number(joined) - 40 * root}`
}
