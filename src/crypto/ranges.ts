/**
 * What every cipher call checks before it touches the buffer.
 *
 * A typed array ignores writes beyond its end, so a wrong offset would lose data silently; a wrong nonce length would
 * encrypt under another nonce than meant. Both are the caller's fault, never the peer's, and throw.
 */
import { UsageError } from '../bytes/index.ts'
import { AEAD_NONCE_LENGTH, AEAD_TAG_LENGTH } from './provider.ts'

/** @throws UsageError unless the three ranges lie inside the buffer and the nonce has 12 bytes. CRY-28 */
export function checkAeadRanges(
  buffer: Uint8Array,
  aadOffset: number,
  aadLength: number,
  offset: number,
  length: number,
  tagOffset: number,
  nonce: Uint8Array,
): void {
  const size = buffer.length
  if (
    aadOffset < 0 ||
    aadLength < 0 ||
    offset < 0 ||
    length < 0 ||
    tagOffset < 0 ||
    aadOffset + aadLength > size ||
    offset + length > size ||
    tagOffset + AEAD_TAG_LENGTH > size
  ) {
    throw new UsageError('a range lies outside the buffer')
  }
  if (nonce.length !== AEAD_NONCE_LENGTH) throw new UsageError('a nonce has 12 bytes')
}

/** @throws UsageError unless the range lies inside the buffer. CRY-28 */
export function checkRange(buffer: Uint8Array, offset: number, length: number): void {
  if (offset < 0 || length < 0 || offset + length > buffer.length) {
    throw new UsageError('a range lies outside the buffer')
  }
}

/** @throws UsageError unless the range is whole blocks inside the buffer and the IV is complete. CRY-28 */
export function checkCbcRanges(
  buffer: Uint8Array,
  offset: number,
  length: number,
  iv: Uint8Array,
  ivOffset: number,
  blockLength: number,
): void {
  checkRange(buffer, offset, length)
  checkRange(iv, ivOffset, blockLength)
  if (length % blockLength !== 0) throw new UsageError('CBC takes whole blocks')
}
