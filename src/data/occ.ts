/**
 * The tunnel's small talk: pings and OCC messages, which travel as payloads and are never delivered.
 *
 * A ping is 16 fixed bytes. An OCC message is 16 other fixed bytes, a type and a body: the options string and its request,
 * probes of the path's MTU, and the exit notice of UDP tunnels without a control channel message for it. Both look like no
 * IP packet, so they can stand among packets.
 *
 * Spec: data.md, "Pings and OCC".
 */
import { concat, utf8Decode, utf8Encode } from '../bytes/index.ts'
import { readU16 } from './ip.ts'

/** The payload of a ping (DATA-31). */
export const PING_PAYLOAD: Uint8Array = Uint8Array.of(
  0x2a,
  0x18,
  0x7b,
  0xf3,
  0x64,
  0x1e,
  0xb4,
  0xcb,
  0x07,
  0xed,
  0x2d,
  0x0a,
  0x98,
  0x1f,
  0xc7,
  0x48,
)

/** What every OCC message begins with (DATA-32). */
export const OCC_MAGIC: Uint8Array = Uint8Array.of(
  0x28,
  0x7f,
  0x34,
  0x6b,
  0xd4,
  0xef,
  0x7a,
  0x81,
  0x2d,
  0x56,
  0xb8,
  0xd3,
  0xaf,
  0xc5,
  0x45,
  0x9c,
)

const MAGIC_LENGTH = 16
const PING_FIRST = PING_PAYLOAD[0] as number
const OCC_FIRST = OCC_MAGIC[0] as number
const TYPE_REQUEST = 0
const TYPE_REPLY = 1
const TYPE_MTU_LOAD_REQUEST = 2
const TYPE_MTU_LOAD = 3
const TYPE_MTU_REQUEST = 4
const TYPE_MTU_REPLY = 5
const TYPE_EXIT = 6

/** An OCC message. */
export type OccMessage =
  /** Send me your options string. */
  | { readonly type: 'request' }
  | { readonly type: 'reply'; readonly options: string }
  /** Send me a packet that is `size` bytes on the wire. */
  | { readonly type: 'mtu-load-request'; readonly size: number }
  /** A packet made large by `filler` bytes. */
  | { readonly type: 'mtu-load'; readonly filler: number }
  /** Tell me your largest packets. */
  | { readonly type: 'mtu-request' }
  | { readonly type: 'mtu-reply'; readonly largestReceived: number; readonly largestSent: number }
  /** I am leaving. */
  | { readonly type: 'exit' }

/** True when the payload is a ping: exactly its 16 bytes. */
export function isPing(bytes: Uint8Array, offset: number, length: number): boolean {
  return length === MAGIC_LENGTH && bytes[offset] === PING_FIRST && startsWith(bytes, offset, PING_PAYLOAD) // DATA-31
}

/** True when the payload begins as OCC messages do. */
export function isOcc(bytes: Uint8Array, offset: number, length: number): boolean {
  return length > MAGIC_LENGTH && bytes[offset] === OCC_FIRST && startsWith(bytes, offset, OCC_MAGIC) // DATA-32
}

function startsWith(bytes: Uint8Array, offset: number, magic: Uint8Array): boolean {
  for (let i = 0; i < MAGIC_LENGTH; i++) if (bytes[offset + i] !== magic[i]) return false
  return true
}

/** The OCC message in a payload for which {@link isOcc} holds; `undefined` when its type or body is wrong. */
export function parseOcc(bytes: Uint8Array, offset: number, length: number): OccMessage | undefined {
  const body = bytes.subarray(offset + MAGIC_LENGTH + 1, offset + length)
  switch (bytes[offset + MAGIC_LENGTH]) {
    case TYPE_REQUEST:
      return { type: 'request' }
    case TYPE_REPLY: {
      const end = body.indexOf(0)
      return { type: 'reply', options: utf8Decode(end < 0 ? body : body.subarray(0, end)) }
    }
    case TYPE_MTU_LOAD_REQUEST:
      return body.length < 2 ? undefined : { type: 'mtu-load-request', size: readU16(body, 0) }
    case TYPE_MTU_LOAD:
      return { type: 'mtu-load', filler: body.length }
    case TYPE_MTU_REQUEST:
      return { type: 'mtu-request' }
    case TYPE_MTU_REPLY:
      if (body.length < 4) return undefined
      return { type: 'mtu-reply', largestReceived: readU16(body, 0), largestSent: readU16(body, 2) }
    case TYPE_EXIT:
      return { type: 'exit' }
    default:
      return undefined
  }
}

/** The payload of an OCC message. */
export function writeOcc(message: OccMessage): Uint8Array {
  switch (message.type) {
    case 'request':
      return concat(OCC_MAGIC, Uint8Array.of(TYPE_REQUEST))
    case 'reply':
      return concat(OCC_MAGIC, Uint8Array.of(TYPE_REPLY), utf8Encode(message.options), Uint8Array.of(0))
    case 'mtu-load-request':
      return concat(OCC_MAGIC, Uint8Array.of(TYPE_MTU_LOAD_REQUEST, message.size >> 8, message.size & 255))
    case 'mtu-load':
      return concat(OCC_MAGIC, Uint8Array.of(TYPE_MTU_LOAD), new Uint8Array(message.filler))
    case 'mtu-request':
      return concat(OCC_MAGIC, Uint8Array.of(TYPE_MTU_REQUEST))
    case 'mtu-reply': {
      const { largestReceived: received, largestSent: sent } = message
      return concat(OCC_MAGIC, Uint8Array.of(TYPE_MTU_REPLY, received >> 8, received & 255, sent >> 8, sent & 255))
    }
    case 'exit':
      return concat(OCC_MAGIC, Uint8Array.of(TYPE_EXIT))
  }
}

/** What a side knows when it is asked. */
export interface OccState {
  /** Our options string, without NUL. */
  readonly options: string
  /** Largest datagrams of this tunnel so far, in bytes. */
  readonly largestReceived: number
  readonly largestSent: number
  /** The largest payload whose datagram has at most `size` bytes, everything in between counted. */
  readonly payloadFor: (size: number) => number
}

/** The answer to an OCC message, or `undefined` when it asks for none (DATA-33). */
export function occAnswer(message: OccMessage, state: OccState): OccMessage | undefined {
  switch (message.type) {
    case 'request':
      return { type: 'reply', options: state.options }
    case 'mtu-load-request': {
      const filler = state.payloadFor(message.size) - MAGIC_LENGTH - 1
      return { type: 'mtu-load', filler: Math.max(0, filler) }
    }
    case 'mtu-request':
      return { type: 'mtu-reply', largestReceived: state.largestReceived, largestSent: state.largestSent }
    case 'reply':
    case 'mtu-load':
    case 'mtu-reply':
    case 'exit':
      return undefined
  }
}

/** Pause between two OCC requests in static-key mode, ms (DATA-34). */
export const OCC_REQUEST_INTERVAL = 10_000
/** Most OCC requests without an answer (DATA-34). */
export const OCC_REQUEST_COUNT = 12
/** Pause between two steps of an MTU probe, ms. */
export const OCC_MTU_INTERVAL = 3000
