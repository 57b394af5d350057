/**
 * A client's state under a key of the host's (spec/server.md, "Moving a client").
 *
 *     "OVPM" (4)  version (1)  sealed at, Unix ms (6)  salt (32)  ciphertext  tag (16)
 *
 * Each state is sealed with ChaCha20-Poly1305 under a key of its own, made of the host's key and the salt by HKDF-SHA256, so
 * that any number of servers may share one key. The header is authenticated. The salt is also the state's name: a server
 * remembers it, while the state is good, to refuse it a second time.
 *
 * Refused: what is too short, of another version, not sealed under this key (a single bit is enough), or malformed inside.
 */
import { concat, Reader, toHex, utf8Encode, wipe, Writer } from '../bytes/index.ts'
import { AEAD_TAG_LENGTH, type CryptoProvider, hkdfExpand, hkdfExtract, type RandomSource } from '../crypto/index.ts'
import { type Plain, readPlain, writePlain } from './plain-codec.ts'

const MAGIC = utf8Encode('OVPM')
/** Goes up with every change of what a state holds: a fleet is updated in two steps, or its clients reconnect. */
const VERSION = 2
const SALT_LENGTH = 32
const HEADER = MAGIC.length + 1 + 6 + SALT_LENGTH
const INFO = utf8Encode('ovpn-core moved client')
/** Shortest key of a host, in bytes. */
export const LEAST_MOVE_KEY = 32

/** What came out of a seal. */
export interface OpenedState {
  /** Names the state. */
  readonly name: string
  /** Unix ms. */
  readonly sealedAt: number
  readonly value: Plain
}

/** Why bytes are no state of this key's. */
export type StateProblem = 'truncated' | 'unknown-version' | 'forged' | 'malformed'

/** Seals a state. SRV-71 */
export function sealState(
  crypto: CryptoProvider,
  random: RandomSource,
  key: Uint8Array,
  unixTime: number,
  value: Plain,
): Uint8Array {
  const salt = random(SALT_LENGTH)
  const header = new Writer(HEADER)
    .bytes(MAGIC)
    .u8(VERSION)
    .u48(Math.max(0, Math.floor(unixTime)))
    .bytes(salt)
  const plain = writePlain(value)
  const out = concat(header.finish(), plain, new Uint8Array(AEAD_TAG_LENGTH))
  wipe(plain)
  const length = out.length - HEADER - AEAD_TAG_LENGTH
  aeadOf(crypto, key, salt).seal(out, 0, HEADER, HEADER, length, HEADER + length, new Uint8Array(12))
  return out
}

/** Opens a state. SRV-71 */
export function openState(crypto: CryptoProvider, key: Uint8Array, sealed: Uint8Array): OpenedState | StateProblem {
  const length = sealed.length - HEADER - AEAD_TAG_LENGTH
  if (length < 1) return 'truncated'
  const buffer = sealed.slice()
  const reader = new Reader(buffer)
  const magic = reader.take(MAGIC.length)
  if (!magic.every((byte, index) => byte === MAGIC[index])) return 'forged'
  if (reader.u8() !== VERSION) return 'unknown-version'
  const sealedAt = reader.u48()
  const salt = reader.copy(SALT_LENGTH)
  const aead = aeadOf(crypto, key, salt)
  if (!aead.open(buffer, 0, HEADER, HEADER, length, HEADER + length, new Uint8Array(12))) return 'forged'
  const value = readPlain(buffer.subarray(HEADER, HEADER + length))
  buffer.fill(0)
  return value === undefined ? 'malformed' : { name: toHex(salt), sealedAt, value }
}

function aeadOf(crypto: CryptoProvider, key: Uint8Array, salt: Uint8Array) {
  const secret = hkdfExpand(crypto, 'SHA256', hkdfExtract(crypto, 'SHA256', salt, key), INFO, 32)
  const aead = crypto.createAead('CHACHA20-POLY1305', secret)
  wipe(secret)
  return aead
}
