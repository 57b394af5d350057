/**
 * Data-channel keys: 256 bytes shared by both peers, made in one of two ways and split by role.
 *
 * With `tls-ekm` the 256 bytes ("key2") are TLS exporter output and need only splitting. Without it both peers mix the
 * random numbers of their key method 2 messages with the TLS 1.0 pseudo-random function: once over the pre-master secret
 * for a 48-byte master secret, once more over that, with both session ids, for the 256 bytes.
 * key2 holds two keys of 128 bytes, each 64 bytes for the cipher and 64 for the HMAC, of which only a prefix is used.
 * A TLS client sends with the first and receives with the second; a server the other way round.
 *
 * Spec: key-derivation.md.
 */
import { concat, UsageError, utf8Encode } from '../bytes/index.ts'
import { type CryptoProvider, tls1Prf } from '../crypto/index.ts'
import { type KeySlots, keySlots, StaticKey } from '../wire/index.ts'

/** Length of key2, in bytes. */
export const KEY2_LENGTH = 256
/** TLS exporter label of the data keys; the context is absent. */
export const DATA_KEYS_EXPORTER_LABEL = 'EXPORTER-OpenVPN-datakeys'

const MASTER_LABEL = utf8Encode('OpenVPN master secret')
const EXPANSION_LABEL = utf8Encode('OpenVPN key expansion')
const MASTER_LENGTH = 48

/** What the two key method 2 messages and the two session ids contribute to the PRF. */
export interface PrfMaterial {
  /** 48 bytes, from the client only. */
  readonly preMaster: Uint8Array
  /** 32 bytes each. */
  readonly clientRandom1: Uint8Array
  readonly clientRandom2: Uint8Array
  readonly serverRandom1: Uint8Array
  readonly serverRandom2: Uint8Array
  /** 8 bytes each. */
  readonly clientSessionId: Uint8Array
  readonly serverSessionId: Uint8Array
}

/**
 * key2 from key method 2 material (KDF-1, KDF-2, KDF-3).
 *
 * @returns 256 bytes.
 */
export function deriveKeysPrf(crypto: CryptoProvider, material: PrfMaterial): Uint8Array {
  const { preMaster, clientRandom1, clientRandom2, serverRandom1, serverRandom2 } = material
  const masterSeed = concat(MASTER_LABEL, clientRandom1, serverRandom1) // KDF-1
  const master = tls1Prf(crypto, preMaster, masterSeed, MASTER_LENGTH)
  const expansionSeed = concat(
    EXPANSION_LABEL,
    clientRandom2,
    serverRandom2,
    material.clientSessionId,
    material.serverSessionId,
  ) // KDF-2
  const key2 = tls1Prf(crypto, master, expansionSeed, KEY2_LENGTH)
  master.fill(0)
  return key2
}

/** Key material by use: 64 bytes each for cipher and HMAC, of which a format takes a prefix. */
export type DataKeys = KeySlots

/** Which end of the TLS connection this side is. In peer-to-peer mode, the TLS role. */
export type DataRole = 'client' | 'server'

/**
 * Splits key2 by role: a client sends with the first key, a server with the second (KDF-4).
 *
 * @returns copies, so that the caller may wipe `key2`; `undefined` when a cipher key is all zero (KDF-5), which means
 * that the derivation failed on one side and must not be used.
 */
export function splitKey2(key2: Uint8Array, role: DataRole): DataKeys | undefined {
  if (key2.length !== KEY2_LENGTH) throw new UsageError(`key2 is ${KEY2_LENGTH} bytes, not ${key2.length}`)
  // The direction is the mirror image of the control channel's: here the client uses the key forwards.
  const keys = keySlots(new StaticKey(key2), role === 'client' ? 0 : 1) // KDF-4
  return isZero(keys.send.cipher) || isZero(keys.receive.cipher) ? undefined : keys // KDF-5
}

function isZero(bytes: Uint8Array): boolean {
  let all = 0
  for (const byte of bytes) all |= byte
  return all === 0
}
