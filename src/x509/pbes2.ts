/**
 * Password-based encryption as PBES2 defines it (RFC 8018): PBKDF2 with an HMAC, then AES or triple DES in CBC mode.
 *
 * Opens encrypted PKCS#8 keys and the contents of PKCS#12 files. Iterations are capped, because the file names their
 * number and the work is done before anything can be checked. What is neither this nor one of the two old schemes of
 * old-encryption.ts (RC2, single DES, scrypt) is refused with the command that converts it. Rules X509-44 to X509-46.
 */
import { ConfigError, utf8Decode, utf8Encode } from '../bytes/index.ts'
import type { CbcAlgorithm, CryptoProvider, HashName } from '../crypto/index.ts'
import { readAlgorithmIdentifier } from './algorithm.ts'
import type { AlgorithmIdentifier } from './algorithm.ts'
import { DerBudget, parseDer, TAG } from './der.ts'
import { Fields, readOctets, readSmallInteger } from './der-read.ts'
import { decryptCbc } from './decrypt-cbc.ts'
import { malformed } from './fault.ts'
import { checkIterations } from './iterations.ts'
import { decryptPkcs12Pbe } from './old-encryption.ts'

const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'

const PRF_HASH: ReadonlyMap<string, HashName> = new Map([
  ['1.2.840.113549.2.7', 'SHA1'],
  ['1.2.840.113549.2.8', 'SHA224'],
  ['1.2.840.113549.2.9', 'SHA256'],
  ['1.2.840.113549.2.10', 'SHA384'],
  ['1.2.840.113549.2.11', 'SHA512'],
])

const CIPHERS: ReadonlyMap<string, { readonly algorithm: CbcAlgorithm; readonly keyLength: number }> = new Map([
  ['2.16.840.1.101.3.4.1.2', { algorithm: 'AES-128-CBC', keyLength: 16 }],
  ['2.16.840.1.101.3.4.1.22', { algorithm: 'AES-192-CBC', keyLength: 24 }],
  ['2.16.840.1.101.3.4.1.42', { algorithm: 'AES-256-CBC', keyLength: 32 }],
  ['1.2.840.113549.3.7', { algorithm: 'DES-EDE3-CBC', keyLength: 24 }],
])

/** PBKDF2 (RFC 8018 section 5.2) with HMAC. `iterations` must not exceed {@link MAX_ITERATIONS}. */
export function pbkdf2(
  crypto: CryptoProvider,
  hash: HashName,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Uint8Array {
  const hmac = crypto.createHmac(hash, password)
  const out = new Uint8Array(length)
  const block = new Uint8Array(hmac.length)
  const counter = new Uint8Array(4)
  for (let offset = 0, index = 1; offset < length; offset += hmac.length, index++) {
    counter.set([index >>> 24, index >>> 16, index >>> 8, index])
    hmac.update(salt).update(counter).finishInto(block, 0)
    const sum = block.slice()
    for (let round = 1; round < iterations; round++) {
      hmac.update(block).finishInto(block, 0)
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) ^ (block[i] as number)
    }
    out.set(sum.subarray(0, Math.min(sum.length, length - offset)), offset)
  }
  return out
}

/** The hash of an HMAC identifier. */
export function hmacHash(oid: string): HashName | undefined {
  return PRF_HASH.get(oid)
}

/** The parameters of a PBKDF2 AlgorithmIdentifier. */
export interface Pbkdf2Parameters {
  readonly hash: HashName
  readonly salt: Uint8Array
  readonly iterations: number
  readonly keyLength: number | undefined
}

