import { describe, expect, it } from 'vitest'
import {
  concat,
  equalBytes,
  equalConstantTime,
  fromBase64,
  fromHex,
  InvariantError,
  plainBytes,
  Queue,
  Reader,
  toBase64,
  toHex,
  utf8Decode,
  utf8DecodeStrict,
  utf8Encode,
  Writer,
} from '../../../src/bytes/index.ts'
import { connectPair } from '../../support/pair.ts'

describe('writer and reader', () => {
  it('BYTES-1 a number that does not fit its field is refused', () => {
    expect(() => new Writer().u8(256)).toThrow(InvariantError)
    expect(() => new Writer().u16(0x10000)).toThrow(InvariantError)
    expect(() => new Writer().block(1, (writer) => writer.bytes(new Uint8Array(256)))).toThrow(InvariantError)
    expect(
      toHex(
        new Writer(1)
          .u24(0xffffff)
          .u48(2 ** 48 - 1)
          .finish(),
      ),
    ).toBe('f'.repeat(18))
  })

  it('reads back what was written, and fails once for all at a short read', () => {
    const bytes = new Writer(2).u8(1).u16(2).u24(3).u32(4).u48(5).u64(6n).vector(2, Uint8Array.of(7, 8)).finish()
    const reader = new Reader(bytes)
    expect([reader.u8(), reader.u16(), reader.u24(), reader.u32(), reader.u48(), reader.u64()]).toEqual([
      1,
      2,
      3,
      4,
      5,
      6n,
    ])
    expect(reader.vector(2)).toEqual(Uint8Array.of(7, 8))
    expect(reader.complete).toBe(true)
    expect(reader.u8()).toBe(0)
    expect(reader.failed).toBe(true)
    expect(reader.rest()).toEqual(new Uint8Array(0))
  })
})

describe("a host's bytes", () => {
  it('BYTES-2 are taken as a plain view of the same memory', () => {
    const buffer = Buffer.from([1, 2, 3])
    const plain = plainBytes(buffer)
    expect(plain.constructor).toBe(Uint8Array)
    plain.slice().fill(0)
    expect([...buffer]).toEqual([1, 2, 3])
    const own = Uint8Array.of(1)
    expect(plainBytes(own)).toBe(own)
  })

  it('BYTES-2 a session leaves Node buffers as they were, and keeps nothing of them', () => {
    const pair = connectPair({ seed: 'buffers' })
    pair.client.session.renegotiate(pair.now)
    for (let output = pair.client.session.poll(); output !== undefined; output = pair.client.session.poll()) {
      if (output.type !== 'transmit') continue
      const buffer = Buffer.from(output.data)
      pair.server.session.receive(buffer, pair.now)
      expect(equalBytes(buffer, output.data)).toBe(true)
      buffer.fill(0xaa)
    }
    pair.drain(pair.server)
    pair.wait(5_000)
    expect(pair.client.session.stats.rekeys).toBe(1)
  })
})

describe('text forms', () => {
  it('hex and base64 are strict', () => {
    expect(toHex(Uint8Array.of(0, 255))).toBe('00ff')
    expect(fromHex('00fF')).toEqual(Uint8Array.of(0, 255))
    for (const bad of ['0', '0g', ' 00']) expect(fromHex(bad)).toBeUndefined()
    for (const text of ['', 'AA==', 'AAA=', 'AAAA']) expect(toBase64(fromBase64(text)!)).toBe(text)
    for (const bad of ['A', 'AB==', 'AAA', 'AA\n=', '====']) expect(fromBase64(bad), bad).toBeUndefined()
  })

  it('UTF-8 agrees with the platform, also on broken input', () => {
    for (const text of ['', 'a', 'ä€😀', '\ufeff']) expect(utf8Decode(utf8Encode(text))).toBe(text)
    for (const bytes of [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x9f], [0x80], [0xf4, 0x90, 0x80, 0x80]]) {
      const input = Uint8Array.from(bytes)
      expect(utf8DecodeStrict(input)).toBeUndefined()
      expect(utf8Decode(input)).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(input))
    }
  })
})

describe('comparison and queue', () => {
  it('both comparisons agree', () => {
    expect(equalConstantTime(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true)
    expect(equalConstantTime(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false)
    expect(equalConstantTime(Uint8Array.of(1), concat(Uint8Array.of(1), Uint8Array.of(1)))).toBe(false)
  })

  it('a queue gives items back in order through growth and wrap', () => {
    const queue = new Queue<number>()
    const out: number[] = []
    for (let i = 0; i < 100; i++) {
      queue.push(i)
      if (i % 3 === 2) out.push(queue.shift()!)
    }
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) out.push(item)
    expect(out).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })
})
