/**
 * The status line and what it shows.
 */
import { describe, expect, it } from 'vitest'
import { RoundTrip } from '../../../src/node/command/round-trip.ts'
import { Rate, showBytes, showDuration, showRate, StatusLine } from '../../../src/node/command/status-line.ts'
import type { ControlTrace } from '../../../src/session/index.ts'

function terminal(isTTY: boolean): { written: string[]; stream: NodeJS.WriteStream } {
  const written: string[] = []
  const stream = { isTTY, columns: 30, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream
  return { written, stream }
}

describe('StatusLine', () => {
  it('draws below what is printed, never wider than the terminal, and goes away', () => {
    const { written, stream } = terminal(true)
    const io = { out: (line: string) => written.push(`${line}\n`), error: () => undefined, colour: false }
    const status = new StatusLine(io, () => 'x'.repeat(100), true, stream)
    status.start()
    status.io.out('news')
    status.stop()
    status.draw()
    const clear = '\r\u001b[2K'
    const line = `${clear}${'x'.repeat(29)}`
    expect(written).toEqual([line, clear, 'news\n', line, clear])
  })

  it('draws nothing where there is no terminal, or nobody wants it', () => {
    for (const [isTTY, wanted] of [
      [false, true],
      [true, false],
    ] as const) {
      const { written, stream } = terminal(isTTY)
      const io = { out: () => undefined, error: () => undefined, colour: false }
      const status = new StatusLine(io, () => 'state', wanted, stream)
      status.start()
      status.io.out('news')
      status.stop()
      expect(written).toEqual([])
    }
  })

  it('shows sizes, rates and times', () => {
    expect([0, 999, 1000, 123_456, 1.2e9].map(showBytes)).toEqual(['0 B', '999 B', '1.0 kB', '123 kB', '1.2 GB'])
    expect(showRate(3_400_000)).toBe('3.4 Mbit/s')
    expect([0, 61_000, 3_723_000].map(showDuration)).toEqual(['0:00', '1:01', '1:02:03'])
    const rate = new Rate(0)
    expect(rate.look(125_000, 1000)).toBe(1_000_000)
    expect(rate.look(999_999, 1100)).toBe(1_000_000)
  })
})

describe('RoundTrip', () => {
  const trace = (fields: Partial<ControlTrace>): ControlTrace => ({
    type: 'trace',
    direction: 'sent',
    opcode: 'P_CONTROL_V1',
    keyId: 0,
    packetId: undefined,
    acks: [],
    size: 100,
    payload: 50,
    repeated: false,
    ...fields,
  })

  it('is the least of a negotiation, without packets that were repeated', () => {
    const trip = new RoundTrip()
    trip.trace(trace({ packetId: 1 }), 0)
    trip.trace(trace({ packetId: 2 }), 10)
    trip.trace(trace({ packetId: 3 }), 10)
    trip.trace(trace({ packetId: 3, repeated: true }), 20)
    trip.trace(trace({ direction: 'received', acks: [1] }), 40)
    expect(trip.ms).toBe(40)
    trip.trace(trace({ direction: 'received', acks: [2, 3, 1] }), 30)
    expect(trip.ms).toBe(20)
    trip.trace(trace({ direction: 'received', acks: [3] }), 31)
    expect(trip.ms).toBe(20)
    trip.trace(trace({ packetId: 1, keyId: 1 }), 100)
    trip.trace(trace({ direction: 'received', acks: [1], keyId: 1 }), 190)
    expect(trip.ms).toBe(90)
  })
})
