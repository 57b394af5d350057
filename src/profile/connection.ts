/**
 * One remote of a profile with everything that holds for it.
 *
 * A `connection` block starts from what stands above it and changes what it names (PROF-13); a `remote` outside of blocks
 * takes the whole profile's settings. Where there are blocks, remotes outside of them do not count. Control-channel keys
 * given outside count for every block that brings none.
 */
import type { ProfileRole } from './directive.ts'
import type { Entry } from './entry.ts'
import type { ProtocolName } from './directives/link.ts'
import type { DirectiveName, ValuesFor } from './table.ts'

/** The reference's port. */
export const DEFAULT_PORT = 1194

/** Directives that hold for blocks wherever they stand. */
const EVERYWHERE: ReadonlySet<string> = new Set(['tls-auth', 'tls-crypt', 'tls-crypt-v2', 'key-direction'])
const WRAPS: readonly DirectiveName[] = ['tls-auth', 'tls-crypt', 'tls-crypt-v2']

/** What connections are made of: the directives of a profile, those outside of blocks apart from those inside. */
export interface ConnectionSource {
  readonly role: ProfileRole
  /** The connection blocks, each with the number of entries that stand before it. */
  readonly blocks: readonly { readonly entriesBefore: number }[]
  /** The occurrence outside of blocks that counts. */
  entry(name: DirectiveName): Entry | undefined
  /** Every occurrence outside of blocks, in order. */
  entriesOf(name: DirectiveName): readonly Entry[]
  /** What stands in a block, in order. */
  entriesIn(block: number): readonly Entry[]
}

/** A way to a peer. */
export class Connection {
  /** The `remote` it comes from; `undefined` for an end that waits to be called. */
  readonly remote: Entry | undefined
  /** Index of its block, or `undefined`. */
  readonly block: number | undefined
  readonly #settings: ConnectionSource

  private constructor(settings: ConnectionSource, remote: Entry | undefined, block: number | undefined) {
    this.#settings = settings
    this.remote = remote
    this.block = block
  }

  /** The connections of a profile. A server has none; an end without `remote` has one without an address. */
  static listOf(settings: ConnectionSource): readonly Connection[] {
    if (settings.role === 'server') return []
    if (settings.blocks.length > 0) {
      return settings.blocks.flatMap((_, block) => {
        const remote = lastOf(settings.entriesIn(block), (entry) => entry.name === 'remote')
        return remote === undefined ? [] : [new Connection(settings, remote, block)]
      })
    }
    const remotes = settings.entriesOf('remote')
    return remotes.length === 0
      ? [new Connection(settings, undefined, undefined)]
      : remotes.map((remote) => new Connection(settings, remote, undefined))
  }

  /** The settings of a profile without regard to remotes. */
  static wholeOf(settings: ConnectionSource): Connection {
    return new Connection(settings, undefined, undefined)
  }

  /** The host to call. */
  get host(): string | undefined {
    return this.remote?.words[0]
  }

  /** The port to call. */
  get port(): number {
    const own = this.remote?.values[1]
    if (typeof own === 'number') return own
    return this.#lastOf(['port', 'rport']) ?? DEFAULT_PORT
  }

  /** The transport as written, IP version included. */
  get protocolName(): ProtocolName {
    const own = this.remote?.values[2] as ProtocolName | undefined
    return own ?? this.value('proto')?.[0] ?? 'udp'
  }

  /** UDP or TCP. */
  get protocol(): 'udp' | 'tcp' {
    return this.protocolName.startsWith('udp') ? 'udp' : 'tcp'
  }

  /** The entry that names the transport, where one does. */
  get protocolEntry(): Entry | undefined {
    return this.remote?.words[2] === undefined ? this.entry('proto') : this.remote
  }

  /** True for an end that waits to be called over TCP. */
  get isTcpServer(): boolean {
    return this.protocolName.endsWith('-server') || (this.protocol === 'tcp' && this.#settings.role === 'server')
  }

  /** The one IP version to use, or `undefined` for either. */
  get family(): 4 | 6 | undefined {
    if (this.protocolName.includes('4')) return 4
    return this.protocolName.includes('6') ? 6 : undefined
  }

  /** The local port; 0 for any. */
  get localPort(): number {
    if (this.entry('nobind') !== undefined) return 0
    const stated = this.#lastOf(['port', 'lport'])
    if (stated !== undefined) return stated
    const bound = this.entry('bind') !== undefined || this.entry('local') !== undefined
    return bound || (this.protocol === 'udp' && this.#settings.role === 'peer') ? DEFAULT_PORT : 0
  }

  /** The local address to bind to, where one is given. */
  get localAddress(): string | undefined {
    const address = this.value('local')?.[0]
    return address === '*' ? undefined : address
  }

  /** The occurrence of a directive that counts here. */
  entry(name: DirectiveName): Entry | undefined {
    const { block } = this
    if (block === undefined) return this.#settings.entry(name)
    const own = this.#own(name)
    if (own !== undefined) return own
    if (EVERYWHERE.has(name)) {
      const bringsKey = WRAPS.some((wrap) => this.#own(wrap) !== undefined)
      return bringsKey && name !== 'key-direction' ? undefined : this.#settings.entry(name)
    }
    const inherits = this.#settings.entriesOf(name)
    if (inherits.at(-1)?.row.connection !== true) return inherits.at(-1)
    const before = this.#settings.blocks[block]?.entriesBefore ?? 0
    return lastOf(inherits, (entry) => entry.index < before)
  }

  /** Typed values of the occurrence that counts here. */
  value<N extends DirectiveName>(name: N): ValuesFor<N> | undefined {
    const entry = this.entry(name)
    return entry?.sound === true ? (entry.values as unknown as ValuesFor<N>) : undefined
  }

  #own(name: DirectiveName): Entry | undefined {
    const own = this.block === undefined ? [] : this.#settings.entriesIn(this.block)
    return lastOf(own, (entry) => (entry.row.aliasOf ?? entry.name) === name)
  }

  /** The number that the last of several directives gives. */
  #lastOf(names: readonly DirectiveName[]): number | undefined {
    const found = names.map((name) => this.entry(name)).filter((entry) => entry !== undefined)
    const last = found.sort((a, b) => a.index - b.index).at(-1)
    const value = last?.values[0]
    return typeof value === 'number' ? value : undefined
  }
}

function lastOf(entries: readonly Entry[], fits: (entry: Entry) => boolean): Entry | undefined {
  for (let i = entries.length - 1; i >= 0; i--) {
    const entry = entries[i]
    if (entry !== undefined && fits(entry)) return entry
  }
  return undefined
}
