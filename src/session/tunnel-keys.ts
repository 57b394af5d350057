/**
 * An agreement put to work: the first key brings the tunnel up, later ones take its place (spec/session.md, SESS-138).
 */
import { emptyOptions, type TunnelOptions } from '../control/index.ts'
import type { Agreement } from './agreed.ts'
import type { SessionContext } from './context.ts'
import type { ControlChannel } from './control-channel.ts'
import type { Exchanges } from './exchanges.ts'
import { createDataKey, createDynamicWrap, pipelineOptions, restoreDataKey } from './key-factory.ts'
import type { DataKey } from './key-ring.ts'
import type { KeyState } from './key-state.ts'
import { type Liveness, pushedSettings } from './liveness.ts'
import type { CloseReason } from './reasons.ts'
import type { Rekeying } from './rekeying.ts'
import type { DataKeySnapshot, TunnelSnapshot } from './snapshot.ts'
import type { Tunnel } from './tunnel.ts'

/** Why a negotiation with an unusable key ends. */
export const UNUSABLE_KEY: CloseReason = {
  type: 'incompatible',
  option: 'key-derivation',
  detail: 'a derived key was all zero',
}

/** The tunnel's keys as the agreement has them. */
export class TunnelKeys {
  readonly #context: SessionContext
  readonly #tunnel: Tunnel
  readonly #rekeying: Rekeying
  readonly #liveness: Liveness
  readonly #exchanges: Exchanges
  #agreement: Agreement | undefined

  constructor(context: SessionContext, tunnel: Tunnel, rekeying: Rekeying, liveness: Liveness, exchanges: Exchanges) {
    this.#context = context
    this.#tunnel = tunnel
    this.#rekeying = rekeying
    this.#liveness = liveness
    this.#exchanges = exchanges
  }

  /** What holds, once there is a tunnel. */
  get agreement(): Agreement | undefined {
    return this.#agreement
  }

  /** Brings the tunnel up; undefined when the key is unusable. The channel's first negotiation must be active. */
  bringUp(agreement: Agreement, options: TunnelOptions, channel: ControlChannel, now: number): DataKey | undefined {
    const { config } = this.#context
    this.#agreement = agreement
    if (agreement.dynamicTlsCrypt) channel.useDynamicWrap(createDynamicWrap(this.#context, channel))
    const key = this.#create(channel, channel.primary, agreement, now)
    if (key === undefined) return undefined
    this.#tunnel.configure(pipelineOptions(config, agreement, options))
    this.#rekeying.installFirst(key, now)
    if (config.role === 'client') this.#liveness.configure(pushedSettings(config.timers, options.protocol))
    this.#liveness.start(now)
    return key
  }

  /** The keys as plain data; undefined before there is a tunnel. */
  snapshot(now: number): TunnelSnapshot | undefined {
    const { lameDuck, primary, sender } = this.#tunnel.keys
    if (primary === undefined) return undefined
    const lameDuckSends = lameDuck !== undefined && sender === lameDuck
    return { primary: snapshotOf(primary, now), lameDuck: lameDuck && snapshotOf(lameDuck, now), lameDuckSends }
  }

  /** Goes on with another process's keys. SESS-170 */
  restore(agreement: Agreement, from: TunnelSnapshot, now: number): void {
    const { config } = this.#context
    this.#agreement = agreement
    const restored = (key: DataKeySnapshot) => restoreDataKey(this.#context, agreement, key, now)
    const lameDuck = from.lameDuck === undefined ? undefined : restored(from.lameDuck)
    this.#tunnel.keys.restore(restored(from.primary), lameDuck, from.lameDuckSends)
    this.#tunnel.configure(pipelineOptions(config, agreement, emptyOptions(config.device)))
  }

  /** Takes a renegotiated key in; the tunnel's former one is on its way out. */
  replace(channel: ControlChannel, key: KeyState, now: number): void {
    if (key !== channel.next || key.state !== 'active' || this.#agreement === undefined) return
    const dataKey = this.#create(channel, key, this.#agreement, now)
    if (dataKey === undefined) {
      key.fail(UNUSABLE_KEY)
      return
    }
    this.#rekeying.install(dataKey, channel, now)
    const { outbox } = this.#context
    outbox.counters.rekeys++
    const { keyId, initiator } = key
    outbox.event({ type: 'rekeyed', keyId, initiator, negotiated: dataKey.negotiated })
  }

  #create(channel: ControlChannel, key: KeyState, agreement: Agreement, now: number): DataKey | undefined {
    const peerInfo = Object.fromEntries(this.#exchanges.peerInfo(channel).values)
    return createDataKey(this.#context, channel, key, agreement, peerInfo, now)
  }
}

function snapshotOf(key: DataKey, now: number): DataKeySnapshot {
  const { bytes, channel, dieAt, negotiated, packets, sendFrom, since, successorAsked } = key
  return { channel: channel.snapshot(now), negotiated, since, sendFrom, dieAt, bytes, packets, successorAsked }
}
