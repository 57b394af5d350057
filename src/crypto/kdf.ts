/**
 * Key derivation on top of any provider: HKDF and its labelled form, and the two TLS pseudo-random functions.
 *
 * HKDF: RFC 5869. Labels: RFC 8446 section 7.1; OpenVPN's epoch keys use the same construction with another prefix.
 * TLS 1.0/1.1 PRF: RFC 2246 section 5, which OpenVPN's key method 2 still uses; TLS 1.2 PRF: RFC 5246 section 5.
 */
import { concat, invariant, UsageError, utf8Encode } from '../bytes/index.ts'
import { type CryptoProvider, HASH_LENGTH, type HashName } from './provider.ts'

type HashProvider = Pick<CryptoProvider, 'createHash'>
type HmacProvider = Pick<CryptoProvider, 'createHmac'>

/** The hash of `parts`, one after another. */
export function digest(crypto: HashProvider, hash: HashName, ...parts: readonly Uint8Array[]): Uint8Array {
  const state = crypto.createHash(hash)
  for (const part of parts) state.update(part)
  return state.finish()
}

/** HMAC of `parts`, one after another. */
export function hmac(
  crypto: HmacProvider,
  hash: HashName,
  key: Uint8Array,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  const state = crypto.createHmac(hash, key)
  for (const part of parts) state.update(part)
  return state.finish()
}

/** HKDF-Extract: a pseudo-random key of the hash's length. An empty salt counts as zeros. CRY-20 */
export function hkdfExtract(crypto: HmacProvider, hash: HashName, salt: Uint8Array, ikm: Uint8Array): Uint8Array {
  return hmac(crypto, hash, salt, ikm)
}

/** HKDF-Expand: `length` bytes, at most 255 times the hash's length. CRY-20 @throws UsageError beyond that. */
export function hkdfExpand(
  crypto: HmacProvider,
  hash: HashName,
  prk: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  if (length > 255 * HASH_LENGTH[hash]) throw new UsageError('HKDF-Expand gives at most 255 blocks')
  const input = new Uint8Array(info.length + 1)
  input.set(info)
  return expand(crypto, hash, prk, input, length)
}

/** @param input - the info, and room for the counter that follows it in each block's input. */
function expand(crypto: HmacProvider, hash: HashName, prk: Uint8Array, input: Uint8Array, length: number): Uint8Array {
  const size = HASH_LENGTH[hash]
  const mac = crypto.createHmac(hash, prk)
  const last = input.length - 1
  input[last] = 1
  let block = mac.update(input).finish()
  if (length <= size) return length === size ? block : block.slice(0, length)
  const out = new Uint8Array(length)
  out.set(block)
  for (let offset = size, counter = 2; offset < length; offset += size, counter++) {
    input[last] = counter
    block = mac.update(block).update(input).finish()
    out.set(length - offset < size ? block.subarray(0, length - offset) : block, offset)
  }
  return out
}

/**
 * HKDF-Expand-Label: the info is the length, the prefixed label and the context, each with its own length. CRY-21
 *
 * @param prefix - `'tls13 '` for TLS, `'ovpn '` for OpenVPN's epoch keys.
 */
export function expandLabel(
  crypto: HmacProvider,
  hash: HashName,
  secret: Uint8Array,
  prefix: string,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const name = utf8Encode(prefix + label)
  invariant(name.length < 256 && context.length < 256 && length < 0x10000, 'CRY-21')
  const input = new Uint8Array(5 + name.length + context.length)
  input[0] = length >> 8
  input[1] = length
  input[2] = name.length
  input.set(name, 3)
  input[3 + name.length] = context.length
  input.set(context, 4 + name.length)
  return expand(crypto, hash, secret, input, length)
}

/** P_hash of RFC 5246 section 5, XORed onto `out`. */
function pHash(crypto: HmacProvider, hash: HashName, secret: Uint8Array, seed: Uint8Array, out: Uint8Array): void {
  const mac = crypto.createHmac(hash, secret)
  let chain = mac.update(seed).finish()
  for (let offset = 0; offset < out.length; ) {
    const block = mac.update(chain).update(seed).finish()
    for (let i = 0; i < block.length && offset < out.length; i++, offset++) {
      out[offset] = (out[offset] as number) ^ (block[i] as number)
    }
    chain = mac.update(chain).finish()
  }
}

/**
 * The PRF of TLS 1.0 and 1.1: MD5 under the first half of the secret XOR SHA1 under the second; of a secret of odd
 * length both halves hold the middle byte. The label is already in `seed`. CRY-22
 */
export function tls1Prf(crypto: HmacProvider, secret: Uint8Array, seed: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length)
  const half = Math.ceil(secret.length / 2)
  pHash(crypto, 'MD5', secret.subarray(0, half), seed, out)
  pHash(crypto, 'SHA1', secret.subarray(secret.length - half), seed, out)
  return out
}

/** The PRF of TLS 1.2 with the cipher suite's hash. CRY-23 */
export function tls12Prf(
  crypto: HmacProvider,
  hash: HashName,
  secret: Uint8Array,
  label: string,
  seed: Uint8Array,
  length: number,
): Uint8Array {
  const out = new Uint8Array(length)
  pHash(crypto, hash, secret, concat(utf8Encode(label), seed), out)
  return out
}
