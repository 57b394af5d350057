/**
 * TLS 1.2 secrets (RFC 5246 sections 6.3 and 8.1, RFC 7627, RFC 5705): master secret, key block, Finished, exporter.
 */
import { concat, invariant, Reader, Writer } from '../bytes/index.ts'
import {
  AEAD_KEY_LENGTH,
  CBC_LENGTHS,
  type CryptoProvider,
  HASH_LENGTH,
  type RandomSource,
  tls12Prf,
} from '../crypto/index.ts'
import { type CbcKeys, CbcOpener, CbcSealer } from './cbc-protection.ts'
import { Opener12, type RecordOpener, type RecordSealer, Sealer12, type TrafficKeys } from './protection.ts'
import type { CipherSuite } from './registry.ts'

/** What both sides mix into every derivation. */
export interface Randoms {
  readonly client: Uint8Array
  readonly server: Uint8Array
}

/**
 * The master secret: bound to the whole handshake so far where both sides know extended_master_secret. TLS12-8
 * @param sessionHash - transcript through ClientKeyExchange, or `undefined` without the extension.
 */
export function masterSecret(
  crypto: CryptoProvider,
  suite: CipherSuite,
  premaster: Uint8Array,
  randoms: Randoms,
  sessionHash: Uint8Array | undefined,
): Uint8Array {
  return sessionHash === undefined
    ? tls12Prf(crypto, suite.hash, premaster, 'master secret', concat(randoms.client, randoms.server), 48)
    : tls12Prf(crypto, suite.hash, premaster, 'extended master secret', sessionHash, 48)
}

/** Record keys of one direction. */
export type Keys12 = ({ readonly type: 'aead' } & TrafficKeys) | ({ readonly type: 'cbc' } & CbcKeys)

/** Cuts the key block into both directions' keys. */
export function recordKeys12(
  crypto: CryptoProvider,
  suite: CipherSuite,
  master: Uint8Array,
  randoms: Randoms,
  encryptThenMac: boolean,
): { readonly client: Keys12; readonly server: Keys12 } {
  const { protection } = suite
  const seed = concat(randoms.server, randoms.client)
  if (protection.type === 'cbc') {
    const { algorithm, mac } = protection
    const [macLength, keyLength] = [HASH_LENGTH[mac], CBC_LENGTHS[algorithm].key]
    const block = new Reader(tls12Prf(crypto, suite.hash, master, 'key expansion', seed, 2 * (macLength + keyLength)))
    const macKeys = [block.take(macLength), block.take(macLength)] as const
    const keys = [block.take(keyLength), block.take(keyLength)] as const
    const common = { type: 'cbc', algorithm, mac, encryptThenMac } as const
    return {
      client: { ...common, macKey: macKeys[0], key: keys[0] },
      server: { ...common, macKey: macKeys[1], key: keys[1] },
    }
  }
  const { algorithm, explicitNonce } = protection
  const [keyLength, ivLength] = [AEAD_KEY_LENGTH[algorithm], explicitNonce ? 4 : 12]
  const block = new Reader(tls12Prf(crypto, suite.hash, master, 'key expansion', seed, 2 * (keyLength + ivLength)))
  const keys = [block.take(keyLength), block.take(keyLength)] as const
  const ivs = [block.take(ivLength), block.take(ivLength)] as const
  return {
    client: { type: 'aead', algorithm, key: keys[0], iv: ivs[0] },
    server: { type: 'aead', algorithm, key: keys[1], iv: ivs[1] },
  }
}

/** The sealer for one direction's keys. */
export function createSealer12(crypto: CryptoProvider, keys: Keys12, random: RandomSource, sealed = 0): RecordSealer {
  return keys.type === 'aead' ? new Sealer12(crypto, keys, sealed) : new CbcSealer(crypto, keys, random, sealed)
}

/** The opener for one direction's keys. */
export function createOpener12(crypto: CryptoProvider, keys: Keys12, opened = 0): RecordOpener {
  return keys.type === 'aead' ? new Opener12(crypto, keys, opened) : new CbcOpener(crypto, keys, opened)
}

/** verify_data of a Finished. */
export function finished12(
  crypto: CryptoProvider,
  suite: CipherSuite,
  master: Uint8Array,
  sender: 'client' | 'server',
  transcriptHash: Uint8Array,
): Uint8Array {
  return tls12Prf(crypto, suite.hash, master, `${sender} finished`, transcriptHash, 12)
}

/** Exporter of RFC 5705: an absent context differs from an empty one. TLS12-13 */
export function exportKey12(
  crypto: CryptoProvider,
  suite: CipherSuite,
  master: Uint8Array,
  randoms: Randoms,
  label: string,
  context: Uint8Array | undefined,
  length: number,
): Uint8Array {
  const seed = new Writer(66).bytes(randoms.client).bytes(randoms.server)
  if (context !== undefined) {
    invariant(context.length <= 0xffff, 'TLS12-13')
    seed.vector(2, context)
  }
  return tls12Prf(crypto, suite.hash, master, label, seed.finish(), length)
}
