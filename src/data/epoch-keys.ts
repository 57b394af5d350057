/**
 * Epoch keys: a chain of secrets, each made from the one before, and the data key of each.
 *
 * The first secret of a direction is the first 32 bytes of its cipher half. From secret n come secret n+1, the cipher key
 * of epoch n and its 12-byte IV, all by HKDF-Expand-Label over SHA-256 with the prefix `ovpn `. Nothing leads back from a
 * later secret to an earlier one.
 *
 * Spec: key-derivation.md, "Epoch keys".
 */
import { EMPTY } from '../bytes/index.ts'
import {
  AEAD_KEY_LENGTH,
  AEAD_NONCE_LENGTH,
  type Aead,
  type AeadAlgorithm,
  type CryptoProvider,
  expandLabel,
} from '../crypto/index.ts'
import type { ChainSnapshot } from './snapshot.ts'

const SECRET_LENGTH = 32

/** The raw key and IV of one epoch. */
export interface EpochKeyMaterial {
  readonly key: Uint8Array
  /** 12 bytes. */
  readonly iv: Uint8Array
}

function expand(crypto: CryptoProvider, secret: Uint8Array, label: string, length: number): Uint8Array {
  return expandLabel(crypto, 'SHA256', secret, 'ovpn ', label, EMPTY, length) // KDF-8
}

/** One direction's chain, standing at an epoch. Starts at 1. */
export class EpochChain {
  readonly #crypto: CryptoProvider
  readonly #algorithm: AeadAlgorithm
  #secret: Uint8Array
  #epoch: number

  /**
   * @param material - the direction's cipher half; its first 32 bytes are the secret of epoch 1 (KDF-6).
   * @param epoch - the epoch that the secret is of, where it is not the first.
   */
  constructor(crypto: CryptoProvider, algorithm: AeadAlgorithm, material: Uint8Array, epoch = 1) {
    this.#crypto = crypto
    this.#algorithm = algorithm
    this.#secret = material.slice(0, SECRET_LENGTH)
    this.#epoch = epoch
  }

  get epoch(): number {
    return this.#epoch
  }

  /** Where the chain stands. Secret; leads to no earlier epoch. */
  snapshot(): ChainSnapshot {
    return { epoch: this.#epoch, secret: this.#secret.slice() }
  }

  /** Moves to the next epoch and forgets the present secret (KDF-7). */
  advance(): void {
    const next = expand(this.#crypto, this.#secret, 'datakey upd', SECRET_LENGTH)
    this.#secret.fill(0)
    this.#secret = next
    this.#epoch++
  }

  /** Key and IV of the present epoch (KDF-8). */
  material(): EpochKeyMaterial {
    return {
      key: expand(this.#crypto, this.#secret, 'data_key', AEAD_KEY_LENGTH[this.#algorithm]),
      iv: expand(this.#crypto, this.#secret, 'data_iv', AEAD_NONCE_LENGTH),
    }
  }

  /** The cipher of the present epoch, ready for use. */
  key(): { readonly aead: Aead; readonly iv: Uint8Array } {
    const { key, iv } = this.material()
    const aead = this.cipher(key)
    key.fill(0)
    return { aead, iv }
  }

  /** The cipher of an epoch's raw key. */
  cipher(key: Uint8Array): Aead {
    return this.#crypto.createAead(this.#algorithm, key)
  }
}
