/**
 * What is told about a packet: plain records of numbers and texts, the same for a ladder on a terminal, for JSON and for a page.
 *
 * Bytes are hex texts. Secrets (passwords, tokens, answers, randoms) are texts that say they are hidden unless the caller asked
 * to see them.
 */
import type { WrapName } from './keys.ts'

/** Who sent a packet, as far as the packets so far tell. */
export type Sender = 'client' | 'server' | 'unknown'

/** The reliability layer's fields of a control packet. */
export interface ControlFields {
  readonly acks: readonly number[]
  /** 16 hex digits; present where there are acks. */
  readonly peerSessionId?: string
  /** Absent in P_ACK_V1. */
  readonly packetId?: number
  /** TLS bytes, or the settings of a reset. */
  readonly payload: number
  /** Seen before: sent again, or captured twice. */
  readonly repeated: boolean
}

/** What is told of a control packet. */
export interface ControlView {
  /** 16 hex digits. */
  readonly sessionId: string
  /** Guessed by its form where `authentic` is false. */
  readonly wrap: WrapName
  /** A key of the caller's proved it. */
  readonly authentic: boolean
  readonly replayPacketId?: number
  /** Unix seconds. */
  readonly replayTime?: number
  /** Bytes of the wrapped client key behind the packet. */
  readonly wrappedKey?: number
  /** Absent where the packet is encrypted and no key opens it. */
  readonly fields?: ControlFields
}

/** What is told of a data packet. */
export interface DataView {
  /** Absent in P_DATA_V1. */
  readonly peerId?: number
  /** Absent where it is encrypted. Of a packet that no key opened it is what an AEAD packet would have there. */
  readonly packetId?: number
  readonly epoch?: number
  readonly opened: boolean
  readonly cipher?: string
  /** What is inside, once opened. */
  readonly kind?: 'packet' | 'ping' | 'occ' | 'fragment' | 'compressed' | 'empty' | 'other'
  /** Bytes inside. */
  readonly length?: number
  /** The packet inside in one line. */
  readonly summary?: string
}

/** Something said inside the control channel, complete with this packet. */
export type Said =
  /** A TLS message or alert. */
  | {
      readonly type: 'tls'
      readonly name: string
      readonly protected: boolean
      readonly fields: Readonly<Record<string, string>>
    }
  /** TLS records that no secret opens. */
  | { readonly type: 'tls-sealed'; readonly records: number; readonly bytes: number }
  /** A key method 2 message. */
  | { readonly type: 'key-method'; readonly fields: Readonly<Record<string, string>> }
  /** A control message, e.g. `PUSH_REQUEST`. */
  | { readonly type: 'message'; readonly text: string }

/** One OpenVPN packet of a capture or recording. */
export interface DecodedPacket {
  /** The frame it was complete in, from 1 on. */
  readonly frame: number
  /** Unix ms. */
  readonly time: number
  readonly transport: 'udp' | 'tcp'
  /** `address:port`. */
  readonly from: string
  readonly to: string
  readonly sender: Sender
  /** Flows are numbered from 1 in the order in which they begin. */
  readonly flow: number
  readonly size: number
  /** The reference's name, or `opcode N`. */
  readonly opcode: string
  readonly keyId: number
  readonly control?: ControlView
  readonly data?: DataView
  readonly said: readonly Said[]
  /** What is wrong with it, a line each. */
  readonly notes: readonly string[]
}

/** A packet as it came. */
export interface RawPacket {
  readonly frame: number
  readonly time: number
  readonly transport: 'udp' | 'tcp'
  readonly from: string
  readonly to: string
  /** A UDP payload, or a TCP record without its length. */
  readonly bytes: Uint8Array
}
