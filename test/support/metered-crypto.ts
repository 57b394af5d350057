/**
 * A provider and a verifier for many runs of one conversation: what was computed while learning is looked up afterwards,
 * everything else is computed for real, and every call is counted.
 *
 * A replay with one changed byte repeats nearly all expensive work of the original: key shares from the same
 * randomness, signatures of the same messages, verdicts on the same chains. Their results are remembered by all of their
 * inputs, so a changed input always misses. Nothing is remembered but while learning, so memory does not grow.
 */
import type {
  CryptoProvider,
  GroupName,
  KeyShare,
  KeyShareResponse,
  PublicKey,
  RandomSource,
} from '../../src/crypto/index.ts'
import type { ChainVerifier } from '../../src/tls/index.ts'

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

/** Results by their inputs. */
class Memory {
  learning = true
  readonly #known = new Map<string, unknown>()

  recall<T>(key: string, compute: () => T): T {
    if (this.#known.has(key)) return this.#known.get(key) as T
    const value = compute()
    if (this.learning) this.#known.set(key, value)
    return value
  }
}

/** How often each kind of primitive was called. */
export interface Work {
  /** Key pairs, agreements, signatures made and checked, remembered or not. */
  asymmetric: number
  /** Hashes, MACs and ciphers set up, and records opened. */
  symmetric: number
}

/** A counting, remembering provider around another. */
export class MeteredCrypto {
  readonly work: Work = { asymmetric: 0, symmetric: 0 }
  readonly crypto: CryptoProvider
  readonly #memory = new Memory()
  readonly #keys = new WeakMap<PublicKey, string>()
  readonly #verdicts = new Memory()

  constructor(inner: CryptoProvider) {
    const heavy = () => this.work.asymmetric++
    const light = () => this.work.symmetric++
    this.crypto = {
      ...inner,
      createHash: (hash) => (light(), inner.createHash(hash)),
      createHmac: (hash, key) => (light(), inner.createHmac(hash, key)),
      createAead: (algorithm, key) => (light(), inner.createAead(algorithm, key)),
      createCbc: (algorithm, key) => (light(), inner.createCbc(algorithm, key)),
      createKeyShare: (group, random) => (heavy(), this.#share(inner, group, random)),
      respondKeyShare: (group, peer, random) => (heavy(), this.#respond(inner, group, peer, random)),
      sign: (algorithm, key, message, random) => {
        heavy()
        const kind = JSON.stringify(algorithm)
        return this.#memory.recall(`sign ${kind} ${this.#name(key.public)} ${text(message)}`, () =>
          inner.sign(algorithm, key, message, random),
        )
      },
      verify: (algorithm, key, message, signature) => {
        heavy()
        const key_ = `verify ${JSON.stringify(algorithm)} ${this.#name(key)} ${text(signature)} ${text(message)}`
        return this.#memory.recall(key_, () => inner.verify(algorithm, key, message, signature))
      },
    }
  }

  /** From here on nothing more is remembered. */
  stopLearning(): void {
    this.#memory.learning = false
    this.#verdicts.learning = false
  }

  /** Sets the counters to zero. */
  reset(): void {
    this.work.asymmetric = 0
    this.work.symmetric = 0
  }

  /** A verifier that remembers its verdicts by chain and role; the time of all its calls must be the same. */
  remembering(inner: ChainVerifier): ChainVerifier {
    return {
      verify: (chain, role, unixTime, crypto) =>
        this.#verdicts.recall(`${role} ${chain.map(text).join(' | ')}`, () =>
          inner.verify(chain, role, unixTime, crypto),
        ),
    }
  }

  #name(key: PublicKey): string {
    const known = this.#keys.get(key)
    if (known !== undefined) return known
    const name = JSON.stringify(key, (_, value: unknown) => (value instanceof Uint8Array ? text(value) : value))
    this.#keys.set(key, name)
    return name
  }

  /** Draws are taken first, so that a remembered share leaves the source where a computed one does. */
  #share(inner: CryptoProvider, group: GroupName, random: RandomSource): KeyShare {
    const draws = DRAWS[group][0].map((length) => random(length))
    const again = replaying(draws)
    const key = `share ${group} ${draws.map(text).join()}`
    const share = this.#memory.recall(key, () => inner.createKeyShare(group, again))
    return {
      group,
      share: share.share,
      agree: (peer) => {
        this.work.asymmetric++
        return this.#memory.recall(`${key} agrees ${text(peer)}`, () => share.agree(peer))
      },
    }
  }

  #respond(
    inner: CryptoProvider,
    group: GroupName,
    peer: Uint8Array,
    random: RandomSource,
  ): KeyShareResponse | undefined {
    const draws = DRAWS[group][1].map((length) => random(length))
    const key = `respond ${group} ${text(peer)} ${draws.map(text).join()}`
    return this.#memory.recall(key, () => inner.respondKeyShare(group, peer, replaying(draws)))
  }
}

/** What each group draws, as initiator and as responder (CRY-4). */
const DRAWS: Readonly<Record<GroupName, readonly [readonly number[], readonly number[]]>> = {
  x25519: [[32], [32]],
  secp256r1: [[48], [48]],
  secp384r1: [[64], [64]],
  secp521r1: [[82], [82]],
  X25519MLKEM768: [
    [64, 32],
    [32, 32],
  ],
  MLKEM1024: [[64], [32]],
}

/** A source that gives these draws, in order. */
function replaying(draws: readonly Uint8Array[]): RandomSource {
  let at = 0
  return () => draws[at++]!
}
