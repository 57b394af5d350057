/**
 * How a message becomes the number that RSA signs: EMSA-PKCS1-v1_5 and EMSA-PSS (RFC 8017 section 9).
 *
 * A PKCS #1 v1.5 signature is checked by building the one right encoding and comparing the whole block, never by parsing
 * what the signature holds; so no padding variant, missing NULL or trailing garbage can pass. PSS uses MGF1 with the
 * message's hash, and a salt length that both sides know.
 */
import { concat, equalConstantTime } from '../bytes/index.ts'
import { type CryptoProvider, HASH_LENGTH, type HashName } from './provider.ts'

type HashProvider = Pick<CryptoProvider, 'createHash'>

/** DER of DigestInfo up to the digest: SEQUENCE { SEQUENCE { OID, NULL }, OCTET STRING header }. */
const DIGEST_INFO: Readonly<Record<HashName, readonly number[]>> = {
  MD5: [0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00, 0x04, 0x10],
  SHA1: [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14],
  SHA224: sha2DigestInfo(4, 28),
  SHA256: sha2DigestInfo(1, 32),
  SHA384: sha2DigestInfo(2, 48),
  SHA512: sha2DigestInfo(3, 64),
}

function sha2DigestInfo(arc: number, length: number): readonly number[] {
  const oid = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arc]
  return [0x30, 17 + length, 0x30, 0x0d, ...oid, 0x05, 0x00, 0x04, length]
}

/** EMSA-PKCS1-v1_5 of `digest` in `length` bytes; `undefined` when the modulus is too short. CRY-12 */
export function encodePkcs1(hash: HashName, digest: Uint8Array, length: number): Uint8Array | undefined {
  const info = concat(Uint8Array.from(DIGEST_INFO[hash]), digest)
  if (length < info.length + 11) return undefined
  const out = new Uint8Array(length).fill(0xff)
  out[0] = 0
  out[1] = 1
  out[length - info.length - 1] = 0
  out.set(info, length - info.length)
  return out
}

/** XORs MGF1 of `seed` onto `target`. */
function applyMask(crypto: HashProvider, hash: HashName, seed: Uint8Array, target: Uint8Array): void {
  const counter = new Uint8Array(4)
  const seeded = crypto.createHash(hash).update(seed)
  for (let offset = 0, block = 0; offset < target.length; block++) {
    counter[2] = block >> 8
    counter[3] = block
    const mask = seeded.clone().update(counter).finish()
    for (let i = 0; i < mask.length && offset < target.length; i++, offset++) {
      target[offset] = (target[offset] as number) ^ (mask[i] as number)
    }
  }
}

function hashWithSalt(crypto: HashProvider, hash: HashName, digest: Uint8Array, salt: Uint8Array): Uint8Array {
  return crypto.createHash(hash).update(new Uint8Array(8)).update(digest).update(salt).finish()
}

/** EMSA-PSS of `digest` for a modulus of `bits + 1` bits; `undefined` when it is too short for the salt. CRY-13 */
export function encodePss(
  crypto: HashProvider,
  hash: HashName,
  digest: Uint8Array,
  salt: Uint8Array,
  bits: number,
): Uint8Array | undefined {
  const length = Math.ceil(bits / 8)
  const hashLength = HASH_LENGTH[hash]
  if (length < hashLength + salt.length + 2) return undefined
  const out = new Uint8Array(length)
  const block = out.subarray(0, length - hashLength - 1)
  const h = hashWithSalt(crypto, hash, digest, salt)
  block[block.length - salt.length - 1] = 1
  block.set(salt, block.length - salt.length)
  applyMask(crypto, hash, h, block)
  out[0] = (out[0] as number) & (0xff >> (8 * length - bits))
  out.set(h, block.length)
  out[length - 1] = 0xbc
  return out
}

/** True when `encoded` is an EMSA-PSS encoding of `digest` with a salt of exactly `saltLength` bytes. CRY-13 */
export function checkPss(
  crypto: HashProvider,
  hash: HashName,
  digest: Uint8Array,
  encoded: Uint8Array,
  saltLength: number,
  bits: number,
): boolean {
  const length = Math.ceil(bits / 8)
  const hashLength = HASH_LENGTH[hash]
  if (encoded.length !== length || length < hashLength + saltLength + 2) return false
  const topMask = 0xff >> (8 * length - bits)
  const block = Uint8Array.from(encoded.subarray(0, length - hashLength - 1))
  const h = encoded.subarray(block.length, length - 1)
  if (encoded[length - 1] !== 0xbc || ((block[0] as number) & ~topMask) !== 0) return false
  applyMask(crypto, hash, h, block)
  block[0] = (block[0] as number) & topMask
  const separator = block.length - saltLength - 1
  let stray = (block[separator] as number) ^ 1
  for (let i = 0; i < separator; i++) stray |= block[i] as number
  if (stray !== 0) return false
  return equalConstantTime(h, hashWithSalt(crypto, hash, digest, block.subarray(separator + 1)))
}
