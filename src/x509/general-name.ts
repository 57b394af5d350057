/**
 * GeneralName and GeneralNames (RFC 5280 section 4.2.1.6): DNS names, mail addresses, URIs, IP addresses and
 * directory names; the other kinds are carried undecoded.
 *
 * Refuses text with characters outside ASCII and empty lists.
 */
import type { DerNode } from './der.ts'
import { nonEmptySequence } from './der-read.ts'
import { malformed } from './fault.ts'
import { latin1, readName } from './name.ts'
import type { GeneralName } from './types.ts'

/** Reads one GeneralName. */
export function readGeneralName(node: DerNode): GeneralName {
  const { tag, content } = node
  switch (tag) {
    case 0x81:
      return { type: 'email', value: asciiText(content) }
    case 0x82:
      return { type: 'dns', value: asciiText(content) }
    case 0x86:
      return { type: 'uri', value: asciiText(content) }
    case 0x87:
      return { type: 'ip', value: content }
    case 0xa4: {
      const [name, ...extra] = node.children
      if (name === undefined || extra.length > 0) malformed('A directory name is malformed.')
      return { type: 'directory', value: readName(name) }
    }
    case 0xa0:
      return { type: 'other', tag: 0, raw: content }
    case 0xa3:
      return { type: 'other', tag: 3, raw: content }
    case 0xa5:
      return { type: 'other', tag: 5, raw: content }
    case 0x88:
      return { type: 'other', tag: 8, raw: content }
    default:
      return malformed(`A general name of unknown kind ${tag} was found.`)
  }
}

/** Reads a non-empty GeneralNames, given its SEQUENCE or an implicitly tagged one. */
export function readGeneralNames(node: DerNode, tag?: number): readonly GeneralName[] {
  return nonEmptySequence(node, tag).map(readGeneralName)
}

/** IA5String contents; NUL and control characters have no place in any of these names (X509-6). */
function asciiText(content: Uint8Array): string {
  for (const byte of content) if (byte < 0x20 || byte >= 0x7f) malformed('A name holds characters outside ASCII.')
  return latin1(content)
}

/** A name for messages. */
export function generalNameText(name: GeneralName): string {
  switch (name.type) {
    case 'dns':
      return `DNS:${name.value}`
    case 'email':
      return `email:${name.value}`
    case 'uri':
      return `URI:${name.value}`
    case 'ip':
      return `IP:${addressText(name.value)}`
    case 'directory':
      return 'directory name'
    case 'other':
      return `name of kind ${name.tag}`
  }
}

function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups: string[] = []
  for (let i = 0; i + 1 < bytes.length; i += 2) {
    groups.push((((bytes[i] as number) << 8) | (bytes[i + 1] as number)).toString(16))
  }
  return groups.join(':')
}
