/**
 * Signatures of node:crypto that are the same bytes as the portable provider's.
 *
 * Node's own ECDSA draws its nonces from OpenSSL, so only the multiplication of the base point is taken from it and the
 * rest is the deterministic construction of the crypto floor. For RSA the padding is ours, both ways, and Node does the
 * raw operations. Ed25519 is deterministic by itself. ML-DSA is the portable provider's, as this Node's OpenSSL has none.
 */
import {
  constants,
  createECDH,
  privateEncrypt,
  publicDecrypt,
  sign as nodeSignRaw,
  verify as nodeVerifyRaw,
} from 'node:crypto'
import { UsageError } from '../../bytes/index.ts'
import {
  type CurveName,
  ecdsaSign,
  ed25519KeyIsSound,
  parseEcdsaSignatureInRange,
  type PrivateKey,
  type PublicKey,
  type RandomSource,
  isMlDsaName,
  type MlDsaName,
  mlDsaPublicKey,
  mlDsaSign,
  mlDsaVerify,
  rsaSign,
  type RsaPublicOperation,
  type RsaSigningInput,
  rsaVerify,
  type SignatureAlgorithm,
} from '../../crypto/index.ts'
import { NODE_CURVE } from './groups.ts'
import { createNodeHash, createNodeHmac, NODE_HASH_NAME, plain } from './hash.ts'
import { privateKeyObject, publicKeyObject, rawPrivateKey, rawPublicHalf } from './keys.ts'

const hashes = { createHash: createNodeHash, createHmac: createNodeHmac }

/** The uncompressed point of a private scalar. @throws UsageError when it is out of range. */
function pointOf(curve: CurveName, scalar: Uint8Array): Uint8Array {
  const ecdh = createECDH(NODE_CURVE[curve].name)
  try {
    ecdh.setPrivateKey(scalar)
    return plain(ecdh.getPublicKey())
  } catch {
    throw new UsageError(`not a private key of ${curve}`)
  }
}

const publicOperation: RsaPublicOperation = (key, _modulus, block) => {
  try {
    return plain(publicDecrypt({ key: publicKeyObject(key), padding: constants.RSA_NO_PADDING }, block))
  } catch {
    return undefined
  }
}

/** OpenSSL blinds by itself, so the blinding bytes stay unused. */
function privateOperation({ key, block }: RsaSigningInput): Uint8Array | undefined {
  try {
    return plain(privateEncrypt({ key: privateKeyObject(key), padding: constants.RSA_NO_PADDING }, block))
  } catch {
    return undefined
  }
}

/** As `CryptoProvider.sign`. */
export function nodeSign(
  algorithm: SignatureAlgorithm,
  key: PrivateKey,
  message: Uint8Array,
  random: RandomSource,
): Uint8Array {
  if (algorithm.type === 'ecdsa' && key.type === 'ec') {
    const { curve } = key
    const { length } = NODE_CURVE[curve]
    const signature = ecdsaSign(hashes, curve, algorithm.hash, key.secret, message, (k) =>
      pointOf(curve, k).subarray(1, 1 + length),
    )
    if (!nodeVerify(algorithm, key.public, message, signature)) {
      throw new UsageError('the parts of the EC key do not belong together') // CRY-16
    }
    return signature
  }
  if (algorithm.type === 'ed25519' && key.type === 'ed25519') {
    if (key.secret.length !== 32) throw new UsageError('an Ed25519 private key has 32 bytes')
    return plain(nodeSignRaw(null, message, privateKeyObject(key)))
  }
  if (algorithm.type === 'ml-dsa' && key.type === 'ml-dsa' && algorithm.parameters === key.parameters) {
    return mlDsaSign(key.parameters, key.secret, message, random)
  }
  if ((algorithm.type === 'rsa-pkcs1' || algorithm.type === 'rsa-pss') && key.type === 'rsa') {
    return rsaSign(hashes, algorithm, key, message, random, privateOperation, publicOperation)
  }
  throw new UsageError(`a key of type ${key.type} cannot make signatures of type ${algorithm.type}`)
}

/** As `CryptoProvider.verify`. */
export function nodeVerify(
  algorithm: SignatureAlgorithm,
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    if (algorithm.type === 'ecdsa' && key.type === 'ec') {
      const { length } = NODE_CURVE[key.curve]
      if (key.point.length !== 2 * length + 1 || key.point[0] !== 4) return false
      if (parseEcdsaSignatureInRange(key.curve, signature) === undefined) return false // CRY-8
      return nodeVerifyRaw(NODE_HASH_NAME[algorithm.hash], message, publicKeyObject(key), signature)
    }
    if (algorithm.type === 'ed25519' && key.type === 'ed25519') {
      if (signature.length !== 64 || !ed25519KeyIsSound(key.key)) return false // CRY-18
      return nodeVerifyRaw(null, message, publicKeyObject(key), signature)
    }
    if (algorithm.type === 'ml-dsa' && key.type === 'ml-dsa' && algorithm.parameters === key.parameters) {
      return mlDsaVerify(key.parameters, key.key, message, signature)
    }
    if ((algorithm.type === 'rsa-pkcs1' || algorithm.type === 'rsa-pss') && key.type === 'rsa') {
      return rsaVerify(hashes, algorithm, key, message, signature, publicOperation)
    }
    return false
  } catch {
    return false // CRY-19
  }
}

/** As `CryptoProvider.derivePublicKey`. */
export function deriveNodePublicKey(type: 'ed25519' | CurveName | MlDsaName, secret: Uint8Array): PublicKey {
  if (isMlDsaName(type)) return mlDsaPublicKey(type, secret)
  if (type !== 'ed25519') {
    if (secret.length !== NODE_CURVE[type].length) throw new UsageError(`not a private key of ${type}`)
    return { type: 'ec', curve: type, point: pointOf(type, secret) }
  }
  if (secret.length !== 32) throw new UsageError('an Ed25519 private key has 32 bytes')
  return { type: 'ed25519', key: rawPublicHalf(rawPrivateKey('Ed25519', secret)) }
}
