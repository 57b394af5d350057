/**
 * Nonces: an IV held as three numbers, and the one array in which a packet's nonce is put together.
 *
 * A channel has an IV for each direction and epoch. As numbers they lie in the channel itself; arrays of their own would be
 * two more places in memory to go to for every packet, which is what a server with thousands of clients pays for. A cipher
 * reads the nonce before its call returns, so all channels share one array.
 *
 * Spec: data.md, "AEAD" and "Epoch keys".
 */
import { SHORT_PACKET_ID_LENGTH, writePacketId } from '../wire/index.ts'

/** Bytes of an IV that packet ids leave in place. */
export const IMPLICIT_IV = 8

/** The nonce of the packet in hand. */
export const NONCE = new Uint8Array(SHORT_PACKET_ID_LENGTH + IMPLICIT_IV)

/** Four bytes of an IV as a signed number, which a field holds without an object of its own. */
export function ivWord(iv: Uint8Array, offset: number): number {
  return (
    ((iv[offset] as number) << 24) |
    ((iv[offset + 1] as number) << 16) |
    ((iv[offset + 2] as number) << 8) |
    (iv[offset + 3] as number)
  )
}

/** {@link NONCE} as a packet id with the implicit IV behind it (DATA-4). */
export function writeIdNonce(id: number, second: number, third: number): Uint8Array {
  writePacketId(NONCE, 0, id)
  writeWord(4, second)
  writeWord(8, third)
  return NONCE
}

/** {@link NONCE} as an IV XORed with the 8 bytes of epoch and counter at `at` (DATA-24). Written out: a loop costs twice as much. */
export function writeEpochNonce(
  first: number,
  second: number,
  third: number,
  buffer: Uint8Array,
  at: number,
): Uint8Array {
  NONCE[0] = (first >>> 24) ^ (buffer[at] as number)
  NONCE[1] = (first >>> 16) ^ (buffer[at + 1] as number)
  NONCE[2] = (first >>> 8) ^ (buffer[at + 2] as number)
  NONCE[3] = first ^ (buffer[at + 3] as number)
  NONCE[4] = (second >>> 24) ^ (buffer[at + 4] as number)
  NONCE[5] = (second >>> 16) ^ (buffer[at + 5] as number)
  NONCE[6] = (second >>> 8) ^ (buffer[at + 6] as number)
  NONCE[7] = second ^ (buffer[at + 7] as number)
  writeWord(8, third)
  return NONCE
}

function writeWord(at: number, word: number): void {
  NONCE[at] = word >>> 24
  NONCE[at + 1] = word >>> 16
  NONCE[at + 2] = word >>> 8
  NONCE[at + 3] = word
}
