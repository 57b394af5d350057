/**
 * Values of configurations, inputs and outputs as JSON and back, to the byte (spec/record.md, REC-1 to REC-4).
 *
 * Plain data goes as it is. What JSON has no word for is an object with one `$` key: bytes, big integers, `undefined`, numbers
 * without end, keys that hide their bytes, and the verifier of certificates, which is made again of its options. What has none
 * of these forms, a function for instance, cannot be recorded.
 */
import { ConfigError, fromBase64, toBase64, toHex } from '../bytes/index.ts'
import { SecretText } from '../session/index.ts'
import { StaticKey, TlsCryptV2ServerKey } from '../wire/index.ts'
import { createPeerVerifier, type PeerVerifierOptions } from '../x509/index.ts'

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/** Deepest value taken: configurations are shallow. */
const MAX_DEPTH = 64

/**
 * The value as JSON.
 *
 * @throws ConfigError for a value that has no form.
 */
export function encodeValue(value: unknown, depth = 0): Json {
  if (depth > MAX_DEPTH) throw new ConfigError('record', 'a value is nested too deeply to be recorded')
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : { $number: String(value) }
    case 'bigint':
      return { $bigint: String(value) }
    case 'undefined':
      return { $undefined: true }
    case 'object':
      return value === null ? null : encodeObject(value, depth + 1)
    default:
      throw new ConfigError(
        'record',
        `a ${typeof value} cannot be recorded: external keys and verifiers of the host's own`,
      )
  }
}

function encodeObject(value: object, depth: number): Json {
  if (value instanceof Uint8Array) return { $bytes: toBase64(value) } // REC-2
  if (Array.isArray(value)) return value.map((item) => encodeValue(item, depth))
  if (value instanceof StaticKey) return { $staticKey: toBase64(value.exportBytes()) }
  if (value instanceof TlsCryptV2ServerKey) return { $serverKey: toBase64(value.exportBytes()) }
  if (value instanceof SecretText) return { $secret: value.reveal() }
  if (value instanceof Map) return { $map: encodeValue([...(value as ReadonlyMap<unknown, unknown>)], depth) }
  if (value instanceof Set) return { $set: encodeValue([...(value as ReadonlySet<unknown>)], depth) }
  const options = verifierOptions(value)
  if (options !== undefined) return { $verifier: encodeValue(options, depth) } // REC-3
  const entries = Object.entries(value).map(([name, item]) => [name, encodeValue(item, depth)] as const)
  return Object.fromEntries(entries)
}

function verifierOptions(value: object): PeerVerifierOptions | undefined {
  if (!('verify' in value) || !('options' in value)) return undefined
  return value.options as PeerVerifierOptions
}

/**
 * The value that JSON stands for.
 *
 * @throws ConfigError when the JSON is not of {@link encodeValue}.
 */
export function decodeValue(json: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw malformed()
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map((item) => decodeValue(item, depth + 1))
  const entries = Object.entries(json)
  const [first] = entries
  if (first !== undefined && entries.length === 1 && first[0].startsWith('$')) {
    return decodeTagged(first[0], first[1], depth + 1)
  }
  return Object.fromEntries(entries.map(([name, item]) => [name, decodeValue(item, depth + 1)]))
}

function decodeTagged(tag: string, value: unknown, depth: number): unknown {
  switch (tag) {
    case '$bytes':
      return bytesOf(value)
    case '$staticKey':
      return new StaticKey(bytesOf(value))
    case '$serverKey':
      return new TlsCryptV2ServerKey(bytesOf(value))
    case '$secret':
      return new SecretText(textOf(value))
    case '$bigint':
      return BigInt(/^-?\d+$/.test(textOf(value)) ? textOf(value) : '0')
    case '$number':
      return Number(textOf(value))
    case '$undefined':
      return undefined
    case '$map':
      return new Map(decodeValue(value, depth) as readonly (readonly [unknown, unknown])[])
    case '$set':
      return new Set(decodeValue(value, depth) as readonly unknown[])
    case '$verifier':
      return createPeerVerifier(decodeValue(value, depth) as PeerVerifierOptions)
    default:
      throw malformed()
  }
}

function bytesOf(value: unknown): Uint8Array {
  const bytes = fromBase64(textOf(value))
  if (bytes === undefined) throw malformed()
  return bytes
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw malformed()
  return value
}

function malformed(): ConfigError {
  return new ConfigError('record', 'the recording is damaged')
}

/** A text that is the same for the same value, whatever hides in it: what digests are made of. REC-4 */
export function canonicalText(value: unknown): string {
  if (value instanceof Uint8Array) return `b${toHex(value)}`
  if (value instanceof SecretText) return `s${JSON.stringify(value.reveal())}`
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined && typeof item !== 'function')
    return `{${entries.map(([name, item]) => `${name}:${canonicalText(item)}`).join()}}`
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
