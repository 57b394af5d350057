/**
 * When keys change, and what becomes of the old ones (spec/rekeying.md).
 *
 * A renegotiation is due by time, by volume, or when a key nears a limit of its cipher; either side may begin, and when
 * both do at once their resets carry the same key id and meet. While it runs the tunnel works on the old key, which from
 * that moment has a limited life. A renegotiation that fails changes nothing; another follows after a pause.
 */
import type { CloseReason } from './reasons.ts'
import type { SessionContext } from './context.ts'
import type { ControlChannel } from './control-channel.ts'
import type { DataKey } from './key-ring.ts'
import type { KeyState } from './key-state.ts'
import type { Tunnel } from './tunnel.ts'

/** Pause before a failed renegotiation is tried again. REKEY-10 */
const RETRY_PAUSE = 10_000
/** A server without a configured minimum begins up to this share of the interval early. REKEY-13 */
const SERVER_JITTER = 0.1

/** The keys' clock. */
export class Rekeying {
  readonly #context: SessionContext
  readonly #tunnel: Tunnel
  #failed = false

  constructor(context: SessionContext, tunnel: Tunnel) {
    this.#context = context
    this.#tunnel = tunnel
  }

  /** True after an attempt that failed, until one succeeds. */
  get hasFailed(): boolean {
    return this.#failed
  }

  /** Goes on for another process, whose last attempt may have failed. */
  restore(failed: boolean): void {
    this.#failed = failed
  }

  /** Begins a renegotiation; where the state does not allow one, the next attempt waits for the next cause. */
  begin(channel: ControlChannel, now: number): boolean {
    return channel.renegotiate(now)
  }

  /** A renegotiation began, on either side: the old key's days are numbered. REKEY-4 */
  opened(key: KeyState): void {
    const { timers, config } = this.#context
    timers.clear('reneg-sec')
    const { primary } = this.#tunnel.keys
    if (primary !== undefined) {
      primary.dieAt = Math.min(primary.dieAt, key.startedAt + config.timers.tranWindow)
    }
    // REKEY-16: the peer may forget the key before the present one as soon as it sees the reset.
    this.#tunnel.keys.useNewest()
    this.#arm()
  }

  /** The first key of a session, or of a session that takes over. */
  installFirst(key: DataKey, now: number): void {
    this.#tunnel.keys.replaceAll(key)
    this.#schedule(now)
    this.#arm()
  }

  /** The key of a renegotiation. */
  install(key: DataKey, channel: ControlChannel, now: number): void {
    channel.promote()
    this.#tunnel.keys.install(key)
    // REKEY-18: after a failure the ends may hold different old keys.
    if (this.#failed) this.#tunnel.keys.useNewest()
    else this.#tunnel.keys.switchSender(now)
    this.#failed = false
    this.#schedule(now)
    this.#arm()
  }

  /** A renegotiation failed. REKEY-9 */
  failed(channel: ControlChannel, now: number): void {
    this.#failed = true
    channel.dropNext()
    this.retry(now)
  }

  /** Tries again after a pause. */
  retry(now: number): void {
    const { primary } = this.#tunnel.keys
    if (primary === undefined) return
    primary.successorAsked = false
    this.#context.timers.setEarlier('reneg-sec', now + RETRY_PAUSE)
  }

  /** The new key may send from now on. */
  switchSender(now: number): void {
    this.#tunnel.keys.switchSender(now)
    this.#arm()
  }

  /** Drops keys past their life; a reason when none is left. REKEY-14 */
  expire(now: number): CloseReason | undefined {
    this.#tunnel.keys.expire(now)
    this.#arm()
    if (this.#tunnel.keys.primary !== undefined) return undefined
    return { type: 'timed-out', timer: 'tran-window', detail: 'no new key came before the old one expired' }
  }

  #schedule(now: number): void {
    const { renegotiateAfter } = this.#context.config.timers
    const { timers } = this.#context
    timers.set('reneg-sec', renegotiateAfter > 0 ? now + this.#interval() : Infinity)
  }

  /** REKEY-13 */
  #interval(): number {
    const { config, random } = this.#context
    const { renegotiateAfter, renegotiateAfterMin } = config.timers
    if (config.role === 'client') return renegotiateAfter
    const least = renegotiateAfterMin > 0 ? renegotiateAfterMin : renegotiateAfter * (1 - SERVER_JITTER)
    const [high = 0, low = 0] = random(2)
    return least + ((renegotiateAfter - least) * (high * 256 + low)) / 65_535
  }

  #arm(): void {
    const { timers } = this.#context
    timers.set('key-switch', this.#tunnel.keys.switchAt)
    timers.set('tran-window', this.#tunnel.keys.expireAt)
  }
}
