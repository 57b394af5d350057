/**
 * Which remote is tried next, at which of its addresses, and after what pause (spec/client.md).
 *
 * A small deterministic machine: each input returns the one step that follows. A turn is one remote with all its
 * addresses; turns that fail are counted, the pause doubles once every remote has had five of them, and a success starts
 * the count anew. Names are resolved at the start of each turn. Randomness is used once, to order the list.
 */
import { Reader, UsageError } from '../bytes/index.ts'
import type { AdvanceHint } from '../control/index.ts'
import { parseIpv4, parseIpv6 } from '../control/index.ts'
import type { RandomSource } from '../crypto/index.ts'

/** What the list needs to know of a remote. */
export interface RemoteEntry {
  /** The name to resolve, or an address. */
  readonly host: string
  /** Use only addresses of this family. */
  readonly family?: 4 | 6 | undefined
  /** The name is resolved elsewhere, by a proxy: it is used as it is. */
  readonly byName?: boolean
  /** Pause between attempts (`connect-retry`), in ms. */
  readonly retry: number
  /** Longest pause (second argument of `connect-retry`), in ms. */
  readonly maxRetry: number
}

/** How the list behaves. */
export interface RemoteListOptions {
  /** `remote-random` */
  readonly shuffle: boolean
  /** `connect-retry-max`: turns per remote before giving up; 0: never give up. */
  readonly maxTurns: number
  /** `resolv-retry`: how long a lone remote's name is tried in one turn, in ms; `Infinity`: for ever. */
  readonly resolveRetry: number
  /** `persist-remote-ip`: keep the address when the same remote is tried again. */
  readonly persistAddress: boolean
}

/** What follows. */
export type RemoteStep =
  /** Find the addresses of `host`, then call `resolved`. */
  | { readonly type: 'resolve'; readonly remote: number; readonly host: string; readonly family: 4 | 6 | undefined }
  /** Connect to this address of this remote, then call `succeeded` or `failed`. */
  | { readonly type: 'connect'; readonly remote: number; readonly address: string }
  /** Wait so many ms, then call `resume`. */
  | { readonly type: 'wait'; readonly delay: number }
  /** Every remote has had its turns. */
  | { readonly type: 'exhausted' }

/** Why and how an attempt failed, as far as the list cares. */
export interface RemoteFailure {
  /** Absent: the next address, and after the last one the next remote. */
  readonly advance?: AdvanceHint | undefined
  /** Least pause before the next attempt, in ms. */
  readonly pause?: number | undefined
}

/** Most addresses of a remote that are tried in a turn. */
export const MAX_ADDRESSES = 16
/** Pause between two tries to resolve a lone remote, in ms. */
export const RESOLVE_PAUSE = 5_000
/** Turns per remote before the pause starts to double. */
const PATIENT_TURNS = 4

/** The list. Indices in steps are those of the entries given, whatever their order of use. */
export class RemoteList {
  readonly #entries: readonly RemoteEntry[]
  readonly #options: RemoteListOptions
  readonly #order: readonly number[]
  #position = 0
  #addresses: readonly string[] = []
  #addressIndex = 0
  #failedTurns = 0
  #resolvingFor = 0
  #next: RemoteStep | undefined

  /** @throws UsageError for an empty list. */
  constructor(entries: readonly RemoteEntry[], options: RemoteListOptions, random: RandomSource) {
    if (entries.length === 0) throw new UsageError('at least one remote is needed')
    this.#entries = entries
    this.#options = options
    const indices = entries.map((_, index) => index)
    this.#order = options.shuffle ? shuffled(indices, random) : indices
  }

  /** Index of the remote whose turn it is. */
  get current(): number {
    return this.#order[this.#position] as number
  }

  /** Failed turns since the last success. */
  get failedTurns(): number {
    return this.#failedTurns
  }

