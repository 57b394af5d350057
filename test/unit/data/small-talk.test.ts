import { describe, expect, it } from 'vitest'
import {
  DataCode,
  expandKeepalive,
  isOcc,
  isPing,
  Keepalive,
  occAnswer,
  OCC_MAGIC,
  type OccMessage,
  OCC_REQUEST_COUNT,
  OCC_REQUEST_INTERVAL,
  parseOcc,
  PING_PAYLOAD,
  PULL_PING_RESTART,
  writeOcc,
} from '../../../src/data/index.ts'

const MESSAGES: readonly OccMessage[] = [
  { type: 'request' },
  { type: 'reply', options: 'V4,dev-type tun,cipher AES-256-CBC' },
  { type: 'mtu-load-request', size: 1400 },
  { type: 'mtu-load', filler: 77 },
  { type: 'mtu-request' },
  { type: 'mtu-reply', largestReceived: 1501, largestSent: 65535 },
  { type: 'exit' },
]

describe('pings', () => {
  it('DATA-31 are exactly their 16 bytes', () => {
    const buffer = new Uint8Array(40).fill(1)
    buffer.set(PING_PAYLOAD, 7)
    expect(isPing(buffer, 7, 16)).toBe(true)
    expect(isPing(buffer, 7, 17)).toBe(false)
    expect(isPing(buffer, 7, 15)).toBe(false)
    for (let i = 0; i < 16; i++) {
      const other = buffer.slice()
      other[7 + i]! ^= 1
      expect(isPing(other, 7, 16)).toBe(false)
    }
  })
})

describe('OCC', () => {
  it('DATA-32 every message is read back, at any offset', () => {
    for (const message of MESSAGES) {
      const payload = writeOcc(message)
      const buffer = new Uint8Array(payload.length + 9)
      buffer.set(payload, 5)
      expect(isOcc(buffer, 5, payload.length)).toBe(true)
      expect(parseOcc(buffer, 5, payload.length)).toEqual(message)
    }
    expect(writeOcc(MESSAGES[1]!).at(-1)).toBe(0)
  })

  it('DATA-32 unknown types and bodies cut short are nothing', () => {
    for (let type = 7; type < 256; type++) expect(parseOcc(Uint8Array.of(...OCC_MAGIC, type), 0, 17)).toBeUndefined()
    expect(parseOcc(Uint8Array.of(...OCC_MAGIC, 2, 1), 0, 18)).toBeUndefined()
    expect(parseOcc(Uint8Array.of(...OCC_MAGIC, 5, 1, 2, 3), 0, 20)).toBeUndefined()
    expect(isOcc(OCC_MAGIC, 0, 16)).toBe(false)
    const almost = writeOcc(MESSAGES[0]!)
    almost[15]! ^= 1
    expect(isOcc(almost, 0, 17)).toBe(false)
  })

  it('DATA-33 answers what asks, and nothing else', () => {
    const state = { options: 'V4', largestReceived: 1400, largestSent: 1300, payloadFor: (size: number) => size - 50 }
    expect(MESSAGES.map((message) => occAnswer(message, state))).toEqual([
      { type: 'reply', options: 'V4' },
      undefined,
      { type: 'mtu-load', filler: 1400 - 50 - 17 },
      undefined,
      { type: 'mtu-reply', largestReceived: 1400, largestSent: 1300 },
      undefined,
      undefined,
    ])
    expect(occAnswer({ type: 'mtu-load-request', size: 10 }, state)).toEqual({ type: 'mtu-load', filler: 0 })
  })

  it('DATA-34 requests have a pause and an end', () => {
    expect([OCC_REQUEST_INTERVAL, OCC_REQUEST_COUNT]).toEqual([10_000, 12])
    expect(DataCode.OCC).toBeLessThan(0)
  })
})

describe('keepalive', () => {
  it('DATA-36 expands for server and peer, and needs twice the interval', () => {
    expect(expandKeepalive(10, 60, 'server')).toEqual({
      own: { ping: 10, timeout: 120, action: 'restart' },
      pushed: { ping: 10, timeout: 60, action: 'restart' },
    })
    expect(expandKeepalive(10, 60, 'peer')!.own.timeout).toBe(60)
    expect(expandKeepalive(10, 20, 'peer')).toBeDefined()
    expect(expandKeepalive(10, 19, 'peer')).toBeUndefined()
    expect(expandKeepalive(0, 19, 'peer')).toBeUndefined()
    expect(PULL_PING_RESTART, 'DATA-37').toBe(120)
  })

  it('DATA-35 pings when silent, ends when nothing comes', () => {
    const keepalive = new Keepalive({ ping: 10, timeout: 30, action: 'exit' }, 1000)
    expect(keepalive.nextDeadline()).toBe(11_000)
    expect(keepalive.due(10_999)).toBeUndefined()
    expect(keepalive.due(11_000)).toBe('ping')
    keepalive.sent(11_000)
    expect(keepalive.due(20_999)).toBeUndefined()
    expect(keepalive.nextDeadline()).toBe(21_000)
    keepalive.sent(30_000)
    expect(keepalive.nextDeadline()).toBe(31_000)
    expect(keepalive.due(31_000)).toBe('exit')
    keepalive.received(31_000)
    expect(keepalive.due(40_000)).toBe('ping')
    keepalive.configure({ ping: 0, timeout: 0, action: 'restart' }, 40_000)
    expect([keepalive.due(1e9), keepalive.nextDeadline()]).toEqual([undefined, Infinity])
    keepalive.configure({ ping: 5, timeout: 120, action: 'restart' }, 50_000)
    expect(keepalive.nextDeadline()).toBe(55_000)
    expect(keepalive.due(170_000)).toBe('restart')
  })
})
