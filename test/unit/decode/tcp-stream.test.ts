/**
 * TCP directions out of captures: order, repetition, holes, proxies.
 */
import { describe, expect, it } from 'vitest'
import { concat, utf8Encode } from '../../../src/bytes/index.ts'
import { TcpStream } from '../../../src/decode/tcp-stream.ts'
import { writeFrame } from '../../../src/wire/index.ts'
import { SeededRandom } from '../../support/random.ts'

const random = new SeededRandom('tcp-stream')

function stream(count: number): { readonly packets: readonly Uint8Array[]; readonly bytes: Uint8Array } {
  const packets = Array.from({ length: count }, () => random.bytes(1 + (random.uint32() % 300)))
  return { packets, bytes: concat(...packets.map(writeFrame)) }
}

/** The stream cut into segments, with their sequence numbers from just before the wrap. */
function cut(bytes: Uint8Array): { readonly sequence: number; readonly payload: Uint8Array }[] {
  const segments: { sequence: number; payload: Uint8Array }[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + (random.uint32() % 200)
    segments.push({ sequence: (0xffffff00 + at) >>> 0, payload: bytes.subarray(at, at + size) })
    at += size
  }
  return segments
}

describe('TcpStream', () => {
  it('DEC-20 DEC-21 gives every packet once, whatever order and however often segments come', () => {
    for (let round = 0; round < 50; round++) {
      const { bytes, packets } = stream(20)
      const segments = cut(bytes)
      const doubled = segments.flatMap((segment) => (random.uint32() % 4 === 0 ? [segment, segment] : [segment]))
      for (let i = doubled.length - 1; i > 0; i--) {
        const j = Math.max(0, i - (random.uint32() % 6))
        const held = doubled[i]!
        doubled[i] = doubled[j]!
        doubled[j] = held
      }
      const direction = new TcpStream()
      expect(direction.receive(0xfffffeff, true, new Uint8Array(0))).toEqual([])
      const out = doubled.flatMap(({ payload, sequence }) => direction.receive(sequence, false, payload))
      expect(out).toEqual(packets)
      expect(direction.hasGap).toBe(false)
    }
  })

  it('DEC-20 segments that overlap give their new bytes only', () => {
    const { bytes, packets } = stream(5)
    const direction = new TcpStream()
    const out = [
      ...direction.receive(0, false, bytes.subarray(0, 100)),
      ...direction.receive(50, false, bytes.subarray(50, 200)),
      ...direction.receive(10, false, bytes.subarray(10)),
    ]
    expect(out).toEqual(packets)
  })

  it('DEC-21 a hole that nothing fills ends the direction', () => {
    const direction = new TcpStream()
    direction.receive(0, true, new Uint8Array(0))
    for (let i = 0; i < 2000; i++) direction.receive(1000 + 10 * i, false, new Uint8Array(10).fill(1))
    expect(direction.problem).toBe('stream-gap')
  })

  it('DEC-22 a proxy header in front is passed over', () => {
    const { bytes, packets } = stream(3)
    for (const header of ['CONNECT vpn.example:1194 HTTP/1.0\r\nHost: x\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n']) {
      const whole = concat(utf8Encode(header), bytes)
      for (const size of [1, 7, whole.length]) {
        const direction = new TcpStream()
        const out: Uint8Array[] = []
        for (let at = 0; at < whole.length; at += size) {
          out.push(...direction.receive(at, false, whole.subarray(at, at + size)))
        }
        expect(out).toEqual(packets)
      }
    }
  })

  it('DEC-23 a frame of impossible length ends the direction', () => {
    const direction = new TcpStream()
    expect(direction.receive(0, false, Uint8Array.of(0, 0, 1))).toEqual([])
    expect(direction.problem).toBe('frame-length')
  })
})
