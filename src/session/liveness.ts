/**
 * Who spoke last: pings, their absence, and the ends that come with time (spec/session.md, "Liveness").
 *
 * Packets only store the time; the timers look at it when they fire and move themselves on. So a busy tunnel pays two
 * stores per packet, and an idle one wakes once per interval. Whether a timer is due is asked with the very sum it was set
 * to: times have fractions, and a difference may round to just below the interval for ever.
 */
import type { PushedProtocol } from '../control/index.ts'
import type { Timers } from '../reliability/index.ts'
import type { TimerName } from './reasons.ts'
import type { LivenessSnapshot } from './snapshot.ts'

/** The settings in force; 0 switches one off. */
export interface LivenessSettings {
  readonly ping: number
  readonly pingRestart: number
  readonly pingExit: number
  readonly inactive: number
  readonly inactiveBytes: number
  readonly sessionTimeout: number
}

/** SESS-63: what the server pushed stands in for what was configured. */
export function pushedSettings(configured: LivenessSettings, pushed: PushedProtocol): LivenessSettings {
  const { ping, pingRestart, pingExit, inactive, sessionTimeout } = pushed
  return {
    ping: ping ?? configured.ping,
    pingRestart: pingRestart ?? (pingExit === undefined ? configured.pingRestart : 0),
    pingExit: pingExit ?? (pingRestart === undefined ? configured.pingExit : 0),
    inactive: inactive?.time ?? configured.inactive,
    inactiveBytes: inactive?.bytes ?? configured.inactiveBytes,
    sessionTimeout: sessionTimeout ?? configured.sessionTimeout,
  }
}

/** Timers that this machine answers. */
export type LivenessTimer = 'ping' | 'ping-restart' | 'ping-exit' | 'inactive' | 'session-timeout'

/** What to say of a session that a timer ended. */
export const TIMED_OUT: Readonly<Record<LivenessTimer, string>> = {
  ping: 'no ping could be sent',
  'ping-restart': 'nothing came from the peer for so long',
  'ping-exit': 'nothing came from the peer for so long',
  inactive: 'too little crossed the tunnel',
  'session-timeout': 'the time of the session is over',
}

/** What a fired timer asks for. */
export type LivenessVerdict = 'none' | 'send-ping' | 'dead'

/** Times of the last packets, and the timers over them. */
export class Liveness {
  /** When anything authentic last came. */
  lastReceived: number
  /** When anything last left for the peer. */
  lastSent: number
  /** Whether `inactive` counts bytes. */
  #counts: boolean
  /** Tunnel bytes since the last activity that counted. */
  #activeBytes = 0
  #settings: LivenessSettings
  readonly #timers: Timers<TimerName>
  #activeSince: number

  constructor(settings: LivenessSettings, timers: Timers<TimerName>, now: number) {
    this.#settings = settings
    this.#counts = settings.inactive > 0
    this.#timers = timers
    this.lastSent = now
    this.lastReceived = now
    this.#activeSince = now
  }

  touch(): number {
    return this.lastReceived + this.lastSent + this.#activeBytes
  }

  get settings(): LivenessSettings {
    return this.#settings
  }

  /** Sets every timer; the tunnel is up from `now` on. */
  start(now: number): void {
    this.lastReceived = now
    this.#activeSince = now
    this.#activeBytes = 0
    if (this.#settings.sessionTimeout > 0) this.#timers.set('session-timeout', now + this.#settings.sessionTimeout)
    this.#arm()
  }

  /** The control channel heard the peer at that time, if ever. SESS-64 */
  heard(at: number | undefined): void {
    if (at !== undefined && at > this.lastReceived) this.lastReceived = at
  }

  /** The control channel spoke to the peer at that time, if ever. */
  spoke(at: number | undefined): void {
    if (at !== undefined && at > this.lastSent) this.lastSent = at
  }

  /** Times of the last packets, to go on with elsewhere. */
  snapshot(): LivenessSnapshot {
    const { lastReceived, lastSent } = this
    return { lastSent, lastReceived, activeSince: this.#activeSince, activeBytes: this.#activeBytes }
  }

  /** Goes on from such times; the timers are the caller's to set. */
  restore(from: LivenessSnapshot): void {
    this.lastSent = from.lastSent
    this.lastReceived = from.lastReceived
    this.#activeSince = from.activeSince
    this.#activeBytes = from.activeBytes
  }

  /** Takes other settings over, pushed ones for example. */
  configure(settings: LivenessSettings): void {
    this.#settings = settings
    this.#counts = settings.inactive > 0
  }

  /** Tunnel bytes crossed, either way: enough of them are a sign of life. SESS-65 */
  crossed(bytes: number, now: number): void {
    if (!this.#counts) return
    this.#activeBytes += bytes
    if (this.#activeBytes < this.#settings.inactiveBytes) return
    this.#activeBytes = 0
    this.#activeSince = now
  }

  /** What the timer `name`, which fired, asks for. */
  fire(name: LivenessTimer, now: number): LivenessVerdict {
    const verdict = this.#judge(name, now)
    if (verdict !== 'dead') this.#arm()
    return verdict
  }

  #judge(name: LivenessTimer, now: number): LivenessVerdict {
    const { ping, pingRestart, pingExit } = this.#settings
    switch (name) {
      case 'ping': // SESS-60
        return now >= this.lastSent + ping ? 'send-ping' : 'none'
      case 'ping-restart': // SESS-61
        return now >= this.lastReceived + pingRestart ? 'dead' : 'none'
      case 'ping-exit': // SESS-62
        return now >= this.lastReceived + pingExit ? 'dead' : 'none'
      case 'inactive':
        return now >= this.#activeSince + this.#settings.inactive ? 'dead' : 'none'
      case 'session-timeout': // SESS-66
        return 'dead'
    }
  }

  #arm(): void {
    const { ping, pingRestart, pingExit, inactive } = this.#settings
    this.#set('ping', ping, this.lastSent)
    this.#set('ping-restart', pingRestart, this.lastReceived)
    this.#set('ping-exit', pingExit, this.lastReceived)
    this.#set('inactive', inactive, this.#activeSince)
  }

  #set(name: LivenessTimer, interval: number, since: number): void {
    this.#timers.set(name, interval > 0 ? since + interval : Infinity)
  }
}
