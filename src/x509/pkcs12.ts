/**
 * PKCS#12 bundles (RFC 7292): a private key with its certificates behind a password, as OpenSSL 3 and current tools
 * write them.
 *
 * The MAC is checked before anything inside is believed; it may be the classic one or PBMAC1 (RFC 9579). Contents must be
 * plain, under PBES2, or under the triple-DES scheme of older tools where the provider has triple DES. Their RC2 scheme is
 * refused with the command that converts it.
 * These are the host's files, so every fault is a `ConfigError` for the directive `pkcs12`. Rules X509-47 to X509-49.
 */
import { ConfigError, equalBytes, equalConstantTime } from '../bytes/index.ts'
import type { CryptoProvider, PrivateKey } from '../crypto/index.ts'
import { HASH_LENGTH, noble } from '../crypto/index.ts'
import { only, readAlgorithmIdentifier, readHash } from './algorithm.ts'
import { MAX_DER_NODES, readCertificate } from './certificate.ts'
import type { DerNode } from './der.ts'
import { DerBudget, parseDer, TAG } from './der.ts'
import { Fields, readOctets, readOid, readSmallInteger } from './der-read.ts'
import { CertificateFault, malformed } from './fault.ts'
import { checkIterations } from './iterations.ts'
import { decryptPkcs12Pbe, PKCS12_PURPOSE, pkcs12Key, pkcs12Passwords } from './old-encryption.ts'
import { decryptPbes2, hmacHash, passphraseBytes, pbkdf2, readPbkdf2 } from './pbes2.ts'
import { readPkcs8 } from './private-key.ts'
import { writePublicKeyInfo } from './write-key.ts'

/** What a bundle holds. */
export interface Pkcs12Contents {
  readonly privateKey: PrivateKey
  /** DER of the certificate that belongs to the key. */
  readonly certificate: Uint8Array
  /** DER of all other certificates, in the bundle's order. */
  readonly others: readonly Uint8Array[]
}

/** Most DER values in a bundle, each encrypted part counted anew. */
const MAX_NODES = 5000
/** Longest bundle read, in bytes. */
const MAX_LENGTH = 1024 * 1024
/** Deepest nesting of bags in bags. */
const MAX_BAG_DEPTH = 4

const DATA = '1.2.840.113549.1.7.1'
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6'
const PBMAC1 = '1.2.840.113549.1.5.14'
const KEY_BAG = '1.2.840.113549.1.12.10.1.1'
const SHROUDED_KEY_BAG = '1.2.840.113549.1.12.10.1.2'
const CERTIFICATE_BAG = '1.2.840.113549.1.12.10.1.3'
const NESTED_BAG = '1.2.840.113549.1.12.10.1.6'
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1'

/** Says how to make a bundle that can be read; X509-49. */
const CONVERT =
  'convert it with `openssl pkcs12 -legacy -in OLD.p12 -nodes -out ALL.pem` and then `openssl pkcs12 -export -in ALL.pem -out NEW.p12`.'

/**
 * Opens a bundle.
 * @param password - text; the empty password where absent.
 * @throws ConfigError naming `pkcs12`, or `askpass` when the password is wrong.
 */
export function parsePkcs12(der: Uint8Array, password = '', crypto: CryptoProvider = noble): Pkcs12Contents {
  try {
    return new Bundle(password, crypto).open(der)
  } catch (error) {
    if (error instanceof CertificateFault) {
      throw new ConfigError('pkcs12', `pkcs12: not a usable bundle. ${error.message}`)
    }
    throw error
  }
}

function fault(message: string): never {
  throw new ConfigError('pkcs12', `pkcs12: ${message}`)
}

function parse(bytes: Uint8Array): DerNode {
  return parseDer(bytes, new DerBudget(MAX_NODES))
}

class Bundle {
  readonly #password: string
  readonly #crypto: CryptoProvider
  readonly #keys: PrivateKey[] = []
  readonly #certificates: Uint8Array[] = []

  constructor(password: string, crypto: CryptoProvider) {
    this.#password = password
    this.#crypto = crypto
  }

