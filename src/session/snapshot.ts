/**
 * A connected server session as plain data, so that its client can be handed to another process without noticing
 * (spec/session.md, "Moving").
 *
 * It holds everything that the next packet of either side needs: data keys with their packet ids and replay windows, the
 * control wraps, the windows of the control channel with what is in flight, the TLS connection that carries control messages,
 * what was agreed on, and the timers. Times are on the clock of the session it was taken of; `timeOrigin` lets the next one
 * convert them. All of it is secret, and all of it is good for one restoration: the former session must not go on.
 *
 * What does not move: packets put together of fragments that are still incomplete, the key state before the present one
 * (its peer may get no answer to a repetition), and a peer's unfinished second session.
 */
import type { DataChannelSnapshot } from '../data/index.ts'
import type {
  AckListSnapshot,
  ReceiveWindowSnapshot,
  ReplayWindowSnapshot,
  SendWindowSnapshot,
} from '../reliability/index.ts'
import type { TlsSnapshot } from '../tls/index.ts'
import type { Agreement } from './agreed.ts'
import type { PushConfig, WrapConfig } from './config.ts'
import type { Message } from './key-options.ts'
import type { Negotiated } from './output.ts'
import type { TimerName } from './reasons.ts'
import type { Stats } from './stats.ts'

/** A control wrap: its key and where both sides' replay ids stand. */
export interface WrapSnapshot {
  readonly key: Uint8Array | undefined
  readonly used: number
  readonly time: number
  readonly window: ReplayWindowSnapshot | undefined
}

/** An established negotiation. */
export interface KeyStateSnapshot {
  readonly keyId: number
  readonly initiator: 'us' | 'peer'
  readonly startedAt: number
  readonly heardAt: number
  readonly send: SendWindowSnapshot<Message>
  readonly receive: ReceiveWindowSnapshot<Message>
  readonly acks: AckListSnapshot
  /** TLS bytes that wait for room. */
  readonly outgoing: Uint8Array
  readonly tls: TlsSnapshot
}

/** A control channel at rest. */
export interface ChannelSnapshot {
  readonly localSessionId: Uint8Array
  readonly peerSessionId: Uint8Array
  readonly lastKeyId: number
  readonly heardAt: number
  readonly sentAt: number
  readonly wrap: WrapSnapshot
  readonly dynamicWrap: WrapSnapshot | undefined
  readonly primary: KeyStateSnapshot
}

/** What the server's half of the push exchange knows of its client. */
export interface ExchangeSnapshot {
  readonly peerInfo: readonly (readonly [name: string, value: string])[]
  readonly peerOptions: string
  readonly username: string
  readonly leaf: Uint8Array | undefined
  readonly push: PushConfig
  readonly replies: readonly string[]
  readonly repliedAt: number
}

/** A data key with its history. */
export interface DataKeySnapshot {
  readonly channel: DataChannelSnapshot
  readonly negotiated: Negotiated
  readonly since: number
  readonly sendFrom: number
  readonly dieAt: number
  readonly bytes: number
  readonly packets: number
  readonly successorAsked: boolean
}

/** The tunnel's keys. */
export interface TunnelSnapshot {
  readonly primary: DataKeySnapshot
  readonly lameDuck: DataKeySnapshot | undefined
  /** The older key still sends. */
  readonly lameDuckSends: boolean
}

/** Times of the last packets. */
export interface LivenessSnapshot {
  readonly lastSent: number
  readonly lastReceived: number
  readonly activeSince: number
  readonly activeBytes: number
}

/** A connected session of a server. Secret, and good for one restoration. */
export interface SessionSnapshot {
  readonly now: number
  readonly timeOrigin: number
  readonly wrap: WrapConfig['type']
  readonly transport: 'udp' | 'tcp'
  readonly device: 'tun' | 'tap'
  readonly channel: ChannelSnapshot
  readonly exchange: ExchangeSnapshot
  readonly agreement: Agreement
  readonly tunnel: TunnelSnapshot
  readonly liveness: LivenessSnapshot
  readonly farewells: number
  readonly rekeyFailed: boolean
  readonly timers: readonly (readonly [name: TimerName, at: number])[]
  readonly stats: Stats
}

/**
 * The same snapshot with its times on another clock. A key that was never to die, or a timer that is not set, stays so.
 *
 * @param now - the present time on that clock, which no past event may lie behind.
 * @param timeOrigin - Unix ms at its zero.
 */
export function onClock(snapshot: SessionSnapshot, now: number, timeOrigin: number): SessionSnapshot {
  const shift = snapshot.timeOrigin - timeOrigin
  const past = (time: number): number => Math.min(now, time + shift)
  const key = (from: DataKeySnapshot): DataKeySnapshot => ({
    ...from,
    since: past(from.since),
    sendFrom: from.sendFrom + shift,
    dieAt: from.dieAt + shift,
  })
  const { channel, exchange, liveness, timers, tunnel } = snapshot
  const { primary } = channel
  return {
    ...snapshot,
    now,
    timeOrigin,
    channel: {
      ...channel,
      heardAt: past(channel.heardAt),
      sentAt: past(channel.sentAt),
      primary: { ...primary, startedAt: past(primary.startedAt), heardAt: past(primary.heardAt) },
    },
    exchange: { ...exchange, repliedAt: past(exchange.repliedAt) },
    tunnel: {
      ...tunnel,
      primary: key(tunnel.primary),
      lameDuck: tunnel.lameDuck === undefined ? undefined : key(tunnel.lameDuck),
    },
    liveness: {
      ...liveness,
      lastSent: past(liveness.lastSent),
      lastReceived: past(liveness.lastReceived),
      activeSince: past(liveness.activeSince),
    },
    timers: timers.map(([name, at]) => [name, at + shift] as const),
  }
}
