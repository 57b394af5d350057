/**
 * Distinguished names: reading, comparing as RFC 5280 section 7.1 asks, and printing in the reference's form.
 *
 * Comparison folds what PKIs in the field mix up: string types, letter case of ASCII and runs of white space. Letters
 * outside ASCII are compared as they are, as OpenSSL does, which can only refuse more. A NUL inside a name is refused
 * outright, because other software may stop reading there. Rules X509-5 to X509-7.
 */
import { toHex, utf8Decode } from '../bytes/index.ts'
import type { DerNode } from './der.ts'
import { TAG } from './der.ts'
import { Fields, nonEmptySequence, readOid } from './der-read.ts'
import { malformed } from './fault.ts'
import { ATTRIBUTE_OID, attributeName } from './oids.ts'
import type { Name, NameAttribute } from './types.ts'

/** Text of a directory string, or `undefined` for other types and malformed contents. */
export function directoryText(tag: number, content: Uint8Array): string | undefined {
  switch (tag) {
    case TAG.utf8String:
      return utf8Decode(content)
    case 0x12: // NumericString
    case TAG.printableString:
    case TAG.teletexString:
    case TAG.ia5String:
    case TAG.visibleString:
      return latin1(content)
    case TAG.bmpString:
      return codePoints(content, 2)
    case TAG.universalString:
      return codePoints(content, 4)
    default:
      return undefined
  }
}

/** One character per byte. */
export function latin1(content: Uint8Array): string {
  let text = ''
  for (const byte of content) text += String.fromCharCode(byte)
  return text
}

function codePoints(content: Uint8Array, width: 2 | 4): string | undefined {
  let text = ''
  for (let i = 0; i + width <= content.length; i += width) {
    let point = 0
    for (let k = 0; k < width; k++) point = point * 256 + (content[i + k] as number)
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return undefined
    text += String.fromCodePoint(point)
  }
  return text
}

/** Reads a Name. */
export function readName(node: DerNode): Name {
  if (node.tag !== TAG.sequence) malformed('A name was expected.')
  return makeName(
    node.bytes,
    node.children.map((rdn) => nonEmptySequence(rdn, TAG.set).map(readAttribute)),
  )
}

/** Reads a RelativeDistinguishedName's attributes, given the SET or an implicitly tagged one. */
export function readRelativeName(node: DerNode): readonly NameAttribute[] {
  if (node.children.length === 0) malformed('A relative name is empty.')
  return node.children.map(readAttribute)
}

/** A Name record from its parts. `der` may be empty where no encoding exists. */
export function makeName(der: Uint8Array, rdns: readonly (readonly NameAttribute[])[]): Name {
  return { der, rdns, canonical: rdns.map(canonicalRdn) }
}

function readAttribute(node: DerNode): NameAttribute {
  const fields = new Fields(node)
  const oid = readOid(fields.take())
  const { tag, content } = fields.take()
  fields.end()
  const text = directoryText(tag, content)
  if (text?.includes('\0')) malformed(`The name holds a NUL in ${attributeName(oid)}.`) // X509-6
  return { oid, tag, raw: content, text }
}

/** White space as C's isspace sees it. */
const SPACES = /[ \t\n\v\f\r]+/g
/** White space that folding changes. */
const UNTIDY = /^ | $| {2}|[\t\n\v\f\r]/

// X509-5: text compares without regard to string type, ASCII case and white space; anything else by its bytes.
function canonicalRdn(rdn: readonly NameAttribute[]): string {
  const parts = rdn.map(({ oid, tag, raw, text }) =>
    text === undefined ? `${oid}\0#${tag}:${toHex(raw)}` : `${oid}\0=${foldAscii(text)}`,
  )
  return parts.sort().join('\0\0')
}

function foldAscii(text: string): string {
  return lowerAscii(UNTIDY.test(text) ? text.replace(SPACES, ' ').replace(/^ | $/g, '') : text)
}

/** ASCII letters in lower case, everything else as it is. */
export function lowerAscii(text: string): string {
  if (isAscii(text)) return text.toLowerCase()
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false
  return true
}

/** True when both names are equal under RFC 5280 section 7.1. */
export function equalNames(a: Name, b: Name): boolean {
  return a.canonical.length === b.canonical.length && startsWithName(a, b)
}

/** True when `name` begins with all relative names of `prefix`: it lies in that subtree. */
export function startsWithName(name: Name, prefix: Name): boolean {
  return (
    prefix.canonical.length <= name.canonical.length &&
    prefix.canonical.every((rdn, index) => name.canonical[index] === rdn)
  )
}

/** A string that is equal for equal names, for use as a map key. */
export function nameKey(name: Name): string {
  return name.canonical.join('\0\0\0')
}

/** Control characters and the backslash are written as the reference writes them. */
function escapeValue(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\\\x00-\x1f\x7f]/g, (character) =>
    character === '\\' ? '\\\\' : `\\${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

/**
 * The name in the reference's form, in the certificate's order: `C=KG, O=Example, CN=server`; attributes of one
 * relative name are joined by ` + `.
 */
export function nameText(name: Name): string {
  // X509-7
  return name.rdns
    .map((rdn) =>
      rdn
        .map(
          ({ oid, raw, text }) => `${attributeName(oid)}=${text === undefined ? `#${toHex(raw)}` : escapeValue(text)}`,
        )
        .join(' + '),
    )
    .join(', ')
}

/** The last value of an attribute in the name's order, where several are present. */
export function lastAttribute(name: Name, oid: string): NameAttribute | undefined {
  return name.rdns
    .flat()
    .filter((attribute) => attribute.oid === oid)
    .at(-1)
}

/** The common name, where there is one that is text. */
export function commonName(name: Name): string | undefined {
  return lastAttribute(name, ATTRIBUTE_OID.commonName)?.text
}
