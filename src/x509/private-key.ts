/**
 * Private keys: PKCS#8 (RFC 5958), SEC1 (RFC 5915) and PKCS#1 (RFC 8017), from PEM or DER, encrypted or not.
 *
 * A key is only handed out when its parts agree: the RSA numbers with each other, a stored EC or Ed25519 public half
 * with the secret. A key with inconsistent parts signs wrongly and can give itself away. These are the host's files, so
 * every fault is a `ConfigError` for the directive `key`. Rules X509-40 to X509-43.
 */
import { ConfigError, equalBytes } from '../bytes/index.ts'
import type { CryptoProvider, CurveName, MlDsaName, PrivateKey, PublicKey } from '../crypto/index.ts'
import { ML_DSA_SEED_LENGTH, mlDsaSeedFits, noble } from '../crypto/index.ts'
import { KEY_OID, mlDsaByOid, only, readAlgorithmIdentifier, readPssParameters } from './algorithm.ts'
import type { DerNode } from './der.ts'
import { DerBudget, parseDer, TAG } from './der.ts'
import { Fields, readOctetBits, readOctets, readSmallInteger, readUnsigned } from './der-read.ts'
import { CertificateFault, malformed } from './fault.ts'
import { decryptOldPem } from './old-encryption.ts'
import { decryptPkcs8, looksLikeKey, passphraseBytes } from './pbes2.ts'
import { parsePem } from './pem.ts'
import { CURVES, readCurve, rsaKey } from './public-key.ts'

/** Most DER values in a private key file. */
const MAX_KEY_NODES = 200

/**
 * Reads a private key (X509-40).
 * @param input - PEM text with one private key, or its DER.
 * @param passphrase - for an encrypted key: text, or bytes as they are.
 * @param crypto - derives the public half and opens encrypted keys.
 * @throws ConfigError naming `key`, or `askpass` when the passphrase is missing or wrong.
 */
export function parsePrivateKey(
  input: string | Uint8Array,
  passphrase?: string | Uint8Array,
  crypto: CryptoProvider = noble,
): PrivateKey {
  try {
    return typeof input === 'string' ? fromPem(input, passphrase, crypto) : fromDer(input, passphrase, crypto)
  } catch (error) {
    if (error instanceof CertificateFault)
      throw new ConfigError('key', `key: not a usable private key. ${error.message}`)
    throw error
  }
}

function fromPem(text: string, passphrase: string | Uint8Array | undefined, crypto: CryptoProvider): PrivateKey {
  const keys = parsePem(text, 'key').filter(({ label }) => label.endsWith('PRIVATE KEY'))
  const [key] = keys
  if (key === undefined) throw new ConfigError('key', 'key: no private key was found in the PEM text.')
  if (keys.length > 1) throw new ConfigError('key', 'key: the PEM text holds more than one private key.')
  const { encryption } = key
  const der = encryption === undefined ? key.der : openOldPem(encryption, key.der, passphrase, crypto)
  const read = (bytes: Uint8Array): DerNode => parseDer(bytes, new DerBudget(MAX_KEY_NODES))
  switch (key.label) {
    case 'PRIVATE KEY':
      return readPkcs8(read(der), crypto)
    case 'ENCRYPTED PRIVATE KEY':
      return readPkcs8(read(decryptPkcs8(der, passphrase, crypto)), crypto)
    case 'EC PRIVATE KEY':
      return readSec1(read(der), undefined, crypto)
    case 'RSA PRIVATE KEY':
      return readPkcs1(read(der), false)
    default:
      throw new ConfigError(
        'key',
        `key: a PEM block ${key.label} is not supported; convert it with \`openssl pkcs8 -topk8\`.`,
      )
  }
}

