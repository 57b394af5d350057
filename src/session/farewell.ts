/**
 * The end, politely: telling the peer, and giving it time to have heard (spec/session.md, "Farewell").
 *
 * Over UDP the other end would else wait for its timers. Peers that know EXIT as a control message get one, reliably, under
 * the present key and under that of a renegotiation, whichever they hear; the session ends when one is acknowledged or after
 * as many seconds as farewells were configured. Others get the farewell of the data channel, one per second. Over TCP the
 * closed connection says it all.
 */
import type { Agreement } from './agreed.ts'
import type { SessionContext } from './context.ts'
import type { ControlChannel } from './control-channel.ts'
import type { KeyState } from './key-state.ts'
import type { CloseReason } from './reasons.ts'
import type { Tunnel } from './tunnel.ts'

/** How long a refusal is repeated to a peer that does not acknowledge it. */
export const REFUSAL_WINDOW = 5_000

const LOCAL: CloseReason = { type: 'local' }

/** Saying goodbye. */
export class Farewell {
  /** Farewells to send; 0: none. */
  notify = 0
  readonly #context: SessionContext
  readonly #tunnel: Tunnel
  #reason = LOCAL
  /** The key states of which one's acknowledgement ends the wait; none when farewells are counted instead. */
  #awaited: readonly KeyState[] = []
  #left = 0

  constructor(context: SessionContext, tunnel: Tunnel) {
    this.#context = context
    this.#tunnel = tunnel
  }

  /** What the session ends with. */
  get reason(): CloseReason {
    return this.#reason
  }

  /** Says goodbye; false when there is nothing to wait for. */
  say(reason: CloseReason, channel: ControlChannel, agreement: Agreement | undefined, now: number): boolean {
    const { config, timers } = this.#context
    this.#reason = reason
    if (this.notify === 0 || config.transport === 'tcp') return false // SESS-140
    if (agreement?.ccExit === true) {
      // SESS-141: a peer that takes part in a renegotiation may hear nothing more under the key before it.
      this.#awaited = [channel.primary, channel.next].filter(
        (key) => key !== undefined && key.state !== 'error',
      ) as KeyState[]
      for (const key of this.#awaited) key.writeText('EXIT')
      timers.set('exit-notify', now + this.notify * 1000)
      return this.#awaited.length > 0
    }
    this.#left = this.notify
    return this.fire(now)
  }

  /** Tells the peer why, and waits until it has heard. SESS-143 */
  tell(text: string, reason: CloseReason, key: KeyState, now: number, patience = REFUSAL_WINDOW): void {
    key.writeText(text)
    this.#reason = reason
    this.#awaited = [key]
    this.#context.timers.set('exit-notify', now + patience)
  }

  /** True once the peer has it, or no way is left to tell. */
  heard(channel: ControlChannel | undefined): boolean {
    if (channel === undefined) return true
    const ways = this.#awaited.filter((key) => key.state !== 'error')
    return this.#awaited.length > 0 && (ways.length === 0 || ways.some((key) => key.isSilent))
  }

  /** The next farewell of the data channel; false when it was the last, or time is up. SESS-142 */
  fire(now: number): boolean {
    if (this.#left === 0) return false
    this.#tunnel.occ({ type: 'exit' }, now)
    this.#left--
    if (this.#left === 0) return false
    this.#context.timers.set('exit-notify', now + 1000)
    return true
  }
}
