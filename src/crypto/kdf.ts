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
  const size = HASH_LENGTH[hash]
  if (length > 255 * size) throw new UsageError('HKDF-Expand gives at most 255 blocks')
  const out = new Uint8Array(length)
  const mac = crypto.createHmac(hash, prk)
  // Each block's input is the block before it (none for the first), the info and a counter.
  const input = new Uint8Array(size + info.length + 1)
  input.set(info, size)
  for (let offset = 0, counter = 1; offset < length; offset += size, counter++) {
    input[input.length - 1] = counter
    const block = mac.update(counter === 1 ? input.subarray(size) : input).finish()
    input.set(block)
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
  const info = new Uint8Array(4 + name.length + context.length)
  info[0] = length >> 8
  info[1] = length
  info[2] = name.length
  info.set(name, 3)
  info[3 + name.length] = context.length
  info.set(context, 4 + name.length)
  return hkdfExpand(crypto, hash, secret, info, length)
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
