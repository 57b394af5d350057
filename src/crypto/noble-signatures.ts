/**
 * Signatures of the portable provider: one function per direction, dispatching on the algorithm.
 *
 * Signing with a key that does not fit is the host's mistake and throws; verifying never throws, because keys and
 * signatures come from peers.
 */
import { UsageError } from '../bytes/index.ts'
import { bigIntToBytes } from './bigint.ts'
import { CURVES, ed25519, publicPoint, parseScalar } from './curves.ts'
import { ecdsaSign, ecdsaVerify } from './ecdsa.ts'
import { ed25519Verify } from './ed25519.ts'
import { createNobleHash, createNobleHmac } from './noble-hash.ts'
import { isMlDsaName, mlDsaPublicKey, mlDsaSign, mlDsaVerify } from './ml-dsa.ts'
import type { CurveName, MlDsaName, PrivateKey, PublicKey, RandomSource, SignatureAlgorithm } from './provider.ts'
import { rsaSign, rsaVerify } from './rsa.ts'

const hashes = { createHash: createNobleHash, createHmac: createNobleHmac }

/** As `CryptoProvider.sign`. */
export function nobleSign(
  algorithm: SignatureAlgorithm,
  key: PrivateKey,
  message: Uint8Array,
  random: RandomSource,
): Uint8Array {
  if (algorithm.type === 'ecdsa' && key.type === 'ec') {
    const { Point, length } = CURVES[key.curve]
    return ecdsaSign(hashes, key.curve, algorithm.hash, key.secret, message, (k) =>
      bigIntToBytes(Point.BASE.multiply(parseScalar(key.curve, k)).toAffine().x, length),
    )
  }
  if (algorithm.type === 'ed25519' && key.type === 'ed25519') {
    if (key.secret.length !== 32) throw new UsageError('an Ed25519 private key has 32 bytes')
    return ed25519.sign(message, key.secret)
  }
  if (algorithm.type === 'ml-dsa' && key.type === 'ml-dsa' && algorithm.parameters === key.parameters) {
    return mlDsaSign(key.parameters, key.secret, message, random)
  }
  if ((algorithm.type === 'rsa-pkcs1' || algorithm.type === 'rsa-pss') && key.type === 'rsa') {
    return rsaSign(hashes, algorithm, key, message, random)
  }
  throw new UsageError(`a key of type ${key.type} cannot make signatures of type ${algorithm.type}`)
}

/** As `CryptoProvider.verify`. */
export function nobleVerify(
  algorithm: SignatureAlgorithm,
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (algorithm.type === 'ecdsa' && key.type === 'ec') {
    return ecdsaVerify(hashes, key.curve, algorithm.hash, key.point, message, signature)
  }
  if (algorithm.type === 'ed25519' && key.type === 'ed25519') {
    return ed25519Verify(hashes, key.key, message, signature)
  }
  if (algorithm.type === 'ml-dsa' && key.type === 'ml-dsa' && algorithm.parameters === key.parameters) {
    return mlDsaVerify(key.parameters, key.key, message, signature)
  }
  if ((algorithm.type === 'rsa-pkcs1' || algorithm.type === 'rsa-pss') && key.type === 'rsa') {
    return rsaVerify(hashes, algorithm, key, message, signature)
  }
  return false
}

/** As `CryptoProvider.derivePublicKey`. */
export function nobleDerivePublicKey(type: 'ed25519' | CurveName | MlDsaName, secret: Uint8Array): PublicKey {
  if (isMlDsaName(type)) return mlDsaPublicKey(type, secret)
  if (type !== 'ed25519') return { type: 'ec', curve: type, point: publicPoint(type, parseScalar(type, secret)) }
  if (secret.length !== 32) throw new UsageError('an Ed25519 private key has 32 bytes')
  return { type: 'ed25519', key: ed25519.getPublicKey(secret) }
}