/** The key inside a PEM block of the old form (X509-42). @throws ConfigError */
function openOldPem(
  encryption: string,
  der: Uint8Array,
  passphrase: string | Uint8Array | undefined,
  crypto: CryptoProvider,
): Uint8Array {
  if (passphrase === undefined)
    throw new ConfigError('askpass', 'askpass: the private key is encrypted; give its passphrase.')
  const plain = decryptOldPem(encryption, der, passphraseBytes(passphrase), crypto)
  if (plain === 'unsupported') {
    throw new ConfigError(
      'key',
      'key: this is the old form of encrypted key; convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW`.',
    )
  }
  if (plain === 'wrong-password' || !looksLikeKey(plain)) {
    throw new ConfigError('askpass', 'askpass: the passphrase does not open the private key.')
  }
  return plain
}

function fromDer(der: Uint8Array, passphrase: string | Uint8Array | undefined, crypto: CryptoProvider): PrivateKey {
  const node = parseDer(der, new DerBudget(MAX_KEY_NODES))
  const [first, second] = node.children
  if (first?.tag === TAG.sequence) {
    return readPkcs8(parseDer(decryptPkcs8(der, passphrase, crypto), new DerBudget(MAX_KEY_NODES)), crypto)
  }
  if (second?.tag === TAG.sequence) return readPkcs8(node, crypto)
  return second?.tag === TAG.octetString ? readSec1(node, undefined, crypto) : readPkcs1(node, false)
}

/** PrivateKeyInfo or OneAsymmetricKey. */
export function readPkcs8(node: DerNode, crypto: CryptoProvider): PrivateKey {
  const fields = new Fields(node)
  const version = readSmallInteger(fields.take())
  const { oid, parameters } = readAlgorithmIdentifier(fields.take())
  const inner = readOctets(fields.take())
  fields.optional(0xa0) // attributes
  const storedPublic = version === 1 ? fields.optional(0x81) : undefined
  fields.end()
  if (version > 1) malformed('Its version is not known.')
  const read = (): DerNode => parseDer(inner, new DerBudget(MAX_KEY_NODES))
  switch (oid) {
    case KEY_OID.rsa:
      return readPkcs1(read(), false)
    case KEY_OID.rsaPss: {
      const bound = parameters && readPssParameters(parameters)
      if (parameters !== undefined && bound === undefined) malformed('Its PSS parameters are not supported.')
      return readPkcs1(read(), true, bound)
    }
    case KEY_OID.ec:
      return readSec1(read(), readCurve(parameters) ?? malformed('Its curve is not P-256, P-384 or P-521.'), crypto)
    case KEY_OID.ed25519: {
      const secret = readOctets(read())
      if (secret.length !== 32) malformed('An Ed25519 key has 32 bytes.')
      const key = makeEd25519(secret, crypto)
      checkPublic(key.public, storedPublic && readOctetBits(storedPublic, 0x81))
      return key
    }
    default: {
      const name = mlDsaByOid(oid)
      if (name === undefined) return malformed(`Its type ${oid} is not supported; use EC, Ed25519, ML-DSA or RSA.`)
      const key = readMlDsa(name, read(), crypto)
      checkPublic(key.public, storedPublic && readOctetBits(storedPublic, 0x81))
      return key
    }
  }
}

/** The forms of RFC 9881 that hold the seed: alone under [0], or in front of the expanded key. */
function readMlDsa(name: MlDsaName, node: DerNode, crypto: CryptoProvider): PrivateKey {
  if (node.tag === 0x80) return makeMlDsa(name, node.content, crypto)
  if (node.tag !== TAG.sequence) {
    malformed(`It holds the expanded ${name} key without its seed, from which alone keys are used here.`)
  }
  const fields = new Fields(node)
  const seed = readOctets(fields.take())
  const expanded = readOctets(fields.take())
  fields.end()
  const key = makeMlDsa(name, seed, crypto)
  if (!mlDsaSeedFits(name, seed, expanded)) malformed('Its expanded key does not belong to its seed.') // X509-41
  return key
}

