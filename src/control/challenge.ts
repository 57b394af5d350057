/**
 * Second factors: how a challenge and its answer travel (spec/messages.md).
 *
 * A static challenge is known to the client beforehand; its answer goes out together with the password, either encoded
 * (`SCRV1`) or simply appended (`concat`). A dynamic challenge (`CRV1`) comes in AUTH_FAILED, and its answer is the next
 * attempt's password, under the username that the challenge names. An answer to a text request (`CR_RESPONSE`) is base64.
 */
import { fromBase64, toBase64, utf8DecodeStrict, utf8Encode } from '../bytes/index.ts'
import { printable } from './text.ts'

/** A challenge out of AUTH_FAILED. */
export interface DynamicChallengeText {
  /** The question. */
  readonly text: string
  /** To be used in the next attempt. */
  readonly username: string
  /** Opaque; goes back with the answer. */
  readonly stateId: string
  /** The answer may be shown while typed. */
  readonly echo: boolean
  /** An answer is expected; else the text is only shown and the attempt repeated. */
  readonly responseRequired: boolean
}

/** How the answer to a static challenge is joined to the password. */
export type StaticChallengeFormat = 'scrv1' | 'concat'

/** The password to send for a static challenge. MSG-12 */
export function writeStaticResponse(password: string, response: string, format: StaticChallengeFormat): string {
  if (format === 'concat') return password + response
  return `SCRV1:${encode(password)}:${encode(response)}`
}

/** A server's view of `SCRV1`: password and answer, or `undefined` when it is not one. */
export function parseStaticResponse(
  text: string,
): { readonly password: string; readonly response: string } | undefined {
  const parts = text.split(':')
  if (parts.length !== 3 || parts[0] !== 'SCRV1') return undefined
  const password = decode(parts[1] as string)
  const response = decode(parts[2] as string)
  return password === undefined || response === undefined ? undefined : { password, response }
}

/** `CRV1:flags:state:base64 of the username:text`; `undefined` when it is not one. MSG-13 */
export function parseDynamicChallenge(text: string): DynamicChallengeText | undefined {
  const parts = text.split(':')
  if (parts.length < 5 || parts[0] !== 'CRV1') return undefined
  const username = decode(parts[3] as string)
  if (username === undefined) return undefined
  const flags = (parts[1] as string).split(',')
  return {
    text: parts.slice(4).join(':'),
    username: printable(username),
    stateId: parts[2] as string,
    echo: flags.includes('E'),
    responseRequired: flags.includes('R'),
  }
}

/** The inverse of {@link parseDynamicChallenge}. */
export function writeDynamicChallenge(challenge: DynamicChallengeText): string {
  const flags = [...(challenge.responseRequired ? ['R'] : []), ...(challenge.echo ? ['E'] : [])].join(',')
  return `CRV1:${flags}:${challenge.stateId}:${encode(challenge.username)}:${challenge.text}`
}

/** The next attempt's password: `CRV1::state::answer`. MSG-14 */
export function writeDynamicResponse(stateId: string, response: string): string {
  return `CRV1::${stateId}::${response}`
}

/** A server's view of a dynamic answer. */
export function parseDynamicResponse(
  text: string,
): { readonly stateId: string; readonly response: string } | undefined {
  if (!text.startsWith('CRV1::')) return undefined
  const end = text.indexOf('::', 6)
  return end < 0 ? undefined : { stateId: text.slice(6, end), response: text.slice(end + 2) }
}

/** The body of CR_RESPONSE for an answer. */
export function encodeResponse(response: string): string {
  return encode(response)
}

/** The answer in a CR_RESPONSE; `undefined` when it is not base64 of text. */
export function decodeResponse(base64: string): string | undefined {
  return decode(base64)
}

function encode(text: string): string {
  return toBase64(utf8Encode(text))
}

function decode(base64: string): string | undefined {
  const bytes = fromBase64(base64)
  return bytes === undefined ? undefined : utf8DecodeStrict(bytes)
}
