/**
 * Key agreement of node:crypto, with private keys made from the caller's randomness.
 *
 * The groups with ML-KEM take that half from the portable provider, as this Node's OpenSSL has none.
 */
import { createECDH, diffieHellman, type ECDH, type KeyObject } from 'node:crypto'
import {
  createHybridShare,
  createMlKem1024Share,
  type CurveName,
  drawRandom,
  GROUP_CURVES,
  type GroupName,
  type KeyShare,
  type KeyShareResponse,
  type RandomSource,
  respondHybrid,
  respondMlKem1024,
  scalarBytesFromRandom,
  type X25519Factory,
} from '../../crypto/index.ts'
import { plain } from './hash.ts'
import { rawPrivateKey, rawPublicHalf, rawPublicKey } from './keys.ts'

/** OpenSSL's names and the field lengths in bytes. */
export const NODE_CURVE: Readonly<Record<CurveName, { readonly name: string; readonly length: number }>> = {
  'P-256': { name: 'prime256v1', length: 32 },
  'P-384': { name: 'secp384r1', length: 48 },
  'P-521': { name: 'secp521r1', length: 66 },
}

class NodeX25519Share implements KeyShare {
  readonly group = 'x25519'
  readonly share: Uint8Array
  readonly #key: KeyObject

  constructor(random: RandomSource) {
    this.#key = rawPrivateKey('X25519', drawRandom(random, 32))
    this.share = rawPublicHalf(this.#key)
  }

  agree(peerShare: Uint8Array): Uint8Array | undefined {
    if (peerShare.length !== 32) return undefined
    try {
      return plain(diffieHellman({ privateKey: this.#key, publicKey: rawPublicKey('X25519', peerShare) }))
    } catch {
      return undefined // CRY-6
    }
  }
}

class NodeEcdhShare implements KeyShare {
  readonly group: keyof typeof GROUP_CURVES
  readonly share: Uint8Array
  readonly #ecdh: ECDH

  constructor(group: keyof typeof GROUP_CURVES, random: RandomSource) {
    this.group = group
    this.#ecdh = createECDH(NODE_CURVE[GROUP_CURVES[group]].name)
    this.#ecdh.setPrivateKey(scalarBytesFromRandom(GROUP_CURVES[group], random))
    this.share = plain(this.#ecdh.getPublicKey())
  }

  agree(peerShare: Uint8Array): Uint8Array | undefined {
    const { length } = NODE_CURVE[GROUP_CURVES[this.group]]
    if (peerShare.length !== 2 * length + 1 || peerShare[0] !== 4) return undefined
    try {
      return plain(this.#ecdh.computeSecret(peerShare))
    } catch {
      return undefined // CRY-5
    }
  }
}

const createX25519: X25519Factory = (random) => new NodeX25519Share(random)

/** As `CryptoProvider.createKeyShare`. */
export function createNodeKeyShare(group: GroupName, random: RandomSource): KeyShare {
  switch (group) {
    case 'x25519':
      return new NodeX25519Share(random)
    case 'X25519MLKEM768':
      return createHybridShare(random, createX25519)
    case 'MLKEM1024':
      return createMlKem1024Share(random)
    default:
      return new NodeEcdhShare(group, random)
  }
}

/** As `CryptoProvider.respondKeyShare`. */
export function respondNodeKeyShare(
  group: GroupName,
  peerShare: Uint8Array,
  random: RandomSource,
): KeyShareResponse | undefined {
  if (group === 'X25519MLKEM768') return respondHybrid(peerShare, random, createX25519)
  if (group === 'MLKEM1024') return respondMlKem1024(peerShare, random)
  const own = createNodeKeyShare(group, random)
  const secret = own.agree(peerShare)
  return secret === undefined ? undefined : { share: own.share, secret }
}
