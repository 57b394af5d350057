/**
 * The TLS 1.3 key schedule (RFC 8446 section 7): from the shared secret to traffic keys, finished keys and the exporter.
 *
 * Without a pre-shared key the early secret is a constant of the hash, and what follows from it is written down here.
 * Secrets are plain arrays held by the handshake states that need them; nothing is kept here.
 */
import { EMPTY, fromHex, invariant } from '../bytes/index.ts'
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

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? EMPTY

/** What the schedule always begins with, by the suite's hash. TLS13-1 */
export const SCHEDULE_CONSTANTS: Readonly<
  Partial<Record<HashName, { readonly emptyHash: Uint8Array; readonly earlyDerived: Uint8Array }>>
> = {
  SHA256: {
    emptyHash: bytes('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'),
    earlyDerived: bytes('6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba'),
  },
  SHA384: {
    emptyHash: bytes(
      '38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b',
    ),
    earlyDerived: bytes(
      '1591dac5cbbf0330a4a84de9c753330e92d01f0a88214b4464972fd668049e93e52f2b16fad922fdc0584478428f282b',
    ),
  },
}

function constants(hash: HashName): { readonly emptyHash: Uint8Array; readonly earlyDerived: Uint8Array } {
  const known = SCHEDULE_CONSTANTS[hash]
  invariant(known !== undefined, 'TLS13-1')
  return known
}

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

/** What a pre-shared key begins the schedule with. */
export function earlySecret(crypto: CryptoProvider, hash: HashName, psk: Uint8Array): Uint8Array {
  return hkdfExtract(crypto, hash, new Uint8Array(HASH_LENGTH[hash]), psk)
}

/**
 * The binder of a pre-shared key that comes from a ticket: proof that who offers it knows it. TLS13-31
 * @param helloHash - transcript through the ClientHello up to its binders.
 */
export function binderMac(
  crypto: CryptoProvider,
  hash: HashName,
  early: Uint8Array,
  helloHash: Uint8Array,
): Uint8Array {
  return finishedMac(crypto, hash, expand(crypto, hash, early, 'res binder', constants(hash).emptyHash), helloHash)
}

/**
 * @param helloHash - transcript through ServerHello.
 * @param early - of the pre-shared key that was taken; `undefined` without one.
 */
export function handshakeSecrets(
  crypto: CryptoProvider,
  hash: HashName,
  sharedSecret: Uint8Array,
  helloHash: Uint8Array,
  early?: Uint8Array,
): HandshakeSecrets {
  const { earlyDerived, emptyHash } = constants(hash)
  const salt = early === undefined ? earlyDerived : expand(crypto, hash, early, 'derived', emptyHash)
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
  readonly masterSecret: Uint8Array
}

/** @param finishedHash - transcript through the server's Finished. */
export function applicationSecrets(
  crypto: CryptoProvider,
  hash: HashName,
  handshakeSecret: Uint8Array,
  finishedHash: Uint8Array,
): ApplicationSecrets {
  const salt = expand(crypto, hash, handshakeSecret, 'derived', constants(hash).emptyHash)
  const masterSecret = hkdfExtract(crypto, hash, salt, new Uint8Array(HASH_LENGTH[hash]))
  return {
    clientApplicationTrafficSecret: expand(crypto, hash, masterSecret, 'c ap traffic', finishedHash),
    serverApplicationTrafficSecret: expand(crypto, hash, masterSecret, 's ap traffic', finishedHash),
    exporterMasterSecret: expand(crypto, hash, masterSecret, 'exp master', finishedHash),
    masterSecret,
  }
}

/**
 * What the keys of a connection's tickets come from.
 * @param finishedHash - transcript through the client's Finished.
 */
export function resumptionMasterSecret(
  crypto: CryptoProvider,
  hash: HashName,
  masterSecret: Uint8Array,
  finishedHash: Uint8Array,
): Uint8Array {
  return expand(crypto, hash, masterSecret, 'res master', finishedHash)
}

/** The pre-shared key of the ticket with this nonce (RFC 8446 section 4.6.1). */
export function ticketPsk(
  crypto: CryptoProvider,
  hash: HashName,
  resumption: Uint8Array,
  nonce: Uint8Array,
): Uint8Array {
  return expand(crypto, hash, resumption, 'resumption', nonce)
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
  const secret = expand(crypto, hash, exporterMasterSecret, label, constants(hash).emptyHash)
  return expand(crypto, hash, secret, 'exporter', digest(crypto, hash, context), length)
}
