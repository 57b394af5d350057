/**
 * A control wrap in use: the keys of the wire floor, our replay packet ids, and the window over the peer's.
 *
 * The window sees an id only after the packet's MAC was right, and takes it in only after the packet was found to belong
 * to this session. Both matter: whoever holds a copy of another session's packet under the same shared key could else
 * move the window out of an honest peer's reach (spec/session.md, "Wraps in use").
 */
import { LongPacketIdCounter, ReplayWindow } from '../reliability/index.ts'
import type { ReplaySettings } from './resolved-config.ts'
import type { WrapSnapshot } from './snapshot.ts'
import type { ControlPacket, ControlWrap, OpenedControl, StaticKey, WireProblem } from '../wire/index.ts'

/** One wrap of one session. */
export class WrapState {
  readonly wrap: ControlWrap
  /** The key behind the wrap, which the dynamic key of renegotiations is mixed with. */
  readonly key: StaticKey | undefined
  /** The peer's replay packet ids; undefined where the wrap has none. */
  readonly window: ReplayWindow | undefined
  readonly #counter: LongPacketIdCounter

  /**
   * @param used - replay packet ids already used up on our side.
   * @param from - a wrap of the same key that this one goes on for; `now` is what its ages count back from.
   */
  constructor(
    wrap: ControlWrap,
    key: StaticKey | undefined,
    replay: ReplaySettings,
    used = 0,
    from?: { readonly snapshot: WrapSnapshot; readonly now: number },
  ) {
    const window = from?.snapshot.window
    this.wrap = wrap
    this.key = key
    if (wrap.type === 'none') this.window = undefined
    else if (window === undefined || from === undefined) this.window = new ReplayWindow(replay.size, replay.seconds)
    else this.window = ReplayWindow.restore(window, from.now)
    this.#counter = new LongPacketIdCounter(from?.snapshot.used ?? used)
    this.#counter.time = from?.snapshot.time ?? 0
  }

  /** The wrap as plain data: its key and where both sides stand. */
  snapshot(now: number): WrapSnapshot {
    const { id: used, time } = this.#counter
    return { key: this.key?.exportBytes(), used, time, window: this.window?.snapshot(now) }
  }

  /** Replay packet id given out last. */
  get used(): number {
    return this.#counter.id
  }

  /** The packet as it goes out, under a fresh replay packet id. `unixTime` in ms. SESS-10 */
  seal(packet: ControlPacket, unixTime: number): Uint8Array {
    this.#counter.advance(unixTime / 1000)
    return this.wrap.seal(packet, this.#counter.id, this.#counter.time)
  }

  /** The packet inside authentic bytes; changes nothing. */
  open(bytes: Uint8Array): OpenedControl | WireProblem {
    return this.wrap.open(bytes)
  }

  /** Whether the packet is no replay; changes nothing. SESS-11 */
  accepts(opened: OpenedControl, now: number): boolean {
    return this.window === undefined || this.window.accepts(opened.replayPacketId, opened.replayTime, now)
  }

  /** Takes the packet's replay id in. Call only for a packet that belongs to this session. SESS-12 */
  commit(opened: OpenedControl, now: number): void {
    this.window?.commit(opened.replayPacketId, opened.replayTime, now)
  }
}