  get #entry(): RemoteEntry {
    return this.#entries[this.current] as RemoteEntry
  }

  /** The first step. */
  begin(): RemoteStep {
    return this.#turn()
  }

  /** The addresses of the name asked for, best first; empty when there are none. */
  resolved(addresses: readonly string[]): RemoteStep {
    const { family } = this.#entry
    const usable: string[] = []
    for (const text of addresses) {
      const ipv4 = family === 6 ? undefined : parseIpv4(text)
      const address = ipv4 ?? (family === 4 ? undefined : parseIpv6(text))
      if (address !== undefined && !usable.includes(address) && usable.length < MAX_ADDRESSES) usable.push(address)
    }
    if (usable.length === 0) return this.#unresolved()
    this.#resolvingFor = 0
    this.#addresses = usable
    this.#addressIndex = 0
    return this.#connect()
  }

  /** The attempt at the last `connect` failed, or the session that came of it is over. */
  failed(failure: RemoteFailure = {}): RemoteStep {
    const { advance } = failure
    if (advance === 'no') {
      // CLIENT-4: the same remote; its name is resolved anew unless the address is to persist.
      this.#failedTurns++
      return this.#pause(failure, this.#options.persistAddress ? this.#connect() : this.#turn())
    }
    if (advance !== 'remote' && this.#addressIndex + 1 < this.#addresses.length) {
      this.#addressIndex++ // CLIENT-3
      return this.#pause(failure, this.#connect())
    }
    this.#failedTurns++
    this.#position = (this.#position + 1) % this.#order.length // CLIENT-3
    return this.#pause(failure, this.#turn())
  }

  /** The pause is over. */
  resume(): RemoteStep {
    const step = this.#next
    if (step === undefined) throw new UsageError('nothing was waited for')
    this.#next = undefined
    return step
  }

  /** A tunnel came up: the count of failures starts anew. */
  succeeded(): void {
    this.#failedTurns = 0
  }

  #turn(): RemoteStep {
    const { host, family, byName } = this.#entry
    this.#addresses = []
    this.#addressIndex = 0
    const literal = literalAddress(host)
    if (literal === undefined && byName !== true) return { type: 'resolve', remote: this.current, host, family }
    this.#addresses = [literal ?? host]
    return this.#connect()
  }

  #connect(): RemoteStep {
    return { type: 'connect', remote: this.current, address: this.#addresses[this.#addressIndex] as string }
  }

  /** CLIENT-6: a lone remote's name is tried again for a while, one of several gives way to the next at once. */
  #unresolved(): RemoteStep {
    if (this.#order.length === 1 && this.#resolvingFor < this.#options.resolveRetry) {
      this.#resolvingFor += RESOLVE_PAUSE
      this.#next = this.#turn()
      return { type: 'wait', delay: RESOLVE_PAUSE }
    }
    this.#resolvingFor = 0
    return this.failed({ advance: 'remote' })
  }

  /** CLIENT-5, CLIENT-7 */
  #pause(failure: RemoteFailure, next: RemoteStep): RemoteStep {
    const count = this.#order.length
    const { maxTurns } = this.#options
    if (maxTurns > 0 && this.#failedTurns >= count * maxTurns) return { type: 'exhausted' }
    const { retry, maxRetry } = this.#entry
    const doublings = Math.min(15, Math.max(0, Math.floor(this.#failedTurns / count) - PATIENT_TURNS))
    const usual = doublings === 0 ? retry : Math.max(retry, 1_000) * 2 ** doublings
    this.#next = next
    return { type: 'wait', delay: Math.min(Math.max(usual, failure.pause ?? 0), maxRetry) }
  }
}

/** A fair order. CLIENT-2 */
function shuffled(items: readonly number[], random: RandomSource): readonly number[] {
  const out = [...items]
  for (let i = out.length - 1; i > 0; i--) {
    const j = below(i + 1, random)
    const item = out[i] as number
    out[i] = out[j] as number
    out[j] = item
  }
  return out
}

/** An integer in `[0, bound)` out of 48 random bits: for lists of this size as good as uniform. */
function below(bound: number, random: RandomSource): number {
  return new Reader(random(6)).u48() % bound
}

/** An address out of a text that is one, in canonical form; undefined for a name. */
export function literalAddress(text: string): string | undefined {
  return parseIpv4(text) ?? parseIpv6(text)
}
