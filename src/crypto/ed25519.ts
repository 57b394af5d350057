/**
 * Ed25519 verification (RFC 8032 section 5.1.7), the same in every provider.
 *
 * The standard leaves room: verifiers differ on encodings that are not reduced, on keys of small order, and on whether
 * the equation is multiplied by the cofactor. Here the key must be the reduced encoding of a point that is not of small
 * order, S must be below the group order, and R must be exactly the encoding of S times the base point minus k times the
 * key, which is how OpenSSL has it.
 */
import { concat, equalBytes } from '../bytes/index.ts'
import { bytesToBigInt, mod } from './bigint.ts'
import { EdwardsPoint } from './curves.ts'
import type { CryptoProvider } from './provider.ts'

const PRIME = 2n ** 255n - 19n
const ORDER_8_Y = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n
/** The y coordinates of the eight points of small order. */
const SMALL_ORDER_Y: readonly bigint[] = [0n, 1n, PRIME - 1n, ORDER_8_Y, PRIME - ORDER_8_Y]

function littleEndian(bytes: Uint8Array): bigint {
  return bytesToBigInt(Uint8Array.from(bytes).reverse())
}

/** True for 32 bytes that are a reduced y coordinate and not that of a small-order point. CRY-18 */
export function ed25519KeyIsSound(key: Uint8Array): boolean {
  if (key.length !== 32) return false
  const y = littleEndian(key) & (2n ** 255n - 1n)
  return y < PRIME && !SMALL_ORDER_Y.includes(y)
}

/** True when `signature` over `message` is valid. Never throws. CRY-18 */
export function ed25519Verify(
  crypto: Pick<CryptoProvider, 'createHash'>,
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64 || !ed25519KeyIsSound(key)) return false
  const order = EdwardsPoint.Fn.ORDER
  const s = littleEndian(signature.subarray(32))
  if (s >= order) return false
  let point: InstanceType<typeof EdwardsPoint>
  try {
    point = EdwardsPoint.fromBytes(Uint8Array.from(key), false)
  } catch {
    return false
  }
  const r = signature.subarray(0, 32)
  const k = mod(
    littleEndian(
      crypto
        .createHash('SHA512')
        .update(concat(r, key, message))
        .finish(),
    ),
    order,
  )
  const expected = EdwardsPoint.BASE.multiplyUnsafe(s).subtract(point.multiplyUnsafe(k))
  return equalBytes(expected.toBytes(), r)
}
