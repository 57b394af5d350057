/**
 * The TLS 1.3 key schedule (RFC 8446 section 7): from the shared secret to traffic keys, finished keys and the exporter.
 *
 * Without pre-shared keys the early secret is a constant of the hash. Secrets are plain arrays held by the handshake
 * states that need them; nothing is kept here.
 */
import { EMPTY } from '../bytes/index.ts'
import {
  AEAD_KEY_LENGTH,
  AEAD_NONCE_LENGTH,
  type CryptoProvider,
  digest,
  expandLabel,
  HASH_LENGTH,
  type HashName,
  hkdfExtract,
  hmac,
} from '../crypto/index.ts'
import type { TrafficKeys } from './protection.ts'
import type { CipherSuite } from './registry.ts'
import { invariant } from '../bytes/index.ts'

/** HKDF-Expand-Label with the prefix of TLS 1.3. */
function expand(
  crypto: CryptoProvider,
  hash: HashName,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number = HASH_LENGTH[hash],
): Uint8Array {
  return expandLabel(crypto, hash, secret, 'tls13 ', label, context, length)
}

/** The handshake secret and the two traffic secrets that hang from it. */
export interface HandshakeSecrets {
  readonly handshakeSecret: Uint8Array
  readonly clientHandshakeTrafficSecret: Uint8Array
  readonly serverHandshakeTrafficSecret: Uint8Array
}

/** @param helloHash - transcript through ServerHello. */
export function handshakeSecrets(
  crypto: CryptoProvider,
  hash: HashName,
  sharedSecret: Uint8Array,
  helloHash: Uint8Array,
): HandshakeSecrets {
  const zeros = new Uint8Array(HASH_LENGTH[hash])
  const earlySecret = hkdfExtract(crypto, hash, zeros, zeros)
  const salt = expand(crypto, hash, earlySecret, 'derived', digest(crypto, hash))
  const handshakeSecret = hkdfExtract(crypto, hash, salt, sharedSecret)
  return {
    handshakeSecret,
    clientHandshakeTrafficSecret: expand(crypto, hash, handshakeSecret, 'c hs traffic', helloHash),
    serverHandshakeTrafficSecret: expand(crypto, hash, handshakeSecret, 's hs traffic', helloHash),
  }
}

/** What protects application data, and the exporter's root. */
export interface ApplicationSecrets {
  readonly clientApplicationTrafficSecret: Uint8Array
  readonly serverApplicationTrafficSecret: Uint8Array
  readonly exporterMasterSecret: Uint8Array
}

/** @param finishedHash - transcript through the server's Finished. */
export function applicationSecrets(
  crypto: CryptoProvider,
  hash: HashName,
  handshakeSecret: Uint8Array,
  finishedHash: Uint8Array,
): ApplicationSecrets {
  const salt = expand(crypto, hash, handshakeSecret, 'derived', digest(crypto, hash))
  const masterSecret = hkdfExtract(crypto, hash, salt, new Uint8Array(HASH_LENGTH[hash]))
  return {
    clientApplicationTrafficSecret: expand(crypto, hash, masterSecret, 'c ap traffic', finishedHash),
    serverApplicationTrafficSecret: expand(crypto, hash, masterSecret, 's ap traffic', finishedHash),
    exporterMasterSecret: expand(crypto, hash, masterSecret, 'exp master', finishedHash),
  }
}

/** Record keys of a traffic secret. */
export function trafficKeys(crypto: CryptoProvider, suite: CipherSuite, secret: Uint8Array): TrafficKeys {
  invariant(suite.protection.type === 'aead', 'TLS13-1')
  const { algorithm } = suite.protection
  return {
    algorithm,
    key: expand(crypto, suite.hash, secret, 'key', EMPTY, AEAD_KEY_LENGTH[algorithm]),
    iv: expand(crypto, suite.hash, secret, 'iv', EMPTY, AEAD_NONCE_LENGTH),
  }
}

/** The traffic secret after a KeyUpdate (RFC 8446 section 7.2). */
export function nextTrafficSecret(crypto: CryptoProvider, hash: HashName, secret: Uint8Array): Uint8Array {
  return expand(crypto, hash, secret, 'traffic upd', EMPTY)
}

/** verify_data of a Finished: HMAC over the transcript so far, under a key of the sender's handshake traffic secret. */
export function finishedMac(
  crypto: CryptoProvider,
  hash: HashName,
  trafficSecret: Uint8Array,
  transcriptHash: Uint8Array,
): Uint8Array {
  return hmac(crypto, hash, expand(crypto, hash, trafficSecret, 'finished', EMPTY), transcriptHash)
}

/** Exporter of RFC 8446 section 7.5; an absent context counts as an empty one. TLS13-18 */
export function exportKey13(
  crypto: CryptoProvider,
  hash: HashName,
  exporterMasterSecret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const secret = expand(crypto, hash, exporterMasterSecret, label, digest(crypto, hash))
  return expand(crypto, hash, secret, 'exporter', digest(crypto, hash, context), length)
}
