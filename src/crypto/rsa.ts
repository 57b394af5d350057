/**
 * RSA signatures: which keys are taken, verifying, and signing with the Chinese remainder theorem (RFC 8017).
 *
 * The private operation runs on a blinded message, and its result is checked with the public key before it leaves: a
 * fault in one half of the computation would otherwise give the key away. Padding comes from rsa-encoding.ts; encryption
 * and decryption with RSA do not exist here.
 */
import { equalConstantTime, invariant, UsageError } from '../bytes/index.ts'
import { bigIntToBytes, bitLength, bytesToBigInt, mod, modInverse, modPow, modPowSecret } from './bigint.ts'
import { drawRandom } from './curves.ts'
import {
  type CryptoProvider,
  MAX_RSA_BITS,
  type PrivateKey,
  type PublicKey,
  type RandomSource,
  type SignatureAlgorithm,
} from './provider.ts'
import { checkPss, encodePkcs1, encodePss } from './rsa-encoding.ts'

type HashProvider = Pick<CryptoProvider, 'createHash'>
type RsaAlgorithm = Extract<SignatureAlgorithm, { type: 'rsa-pkcs1' | 'rsa-pss' }>
type RsaPublicKey = Extract<PublicKey, { type: 'rsa' }>
type RsaPrivateKey = Extract<PrivateKey, { type: 'rsa' }>

/** Smallest RSA modulus that is taken at all, in bits. What certificates may use is decided above, and is more. */
export const MIN_RSA_BITS = 1024
/** Longest public exponent, in bits. */
const MAX_EXPONENT_BITS = 33

/** The numbers of a public key. */
export interface RsaModulus {
  readonly n: bigint
  readonly e: bigint
  /** Bits of `n`. */
  readonly bits: number
  /** Bytes of `n`, and of every signature. */
  readonly length: number
}

/** A public key's numbers, or `undefined` for sizes and exponents outside the rules. CRY-11 */
export function parseRsaKey(key: { readonly n: Uint8Array; readonly e: Uint8Array }): RsaModulus | undefined {
  if (key.n.length > MAX_RSA_BITS / 8 + 1 || key.e.length > MAX_EXPONENT_BITS / 8 + 1) return undefined
  const n = bytesToBigInt(key.n)
  const e = bytesToBigInt(key.e)
  const bits = bitLength(n)
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS || (n & 1n) === 0n) return undefined
  if (e < 3n || (e & 1n) === 0n || bitLength(e) > MAX_EXPONENT_BITS) return undefined
  return { n, e, bits, length: Math.ceil(bits / 8) }
}

/** True when the key may make signatures of the algorithm: id-RSASSA-PSS keys keep to their own parameters. CRY-14 */
export function rsaKeyAllows(key: RsaPublicKey, algorithm: RsaAlgorithm): boolean {
  if (algorithm.type === 'rsa-pkcs1') return !key.pssOnly
  const bound = key.pssParameters
  return bound === undefined || (bound.hash === algorithm.hash && algorithm.saltLength >= bound.saltLength)
}

/** The two raw operations on blocks as long as the modulus, which providers do in their own ways. */
export interface RsaPublicOperation {
  /** `block ^ e mod n`; `block` is below `n`. `undefined` when the key cannot be used. */
  (key: RsaPublicKey, modulus: RsaModulus, block: Uint8Array): Uint8Array | undefined
}

/** True when `signature` over `message` is valid. Never throws. CRY-11 CRY-12 CRY-13 CRY-14 */
export function rsaVerify(
  crypto: HashProvider,
  algorithm: RsaAlgorithm,
  key: RsaPublicKey,
  message: Uint8Array,
  signature: Uint8Array,
  publicOperation: RsaPublicOperation = portablePublicOperation,
): boolean {
  const modulus = parseRsaKey(key)
  if (modulus === undefined || !rsaKeyAllows(key, algorithm) || signature.length !== modulus.length) return false
  if (bytesToBigInt(signature) >= modulus.n) return false
  const block = publicOperation(key, modulus, signature)
  if (block === undefined) return false
  const digest = crypto.createHash(algorithm.hash).update(message).finish()
  if (algorithm.type === 'rsa-pkcs1') {
    const expected = encodePkcs1(algorithm.hash, digest, modulus.length)
    return expected !== undefined && equalConstantTime(expected, block)
  }
  const bits = modulus.bits - 1
  const length = Math.ceil(bits / 8)
  if (length < block.length && block[0] !== 0) return false
  const encoded = block.subarray(block.length - length)
  return checkPss(crypto, algorithm.hash, digest, encoded, algorithm.saltLength, bits)
}

