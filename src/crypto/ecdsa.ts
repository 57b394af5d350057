/**
 * ECDSA: the DER form of signatures, deterministic nonces, and signing and verifying on top of a point multiplication.
 *
 * Signing is complete but for one step, `k` times the base point, which each provider does its own way; so all
 * providers make the same signature (RFC 6979 with the HMAC of the message's hash). The DER parser takes exactly one
 * encoding per signature: shortest lengths, shortest integers, nothing behind. Both halves of the range of `s` are
 * valid, as X.509 and TLS have it (CRY-25).
 */
import { concat, invariant } from '../bytes/index.ts'
import { bigIntToBytes, bytesToBigInt, mod, modInverse } from './bigint.ts'
import { CURVES, type Curve, parsePoint, parseScalar } from './curves.ts'
import type { CryptoProvider, CurveName, HashName } from './provider.ts'

/** The two numbers of a signature. */
export interface EcdsaSignature {
  readonly r: bigint
  readonly s: bigint
}

/** DER: SEQUENCE of the two INTEGERs. */
export function writeEcdsaSignature({ r, s }: EcdsaSignature): Uint8Array {
  const body = concat(writeInteger(r), writeInteger(s))
  const header = body.length < 128 ? [0x30, body.length] : [0x30, 0x81, body.length]
  return concat(Uint8Array.from(header), body)
}

function writeInteger(value: bigint): Uint8Array {
  const digits = value.toString(16)
  const length = (digits.length >> 1) + 1
  const bytes = bigIntToBytes(value, length)
  const content = bytes[0] === 0 && length > 1 && (bytes[1] as number) < 128 ? bytes.subarray(1) : bytes
  return concat(Uint8Array.of(2, content.length), content)
}

/** The numbers of a DER signature, or `undefined` for any other bytes. Ranges are checked by {@link parseEcdsaSignatureInRange}. CRY-8 */
export function parseEcdsaSignature(der: Uint8Array): EcdsaSignature | undefined {
  let offset = 2
  let length = der[1] ?? 0
  if (length === 0x81) {
    length = der[2] ?? 0
    offset = 3
    if (length < 128) return undefined
  } else if (length >= 128) {
    return undefined
  }
  if (der[0] !== 0x30 || der.length !== offset + length) return undefined
  const r = parseInteger(der, offset)
  if (r === undefined) return undefined
  const s = parseInteger(der, r.end)
  if (s?.end !== der.length) return undefined
  return { r: r.value, s: s.value }
}

/** As {@link parseEcdsaSignature}, with both numbers in `[1, order - 1]` of the curve. CRY-8 */
export function parseEcdsaSignatureInRange(curveName: CurveName, der: Uint8Array): EcdsaSignature | undefined {
  const { order } = CURVES[curveName]
  const signature = parseEcdsaSignature(der)
  if (signature === undefined || signature.r === 0n || signature.s === 0n) return undefined
  return signature.r < order && signature.s < order ? signature : undefined
}

function parseInteger(der: Uint8Array, offset: number): { value: bigint; end: number } | undefined {
  const length = der[offset + 1] ?? 0
  const start = offset + 2
  if (der[offset] !== 2 || length === 0 || length >= 128 || start + length > der.length) return undefined
  const first = der[start] as number
  if (first >= 128) return undefined
  if (first === 0 && length > 1 && (der[start + 1] as number) < 128) return undefined
  return { value: bytesToBigInt(der.subarray(start, start + length)), end: start + length }
}

/** The leftmost bits of a digest, as many as the order has (FIPS 186-5 section 6.4). CRY-9 */
function truncate(curve: Curve, digest: Uint8Array): bigint {
  const excess = digest.length * 8 - curve.orderBits
  const value = bytesToBigInt(digest)
  return excess > 0 ? value >> BigInt(excess) : value
}

/** Nonces for one key and message in the order of RFC 6979 section 3.2. CRY-7 */
class NonceGenerator {
  readonly #crypto: Pick<CryptoProvider, 'createHmac'>
  readonly #hash: HashName
  readonly #curve: Curve
  #key: Uint8Array
  #value: Uint8Array

