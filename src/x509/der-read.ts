/**
 * Reading typed values out of a `DerNode` tree: each function states what it expects and refuses anything else.
 */
import type { DerNode } from './der.ts'
import { oidText, TAG } from './der.ts'
import { malformed } from './fault.ts'

/** Takes the children of a constructed value one after another, by tag. */
export class Fields {
  readonly #children: readonly DerNode[]
  #index = 0

  /** @param tag - the tag that `node` must have. */
  constructor(node: DerNode | undefined, tag: number = TAG.sequence) {
    if (node?.tag !== tag) malformed(`A value with tag ${tag} was expected.`)
    this.#children = node.children
  }

  /** The next child, which must have `tag` where one is given. */
  take(tag?: number): DerNode {
    const child = this.#children[this.#index]
    if (child === undefined || (tag !== undefined && child.tag !== tag)) malformed('A field is missing or misplaced.')
    this.#index++
    return child
  }

  /** The next child when it has `tag`, else nothing. */
  optional(tag: number): DerNode | undefined {
    const child = this.#children[this.#index]
    if (child?.tag !== tag) return undefined
    this.#index++
    return child
  }

  /** All children that are left. */
  rest(): readonly DerNode[] {
    const rest = this.#children.slice(this.#index)
    this.#index = this.#children.length
    return rest
  }

  /** Refuses children that nobody took. */
  end(): void {
    if (this.#index !== this.#children.length) malformed('A structure has more fields than it may.')
  }
}

/** Children of a SEQUENCE OF, of which there must be at least one. */
export function nonEmptySequence(node: DerNode | undefined, tag: number = TAG.sequence): readonly DerNode[] {
  if (node?.tag !== tag || node.children.length === 0) malformed('A list is missing or empty.')
  return node.children
}

/** The dotted form of an OBJECT IDENTIFIER. */
export function readOid(node: DerNode, tag: number = TAG.oid): string {
  if (node.tag !== tag) malformed('An object identifier was expected.')
  return oidText(node.content)
}

/** A BOOLEAN. */
export function readBoolean(node: DerNode, tag: number = TAG.boolean): boolean {
  if (node.tag !== tag || node.content.length !== 1) malformed('A boolean was expected.')
  const byte = node.content[0]
  if (byte !== 0 && byte !== 255) malformed('A boolean is not DER.')
  return byte === 255
}

/** A non-negative INTEGER that fits 31 bits. */
export function readSmallInteger(node: DerNode, tag: number = TAG.integer): number {
  const { content } = node
  if (node.tag !== tag || content.length === 0 || content.length > 5) malformed('A small integer was expected.')
  if ((content[0] as number) >= 0x80) malformed('An integer is negative.')
  if (content.length > 1 && content[0] === 0 && (content[1] as number) < 0x80) malformed('An integer is padded.')
  let value = 0
  for (const byte of content) value = value * 256 + byte
  if (value > 0x7fffffff) malformed('An integer is too large.')
  return value
}

/** A positive INTEGER's magnitude, without sign byte. */
export function readUnsigned(node: DerNode): Uint8Array {
  const { content } = node
  if (node.tag !== TAG.integer || content.length === 0) malformed('An integer was expected.')
  const first = content[0] as number
  if (first >= 0x80) malformed('An integer is negative.')
  return first === 0 ? content.subarray(1) : content
}

/** The octets of a BIT STRING that has no unused bits. */
export function readOctetBits(node: DerNode, tag: number = TAG.bitString): Uint8Array {
  if (node.tag !== tag || node.content[0] !== 0) malformed('A bit string of whole octets was expected.')
  return node.content.subarray(1)
}

/**
 * A named-bit BIT STRING of at most 31 bits as a mask: bit n of the mask is named bit n.
 * Trailing zero bits are tolerated.
 */
export function readNamedBits(node: DerNode, tag: number = TAG.bitString): number {
  const { content } = node
  if (node.tag !== tag || content.length === 0 || content.length > 4) malformed('A short bit string was expected.')
  const unused = content[0] as number
  if (unused > 7 || (content.length === 1 && unused > 0)) malformed('A bit string is not DER.')
  let mask = 0
  for (let i = 0; i < (content.length - 1) * 8 - unused; i++) {
    if (((content[1 + (i >> 3)] as number) & (0x80 >> (i & 7))) !== 0) mask |= 1 << i
  }
  return mask
}

/** The contents of an OCTET STRING. */
export function readOctets(node: DerNode, tag: number = TAG.octetString): Uint8Array {
  if (node.tag !== tag) malformed('An octet string was expected.')
  return node.content
}