function portablePublicOperation(_key: RsaPublicKey, { n, e, length }: RsaModulus, block: Uint8Array): Uint8Array {
  return bigIntToBytes(modPow(bytesToBigInt(block), e, n), length)
}

const BLINDING_LENGTH = 32

/** What {@link rsaSign} hands to the private operation. */
export interface RsaSigningInput {
  readonly key: RsaPrivateKey
  readonly modulus: RsaModulus
  /** The encoded message, as long as the modulus. */
  readonly block: Uint8Array
  /** Fresh randomness for blinding, for operations that do not blind by themselves. */
  readonly blinding: Uint8Array
}

/**
 * A signature over `message`, checked with the public key before it is returned.
 *
 * Draws the PSS salt, where there is one, and then 32 bytes for blinding, whether or not the private operation uses
 * them. CRY-4 CRY-16
 *
 * @throws UsageError when the key is outside the rules, too short for the algorithm, not allowed to make it, or when its
 * parts do not belong together.
 */
export function rsaSign(
  crypto: HashProvider,
  algorithm: RsaAlgorithm,
  key: RsaPrivateKey,
  message: Uint8Array,
  random: RandomSource,
  privateOperation: (input: RsaSigningInput) => Uint8Array | undefined = (input) => blindedOperation(crypto, input),
  publicOperation: RsaPublicOperation = portablePublicOperation,
): Uint8Array {
  const modulus = parseRsaKey(key)
  if (modulus === undefined) throw new UsageError('an RSA key of this size or exponent is not supported')
  if (key.public.type !== 'rsa' || !rsaKeyAllows(key.public, algorithm)) {
    throw new UsageError('the RSA key may not make signatures of this algorithm')
  }
  const { hash } = algorithm
  const digest = crypto.createHash(hash).update(message).finish()
  const encoded =
    algorithm.type === 'rsa-pkcs1'
      ? encodePkcs1(hash, digest, modulus.length)
      : encodePss(crypto, hash, digest, drawRandom(random, algorithm.saltLength), modulus.bits - 1)
  if (encoded === undefined) throw new UsageError('the RSA key is too short for this algorithm')
  const block = new Uint8Array(modulus.length)
  block.set(encoded, modulus.length - encoded.length)
  const signature = privateOperation({ key, modulus, block, blinding: drawRandom(random, BLINDING_LENGTH) })
  const check = signature === undefined ? undefined : publicOperation(key.public, modulus, signature)
  // CRY-16
  if (signature === undefined || check === undefined || !equalConstantTime(check, block)) {
    throw new UsageError('the parts of the RSA key do not belong together')
  }
  return signature
}

/** A number in `[2, n - 1)` prime to `n`, and its inverse, fixed by `seed`. */
function blindingPair(
  crypto: HashProvider,
  seed: Uint8Array,
  { n, length }: RsaModulus,
): { readonly factor: bigint; readonly inverse: bigint } {
  const bytes = new Uint8Array(length)
  const counter = new Uint8Array(2)
  for (let attempt = 0; ; attempt++) {
    counter[0] = attempt
    for (let offset = 0, i = 0; offset < length; i++) {
      counter[1] = i
      const block = crypto.createHash('SHA512').update(seed).update(counter).finish()
      bytes.set(block.subarray(0, length - offset), offset)
      offset += block.length
    }
    const factor = mod(bytesToBigInt(bytes), n)
    const inverse = factor > 1n ? modInverse(factor, n) : undefined
    if (inverse !== undefined) return { factor, inverse }
    invariant(attempt < 8, 'CRY-15')
  }
}

/** `block ^ d mod n` on a blinded block, by the Chinese remainder theorem. CRY-15 */
function blindedOperation(
  crypto: HashProvider,
  { key, modulus, block, blinding }: RsaSigningInput,
): Uint8Array | undefined {
  const { n, e, length } = modulus
  const p = bytesToBigInt(key.p)
  const q = bytesToBigInt(key.q)
  if (p * q !== n) return undefined
  const { factor, inverse } = blindingPair(crypto, blinding, modulus)
  const blinded = (bytesToBigInt(block) * modPow(factor, e, n)) % n
  const halfP = modPowSecret(blinded, bytesToBigInt(key.dp), p, bitLength(p))
  const halfQ = modPowSecret(blinded, bytesToBigInt(key.dq), q, bitLength(q))
  const joined = halfQ + q * mod(bytesToBigInt(key.qi) * (halfP - halfQ), p)
  return bigIntToBytes((joined * inverse) % n, length)
}
