/**
 * The head of an HTTP response, as far as a CONNECT needs it: status, and header fields by name (spec/proxy.md).
 *
 * A proxy stands in the path and is not trusted with more than forwarding bytes, so the head is capped and parsed by hand:
 * ASCII only, no folded lines, no header kept that nobody asks for.
 */

/** Longest head taken, in bytes. */
export const MAX_HTTP_HEAD = 16_384

/** A response's head. */
export interface HttpHead {
  readonly status: number
  readonly reason: string
  /** Values by lower-case name, in order. */
  readonly fields: ReadonlyMap<string, readonly string[]>
}

/** Index behind the empty line that ends a head in `bytes`, or -1. */
export function endOfHead(bytes: Uint8Array): number {
  for (let i = 0; i + 1 < bytes.length; i++) {
    if (bytes[i] !== 10) continue
    if (bytes[i + 1] === 10) return i + 2
    if (bytes[i + 1] === 13 && bytes[i + 2] === 10) return i + 3
  }
  return -1
}

/** The head in `bytes`, which end with its empty line; `undefined` when it is not one. PROXY-2 */
export function parseHead(bytes: Uint8Array): HttpHead | undefined {
  let text = ''
  for (const byte of bytes) {
    if (byte > 0x7e || (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13)) return undefined
    text += String.fromCharCode(byte)
  }
  const [first = '', ...lines] = text.split(/\r?\n/)
  const status = /^HTTP\/1\.[01] ([0-9]{3})(?: (.*))?$/.exec(first)
  if (status === null) return undefined
  const fields = new Map<string, string[]>()
  for (const line of lines) {
    if (line === '') continue
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase()
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return undefined
    const value = line.slice(colon + 1).trim()
    const values = fields.get(name)
    if (values === undefined) fields.set(name, [value])
    else values.push(value)
  }
  return { status: Number(status[1]), reason: status[2] ?? '', fields }
}

/** One way to log in that a proxy offers. */
export interface HttpChallenge {
  /** Lower case, for example `basic`. */
  readonly scheme: string
  /** By lower-case name. */
  readonly parameters: ReadonlyMap<string, string>
}

/** The challenges in `Proxy-Authenticate` values. What is malformed ends the value it stands in. */
export function parseChallenges(values: readonly string[]): readonly HttpChallenge[] {
  const challenges: HttpChallenge[] = []
  for (const value of values) readChallenges(value, challenges)
  return challenges
}

function readChallenges(value: string, into: HttpChallenge[]): void {
  let rest = value.slice(0, 4096).trim()
  let parameters: Map<string, string> | undefined
  while (rest !== '') {
    const parameter = /^([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))\s*,?\s*/.exec(rest)
    if (parameter !== null && parameters !== undefined) {
      const [whole, name = '', quoted, plain] = parameter
      parameters.set(name.toLowerCase(), quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/g, '$1'))
      rest = rest.slice(whole.length)
      continue
    }
    const scheme = /^([A-Za-z0-9_-]+)(?:\s+|,\s*|$)/.exec(rest)
    if (scheme === null) return
    parameters = new Map()
    into.push({ scheme: (scheme[1] ?? '').toLowerCase(), parameters })
    rest = rest.slice(scheme[0].length)
  }
}
