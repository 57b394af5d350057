/**
 * The provider on libcrypto: packet ciphers and HMACs at three to five times the speed of node:crypto, for hosts that
 * have the package koffi. Everything else is node:crypto's.
 *
 * @module
 */
import type { CryptoProvider } from '../../crypto/index.ts'
import { nodeCrypto } from '../crypto/index.ts'
import { createNativeAead, createNativeCbc, createNativeCtr } from './ciphers.ts'
import { createNativeHmac } from './hmac.ts'
import { loadLibcrypto, requireKoffi } from './library.ts'

/** Where the native parts come from. */
export interface NativeCryptoOptions {
  /** The koffi module, for hosts that bundle it; otherwise the installed one is used. */
  readonly koffi?: unknown
  /** libcrypto's file; otherwise that of this process or the system. */
  readonly library?: string
}

/**
 * A {@link CryptoProvider} on libcrypto.
 *
 * @throws UsageError saying what to install, where koffi or libcrypto is missing. CRY-36
 * @example
 * ```ts
 * const session = new Session(config, { now, timeOrigin, random, crypto: createNativeCrypto() })
 * ```
 */
export function createNativeCrypto(options: NativeCryptoOptions = {}): CryptoProvider {
  const library = loadLibcrypto(options.koffi ?? requireKoffi(), options.library)
  return {
    ...nodeCrypto,
    name: 'native',
    createHmac: (hash, key) => createNativeHmac(library, hash, key),
    createAead: (algorithm, key) => createNativeAead(library, algorithm, key),
    createCbc: (algorithm, key) => createNativeCbc(library, algorithm, key),
    createCtr: (key) => createNativeCtr(library, key),
  }
}