  open(der: Uint8Array): Pkcs12Contents {
    if (der.length > MAX_LENGTH) fault('the bundle is too large.')
    const fields = new Fields(parse(der))
    if (readSmallInteger(fields.take()) !== 3) malformed('Its version is not known.')
    const content = readContentInfo(fields.take())
    const mac = fields.optional(TAG.sequence)
    fields.end()
    if (content.type !== DATA) fault('it is protected by a signature, not by a password, which is not supported.')
    const safe = readOctets(content.value ?? malformed('It is empty.'))
    // X509-47
    if (mac === undefined) fault(`it has no MAC, so nobody can tell whether it is whole; ${CONVERT}`)
    if (!this.#macFits(mac, safe))
      throw new ConfigError('askpass', 'askpass: the password does not open the pkcs12 bundle.')
    for (const part of new Fields(parse(safe)).rest()) this.#readPart(part)
    return this.#contents()
  }

  #contents(): Pkcs12Contents {
    const [privateKey, ...more] = this.#keys
    if (privateKey === undefined) fault('it holds no private key.')
    if (more.length > 0) fault('it holds more than one private key.')
    const wanted = writePublicKeyInfo(privateKey.public)
    const own = this.#certificates.findIndex((der) => {
      const key = readCertificate(der, new DerBudget(MAX_DER_NODES)).publicKey
      return key !== undefined && equalBytes(writePublicKeyInfo(key), wanted)
    })
    const certificate = this.#certificates[own] ?? fault('no certificate in it belongs to its private key.')
    return { privateKey, certificate, others: this.#certificates.filter((_, index) => index !== own) }
  }

  #readPart(part: DerNode): void {
    const { type, value } = readContentInfo(part)
    if (type === DATA) {
      this.#readBags(parse(readOctets(value ?? malformed('A part is empty.'))), 1)
      return
    }
    if (type !== ENCRYPTED_DATA) fault(`a part of type ${type} is not supported.`)
    const fields = new Fields(value)
    fields.take(TAG.integer)
    const encrypted = new Fields(fields.take())
    if (readOid(encrypted.take()) !== DATA) malformed('An encrypted part holds something else than data.')
    const algorithm = encrypted.take()
    const ciphertext = readOctets(encrypted.take(), 0x80)
    this.#readBags(parse(this.#decrypt(algorithm, ciphertext)), 1)
  }

  #decrypt(algorithm: DerNode, ciphertext: Uint8Array): Uint8Array {
    const identifier = readAlgorithmIdentifier(algorithm)
    const plain =
      decryptPkcs12Pbe(identifier, ciphertext, this.#password, this.#crypto, 'pkcs12') ??
      decryptPbes2(identifier, ciphertext, passphraseBytes(this.#password), this.#crypto, 'pkcs12')
    if (plain === 'unsupported') fault(`it is encrypted with an old scheme that is not supported; ${CONVERT}`) // X509-49
    if (plain === 'wrong-password')
      throw new ConfigError('askpass', 'askpass: the password does not open the pkcs12 bundle.')
    return plain
  }

  #readBags(bags: DerNode, depth: number): void {
    if (depth > MAX_BAG_DEPTH) malformed('Its bags are nested too deeply.')
    for (const bag of new Fields(bags).rest()) {
      const fields = new Fields(bag)
      const type = readOid(fields.take())
      const value = only(fields.take(0xa0))
      if (type === KEY_BAG) this.#keys.push(readPkcs8(value, this.#crypto))
      else if (type === SHROUDED_KEY_BAG) this.#keys.push(this.#readShroudedKey(value))
      else if (type === CERTIFICATE_BAG) this.#readCertificate(value)
      else if (type === NESTED_BAG) this.#readBags(value, depth + 1)
    }
  }

  #readShroudedKey(value: DerNode): PrivateKey {
    const fields = new Fields(value)
    const algorithm = fields.take()
    const ciphertext = readOctets(fields.take())
    fields.end()
    return readPkcs8(parse(this.#decrypt(algorithm, ciphertext)), this.#crypto)
  }

  #readCertificate(value: DerNode): void {
    const fields = new Fields(value)
    const type = readOid(fields.take())
    const content = only(fields.take(0xa0))
    fields.end()
    if (type === X509_CERTIFICATE) this.#certificates.push(readOctets(content).slice())
  }

  #macFits(node: DerNode, content: Uint8Array): boolean {
    const fields = new Fields(node)
    const digestInfo = new Fields(fields.take())
    const salt = readOctets(fields.take())
    const count = fields.optional(TAG.integer)
    fields.end()
    const algorithm = digestInfo.take()
    const expected = readOctets(digestInfo.take())
    digestInfo.end()
    if (readAlgorithmIdentifier(algorithm).oid === PBMAC1) return this.#pbmac1Fits(algorithm, content, expected)
    const hash = readHash(algorithm) ?? fault(`its MAC uses a hash that is not supported; ${CONVERT}`)
    const iterations = count === undefined ? 1 : readSmallInteger(count)
    checkIterations(iterations, 'pkcs12')
    return pkcs12Passwords(this.#password).some((password) => {
      const key = pkcs12Key(this.#crypto, hash, PKCS12_PURPOSE.mac, password, salt, iterations, HASH_LENGTH[hash])
      return equalConstantTime(this.#crypto.createHmac(hash, key).update(content).finish(), expected)
    })
  }

  #pbmac1Fits(algorithm: DerNode, content: Uint8Array, expected: Uint8Array): boolean {
    const fields = new Fields(readAlgorithmIdentifier(algorithm).parameters)
    const derivation = readPbkdf2(readAlgorithmIdentifier(fields.take()), 'pkcs12')
    const hash = hmacHash(readAlgorithmIdentifier(fields.take()).oid)
    fields.end()
    if (derivation?.keyLength === undefined || hash === undefined)
      fault(`its MAC is of a kind that is not supported; ${CONVERT}`)
    const { salt, iterations, keyLength } = derivation
    if (keyLength < 16 || keyLength > 64) malformed('Its MAC key has an odd length.')
    const password = passphraseBytes(this.#password)
    const key = pbkdf2(this.#crypto, derivation.hash, password, salt, iterations, keyLength)
    return equalConstantTime(this.#crypto.createHmac(hash, key).update(content).finish(), expected)
  }
}

function readContentInfo(node: DerNode): { type: string; value: DerNode | undefined } {
  const fields = new Fields(node)
  const type = readOid(fields.take())
  const content = fields.optional(0xa0)
  fields.end()
  return { type, value: content && only(content) }
}