/** Reads PBKDF2 parameters; `undefined` when the function or its hash is not supported. @throws ConfigError X509-45 */
export function readPbkdf2({ oid, parameters }: AlgorithmIdentifier, option: string): Pbkdf2Parameters | undefined {
  if (oid !== PBKDF2) return undefined
  const fields = new Fields(parameters)
  const salt = readOctets(fields.take())
  const iterations = readSmallInteger(fields.take())
  const keyLength = fields.optional(TAG.integer)
  const prf = fields.optional(TAG.sequence)
  fields.end()
  checkIterations(iterations, option)
  const hash = prf === undefined ? 'SHA1' : hmacHash(readAlgorithmIdentifier(prf).oid)
  return hash && { hash, salt, iterations, keyLength: keyLength && readSmallInteger(keyLength) }
}

/**
 * Decrypts under a PBES2 algorithm identifier (X509-44).
 * @returns the plaintext, `wrong-password` when the padding does not come out, `unsupported` for another scheme.
 * @throws ConfigError for too many iterations, CertificateFault for malformed parameters.
 */
export function decryptPbes2(
  identifier: AlgorithmIdentifier,
  ciphertext: Uint8Array,
  password: Uint8Array,
  crypto: CryptoProvider,
  option: string,
): Uint8Array | 'wrong-password' | 'unsupported' {
  if (identifier.oid !== PBES2) return 'unsupported'
  const fields = new Fields(identifier.parameters)
  const derivation = readPbkdf2(readAlgorithmIdentifier(fields.take()), option)
  const scheme = readAlgorithmIdentifier(fields.take())
  fields.end()
  const cipher = CIPHERS.get(scheme.oid)
  if (derivation === undefined || cipher === undefined || scheme.parameters === undefined) return 'unsupported'
  const { hash, salt, iterations, keyLength } = derivation
  if (keyLength !== undefined && keyLength !== cipher.keyLength) malformed('Its key length does not fit its cipher.')
  const iv = readOctets(scheme.parameters)
  const key = pbkdf2(crypto, hash, password, salt, iterations, cipher.keyLength)
  return decryptCbc(crypto, cipher.algorithm, key, iv, ciphertext)
}

/** A passphrase as bytes: text in UTF-8. */
export function passphraseBytes(passphrase: string | Uint8Array): Uint8Array {
  return typeof passphrase === 'string' ? utf8Encode(passphrase) : passphrase
}

/**
 * The PrivateKeyInfo inside an EncryptedPrivateKeyInfo.
 * @throws ConfigError naming `askpass` when the passphrase is missing or wrong, `key` for an unsupported scheme.
 */
export function decryptPkcs8(
  der: Uint8Array,
  passphrase: string | Uint8Array | undefined,
  crypto: CryptoProvider,
): Uint8Array {
  const fields = new Fields(parseDer(der, new DerBudget(100)))
  const identifier = readAlgorithmIdentifier(fields.take())
  const ciphertext = readOctets(fields.take())
  fields.end()
  if (passphrase === undefined)
    throw new ConfigError('askpass', 'askpass: the private key is encrypted; give its passphrase.')
  const text = typeof passphrase === 'string' ? passphrase : utf8Decode(passphrase)
  const plain =
    decryptPkcs12Pbe(identifier, ciphertext, text, crypto, 'key') ??
    decryptPbes2(identifier, ciphertext, passphraseBytes(passphrase), crypto, 'key')
  if (plain === 'unsupported') {
    // X509-46
    throw new ConfigError(
      'key',
      'key: it is encrypted in a way that is not supported; convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW`.',
    )
  }
  // Wrong keys give valid padding once in about 256 times, but never the start of a key as well.
  if (plain === 'wrong-password' || !looksLikeKey(plain)) {
    throw new ConfigError('askpass', 'askpass: the passphrase does not open the private key.')
  }
  return plain
}

/** Does it start as all private keys do: a sequence with a version of one byte. */
export function looksLikeKey(plain: Uint8Array): boolean {
  const start = plain[1] === undefined || plain[1] < 0x80 ? 2 : 2 + (plain[1] & 0x7f)
  return plain[0] === TAG.sequence && plain[start] === TAG.integer && plain[start + 1] === 1
}
