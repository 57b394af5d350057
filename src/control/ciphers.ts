/**
 * Names of data channel ciphers and lists of them (`data-ciphers`), spec/negotiation.md.
 *
 * Peers compare cipher names byte by byte, so everything here speaks canonical names. A list may hold `DEFAULT`, which
 * stands for the default list in place, and `?NAME`, which is dropped without complaint where this build lacks NAME.
 */
import { ConfigError } from '../bytes/index.ts'
import type { AeadAlgorithm, CbcAlgorithm } from '../crypto/index.ts'

/** A data channel cipher by its canonical name. `none` is no cipher: it is never negotiated. */
export type DataCipher = AeadAlgorithm | CbcAlgorithm

/** What a tunnel may come to use: a cipher, or `none` where it is the configured fallback. */
export type ChosenCipher = DataCipher | 'none'

/** Facts about a cipher that negotiation and the options string need. Lengths in bytes. */
export interface CipherFacts {
  readonly name: DataCipher
  readonly aead: boolean
  readonly keyLength: number
  readonly ivLength: number
  /** Block length as the options string counts it (1 for a stream cipher). */
  readonly blockLength: number
}

function facts(name: DataCipher, keyLength: number, ivLength: number, blockLength: number): [string, CipherFacts] {
  return [name, { name, aead: ivLength === 12, keyLength, ivLength, blockLength }]
}

const CIPHERS: ReadonlyMap<string, CipherFacts> = new Map([
  facts('AES-128-GCM', 16, 12, 16),
  facts('AES-192-GCM', 24, 12, 16),
  facts('AES-256-GCM', 32, 12, 16),
  facts('CHACHA20-POLY1305', 32, 12, 1),
  facts('AES-128-CBC', 16, 16, 16),
  facts('AES-192-CBC', 24, 16, 16),
  facts('AES-256-CBC', 32, 16, 16),
  facts('BF-CBC', 16, 8, 8),
  facts('DES-EDE3-CBC', 24, 8, 8),
])

/** What the reference offers when nothing is configured, since release 2.6. */
export const DEFAULT_DATA_CIPHERS: readonly DataCipher[] = ['AES-256-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305']

/** Longest list in characters, colons included. */
export const MAX_CIPHER_LIST = 127

/** The facts of a cipher named in any case or by an OpenSSL alias; `undefined` when the name is not known. NEG-6 */
export function cipherByName(name: string): CipherFacts | undefined {
  let upper = name.toUpperCase()
  if (upper.startsWith('ID-AES')) upper = upper.replace(/^ID-AES(128|192|256)-GCM$/, 'AES-$1-GCM')
  return CIPHERS.get(upper)
}

/** Facts of a cipher whose canonical name is at hand. */
export function cipherFacts(name: DataCipher): CipherFacts {
  return CIPHERS.get(name) as CipherFacts
}

/**
 * Reads a `data-ciphers` list: colon-separated, in order of preference.
 *
 * @param supported - canonical names that the crypto provider in use offers.
 * @throws ConfigError for a name that is unknown, not supported or of 64-bit blocks and not marked `?`, for an empty or
 * over-long list.
 */
export function parseCipherList(text: string, supported: readonly DataCipher[]): readonly DataCipher[] {
  const list: DataCipher[] = []
  const add = (name: DataCipher): void => {
    if (!list.includes(name)) list.push(name)
  }
  for (const item of text.split(':')) {
    if (item === 'DEFAULT') {
      // NEG-7
      for (const name of DEFAULT_DATA_CIPHERS) if (supported.includes(name)) add(name)
      continue
    }
    const optional = item.startsWith('?') // NEG-8
    const cipher = cipherByName(optional ? item.slice(1) : item)
    if (cipher !== undefined && !hasSmallBlocks(cipher) && supported.includes(cipher.name)) add(cipher.name)
    else if (!optional) throw new ConfigError('data-ciphers', `data-ciphers: ${unusable(item, cipher)}`)
  }
  if (list.length === 0) throw new ConfigError('data-ciphers', 'data-ciphers: the list holds no usable cipher')
  if (list.join(':').length > MAX_CIPHER_LIST)
    throw new ConfigError('data-ciphers', `data-ciphers: the list is longer than ${MAX_CIPHER_LIST} characters`)
  return list
}

/** True for ciphers with 64-bit blocks, which are a fallback for old peers at best. NEG-26 */
export function hasSmallBlocks(cipher: CipherFacts): boolean {
  return cipher.blockLength === 8
}

function unusable(item: string, cipher: CipherFacts | undefined): string {
  if (item === '') return 'empty name between colons'
  if (item.toLowerCase() === 'none')
    return 'the cipher none would send traffic in the clear; data-ciphers-fallback may name it'
  if (cipher !== undefined && hasSmallBlocks(cipher))
    return `${cipher.name} has 64-bit blocks (SWEET32) and is never negotiated; data-ciphers-fallback may name it`
  const known = cipher === undefined ? 'unknown cipher' : 'cipher not offered by the crypto provider in use'
  return `${known}: ${item.slice(0, 64)}`
}
