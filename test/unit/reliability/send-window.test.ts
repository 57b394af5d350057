import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../../src/bytes/index.ts'
import { SEND_WINDOW_LEGACY, SendWindow } from '../../../src/reliability/index.ts'

/** Ids of everything due at `now`. */
function sendAll(window: SendWindow<string>, now: number): number[] {
  const ids: number[] = []
  for (let entry = window.takeDue(now); entry !== undefined; entry = window.takeDue(now)) ids.push(entry.packetId)
  return ids
}

/** A window with `count` messages sent at 0. */
function filled(count: number, options?: ConstructorParameters<typeof SendWindow>[0]): SendWindow<string> {
  const window = new SendWindow<string>(options)
  for (let i = 0; i < count; i++) window.push(`message ${i}`)
  sendAll(window, 0)
  return window
}

describe('SendWindow', () => {
  it('REL-1 numbers from 0, or from 1 behind a stateless reset', () => {
    const window = new SendWindow<string>()
    expect([window.push('a'), window.push('b'), window.nextId]).toEqual([0, 1, 2])
    expect(new SendWindow<string>({ firstId: 1 }).push('a')).toBe(1)
    expect([...window.messages()]).toEqual(['a', 'b'])
  })

  it('REL-2 holds six, or four, counted from the lowest unacknowledged', () => {
    const window = filled(6)
    expect(window.room).toBe(0)
    expect(() => window.push('too many')).toThrow(InvariantError)
    for (const id of [5, 4, 3, 2, 1]) expect(window.acknowledge(id)).toBe(true)
    expect([window.room, window.inFlight, window.lowestUnacknowledged]).toEqual([0, 1, 0])
    window.acknowledge(0)
    expect([window.room, window.inFlight, window.lowestUnacknowledged]).toEqual([6, 0, 6])
    expect(filled(4, { size: SEND_WINDOW_LEGACY }).room).toBe(0)
  })

  it('REL-3 sends at once, after 2 s, and then every 4 s', () => {
    const window = new SendWindow<string>()
    window.push('a')
    expect(window.nextDeadline()).toBe(-Infinity)
    const times: number[] = []
    for (let now = 0; now <= 20_000; now += 100) if (window.takeDue(now) !== undefined) times.push(now)
    expect(times).toEqual([0, 2000, 6000, 10_000, 14_000, 18_000])
    expect(window.nextDeadline()).toBe(22_000)
  })

  it('REL-3 doubles without end where the cap is lifted, and never pauses less than the first time', () => {
    const window = filled(1, { timeoutCap: Infinity })
    const times: number[] = []
    for (let now = 0; now <= 64_000; now += 1000) if (window.takeDue(now) !== undefined) times.push(now)
    expect(times).toEqual([2000, 6000, 14_000, 30_000, 62_000])
    const slow = filled(1, { timeout: 10_000 })
    expect([slow.nextDeadline(), slow.takeDue(10_000)?.sends, slow.nextDeadline()]).toEqual([10_000, 2, 20_000])
  })

  it('REL-4 sends again at once after three acks of later messages, and counts a repeated ack once', () => {
    const window = filled(6)
    window.acknowledge(2)
    window.acknowledge(3)
    for (let i = 0; i < 10; i++) window.acknowledge(3)
    expect(sendAll(window, 1)).toEqual([])
    window.acknowledge(5)
    expect(window.nextDeadline()).toBe(-Infinity)
    expect(sendAll(window, 1)).toEqual([0, 1])
    expect(sendAll(window, 1)).toEqual([])
    window.acknowledge(4)
    expect(sendAll(window, 1)).toEqual([])
  })

  it('REL-5 an ack of what is not in flight changes nothing', () => {
    const window = filled(2)
    window.push('not sent yet')
    for (const id of [2, 3, 100, 0xffffffff]) expect(window.acknowledge(id)).toBe(false)
    expect([window.inFlight, window.room]).toEqual([3, 3])
    expect(window.acknowledge(1)).toBe(true)
    expect(window.acknowledge(1)).toBe(false)
  })

  it('REL-6 the peer’s first packet makes everything due with the first pause', () => {
    const window = filled(2)
    sendAll(window, 2000)
    sendAll(window, 6000)
    expect(window.nextDeadline()).toBe(10_000)
    window.rescheduleNow()
    expect(sendAll(window, 6100)).toEqual([0, 1])
    expect(window.nextDeadline()).toBe(8100)
  })

  it('REL-7 a held window sends nothing until the peer is heard', () => {
    const window = new SendWindow<string>({ hold: true })
    window.push('reset')
    expect([window.takeDue(1e9), window.nextDeadline()]).toEqual([undefined, Infinity])
    window.rescheduleNow()
    expect(sendAll(window, 0)).toEqual([0])
  })

  it('REL-8 the lowest number leaves first, and says how often it was sent', () => {
    const window = filled(3)
    window.push('late')
    expect(window.takeDue(5000)).toEqual({ packetId: 0, message: 'message 0', sends: 2 })
    expect(sendAll(window, 5000)).toEqual([1, 2, 3])
  })
})