  constructor(
    crypto: Pick<CryptoProvider, 'createHmac'>,
    hash: HashName,
    curve: Curve,
    secret: Uint8Array,
    digest: Uint8Array,
  ) {
    this.#crypto = crypto
    this.#hash = hash
    this.#curve = curve
    this.#key = new Uint8Array(digest.length)
    this.#value = new Uint8Array(digest.length).fill(1)
    const seed = concat(secret, bigIntToBytes(mod(truncate(curve, digest), curve.order), curve.length))
    this.#mix(0, seed)
    this.#mix(1, seed)
  }

  /** The next candidate in `[1, order - 1]`. */
  next(): bigint {
    const { length, order } = this.#curve
    for (;;) {
      const bytes = new Uint8Array(length)
      for (let offset = 0; offset < length; offset += this.#value.length) {
        this.#value = this.#mac(this.#value)
        bytes.set(this.#value.subarray(0, length - offset), offset)
      }
      this.#mix(0)
      const candidate = truncate(this.#curve, bytes)
      if (candidate > 0n && candidate < order) return candidate
    }
  }

  #mix(label: number, ...seed: Uint8Array[]): void {
    this.#key = this.#mac(this.#value, Uint8Array.of(label), ...seed)
    this.#value = this.#mac(this.#value)
  }

  #mac(...parts: Uint8Array[]): Uint8Array {
    const mac = this.#crypto.createHmac(this.#hash, this.#key)
    for (const part of parts) mac.update(part)
    return mac.finish()
  }
}

/**
 * A DER signature over `message`.
 *
 * @param multiplyBase - the x coordinate of `k` times the base point, `k` in big-endian bytes of the curve's length.
 * @throws UsageError when `secret` is not a private key of the curve.
 */
export function ecdsaSign(
  crypto: Pick<CryptoProvider, 'createHash' | 'createHmac'>,
  curveName: CurveName,
  hash: HashName,
  secret: Uint8Array,
  message: Uint8Array,
  multiplyBase: (k: Uint8Array) => Uint8Array,
): Uint8Array {
  const curve = CURVES[curveName]
  const { order, length } = curve
  const d = parseScalar(curveName, secret)
  const digest = crypto.createHash(hash).update(message).finish()
  const h = mod(truncate(curve, digest), order)
  const nonces = new NonceGenerator(crypto, hash, curve, secret, digest)
  for (;;) {
    const k = nonces.next()
    const r = mod(bytesToBigInt(multiplyBase(bigIntToBytes(k, length))), order)
    if (r === 0n) continue
    // CRY-10: the inverse is taken of a blinded nonce, and the blind covers d in the products as well
    const blind = nonces.next()
    const inverse = modInverse(mod(blind * k, order), order)
    invariant(inverse !== undefined, 'CRY-10')
    const s = mod(inverse * mod(blind * h + mod(blind * d, order) * r, order), order)
    if (s !== 0n) return writeEcdsaSignature({ r, s })
  }
}

/** True when `signature` (DER) over `message` is valid under the uncompressed point. Never throws. CRY-8 CRY-9 */
export function ecdsaVerify(
  crypto: Pick<CryptoProvider, 'createHash'>,
  curveName: CurveName,
  hash: HashName,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const curve = CURVES[curveName]
  const { order, Point } = curve
  const numbers = parseEcdsaSignatureInRange(curveName, signature)
  const point = parsePoint(curveName, publicKey)
  if (numbers === undefined || point === undefined) return false
  const { r, s } = numbers
  const h = mod(truncate(curve, crypto.createHash(hash).update(message).finish()), order)
  const inverse = modInverse(s, order)
  if (inverse === undefined) return false
  const sum = Point.BASE.mulAddUnsafe(mod(h * inverse, order), point, mod(r * inverse, order))
  return !sum.is0() && mod(sum.toAffine().x, order) === r
}
