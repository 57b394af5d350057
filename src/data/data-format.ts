/**
 * Every data packet format in one table: which field lies where, what is encrypted, what is authenticated (DATA-1).
 *
 * A format is chosen by cipher, epoch keys and static-key mode; the lengths of its fields follow from cipher, digest and
 * peer-id. From the two together come the exact length of a sealed packet, the largest payload that fits a datagram, and
 * the headroom and tailroom of a channel. The channels themselves have the offsets of their own row written out, for
 * speed; tests hold them against this table.
 *
 * Spec: data.md, "Formats".
 */
import { AEAD_KEY_LENGTH, AEAD_TAG_LENGTH, type AeadAlgorithm, CBC_LENGTHS, HASH_LENGTH } from '../crypto/index.ts'
import {
  DATA_V1_HEADER_LENGTH,
  DATA_V2_HEADER_LENGTH,
  EPOCH_PACKET_ID_LENGTH,
  LONG_PACKET_ID_LENGTH,
  SHORT_PACKET_ID_LENGTH,
} from '../wire/index.ts'
import type { DataAuth, DataCipher } from './channel.ts'

/** A field of a data packet. `tag` is an AEAD tag or an HMAC. */
export type DataField = 'header' | 'id' | 'tag' | 'iv' | 'payload' | 'padding'

/** A row of {@link DATA_FORMATS}. */
export interface DataFormat {
  /** Fields in the order of the wire. */
  readonly fields: readonly DataField[]
  /** Fields that are encrypted, as one run. */
  readonly encrypted: readonly DataField[]
  /** Fields under the tag, encrypted ones in their encrypted form. */
  readonly authenticated: readonly DataField[]
  /** `short` u32; `long` u32 and u32 time; `epoch` u16 epoch and u48 counter. */
  readonly id: 'short' | 'long' | 'epoch'
}

/** All formats. In `aead` the header is under the tag in its DATA_V2 form only. */
export const DATA_FORMATS = {
  /** AES-GCM and CHACHA20-POLY1305. */
  aead: {
    fields: ['header', 'id', 'tag', 'payload'],
    encrypted: ['payload'],
    authenticated: ['header', 'id', 'payload'],
    id: 'short',
  },
  /** The same ciphers with epoch keys. */
  'aead-epoch': {
    fields: ['header', 'id', 'payload', 'tag'],
    encrypted: ['payload'],
    authenticated: ['header', 'id', 'payload'],
    id: 'epoch',
  },
  /** CBC and HMAC. */
  cbc: {
    fields: ['header', 'tag', 'iv', 'id', 'payload', 'padding'],
    encrypted: ['id', 'payload', 'padding'],
    authenticated: ['iv', 'id', 'payload', 'padding'],
    id: 'short',
  },
  /** HMAC alone (`cipher none`). */
  clear: {
    fields: ['header', 'tag', 'id', 'payload'],
    encrypted: [],
    authenticated: ['id', 'payload'],
    id: 'short',
  },
  /** CBC and HMAC in static-key mode. */
  'static-cbc': {
    fields: ['tag', 'iv', 'id', 'payload', 'padding'],
    encrypted: ['id', 'payload', 'padding'],
    authenticated: ['iv', 'id', 'payload', 'padding'],
    id: 'long',
  },
  /** HMAC alone in static-key mode. */
  'static-clear': {
    fields: ['tag', 'id', 'payload'],
    encrypted: [],
    authenticated: ['id', 'payload'],
    id: 'long',
  },
} as const satisfies Record<string, DataFormat>

/** Name of a row. */
export type DataFormatName = keyof typeof DATA_FORMATS

/** What decides format and field lengths. */
export interface FormatChoice {
  readonly cipher: DataCipher
  /** Default `none`; ignored by AEAD ciphers. */
  readonly auth?: DataAuth
  readonly epoch?: boolean
  readonly staticKey?: boolean
  /** True for DATA_V2 headers. Default false. */
  readonly peerId?: boolean
}

/** A format with the lengths of its fields, in bytes. */
export interface DataLayout {
  readonly name: DataFormatName
  readonly format: DataFormat
  /** 0 in static-key mode, else 1 or 4. */
  readonly header: number
  readonly id: number
  readonly tag: number
  readonly iv: number
  /** Block length that the encrypted run is padded to; 0 without padding. */
  readonly block: number
}

/** True for ciphers that authenticate by themselves. */
export function isAead(cipher: DataCipher): cipher is AeadAlgorithm {
  return Object.hasOwn(AEAD_KEY_LENGTH, cipher)
}

/** The row that a choice selects. */
export function formatName(choice: FormatChoice): DataFormatName {
  if (isAead(choice.cipher)) return choice.epoch === true ? 'aead-epoch' : 'aead'
  if (choice.cipher === 'none') return choice.staticKey === true ? 'static-clear' : 'clear'
  return choice.staticKey === true ? 'static-cbc' : 'cbc'
}

const ID_LENGTHS = {
  short: SHORT_PACKET_ID_LENGTH,
  long: LONG_PACKET_ID_LENGTH,
  epoch: EPOCH_PACKET_ID_LENGTH,
} as const

/** The lengths of all fields of a choice. */
export function dataLayout(choice: FormatChoice): DataLayout {
  const { cipher } = choice
  const name = formatName(choice)
  const format: DataFormat = DATA_FORMATS[name]
  const auth = choice.auth ?? 'none'
  const block = isAead(cipher) || cipher === 'none' ? 0 : CBC_LENGTHS[cipher].block
  const header = choice.peerId === true ? DATA_V2_HEADER_LENGTH : DATA_V1_HEADER_LENGTH
  return {
    name,
    format,
    header: format.fields.includes('header') ? header : 0,
    id: ID_LENGTHS[format.id],
    tag: isAead(cipher) ? AEAD_TAG_LENGTH : auth === 'none' ? 0 : HASH_LENGTH[auth],
    iv: block,
    block,
  }
}

/** Bytes in front of the payload. */
export function layoutHeadroom(layout: DataLayout): number {
  const tag = layout.name === 'aead-epoch' ? 0 : layout.tag
  return layout.header + layout.id + layout.iv + tag
}

/** Bytes behind the payload, at most. */
export function layoutTailroom(layout: DataLayout): number {
  return layout.name === 'aead-epoch' ? layout.tag : layout.block
}

/** Exact length of the datagram that carries a payload of `payloadLength` bytes (DATA-30). */
export function sealedLength(layout: DataLayout, payloadLength: number): number {
  const { header, id, tag, iv, block } = layout
  const body = id + payloadLength
  return header + tag + iv + (block === 0 ? body : body + block - (body % block))
}

/** Largest payload whose datagram has at most `datagramLength` bytes; negative when none has (DATA-30). */
export function largestPayload(layout: DataLayout, datagramLength: number): number {
  const { header, id, tag, iv, block } = layout
  const room = datagramLength - header - tag - iv
  return block === 0 ? room - id : Math.floor(room / block) * block - 1 - id
}
