/**
 * What a data key counts towards, and from where (spec/data.md, "Limits").
 */

/** Why a key should be replaced soon. */
export type RenegotiationReason =
  /** The packet id reached 0xFF000000. */
  | 'packet-ids'
  /** 7/8 of the AEAD's usage limit. */
  | 'aead-usage'
  /** 2^35 packets failed verification. */
  | 'failed-verifications'
  /** 64 MB under a cipher with 64-bit blocks. */
  | 'bytes'
  /** The send epoch reached 0xF000. */
  | 'epochs'

/**
 * Where the counters of a new key start. For tests of the limits: a tunnel that set any of these in earnest would reuse
 * nonces or end early.
 */
export interface CounterStart {
  /** Packet ids already sent. */
  readonly packetsSent?: number
  /** AEAD blocks and packets already sealed. */
  readonly sendUsage?: number
  /** AEAD blocks and packets already opened. */
  readonly receiveUsage?: number
  /** Verifications that already failed. */
  readonly failedVerifications?: number
  /** Bytes already sealed and opened. */
  readonly bytes?: number
  /** AEAD blocks and packets that a key may take, in place of what the cipher allows. */
  readonly usageLimit?: number
  /** Epoch both directions start in. */
  readonly epoch?: number
}
