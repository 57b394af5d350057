/**
 * The three forms of packet ids against replays (spec/wire.md, WIRE-20 to WIRE-23).
 *
 *     short   u32 id                      TLS-mode data packets
 *     long    u32 id | u32 unix seconds   tls-auth, tls-crypt, static-key mode
 *     epoch   u16 epoch | u48 counter     epoch data keys
 *
 * Ids start at 1; 0 is never sent and never accepted. The functions work at an offset of the caller's buffer and allocate
 * nothing; the caller has checked that the bytes are there. u48 counters are exact as numbers.
 */

/** Length of a short packet id (WIRE-20). */
export const SHORT_PACKET_ID_LENGTH = 4
/** Length of a long packet id. */
export const LONG_PACKET_ID_LENGTH = 8
/** Length of an epoch packet id. */
export const EPOCH_PACKET_ID_LENGTH = 8
/** Largest short or long packet id. */
export const MAX_PACKET_ID = 0xffffffff
/** A short id from which on the key should be replaced (WIRE-22). */
export const PACKET_ID_REKEY = 0xff000000
/** Largest counter within one epoch. */
export const MAX_EPOCH_COUNTER = 0xffffffffffff

/** The u32 at `offset`: a short packet id, or the id of a long one. */
export function readPacketId(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset] as number) << 24) |
      ((bytes[offset + 1] as number) << 16) |
      ((bytes[offset + 2] as number) << 8) |
      (bytes[offset + 3] as number)) >>>
    0
  )
}

/** Writes a short packet id. */
export function writePacketId(out: Uint8Array, offset: number, id: number): void {
  out[offset] = id >>> 24
  out[offset + 1] = id >>> 16
  out[offset + 2] = id >>> 8
  out[offset + 3] = id
}

/** The time of the long packet id at `offset`, Unix seconds as a u32. */
export function readLongPacketIdTime(bytes: Uint8Array, offset: number): number {
  return readPacketId(bytes, offset + 4)
}

/** Writes a long packet id: the id, then the time (WIRE-21). */
export function writeLongPacketId(out: Uint8Array, offset: number, id: number, time: number): void {
  writePacketId(out, offset, id)
  writePacketId(out, offset + 4, time)
}

/** The epoch of the epoch packet id at `offset`. */
export function readEpoch(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number)
}

/** The counter of the epoch packet id at `offset`. */
export function readEpochCounter(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset + 2] as number) << 8) | (bytes[offset + 3] as number)) * 0x100000000 +
    readPacketId(bytes, offset + 4)
  )
}

/** Writes an epoch packet id: the epoch, then the counter (WIRE-23). */
export function writeEpochPacketId(out: Uint8Array, offset: number, epoch: number, counter: number): void {
  const high = Math.floor(counter / 0x100000000)
  out[offset] = epoch >>> 8
  out[offset + 1] = epoch
  out[offset + 2] = high >>> 8
  out[offset + 3] = high
  writePacketId(out, offset + 4, counter % 0x100000000)
}
