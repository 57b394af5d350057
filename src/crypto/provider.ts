/**
 * The seam between the protocol and the primitives: every hash, cipher, signature and key agreement the library uses
 * goes through a {@link CryptoProvider}.
 *
 * Everything is synchronous and takes its randomness as an argument, so two providers given the same randomness produce
 * the same bytes: ECDSA is deterministic (RFC 6979), RSA-PSS salts and key shares come from the caller's `random`.
 * Key objects hold expanded state (key schedule, GHASH table, HMAC pads) for as long as the key lives, and the packet-path
 * calls work in place on one buffer with integer offsets, because allocation and call shape are the whole cost there.
 */

/** Returns `length` fresh, secret, uniform bytes. */
export type RandomSource = (length: number) => Uint8Array

/** Hash functions, in the reference's spelling. */
export type HashName = 'MD5' | 'SHA1' | 'SHA224' | 'SHA256' | 'SHA384' | 'SHA512'

/** A running hash. */
export interface Hash {
  /** Adds bytes `[start, end)` of `data`. */
  update(data: Uint8Array, start?: number, end?: number): this
  /** An independent copy of the state so far. */
  clone(): Hash
  /** The digest; the object must not be used afterwards. */
  finish(): Uint8Array
}

/** A keyed HMAC whose inner and outer pads are computed once. */
export interface Hmac {
  /** Output length in bytes. */
  readonly length: number
  /** Adds bytes `[start, end)` of `data` to the message. */
  update(data: Uint8Array, start?: number, end?: number): this
  /** Writes the MAC to `out` at `offset` and starts a new message under the same key. */
  finishInto(out: Uint8Array, offset: number): void
  /** The MAC as a new array; starts a new message under the same key. */
  finish(): Uint8Array
}

/** AEADs with a 12-byte nonce and a 16-byte tag. */
export type AeadAlgorithm = 'AES-128-GCM' | 'AES-192-GCM' | 'AES-256-GCM' | 'CHACHA20-POLY1305'

/** Tag length of every {@link AeadAlgorithm}. */
export const AEAD_TAG_LENGTH = 16
/** Nonce length of every {@link AeadAlgorithm}. */
export const AEAD_NONCE_LENGTH = 12

/** An AEAD under one key. All ranges lie in one buffer; none of the three may overlap another. */
export interface Aead {
  readonly algorithm: AeadAlgorithm
  /** Encrypts `buffer[offset, offset + length)` in place and writes the 16-byte tag at `tagOffset`. */
  seal(
    buffer: Uint8Array,
    aadOffset: number,
    aadLength: number,
    offset: number,
    length: number,
    tagOffset: number,
    nonce: Uint8Array,
  ): void
  /**
   * Checks the tag at `tagOffset` and decrypts `buffer[offset, offset + length)` in place.
   * Returns false when the tag is wrong; the range then never holds plaintext.
   */
  open(
    buffer: Uint8Array,
    aadOffset: number,
    aadLength: number,
    offset: number,
    length: number,
    tagOffset: number,
    nonce: Uint8Array,
  ): boolean
  /** Reads what every packet needs of the cipher, where that lies in this process's memory; the number says nothing. */
  touch?(): number
}

/** Block ciphers in CBC mode. The last two are 64-bit-block legacy ciphers that a provider need not offer. */
export type CbcAlgorithm = 'AES-128-CBC' | 'AES-192-CBC' | 'AES-256-CBC' | 'BF-CBC' | 'DES-EDE3-CBC'

/** A CBC cipher under one key, without padding: callers pad and check. */
export interface Cbc {
  readonly algorithm: CbcAlgorithm
  /** Block and IV length in bytes. */
  readonly blockLength: number
  /** Encrypts `length` bytes (a multiple of the block) at `offset` in place under the IV at `iv[ivOffset…]`. */
  encrypt(buffer: Uint8Array, offset: number, length: number, iv: Uint8Array, ivOffset: number): void
  /** The inverse of `encrypt`. */
  decrypt(buffer: Uint8Array, offset: number, length: number, iv: Uint8Array, ivOffset: number): void
}

/** AES in counter mode with a full 128-bit big-endian counter, as tls-crypt uses it. */
export interface Ctr {
  /** XORs the key stream that starts at the 16-byte `counter` onto `buffer[offset, offset + length)`. */
  apply(buffer: Uint8Array, offset: number, length: number, counter: Uint8Array): void
}

/** Key-agreement groups by their TLS registry names. */
export type GroupName = 'x25519' | 'secp256r1' | 'secp384r1' | 'secp521r1' | 'X25519MLKEM768' | 'MLKEM1024'

/** The initiator's half of a key agreement: an ephemeral key whose share was sent to the peer. */
export interface KeyShare {
  readonly group: GroupName
  /** The share in TLS encoding (uncompressed point, 32 bytes, an encapsulation key, or the hybrid concatenation). */
  readonly share: Uint8Array
  /** The shared secret with the responder's share; `undefined` when that share is invalid (wrong length, off the curve, all-zero result). */
  agree(peerShare: Uint8Array): Uint8Array | undefined
}

/** The responder's half: its own share and the secret. */
export interface KeyShareResponse {
  readonly share: Uint8Array
  readonly secret: Uint8Array
}

/** Elliptic curves a signature key may lie on. */
export type CurveName = 'P-256' | 'P-384' | 'P-521'

