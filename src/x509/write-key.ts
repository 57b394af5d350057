/**
 * Writing keys: SubjectPublicKeyInfo and PKCS#8, and making new EC, Ed25519 and ML-DSA keys.
 *
 * New keys come from the caller's randomness alone: EC secrets by drawing until the number lies in range, so every
 * secret is equally likely.
 */
import { EMPTY } from '../bytes/index.ts'
import {
  type CryptoProvider,
  type CurveName,
  isMlDsaName,
  type MlDsaName,
  type PrivateKey,
  type PublicKey,
  type RandomSource,
} from '../crypto/index.ts'
import { HASH_OID, KEY_OID, ML_DSA_OID } from './algorithm.ts'
import { der, derBits, derInteger, derNull, derOctets, derOid, derSequence, derUnsigned } from './der-write.ts'
import { CURVE_ORDER, makeEcKey, makeEd25519, makeMlDsa, toBigInt } from './private-key.ts'
import { CURVES } from './public-key.ts'

/** Kinds of key that can be made here. RSA keys come from outside. */
export type GeneratedKeyType = CurveName | 'ed25519' | MlDsaName

/** Makes a private key from fresh randomness. */
export function generatePrivateKey(type: GeneratedKeyType, crypto: CryptoProvider, random: RandomSource): PrivateKey {
  if (type === 'ed25519') return makeEd25519(random(32), crypto)
  if (isMlDsaName(type)) return makeMlDsa(type, random(32), crypto)
  const length = CURVES[type].length
  for (;;) {
    const secret = random(length).slice()
    if (type === 'P-521') secret[0] = (secret[0] as number) & 1
    const value = toBigInt(secret)
    if (value > 0n && value < CURVE_ORDER[type]) return makeEcKey(type, secret, crypto) // X509-51
  }
}

function keyAlgorithm(key: PublicKey): Uint8Array {
  switch (key.type) {
    case 'ed25519':
      return derSequence(derOid(KEY_OID.ed25519))
    case 'ml-dsa':
      return derSequence(derOid(ML_DSA_OID[key.parameters]))
    case 'ec':
      return derSequence(derOid(KEY_OID.ec), derOid(CURVES[key.curve].oid))
    case 'rsa': {
      if (!key.pssOnly) return derSequence(derOid(KEY_OID.rsa), derNull())
      const bound = key.pssParameters
      if (bound === undefined) return derSequence(derOid(KEY_OID.rsaPss))
      const hash = derSequence(derOid(HASH_OID[bound.hash]), derNull())
      const mask = derSequence(derOid(KEY_OID.mgf1), hash)
      const parameters = derSequence(der(0xa0, hash), der(0xa1, mask), der(0xa2, derInteger(bound.saltLength)))
      return derSequence(derOid(KEY_OID.rsaPss), parameters)
    }
  }
}

/** The contents of a SubjectPublicKeyInfo's bit string. */
export function publicKeyBits(key: PublicKey): Uint8Array {
  switch (key.type) {
    case 'ed25519':
    case 'ml-dsa':
      return key.key
    case 'ec':
      return key.point
    case 'rsa':
      return derSequence(derUnsigned(key.n), derUnsigned(key.e))
  }
}

/** A SubjectPublicKeyInfo. */
export function writePublicKeyInfo(key: PublicKey): Uint8Array {
  return derSequence(keyAlgorithm(key), derBits(publicKeyBits(key)))
}

function innerPrivateKey(key: PrivateKey): Uint8Array {
  switch (key.type) {
    case 'ed25519':
      return derOctets(key.secret)
    case 'ml-dsa':
      return der(0x80, key.secret)
    case 'ec': {
      const point = key.public.type === 'ec' ? key.public.point : EMPTY
      return derSequence(derInteger(1), derOctets(key.secret), der(0xa1, derBits(point)))
    }
    case 'rsa':
      return derSequence(
        derInteger(0),
        ...[key.n, key.e, key.d, key.p, key.q, key.dp, key.dq, key.qi].map((number) => derUnsigned(number)),
      )
  }
}

/** A PrivateKeyInfo (PKCS#8, unencrypted); `writePem('PRIVATE KEY', …)` makes the usual file of it. */
export function writePkcs8(key: PrivateKey): Uint8Array {
  return derSequence(derInteger(0), keyAlgorithm(key.public), derOctets(innerPrivateKey(key)))
}
