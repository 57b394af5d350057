/**
 * The parts of a conversation, made and wired; and all of them as one snapshot, for a session that moves.
 */
import { ConfigError } from '../bytes/index.ts'
import { keyMessageText } from './agreement.ts'
import type { SessionContext } from './context.ts'
import { Deadlines } from './deadlines.ts'
import { Exchanges } from './exchanges.ts'
import { Farewell } from './farewell.ts'
import { Liveness } from './liveness.ts'
import { ClientLogin } from './login.ts'
import { Rekeying } from './rekeying.ts'
import { Slots } from './slots.ts'
import { onClock, type SessionSnapshot } from './snapshot.ts'
import { Tunnel } from './tunnel.ts'
import { TunnelKeys } from './tunnel-keys.ts'

/** What a conversation is made of; each part knows only those it was given. */
export interface Parts {
  readonly context: SessionContext
  readonly login: ClientLogin
  readonly slots: Slots
  readonly deadlines: Deadlines
  readonly liveness: Liveness
  readonly tunnel: Tunnel
  readonly rekeying: Rekeying
  readonly farewell: Farewell
  readonly exchanges: Exchanges
  readonly keys: TunnelKeys
}

/** The parts of a session that begins. */
export function createParts(context: SessionContext, now: number): Parts {
  const { config, outbox, timers } = context
  const { renegotiateBytes, renegotiatePackets } = config.timers
  const login = new ClientLogin(config.login, config.staticChallenge)
  const liveness = new Liveness(config.timers, timers, now)
  const limited = renegotiateBytes > 0 || renegotiatePackets > 0
  const limits = limited ? { bytes: renegotiateBytes || Infinity, packets: renegotiatePackets || Infinity } : undefined
  const tunnel = new Tunnel(outbox, timers, liveness, limits, config.transport, context.path)
  const rekeying = new Rekeying(context, tunnel)
  const exchanges = new Exchanges(context, login)
  const keys = new TunnelKeys(context, tunnel, rekeying, liveness, exchanges)
  const slots = new Slots(context, (info) => keyMessageText(config, info, login.current))
  return {
    context,
    login,
    slots,
    deadlines: new Deadlines(timers, slots),
    liveness,
    tunnel,
    rekeying,
    farewell: new Farewell(context, tunnel),
    exchanges,
    keys,
  }
}

/** A connected server session as plain data; undefined while anything of it is half done. SESS-171 */
export function snapshotParts(parts: Parts, now: number): SessionSnapshot | undefined {
  const { config, outbox, timeOrigin, timers } = parts.context
  const { active } = parts.slots
  const channel = active?.snapshot(now)
  const exchange = active === undefined ? undefined : parts.exchanges.snapshot(active)
  const tunnel = parts.keys.snapshot(now)
  const { agreement } = parts.keys
  if (channel === undefined || exchange === undefined || tunnel === undefined || agreement === undefined)
    return undefined
  return {
    now,
    timeOrigin,
    wrap: config.wrap.type,
    transport: config.transport,
    device: config.device,
    channel,
    exchange,
    agreement,
    tunnel,
    liveness: parts.liveness.snapshot(),
    farewells: parts.farewell.notify,
    rekeyFailed: parts.rekeying.hasFailed,
    timers: timers.names.map((name) => [name, timers.get(name)] as const),
    stats: outbox.counters,
  }
}

/**
 * Goes on with the session of a snapshot. SESS-170
 * @throws ConfigError when this session is configured for another kind of peer.
 */
export function restoreParts(parts: Parts, snapshot: SessionSnapshot, now: number): void {
  const { config, outbox, timeOrigin, timers } = parts.context
  for (const option of ['wrap', 'transport', 'device'] as const) {
    const here = option === 'wrap' ? config.wrap.type : config[option]
    if (snapshot[option] !== here) throw new ConfigError(option, `the state is of a session with ${snapshot[option]}`)
  }
  const from = onClock(snapshot, now, timeOrigin)
  parts.keys.restore(from.agreement, from.tunnel, now)
  parts.exchanges.restore(parts.slots.restore(from.channel, now), from.exchange)
  parts.liveness.restore(from.liveness)
  parts.farewell.notify = from.farewells
  parts.rekeying.restore(from.rekeyFailed)
  for (const [name, at] of from.timers) timers.set(name, at)
  const dropped = { ...outbox.counters.dropped, ...from.stats.dropped }
  Object.assign(outbox.counters, from.stats, { dropped })
}

/** Numbers and words that tell two states apart; nothing secret. */
export function digestParts({ context, exchanges, liveness, slots, tunnel }: Parts): readonly (string | number)[] {
  const { timers } = context
  return [
    liveness.lastSent,
    liveness.lastReceived,
    ...timers.names.map((name) => timers.get(name)),
    ...slots.digest(),
    ...tunnel.digest(),
    exchanges.list().length,
  ]
}