/** ECPrivateKey; the curve comes from the PKCS#8 wrapping or from the structure's own parameters. */
function readSec1(node: DerNode, outerCurve: CurveName | undefined, crypto: CryptoProvider): PrivateKey {
  const fields = new Fields(node)
  if (readSmallInteger(fields.take()) !== 1) malformed('Its version is not known.')
  const secret = readOctets(fields.take())
  const parameters = fields.optional(0xa0)
  const point = fields.optional(0xa1)
  fields.end()
  const innerCurve = parameters && readCurve(only(parameters))
  const curve = outerCurve ?? innerCurve ?? malformed('Its curve is not P-256, P-384 or P-521.')
  if (parameters !== undefined && innerCurve !== curve) malformed('It names two curves.')
  const key = makeEcKey(curve, secret, crypto)
  const stored = point && readOctetBits(only(point))
  // A compressed point says nothing more than the secret does.
  if (stored === undefined || stored[0] === 4) checkPublic(key.public, stored)
  return key
}

/** Order of each curve's base point; secrets lie between zero and it. */
export const CURVE_ORDER: Readonly<Record<CurveName, bigint>> = {
  'P-256': 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  'P-384': 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  'P-521':
    0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
}

/** An EC private key from its secret number, big-endian, leading zeros optional. */
export function makeEcKey(curve: CurveName, secret: Uint8Array, crypto: CryptoProvider): PrivateKey {
  const length = CURVES[curve].length
  const value = toBigInt(secret)
  // X509-41
  if (secret.length > length || value === 0n || value >= CURVE_ORDER[curve]) malformed('Its secret is out of range.')
  const padded = new Uint8Array(length)
  padded.set(secret, length - secret.length)
  return { type: 'ec', curve, secret: padded, public: crypto.derivePublicKey(curve, padded) }
}

/** An Ed25519 private key from its 32-byte seed. */
export function makeEd25519(seed: Uint8Array, crypto: CryptoProvider): PrivateKey {
  const secret = seed.slice()
  return { type: 'ed25519', secret, public: crypto.derivePublicKey('ed25519', secret) }
}

/** An ML-DSA private key from its 32-byte seed. */
export function makeMlDsa(name: MlDsaName, seed: Uint8Array, crypto: CryptoProvider): PrivateKey {
  if (seed.length !== ML_DSA_SEED_LENGTH) malformed('An ML-DSA seed has 32 bytes.')
  const secret = seed.slice()
  return { type: 'ml-dsa', parameters: name, secret, public: crypto.derivePublicKey(name, secret) }
}

function checkPublic(key: PublicKey, stored: Uint8Array | undefined): void {
  if (stored === undefined || key.type === 'rsa') return
  const own = key.type === 'ec' ? key.point : key.key
  if (!equalBytes(own, stored)) malformed('Its stored public key does not belong to its secret.') // X509-41
}

function readPkcs1(
  node: DerNode,
  pssOnly: boolean,
  pssParameters?: NonNullable<Extract<PublicKey, { type: 'rsa' }>['pssParameters']>,
): PrivateKey {
  const fields = new Fields(node)
  if (readSmallInteger(fields.take()) !== 0) malformed('Multi-prime RSA keys are not supported.')
  const [n, e, d, p, q, dp, dq, qi] = Array.from({ length: 8 }, () => readUnsigned(fields.take()).slice()) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  fields.end()
  const publicKey = rsaKey(n, e, pssOnly, pssParameters) ?? malformed('Its size or exponent is out of range.')
  if (!consistent(n, e, d, p, q, dp, dq, qi)) malformed('Its numbers do not belong together.') // X509-41
  return { type: 'rsa', n, e, d, p, q, dp, dq, qi, public: publicKey }
}

function consistent(...numbers: readonly Uint8Array[]): boolean {
  const [n, e, d, p, q, dp, dq, qi] = numbers.map(toBigInt) as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ]
  return (
    p > 1n &&
    q > 1n &&
    p * q === n &&
    dp === d % (p - 1n) &&
    dq === d % (q - 1n) &&
    (e * dp) % (p - 1n) === 1n &&
    (e * dq) % (q - 1n) === 1n &&
    (qi * q) % p === 1n
  )
}

/** The number that big-endian bytes stand for. */
export function toBigInt(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return value
}
