/**
 * The two old ways to put a private key behind a passphrase that today's OpenSSL still reads.
 *
 * - PEM with `Proc-Type` and `DEK-Info` headers: the key is an MD5 chain over passphrase and salt, the salt the first eight
 *   bytes of the IV; AES or triple DES in CBC mode.
 * - The scheme of PKCS#12 (RFC 7292 appendix B and C) with SHA-1 and triple DES, also seen around PKCS#8 keys.
 *
 * Both are weak against guessing, which matters to who keeps the file and not to who reads it. Rules X509-42, X509-48.
 */
import { concat, fromHex } from '../bytes/index.ts'
import type { CbcAlgorithm, CryptoProvider, HashName } from '../crypto/index.ts'
import { HASH_LENGTH } from '../crypto/index.ts'
import type { AlgorithmIdentifier } from './algorithm.ts'
import { Fields, readOctets, readSmallInteger } from './der-read.ts'
import { decryptCbc, type Decrypted } from './decrypt-cbc.ts'
import { checkIterations } from './iterations.ts'

const SHA1_AND_TRIPLE_DES = '1.2.840.113549.1.12.1.3'

/** Purposes of the keys of RFC 7292 appendix B.3. */
export const PKCS12_PURPOSE = { key: 1, iv: 2, mac: 3 } as const

const KEY_LENGTHS: ReadonlyMap<string, readonly [CbcAlgorithm, number]> = new Map([
  ['AES-128-CBC', ['AES-128-CBC', 16]],
  ['AES-192-CBC', ['AES-192-CBC', 24]],
  ['AES-256-CBC', ['AES-256-CBC', 32]],
  ['DES-EDE3-CBC', ['DES-EDE3-CBC', 24]],
])

/**
 * Opens a PEM block of the old form (X509-42).
 * @param header - what stands behind `DEK-Info:`, such as `AES-256-CBC,` and the IV in hex.
 * @throws CertificateFault when IV or ciphertext have lengths that cannot be.
 */
export function decryptOldPem(
  header: string,
  ciphertext: Uint8Array,
  passphrase: Uint8Array,
  crypto: CryptoProvider,
): Decrypted {
  const [name = '', hex = ''] = header.split(',').map((part) => part.trim())
  const [algorithm, length] = KEY_LENGTHS.get(name.toUpperCase()) ?? []
  const iv = fromHex(hex)
  if (algorithm === undefined || length === undefined || iv === undefined) return 'unsupported'
  const salt = iv.subarray(0, 8)
  const key = new Uint8Array(length)
  let digest: Uint8Array = new Uint8Array(0)
  for (let offset = 0; offset < length; offset += digest.length) {
    digest = crypto.createHash('MD5').update(digest).update(passphrase).update(salt).finish()
    key.set(digest.subarray(0, length - offset), offset)
  }
  return decryptCbc(crypto, algorithm, key, iv, ciphertext)
}

/**
 * Opens what is encrypted under PKCS#12's own scheme; `undefined` for an identifier of another scheme.
 * @throws ConfigError for too many iterations, CertificateFault for malformed parameters.
 */
export function decryptPkcs12Pbe(
  { oid, parameters }: AlgorithmIdentifier,
  ciphertext: Uint8Array,
  password: string,
  crypto: CryptoProvider,
  option: string,
): Decrypted | undefined {
  if (oid !== SHA1_AND_TRIPLE_DES) return undefined
  const fields = new Fields(parameters)
  const salt = readOctets(fields.take())
  const iterations = readSmallInteger(fields.take())
  fields.end()
  checkIterations(iterations, option)
  const derive = (purpose: number, bytes: Uint8Array, length: number): Uint8Array =>
    pkcs12Key(crypto, 'SHA1', purpose, bytes, salt, iterations, length)
  let result: Decrypted = 'wrong-password'
  for (const bytes of pkcs12Passwords(password)) {
    const key = derive(PKCS12_PURPOSE.key, bytes, 24)
    result = decryptCbc(crypto, 'DES-EDE3-CBC', key, derive(PKCS12_PURPOSE.iv, bytes, 8), ciphertext)
    if (result !== 'wrong-password') return result
  }
  return result
}

/** UTF-16 with a final zero; the empty password is written with and without that zero. */
export function pkcs12Passwords(password: string): readonly Uint8Array[] {
  const units = new Uint8Array(2 * password.length + 2)
  for (let i = 0; i < password.length; i++) {
    const unit = password.charCodeAt(i)
    units[2 * i] = unit >> 8
    units[2 * i + 1] = unit & 255
  }
  return password === '' ? [units, new Uint8Array(0)] : [units]
}

/** Key material of RFC 7292 appendix B.2 (X509-48). `iterations` must have been checked. */
export function pkcs12Key(
  crypto: CryptoProvider,
  hash: HashName,
  purpose: number,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Uint8Array {
  const block = HASH_LENGTH[hash] > 32 ? 128 : 64
  const diversifier = new Uint8Array(block).fill(purpose)
  const input = concat(stretch(salt, block), stretch(password, block))
  const out = new Uint8Array(length)
  for (let offset = 0; ; ) {
    let digest = crypto.createHash(hash).update(diversifier).update(input).finish()
    for (let i = 1; i < iterations; i++) digest = crypto.createHash(hash).update(digest).finish()
    out.set(digest.subarray(0, length - offset), offset)
    offset += digest.length
    if (offset >= length) return out
    addToEach(input, stretch(digest, block).subarray(0, block))
  }
}

/** Adds `addend` and one to every block of `input`, each a big-endian number without its carry. */
function addToEach(input: Uint8Array, addend: Uint8Array): void {
  for (let start = 0; start < input.length; start += addend.length) {
    let carry = 1
    for (let i = addend.length - 1; i >= 0; i--) {
      carry += (input[start + i] as number) + (addend[i] as number)
      input[start + i] = carry & 255
      carry >>= 8
    }
  }
}

/** The input repeated to the next multiple of `block`. */
function stretch(input: Uint8Array, block: number): Uint8Array {
  const out = new Uint8Array(Math.ceil(input.length / block) * block)
  for (let i = 0; i < out.length; i++) out[i] = input[i % input.length] as number
  return out
}
