/**
 * Key agreement of the portable provider, and the hybrid group for every provider.
 *
 * A share is checked before it is used: its length, that it is a point of the curve, that the result is not the all-zero
 * secret of a low-order point. X25519MLKEM768 puts the ML-KEM part first everywhere: the initiator sends the
 * encapsulation key and an X25519 share, the responder the ciphertext and its own share, and the secret is the ML-KEM
 * secret followed by the X25519 one. MLKEM1024 is that KEM alone: encapsulation key there, ciphertext back.
 *
 * RFC 7748, RFC 8446 section 4.2.8.2 and 7.4, FIPS 203.
 */
import { ml_kem1024, ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { concat } from '../bytes/index.ts'
import { drawRandom, ecdh, publicPoint, scalarFromRandom, x25519 } from './curves.ts'
import type { CurveName, GroupName, KeyShare, KeyShareResponse, RandomSource } from './provider.ts'

/** The curve of each group that is plain ECDH. */
export const GROUP_CURVES = { secp256r1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' } as const satisfies Partial<
  Record<GroupName, CurveName>
>

const X25519_LENGTH = 32
const ENCAPSULATION_KEY_LENGTH = 1184
const CIPHERTEXT_LENGTH = 1088

/** Makes an X25519 key from one draw of 32 bytes; how the hybrid group gets its classical half. */
export type X25519Factory = (random: RandomSource) => KeyShare

class NobleX25519Share implements KeyShare {
  readonly group = 'x25519'
  readonly share: Uint8Array
  readonly #secret: Uint8Array

  constructor(random: RandomSource) {
    this.#secret = Uint8Array.from(drawRandom(random, X25519_LENGTH))
    this.share = x25519.getPublicKey(this.#secret)
  }

  agree(peerShare: Uint8Array): Uint8Array | undefined {
    if (peerShare.length !== X25519_LENGTH) return undefined
    try {
      return x25519.getSharedSecret(this.#secret, peerShare)
    } catch {
      return undefined // CRY-6
    }
  }
}

class NobleEcdhShare implements KeyShare {
  readonly group: keyof typeof GROUP_CURVES
  readonly share: Uint8Array
  readonly #secret: bigint

  constructor(group: keyof typeof GROUP_CURVES, random: RandomSource) {
    this.group = group
    this.#secret = scalarFromRandom(GROUP_CURVES[group], random)
    this.share = publicPoint(GROUP_CURVES[group], this.#secret)
  }

  agree(peerShare: Uint8Array): Uint8Array | undefined {
    return ecdh(GROUP_CURVES[this.group], this.#secret, peerShare)
  }
}

class HybridShare implements KeyShare {
  readonly group = 'X25519MLKEM768'
  readonly share: Uint8Array
  readonly #decapsulationKey: Uint8Array
  readonly #classical: KeyShare

  constructor(random: RandomSource, createX25519: X25519Factory) {
    const { publicKey, secretKey } = ml_kem768.keygen(Uint8Array.from(drawRandom(random, 64)))
    this.#decapsulationKey = secretKey
    this.#classical = createX25519(random)
    this.share = concat(publicKey, this.#classical.share)
  }

  agree(peerShare: Uint8Array): Uint8Array | undefined {
    if (peerShare.length !== CIPHERTEXT_LENGTH + X25519_LENGTH) return undefined
    const classical = this.#classical.agree(peerShare.subarray(CIPHERTEXT_LENGTH))
    if (classical === undefined) return undefined
    return concat(ml_kem768.decapsulate(peerShare.subarray(0, CIPHERTEXT_LENGTH), this.#decapsulationKey), classical)
  }
}

/** The lengths of ML-KEM-1024's encapsulation key and ciphertext are the same. */
const MLKEM1024_LENGTH = 1568

class MlKem1024Share implements KeyShare {
  readonly group = 'MLKEM1024'
  readonly share: Uint8Array
  readonly #decapsulationKey: Uint8Array

  constructor(random: RandomSource) {
    const { publicKey, secretKey } = ml_kem1024.keygen(Uint8Array.from(drawRandom(random, 64)))
    this.#decapsulationKey = secretKey
    this.share = publicKey
  }

  agree(peerShare: Uint8Array): Uint8Array | undefined {
    return peerShare.length === MLKEM1024_LENGTH ? ml_kem1024.decapsulate(peerShare, this.#decapsulationKey) : undefined
  }
}

/** The initiator's half of MLKEM1024: draws 64 bytes. CRY-39 */
export function createMlKem1024Share(random: RandomSource): KeyShare {
  return new MlKem1024Share(random)
}

/** The responder's half of MLKEM1024: draws 32 bytes. CRY-39 */
export function respondMlKem1024(peerShare: Uint8Array, random: RandomSource): KeyShareResponse | undefined {
  if (peerShare.length !== MLKEM1024_LENGTH) return undefined
  const coins = Uint8Array.from(drawRandom(random, 32))
  try {
    const { cipherText, sharedSecret } = ml_kem1024.encapsulate(Uint8Array.from(peerShare), coins)
    return { share: cipherText, secret: sharedSecret }
  } catch {
    return undefined // the encapsulation key is not in its reduced form (FIPS 203 section 7.2)
  }
}

/** The initiator's half of X25519MLKEM768: draws 64 bytes, then what the X25519 half draws. CRY-17 */
export function createHybridShare(random: RandomSource, createX25519: X25519Factory): KeyShare {
  return new HybridShare(random, createX25519)
}

/** The responder's half of X25519MLKEM768: draws 32 bytes, then what the X25519 half draws. CRY-17 */
export function respondHybrid(
  peerShare: Uint8Array,
  random: RandomSource,
  createX25519: X25519Factory,
): KeyShareResponse | undefined {
  if (peerShare.length !== ENCAPSULATION_KEY_LENGTH + X25519_LENGTH) return undefined
  const coins = Uint8Array.from(drawRandom(random, 32))
  const own = createX25519(random)
  const classical = own.agree(peerShare.subarray(ENCAPSULATION_KEY_LENGTH))
  if (classical === undefined) return undefined
  try {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(peerShare.subarray(0, ENCAPSULATION_KEY_LENGTH), coins)
    return { share: concat(cipherText, own.share), secret: concat(sharedSecret, classical) }
  } catch {
    return undefined // the encapsulation key is not in its reduced form (FIPS 203 section 7.2)
  }
}

const createNobleX25519: X25519Factory = (random) => new NobleX25519Share(random)

/** As `CryptoProvider.createKeyShare`. */
export function nobleKeyShare(group: GroupName, random: RandomSource): KeyShare {
  switch (group) {
    case 'x25519':
      return new NobleX25519Share(random)
    case 'X25519MLKEM768':
      return createHybridShare(random, createNobleX25519)
    case 'MLKEM1024':
      return createMlKem1024Share(random)
    default:
      return new NobleEcdhShare(group, random)
  }
}

/** As `CryptoProvider.respondKeyShare`. */
export function nobleRespond(
  group: GroupName,
  peerShare: Uint8Array,
  random: RandomSource,
): KeyShareResponse | undefined {
  if (group === 'X25519MLKEM768') return respondHybrid(peerShare, random, createNobleX25519)
  if (group === 'MLKEM1024') return respondMlKem1024(peerShare, random)
  const own = nobleKeyShare(group, random)
  const secret = own.agree(peerShare)
  return secret === undefined ? undefined : { share: own.share, secret }
}
