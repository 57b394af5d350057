import { describe, expect, it } from 'vitest'
import { Arena } from '../../../src/bytes/index.ts'

const pattern = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + seed * 13) & 255)

describe('Arena', () => {
  it('BYTES-3 copies the range asked for, and no copy shares a byte with another', () => {
    const arena = new Arena()
    const lengths = Array.from({ length: 400 }, (_, i) => (i * 37) % 1500)
    const copies = lengths.map((length, i) => {
      const source = pattern(length + 9, i)
      const copy = arena.copy(source, 4, length)
      source.fill(0)
      return copy
    })
    expect(copies).toEqual(lengths.map((length, i) => pattern(length + 9, i).subarray(4, 4 + length)))
    for (const copy of copies) copy.fill(0xff)
    const after = arena.copy(pattern(100, 1), 0, 100)
    expect(copies.every((copy) => copy.every((byte) => byte === 0xff))).toBe(true)
    expect(after).toEqual(pattern(100, 1))
  })

  it('BYTES-3 puts many copies in a buffer of 32 kB and a large one in a buffer of its own', () => {
    const arena = new Arena()
    const copies = Array.from({ length: 200 }, () => arena.copy(pattern(1400, 1), 0, 1400))
    const buffers = new Set(copies.map(({ buffer }) => buffer))
    expect(buffers.size).toBe(9)
    expect([...buffers].every(({ byteLength }) => byteLength === 32_768)).toBe(true)
    expect(arena.copy(pattern(60_000, 1), 0, 60_000).buffer.byteLength).toBe(60_000)
  })

  it('BYTES-3 begins a new buffer where a host gave the present one to another thread', () => {
    const arena = new Arena()
    const first = arena.copy(pattern(10, 1), 0, 10)
    structuredClone(first, { transfer: [first.buffer as ArrayBuffer] })
    expect(first).toHaveLength(0)
    expect(arena.copy(pattern(10, 2), 0, 10)).toEqual(pattern(10, 2))
  })
})
