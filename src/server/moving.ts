/**
 * Handing clients from server to server: a connected client out as sealed bytes, and in again (spec/server.md, "Moving a
 * client").
 *
 * Exporting ends the client here, without a word to it, in the same step; so its packet ids go on exactly where they stood,
 * and no two servers ever seal under the same ids as long as a state is imported once. An import that is refused leaves the
 * state good for another try, here or elsewhere. The host sees to it that the client's datagrams follow.
 */
import { ConfigError, UsageError } from '../bytes/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import type { Environment } from '../session/index.ts'
import { ServerClient } from './client.ts'
import { compilePolicy } from './client-policy.ts'
import type { ClientState } from './client-state.ts'
import type { ServerConfig } from './config.ts'
import type { Hub } from './hub.ts'
import type { ClientId, ExportProblem, ImportProblem } from './output.ts'
import type { Plain } from './plain-codec.ts'
import { LEAST_MOVE_KEY, openState, sealState } from './sealed-state.ts'
import { createSessionFor } from './sessions.ts'

/** How long a state is good, either way of its date: clocks of a fleet differ a little. */
const STATE_LIFETIME = 120_000

/** Both ends of the move. */
export class Moving {
  readonly #hub: Hub
  readonly #config: ServerConfig
  readonly #environment: Environment
  readonly #crypto: CryptoProvider
  /** States taken in, by name, with the time until which they would be good. */
  readonly #taken = new Map<string, number>()

  constructor(hub: Hub, config: ServerConfig, environment: Environment, crypto: CryptoProvider) {
    this.#hub = hub
    this.#config = config
    this.#environment = environment
    this.#crypto = crypto
  }

  /** Takes a client out. SRV-70 */
  export(id: ClientId, key: Uint8Array): Uint8Array | ExportProblem {
    checkKey(key)
    const client = this.#hub.table.byId(id)
    if (client === undefined) return 'no-such-client'
    if (client.transport === 'tcp') return 'tcp'
    if (!client.connected || client.session.pendingLogin !== undefined) return 'not-connected'
    const session = client.session.snapshot(this.#hub.now)
    if (session === undefined) return client.session.state === 'connected' ? 'busy' : 'not-connected'
    const { address, addresses, identity, keyMetadata, limits, name, networks, peerId, token, vlan } = client
    const certificateName = identity?.certificate === undefined ? undefined : client.nameOf(identity.certificate)
    const own = { address, peerId, keyMetadata, certificateName, identity, name, addresses, networks, token }
    const state: ClientState = { ...own, limits, vlan, session }
    const sealed = sealState(this.#crypto, this.#environment.random, key, this.#unixTime, state as unknown as Plain)
    this.#hub.stats.clientsExported++
    this.#hub.end(client, { type: 'exported' })
    return sealed
  }

  /** Takes a client in. SRV-72 */
  import(sealed: Uint8Array, key: Uint8Array, address: string | undefined): ClientId | ImportProblem {
    checkKey(key)
    const result = this.#import(sealed, key, address)
    if (typeof result === 'string') this.#hub.stats.importsRefused[result]++
    else this.#hub.stats.clientsImported++
    return result
  }

  #import(sealed: Uint8Array, key: Uint8Array, address: string | undefined): ClientId | ImportProblem {
    if (this.#hub.state !== 'open') return 'server-closed'
    const opened = openState(this.#crypto, key, sealed)
    if (typeof opened === 'string') return opened
    const unixTime = this.#unixTime
    if (Math.abs(unixTime - opened.sealedAt) > STATE_LIFETIME) return 'expired'
    for (const [name, until] of this.#taken) if (until < unixTime) this.#taken.delete(name)
    if (this.#taken.has(opened.name)) return 'repeated' // SRV-73
    if (!isClientState(opened.value)) return 'malformed'
    const state = opened.value as unknown as ClientState
    const client = this.#create(state, address ?? state.address)
    if (typeof client === 'string') return client
    this.#taken.set(opened.name, opened.sealedAt + STATE_LIFETIME)
    this.#hub.adopt(client, state.session)
    return client.id
  }

  #create(state: ClientState, address: string): ServerClient | ImportProblem {
    const { table } = this.#hub
    if (table.full) return 'server-full'
    if (table.byAddress(address) !== undefined) return 'address-in-use'
    if (table.byPeerId(state.peerId) !== undefined) return 'peer-id-in-use'
    const others = state.name === undefined ? undefined : table.byName(state.name)
    if (others !== undefined && this.#config.duplicateNames !== true) return 'name-connected' // SRV-41
    const client = this.#restore(state, address)
    if (client === undefined) return 'incompatible'
    client.identity = state.identity
    client.token = state.token
    client.limits = state.limits
    const policy = compilePolicy(state.limits, this.#config.device, this.#hub.now)
    if (typeof policy === 'object') client.policy = policy
    client.connected = true
    return this.#hub.admission.adopt(client, state) ? client : 'tunnel-address-in-use'
  }

  #restore(state: ClientState, address: string): ServerClient | undefined {
    const { keyMetadata, peerId, session } = state
    const none = { type: 'none' } as const
    const wrap = this.#config.wraps?.find(({ type }) => type === session.wrap) ?? none
    const environment = { ...this.#environment, now: this.#hub.now, crypto: this.#crypto }
    try {
      const start = { transport: session.transport, wrap, from: session } as const
      return new ServerClient(this.#hub.table.takeId(), address, session.transport, peerId, keyMetadata, (owner) => {
        const { certificateName, identity } = state
        if (identity?.certificate !== undefined) owner.noteName(identity.certificate, certificateName)
        return createSessionFor(this.#config, environment, { ...start, owner })
      })
    } catch (error) {
      // The state is genuine, but of a server that was told something else.
      if (error instanceof ConfigError || error instanceof UsageError) return undefined
      throw error
    }
  }

  get #unixTime(): number {
    return this.#environment.timeOrigin + this.#hub.now
  }
}

/** Whether a genuine state has a client in it: hosts may seal other things under the same key. */
function isClientState(value: Plain): boolean {
  return typeof value === 'object' && 'session' in value && 'peerId' in value
}

/** @throws UsageError */
function checkKey(key: Uint8Array): void {
  if (key.length < LEAST_MOVE_KEY) throw new UsageError(`a key for moving clients has at least ${LEAST_MOVE_KEY} bytes`)
}
