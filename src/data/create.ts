/**
 * Making a data channel: from the negotiated names to the class that does the work.
 *
 * Spec: data.md, "Formats".
 */
import { ConfigError, UsageError } from '../bytes/index.ts'
import { AEAD_KEY_LENGTH, type AeadAlgorithm } from '../crypto/index.ts'
import { AeadChannel } from './aead-channel.ts'
import type { DataChannel, DataChannelOptions, DataCipher } from './channel.ts'

/** True for ciphers that authenticate by themselves. */
export function isAead(cipher: DataCipher): cipher is AeadAlgorithm {
  return Object.hasOwn(AEAD_KEY_LENGTH, cipher)
}

/**
 * A channel for one data key.
 *
 * @throws ConfigError when the combination cannot work: epoch keys without an AEAD or a peer-id, static-key mode with an
 * AEAD, a cipher that the provider does not offer, an insecure choice without `allowInsecure`.
 */
export function createDataChannel(options: DataChannelOptions): DataChannel {
  const { cipher } = options
  const keyId = options.keyId ?? 0
  if (keyId < 0 || keyId > 7) throw new UsageError('a key id is 0 to 7')
  if (isAead(cipher)) return new AeadChannel(options, cipher)
  throw new ConfigError('cipher', `the data channel cannot use ${cipher}`)
}
