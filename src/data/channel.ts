/**
 * The face of a data channel: one key, both directions, packets sealed and opened in place.
 *
 * A channel turns a payload into a datagram and back inside the caller's own buffer. Sealing needs `headroom` free bytes
 * before the payload and `tailroom` after it; both calls return the length of what they made and leave its start in
 * `resultOffset`. Nothing is allocated per packet. A negative return is a {@link DataCode}: the packet was not accepted, and
 * nothing in the channel changed except a counter of failed verifications.
 *
 * A channel lives as long as its key: rekeying makes a new one. When the key nears one of its limits the channel says so
 * in `renegotiation` and keeps working until the limit itself.
 *
 * Spec: data.md.
 */
import type { Aead, AeadAlgorithm, CbcAlgorithm, CryptoProvider, HashName, RandomSource } from '../crypto/index.ts'
import type { ReplayWindow } from '../reliability/index.ts'
import type { CounterStart, RenegotiationReason } from './counters.ts'
import type { DataKeys } from './keys.ts'
import type { DataChannelSnapshot } from './snapshot.ts'

/** Ciphers of the data channel. `none` sends plaintext. */
export type DataCipher = AeadAlgorithm | CbcAlgorithm | 'none'

/** Digests of the data channel for ciphers that are not AEADs. `none` sends unauthenticated packets. */
export type DataAuth = HashName | 'none'

/** One data key in use. Not safe for calls from within its own calls, which never happen. */
export interface DataChannel {
  /** Free bytes that `seal` needs before the payload. */
  readonly headroom: number
  /** Free bytes that `seal` needs after the payload. */
  readonly tailroom: number
  /** Where the last successful `seal` or `open` left its result. */
  readonly resultOffset: number
  /** Set once the key nears a limit and should be replaced; never unset. */
  readonly renegotiation: RenegotiationReason | undefined
  /** Packets whose tag or HMAC did not match. */
  readonly failedVerifications: number

  /**
   * Seals `buffer[offset, offset + length)` in place.
   *
   * @returns the datagram's length, its start in `resultOffset`; or `DataCode.KEY_EXHAUSTED`.
   * @throws UsageError when the buffer lacks headroom or tailroom.
   */
  seal(buffer: Uint8Array, offset: number, length: number): number

  /**
   * Opens the datagram `buffer[offset, offset + length)` in place.
   *
   * @param now - ms on the host's clock, for the time half of the replay window.
   * @returns the payload's length, its start in `resultOffset`; or a negative {@link DataCode}. After a negative return
   * the range holds no plaintext.
   */
  open(buffer: Uint8Array, offset: number, length: number, now: number): number

  /** What it works with now: another object whenever one of them is another. */
  readonly parts: ChannelParts
  /** Reads the fields that every packet needs; the number says nothing. */
  touch(): number

  /** TLS mode: the channel as plain data, to be restored elsewhere; this one must not seal again. DATA-51 */
  snapshot(now: number): DataChannelSnapshot
}

/** What the next packet needs of a channel besides its own fields. */
export interface ChannelParts {
  readonly replay: ReplayWindow
  readonly opener: Aead | undefined
  readonly sealer: Aead | undefined
}

/** `replay-window n t`. */
export interface ReplayOptions {
  /** Ids that may still arrive behind the highest one: 1 to 65536, default 64. */
  readonly window?: number
  /** Seconds that a gap may stay open: 1 to 600, default 15. */
  readonly seconds?: number
}

/** Everything a data channel is made of. */
export interface DataChannelOptions {
  readonly crypto: CryptoProvider
  readonly cipher: DataCipher
  /** Ignored by AEAD ciphers. */
  readonly auth?: DataAuth
  readonly keys: DataKeys
  /** Epoch keys (`protocol-flags aead-epoch`): an AEAD cipher and a peer-id are required. */
  readonly epoch?: boolean
  /**
   * Static-key mode (`secret`): no opcode byte, long packet ids, and no AEAD. `startTime` is the Unix time in seconds that
   * goes into the first packet; it must be later than that of any channel used before under the same key.
   */
  readonly staticKey?: { readonly startTime: number }
  /** Key id 0 to 7 of TLS mode. Default 0. */
  readonly keyId?: number
  /** 24-bit peer-id to send in DATA_V2 headers; absent: DATA_V1. */
  readonly peerId?: number | undefined
  /** 24-bit peer-id that received DATA_V2 headers must carry (0xFFFFFF also passes); absent: any. */
  readonly receivePeerId?: number | undefined
  readonly replay?: ReplayOptions
  /** Source of CBC initialisation vectors; required by CBC ciphers. */
  readonly random?: RandomSource
  /** Permits `cipher none`, and `auth none` beside a cipher that does not authenticate by itself. */
  readonly allowInsecure?: boolean
  /** For tests only. */
  readonly counterStart?: CounterStart
  /** Goes on where another channel stopped; `now` is the time that its ages count back from. See `restoreDataChannel`. */
  readonly restored?: { readonly snapshot: DataChannelSnapshot; readonly now: number }
}
