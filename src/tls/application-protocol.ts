/**
 * Application-Layer Protocol Negotiation (RFC 7301): the client offers names, the server answers with one of them.
 *
 * A server without names of its own ignores the offer. One with names takes the first of its own that was offered, and
 * ends the handshake when there is none (TLS-46).
 */
import { type Reader, utf8Decode, utf8Encode, type Writer } from '../bytes/index.ts'
import { demand } from './alerts.ts'
import { decodeExtension, type Extensions, writeExtension } from './extensions.ts'
import { ExtensionType } from './registry.ts'

/** Writes the offer, or the answer, which is a list of one. */
export function writeProtocols(writer: Writer, names: readonly string[]): void {
  if (names.length === 0) return
  writeExtension(writer, ExtensionType.alpn, (w) =>
    w.block(2, (list) => {
      for (const name of names) list.vector(1, utf8Encode(name))
    }),
  )
}

/** Names of the extension: at least one, none empty; `undefined` without it. */
export function readProtocols(extensions: Extensions): readonly Uint8Array[] | undefined {
  return decodeExtension(extensions, ExtensionType.alpn, 'application_layer_protocol_negotiation', (reader) => {
    const list: Reader = reader.sub(2)
    const names: Uint8Array[] = []
    while (!list.failed && list.remaining > 0) {
      const name = list.vector(1)
      if (name.length === 0) list.failed = true
      names.push(name)
    }
    if (list.failed || names.length === 0) reader.failed = true
    return names
  })
}

/** The server's answer as its client takes it: exactly one of the names offered. @throws AlertError TLS-45 */
export function takenProtocol(extensions: Extensions, offered: readonly string[]): string | undefined {
  const names = readProtocols(extensions)
  if (names === undefined) return undefined
  const [name, ...more] = names.map((bytes) => utf8Decode(bytes))
  demand(name !== undefined && more.length === 0, 'decode-error', 'the server names several protocols')
  demand(offered.includes(name), 'illegal-parameter', `the protocol ${JSON.stringify(name)} was not offered`)
  return name
}

/** What a server takes of a client's offer. @throws AlertError TLS-46 */
export function chooseProtocol(own: readonly string[], offered: readonly Uint8Array[] | undefined): string | undefined {
  if (own.length === 0 || offered === undefined) return undefined
  const names = offered.map((bytes) => utf8Decode(bytes))
  const name = own.find((candidate) => names.includes(candidate))
  demand(name !== undefined, 'no-application-protocol', 'no application protocol in common')
  return name
}
