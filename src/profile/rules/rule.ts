/**
 * A rule: one way in which directives do not fit together, as data and a predicate.
 *
 * `own` says how grave it is for this library, `refusedBy` which releases refuse such a profile at their start. A rule
 * finds the entry to blame, so that every finding has a place.
 */
import type { Connection } from '../connection.ts'
import type { Entry } from '../entry.ts'
import type { ProblemCode, ProblemSeverity } from '../problem.ts'
import type { Profile } from '../profile.ts'
import type { Release } from '../release.ts'
import type { DirectiveName, ValuesFor } from '../table.ts'

/** Releases from `since` to `until`, both included; an absent bound is open. */
export interface ReleaseRange {
  readonly since?: Release
  readonly until?: Release
}

/** Every release. */
export const ALWAYS: ReleaseRange = {}

/** One rule. */
export interface Rule {
  readonly code: ProblemCode
  /** The directive that a finding names. */
  readonly directive: DirectiveName
  /** How grave it is for this library; `undefined`: not at all. */
  readonly own: ProblemSeverity | undefined
  /** Releases that refuse at their start; `undefined`: none. */
  readonly refusedBy: ReleaseRange | undefined
  /** One sentence without a full stop. */
  readonly message: string
  readonly remedy: string
  /** Entries at fault; `profile` where the fault is that something is missing altogether. */
  readonly find: (view: RuleView) => readonly (Entry | 'profile')[]
}

/** What rules look at: a profile with the facts that many of them need. */
export class RuleView {
  readonly profile: Profile
  /** The release that is asked about; `undefined` for this library itself. */
  readonly release: Release | undefined

  constructor(profile: Profile, release: Release | undefined) {
    this.profile = profile
    this.release = release
  }

  has(name: DirectiveName): boolean {
    return this.profile.has(name)
  }

  entry(name: DirectiveName): Entry | undefined {
    return this.profile.entry(name)
  }

  value<N extends DirectiveName>(name: N): ValuesFor<N> | undefined {
    return this.profile.value(name)
  }

  values<N extends DirectiveName>(name: N): readonly ValuesFor<N>[] {
    return this.profile.values(name)
  }

  /** Many clients. */
  get isServer(): boolean {
    return this.profile.role === 'server'
  }

  /** `server` lays out no pool. Said once, it holds for every `server` line. */
  get hasNoPool(): boolean {
    return this.values('server').some(([, , pool]) => pool === 'nopool')
  }

  /** Settings come from the peer. */
  get pulls(): boolean {
    return this.has('client') || this.has('pull')
  }

  get isTlsServer(): boolean {
    return this.has('tls-server') || this.has('server') || this.has('server-bridge') || this.has('server-ipv6')
  }

  get isTlsClient(): boolean {
    return this.has('tls-client') || this.has('client')
  }

  get usesTls(): boolean {
    return this.isTlsServer || this.isTlsClient
  }

  /** What `dev` and `dev-type` come to: tun where nothing is said, `undefined` where that can't be told. */
  get device(): 'tun' | 'tap' | 'null' | undefined {
    const type = this.entry('dev-type')?.words[0] ?? this.entry('dev')?.words[0] ?? 'tun'
    return (['tun', 'tap', 'null'] as const).find((kind) => type.startsWith(kind))
  }

  /**
   * The cipher for peers that do not negotiate: the last of `cipher` and `data-ciphers-fallback`, where there is a fallback
   * at all. An equal peer always has one.
   */
  get fallbackCipher(): Entry | undefined {
    const negotiates = this.pulls || this.isServer
    return negotiates && !this.has('data-ciphers-fallback') ? undefined : this.lastCipher
  }

  /** The last of `cipher` and `data-ciphers-fallback`. Releases load it at their start, negotiated away or not. */
  get lastCipher(): Entry | undefined {
    const stated = this.entry('data-ciphers-fallback')
    const cipher = this.entry('cipher')
    return stated === undefined || (cipher?.index ?? -1) > stated.index ? cipher : stated
  }

  /** The connections; for a server, which has none, an empty list. */
  get connections(): readonly Connection[] {
    return this.profile.connections
  }

  /** Transport of a server, or of connections that have no `remote`. */
  get protocol(): 'udp' | 'tcp' {
    return this.value('proto')?.[0].startsWith('tcp') === true ? 'tcp' : 'udp'
  }
}

/** The entries of some names, as far as they are there. */
export function present(view: RuleView, names: readonly DirectiveName[]): Entry[] {
  return names.map((name) => view.entry(name)).filter((entry) => entry !== undefined)
}

/** A list of one entry, or none. */
export function one(entry: Entry | 'profile' | undefined): readonly (Entry | 'profile')[] {
  return entry === undefined ? [] : [entry]
}

/** True when `release` lies in the range. */
export function inRange(release: Release, range: ReleaseRange | undefined): boolean {
  if (range === undefined) return false
  // Release names sort as text: all are `2.` and one digit.
  return release >= (range.since ?? '2.4') && release <= (range.until ?? '2.7')
}
