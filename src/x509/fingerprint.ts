/**
 * Certificate fingerprints: the hash of the whole DER, as `peer-fingerprint` and `verify-hash` compare it.
 */
import { ConfigError, equalConstantTime, fromHex, toHex } from '../bytes/index.ts'
import type { CryptoProvider, HashName } from '../crypto/index.ts'
import { HASH_LENGTH } from '../crypto/index.ts'

/** The fingerprint of a certificate given as DER. */
export function fingerprint(der: Uint8Array, crypto: CryptoProvider, hash: HashName = 'SHA256'): Uint8Array {
  return crypto.createHash(hash).update(der).finish()
}

/** `AB:CD:…` in capitals, as tools print it. */
export function fingerprintText(digest: Uint8Array): string {
  return (toHex(digest).toUpperCase().match(/../g) ?? []).join(':')
}

/**
 * Reads a fingerprint of exactly the hash's length: hex digits of either case, pairs joined by colons or not.
 * @throws ConfigError naming `option` (X509-33).
 */
export function parseFingerprint(text: string, hash: HashName, option: string): Uint8Array {
  const trimmed = text.trim()
  const plain = /^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2})*$/.test(trimmed) ? trimmed.replaceAll(':', '') : trimmed
  const digest = fromHex(plain)
  if (digest?.length === HASH_LENGTH[hash]) return digest
  const expected = `${HASH_LENGTH[hash]} bytes in hex, with or without colons`
  throw new ConfigError(option, `${option}: a ${hash} fingerprint is ${expected}.`)
}

/** True when `digest` is one of `accepted`; every entry is compared in full. */
export function matchesFingerprint(digest: Uint8Array, accepted: readonly Uint8Array[]): boolean {
  let found = false
  for (const candidate of accepted) if (equalConstantTime(digest, candidate)) found = true
  return found
}