/** Parameter sets of ML-DSA (FIPS 204). */
export type MlDsaName = 'ML-DSA-44' | 'ML-DSA-65' | 'ML-DSA-87'

/** A public signature key. Integers are big-endian without sign byte. */
export type PublicKey =
  | {
      readonly type: 'ec'
      readonly curve: CurveName /** Uncompressed point, 04 || x || y. */
      readonly point: Uint8Array
    }
  | { readonly type: 'ed25519'; readonly key: Uint8Array }
  | { readonly type: 'ml-dsa'; readonly parameters: MlDsaName; readonly key: Uint8Array }
  | {
      readonly type: 'rsa'
      readonly n: Uint8Array
      readonly e: Uint8Array
      /** True for an id-RSASSA-PSS key, which may only make PSS signatures. */
      readonly pssOnly: boolean
      /** The hash and the least salt length an id-RSASSA-PSS key with parameters is bound to. */
      readonly pssParameters?: { readonly hash: HashName; readonly saltLength: number }
    }

/** A private signature key, with its public half. Integers are big-endian without sign byte. */
export type PrivateKey =
  | { readonly type: 'ec'; readonly curve: CurveName; readonly secret: Uint8Array; readonly public: PublicKey }
  | { readonly type: 'ed25519' /** The 32-byte seed. */; readonly secret: Uint8Array; readonly public: PublicKey }
  | {
      readonly type: 'ml-dsa'
      readonly parameters: MlDsaName
      /** The 32-byte seed. */
      readonly secret: Uint8Array
      readonly public: PublicKey
    }
  | {
      readonly type: 'rsa'
      readonly n: Uint8Array
      readonly e: Uint8Array
      readonly d: Uint8Array
      readonly p: Uint8Array
      readonly q: Uint8Array
      readonly dp: Uint8Array
      readonly dq: Uint8Array
      readonly qi: Uint8Array
      readonly public: PublicKey
    }

/** How a signature is made. ECDSA signatures are DER; `saltLength` in bytes. */
export type SignatureAlgorithm =
  | { readonly type: 'ecdsa'; readonly hash: HashName }
  | { readonly type: 'ed25519' }
  | { readonly type: 'ml-dsa'; readonly parameters: MlDsaName }
  | { readonly type: 'rsa-pkcs1'; readonly hash: HashName }
  | { readonly type: 'rsa-pss'; readonly hash: HashName; readonly saltLength: number }

/** Largest RSA modulus accepted, in bits. */
export const MAX_RSA_BITS = 8192

/**
 * Every primitive the library needs. `noble` runs anywhere and is the default; `nodeCrypto` from `ovpn-core/node` is the
 * fast one on Node. All methods are synchronous and deterministic in their arguments.
 */
export interface CryptoProvider {
  readonly name: string
  /**
   * True when AES has hardware speed behind this provider. When false, CHACHA20-POLY1305 is offered first.
   */
  readonly fastAes: boolean

  createHash(hash: HashName): Hash
  createHmac(hash: HashName, key: Uint8Array): Hmac

  /** @throws UsageError when the key's length does not fit the algorithm. */
  createAead(algorithm: AeadAlgorithm, key: Uint8Array): Aead
  /** The cipher under `key`, or `undefined` when this provider does not offer the algorithm. */
  createCbc(algorithm: CbcAlgorithm, key: Uint8Array): Cbc | undefined
  /** AES-CTR under a key of 16, 24 or 32 bytes. */
  createCtr(key: Uint8Array): Ctr

  /** A fresh ephemeral key of the group. */
  createKeyShare(group: GroupName, random: RandomSource): KeyShare
  /** Answers an initiator's share; `undefined` when that share is invalid. */
  respondKeyShare(group: GroupName, peerShare: Uint8Array, random: RandomSource): KeyShareResponse | undefined

  /** Signs `message` (hashed here, not by the caller). The key's type must fit the algorithm, else UsageError. */
  sign(algorithm: SignatureAlgorithm, key: PrivateKey, message: Uint8Array, random: RandomSource): Uint8Array
  /** True when `signature` over `message` is valid. Malformed keys and signatures are false, never a throw. */
  verify(algorithm: SignatureAlgorithm, key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean

  /** The public half of a private key's secret part: an EC point, or the key of an Ed25519 or ML-DSA seed. */
  derivePublicKey(type: 'ed25519' | CurveName | MlDsaName, secret: Uint8Array): PublicKey
}

/** Output length of each hash in bytes. */
export const HASH_LENGTH: Readonly<Record<HashName, number>> = {
  MD5: 16,
  SHA1: 20,
  SHA224: 28,
  SHA256: 32,
  SHA384: 48,
  SHA512: 64,
}

/** Key length of each AEAD in bytes. */
export const AEAD_KEY_LENGTH: Readonly<Record<AeadAlgorithm, number>> = {
  'AES-128-GCM': 16,
  'AES-192-GCM': 24,
  'AES-256-GCM': 32,
  'CHACHA20-POLY1305': 32,
}

/** Key and block length of each CBC cipher in bytes. */
export const CBC_LENGTHS: Readonly<Record<CbcAlgorithm, { readonly key: number; readonly block: number }>> = {
  'AES-128-CBC': { key: 16, block: 16 },
  'AES-192-CBC': { key: 24, block: 16 },
  'AES-256-CBC': { key: 32, block: 16 },
  'BF-CBC': { key: 16, block: 8 },
  'DES-EDE3-CBC': { key: 24, block: 8 },
}
