/**
 * One end of the demonstration: a session with its side of the ladder, and pings through it.
 */
import { performance } from 'node:perf_hooks'
import { Session, type SessionConfig, type SessionEvent } from '../../session/index.ts'
import { nodeEnvironment, SessionDriver } from '../driver.ts'
import { parseEcho, replyTo } from '../echo.ts'
import { describeNegotiated } from './describe.ts'
import type { Ladder, Side } from './ladder.ts'
import { Pinger } from './pinger.ts'

/** Pings of each round. */
export const PINGS = 10

/** What an end is made of. */
export interface EndOptions {
  /** With `trace: true`, so that the ladder has something to show. */
  readonly config: SessionConfig
  readonly transmit: (data: Uint8Array) => void
  readonly side: Side
  readonly ladder: Ladder
  /** Also draw what is received: the other end does not draw for itself. */
  readonly drawsPeer?: boolean
}

/** A session kept running, drawn as it goes. */
export class End {
  readonly driver: SessionDriver
  readonly #waiting = new Map<SessionEvent['type'], (event: SessionEvent) => void>()
  #pinger: Pinger | undefined

  constructor(options: EndOptions) {
    this.driver = new SessionDriver(new Session(options.config, nodeEnvironment()), {
      transmit: options.transmit,
      packet: (packet) => {
        const echo = parseEcho(packet)
        if (echo?.kind === 'request') this.driver.send(replyTo(echo))
        else this.#pinger?.receive(packet)
      },
      event: (event) => {
        this.#draw(event, options)
        this.#waiting.get(event.type)?.(event)
      },
    })
  }

  #draw(event: SessionEvent, { side, ladder, drawsPeer }: EndOptions): void {
    const now = performance.now()
    if (event.type === 'trace' && event.direction === 'sent') ladder.control(now, side, event)
    else if (event.type === 'trace' && drawsPeer === true)
      ladder.control(now, side === 'left' ? 'right' : 'left', event)
    else if (event.type === 'connected') ladder.note(now, side, 'connected', ...describeNegotiated(event.negotiated))
    else if (event.type === 'closed') ladder.note(now, side, `closed: ${event.reason.type}`)
    else if (event.type === 'rekeyed') {
      ladder.note(now, side, `new keys, key id ${event.keyId}, begun by ${event.initiator}`)
    }
  }

  /** Resolves when the event comes; rejects after ten seconds. */
  seen(type: SessionEvent['type']): Promise<SessionEvent> {
    return new Promise((done, failed) => {
      const timer = setTimeout(() => {
        failed(new Error(`no "${type}" within 10 s`))
      }, 10_000)
      this.#waiting.set(type, (event) => {
        clearTimeout(timer)
        done(event)
      })
    })
  }

  /** Pings the other end; resolves with the number of replies. */
  ping(source: Uint8Array, target: Uint8Array, interval: number): Promise<number> {
    return new Promise((done) => {
      const plan = { device: 'tun', source, target, count: PINGS, interval, size: 56, patience: 2000 } as const
      this.#pinger = new Pinger(plan, {
        send: (packet) => {
          this.driver.send(packet)
        },
        reply: () => undefined,
        done,
      })
      this.#pinger.start()
    })
  }
}
