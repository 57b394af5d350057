/**
 * Making a data channel: from the negotiated names to the class that does the work, refusing what cannot or should not be.
 *
 * Spec: data.md, "Formats".
 */
import { ConfigError, EMPTY, UsageError } from '../bytes/index.ts'
import { AeadChannel } from './aead-channel.ts'
import type { DataChannel, DataChannelOptions } from './channel.ts'
import { isAead } from './data-format.ts'
import { EpochChannel } from './epoch-channel.ts'
import type { DataKeys } from './keys.ts'
import { MacChannel } from './mac-channel.ts'
import type { DataChannelSnapshot } from './snapshot.ts'

/**
 * A channel for one data key.
 *
 * @throws ConfigError when the combination cannot work: epoch keys without an AEAD or a peer-id, static-key mode with an
 * AEAD, a cipher that the provider does not offer, an insecure choice without `allowInsecure`.
 * @throws UsageError for a key id or peer-id out of range.
 */
export function createDataChannel(options: DataChannelOptions): DataChannel {
  const { cipher, auth = 'none', staticKey, peerId } = options
  requireRange('key id', options.keyId, 7)
  requireRange('peer-id', peerId, 0xffffff)
  requireRange('peer-id', options.receivePeerId, 0xffffff)
  if (isAead(cipher)) {
    if (staticKey !== undefined) {
      throw new ConfigError('secret', `static-key mode has no room for ${cipher}: use AES-256-CBC with a digest`)
    }
    if (options.epoch !== true) return new AeadChannel(options, cipher)
    if (peerId !== undefined) return new EpochChannel(options, cipher, peerId)
    throw new ConfigError('protocol-flags', 'aead-epoch needs a peer-id, and the server pushed none')
  }
  if (options.epoch === true) {
    throw new ConfigError('protocol-flags', `aead-epoch needs an AEAD cipher, which ${cipher} is not`)
  }
  // DATA-14
  if (options.allowInsecure !== true) {
    if (cipher === 'none') throw new ConfigError('cipher', 'cipher none sends everything in clear')
    if (auth === 'none') {
      throw new ConfigError('auth', `auth none lets anybody forge ${cipher} packets: use a digest or an AEAD cipher`)
    }
  }
  return new MacChannel(options, cipher)
}

const NO_KEYS: DataKeys = { send: { cipher: EMPTY, hmac: EMPTY }, receive: { cipher: EMPTY, hmac: EMPTY } }

/**
 * The channel of a snapshot, which goes on with the next packet id (DATA-51). `options` are those of the channel it was
 * taken of; keys and counters come from the snapshot.
 *
 * @param now - ms; the snapshot's ages count back from it.
 * @throws ConfigError as `createDataChannel`, and when the snapshot is of another format.
 */
export function restoreDataChannel(
  options: Omit<DataChannelOptions, 'keys' | 'counterStart' | 'restored'>,
  snapshot: DataChannelSnapshot,
  now: number,
): DataChannel {
  if ((snapshot.type === 'epoch') !== (options.epoch === true)) {
    throw new ConfigError('protocol-flags', 'the state is of another data format')
  }
  const restored = { snapshot, now }
  if (snapshot.type === 'epoch') return createDataChannel({ ...options, keys: NO_KEYS, restored })
  return createDataChannel({ ...options, keys: snapshot.keys, counterStart: snapshot.counters, restored })
}

function requireRange(what: string, value: number | undefined, max: number): void {
  if (value === undefined) return
  if (!Number.isInteger(value) || value < 0 || value > max) throw new UsageError(`a ${what} is 0 to ${max}`)
}
