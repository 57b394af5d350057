import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { Timers } from '../../../src/reliability/index.ts'
import type { SessionTimers, TimerName } from '../../../src/session/index.ts'
import { Liveness } from '../../../src/session/liveness.ts'
import { connectPair, ipPacket, type Pair } from '../../support/pair.ts'
import { SeededRandom } from '../../support/random.ts'

const crypto = nodeCrypto

/** A pair whose server pushes nothing and whose client has these timers. */
function pairWith(client: Partial<SessionTimers>, options: readonly string[] = []): Pair {
  return connectPair({ crypto, client: { timers: client }, server: { push: { options, peerId: 0 } } })
}

describe('liveness', () => {
  it('SESS-7 a timer that fires exactly at its deadline is due, whatever fractions the times have', () => {
    const random = new SeededRandom('fractions')
    for (let i = 0; i < 20_000; i++) {
      const now = random.float() * 1e9
      const interval = 1 + random.float() * 1e5
      const timers = new Timers<TimerName>(['ping', 'ping-restart', 'ping-exit', 'inactive', 'session-timeout'])
      const settings = { ping: interval, pingRestart: 0, pingExit: 0, inactive: 0, inactiveBytes: 0, sessionTimeout: 0 }
      const liveness = new Liveness(settings, timers, now)
      liveness.start(now)
      expect(liveness.fire('ping', timers.get('ping'))).toBe('send-ping')
    }
  })

  it('SESS-60 a ping goes out when nothing was sent for so long', () => {
    const pair = pairWith({ ping: 5_000 })
    pair.wait(4_900)
    expect(pair.client.session.stats.pingsSent).toBe(0)
    pair.send(pair.client, ipPacket(1))
    pair.wait(4_900)
    expect(pair.client.session.stats.pingsSent).toBe(0)
    pair.wait(200)
    expect(pair.client.session.stats.pingsSent).toBe(1)
    expect(pair.client.session.pendingTimer).toBe('ping')
  })

  it.each(['ping-restart', 'ping-exit'] as const)('SESS-61 SESS-62 silence for %s ends the session', (timer) => {
    const pair = pairWith(timer === 'ping-exit' ? { pingExit: 20_000 } : { pingRestart: 20_000 })
    pair.network.partitioned = true
    const last = pair.now
    pair.wait(19_000)
    expect(pair.client.session.state).toBe('connected')
    pair.wait(2_000)
    expect(pair.client.session.closeReason).toMatchObject({ type: 'timed-out', timer })
    expect(pair.client.closedAt).toBeLessThanOrEqual(last + 20_000)
  })

  it('SESS-63 pushed settings stand in for configured ones', () => {
    const pair = pairWith({ ping: 1_000, pingRestart: 5_000 }, ['ping 30', 'ping-exit 40'])
    pair.network.partitioned = true
    pair.wait(29_000)
    expect(pair.client.session.stats.pingsSent).toBe(0)
    expect(pair.client.session.state).toBe('connected')
    pair.wait(12_000)
    expect(pair.client.session.closeReason).toMatchObject({ timer: 'ping-exit' })
  })

  it('SESS-63 an update moves them', () => {
    const pair = pairWith({}, ['ping 10'])
    pair.input(pair.server, (session, now) => session.pushUpdate(['keepalive 2 9'], now))
    pair.wait(200)
    expect(pair.events(pair.client, 'options-updated')).toHaveLength(1)
  })

  it('SESS-64 data and control packets both count as received', () => {
    for (const kind of ['data', 'control'] as const) {
      const pair = pairWith({ pingRestart: 10_000 })
      for (let i = 0; i < 10; i++) {
        pair.wait(5_000)
        if (kind === 'data') pair.send(pair.server, ipPacket(i))
        else pair.input(pair.server, (session, now) => session.pushUpdate(['route-metric 5'], now))
      }
      expect(pair.client.session.state).toBe('connected')
    }
  })

  it('SESS-65 too little traffic ends the session, and pings do not count', () => {
    const pair = pairWith({ inactive: 60_000, inactiveBytes: 1_000, ping: 1_000 })
    for (let i = 0; i < 20; i++) {
      pair.wait(10_000)
      pair.send(pair.client, ipPacket(i, 300))
    }
    expect(pair.client.session.state).toBe('connected')
    for (let i = 0; i < 6; i++) {
      pair.wait(10_000)
      pair.send(pair.client, ipPacket(i, 40))
    }
    pair.wait(20_000)
    expect(pair.client.session.closeReason).toMatchObject({ timer: 'inactive' })
    const idle = pairWith({ inactive: 30_000 })
    idle.wait(29_000)
    idle.send(idle.client, ipPacket(1))
    idle.wait(29_000)
    expect(idle.client.session.state).toBe('connected')
    idle.wait(2_000)
    expect(idle.client.session.closeReason).toMatchObject({ timer: 'inactive' })
  })

  it('SESS-66 session-timeout ends the session whatever happens', () => {
    const pair = pairWith({}, ['session-timeout 100'])
    const connected = pair.client.connectedAt
    for (let i = 0; i < 30; i++) {
      pair.wait(5_000)
      pair.send(pair.client, ipPacket(i))
      pair.send(pair.server, ipPacket(i))
    }
    expect(pair.client.session.closeReason).toMatchObject({ timer: 'session-timeout' })
    expect(pair.client.closedAt).toBe(connected + 100_000)
  })
})
