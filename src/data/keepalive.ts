/**
 * Signs of life as data: when to ping, and when the peer counts as gone.
 *
 * Pings go out when nothing else did for `ping` seconds. `ping-restart` and `ping-exit` end the tunnel when nothing
 * authentic came for that long; data and control packets count alike. No timer lives here: the owner asks `nextDeadline`
 * and tells what happened when.
 *
 * Spec: data.md, "Keepalive".
 */

/** Keepalive settings, in seconds; 0 is off. */
export interface KeepaliveOptions {
  readonly ping: number
  readonly timeout: number
  /** What the timeout does: `ping-restart` or `ping-exit`. */
  readonly action: 'restart' | 'exit'
}

/** `ping-restart` of a pulling client until the server pushes another, in seconds (DATA-37). */
export const PULL_PING_RESTART = 120

/** What `keepalive interval timeout` means for the side that has it, and what it pushes. */
export interface KeepaliveExpansion {
  readonly own: KeepaliveOptions
  readonly pushed: KeepaliveOptions
}

/**
 * Expands `keepalive interval timeout`: a server waits twice as long as it tells its clients to, so that they give up first
 * (DATA-36). `undefined` unless the timeout is at least twice the interval.
 */
export function expandKeepalive(
  interval: number,
  timeout: number,
  role: 'server' | 'peer',
): KeepaliveExpansion | undefined {
  if (interval <= 0 || timeout < 2 * interval) return undefined
  const pushed: KeepaliveOptions = { ping: interval, timeout, action: 'restart' }
  return { own: { ...pushed, timeout: role === 'server' ? 2 * timeout : timeout }, pushed }
}

/** What is due at a moment. */
export type KeepaliveEvent = 'ping' | 'restart' | 'exit'

/** The clock of one tunnel's signs of life. */
export class Keepalive {
  #options: KeepaliveOptions
  #sentAt: number
  #receivedAt: number

  constructor(options: KeepaliveOptions, now: number) {
    this.#options = options
    this.#sentAt = now
    this.#receivedAt = now
  }

  /** Takes pushed settings; both waits begin again. */
  configure(options: KeepaliveOptions, now: number): void {
    this.#options = options
    this.#sentAt = now
    this.#receivedAt = now
  }

  /** Anything was sent. */
  sent(now: number): void {
    this.#sentAt = now
  }

  /** An authentic packet came (DATA-35). */
  received(now: number): void {
    this.#receivedAt = now
  }

  /** When `due` is worth asking next, ms; Infinity: never. */
  nextDeadline(): number {
    const { ping, timeout } = this.#options
    const pingAt = ping > 0 ? this.#sentAt + ping * 1000 : Infinity
    const timeoutAt = timeout > 0 ? this.#receivedAt + timeout * 1000 : Infinity
    return Math.min(pingAt, timeoutAt)
  }

  /** What is due at `now`: the end of the tunnel before a ping, one thing at a time. */
  due(now: number): KeepaliveEvent | undefined {
    const { ping, timeout, action } = this.#options
    if (timeout > 0 && now >= this.#receivedAt + timeout * 1000) return action // DATA-35
    return ping > 0 && now >= this.#sentAt + ping * 1000 ? 'ping' : undefined
  }
}
