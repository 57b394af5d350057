import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../../src/bytes/index.ts'
import { looksLikeOpenVpn, StreamFramer, writeFrame, writeFrameLength } from '../../../src/wire/index.ts'
import { bytesOf } from '../../support/wire.ts'

/** Copies of every packet that a piece completes. */
function feed(framer: StreamFramer, piece: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = []
  framer.push(piece)
  for (let frame = framer.next(); frame !== undefined; frame = framer.next()) frames.push(frame.slice())
  return frames
}

describe('frames on TCP', () => {
  it('WIRE-40 a frame is the length and the packet', () => {
    expect(writeFrame(bytesOf('aabbcc'))).toEqual(bytesOf('0003aabbcc'))
    expect(writeFrame(new Uint8Array(0xffff)).length).toBe(0x10001)
    expect(() => writeFrame(new Uint8Array(0))).toThrow(InvariantError)
    expect(() => writeFrame(new Uint8Array(0x10000))).toThrow(InvariantError)
    const out = new Uint8Array(4)
    writeFrameLength(out, 1, 0x1234)
    expect(out).toEqual(bytesOf('00123400'))
  })

  it('WIRE-43 gives several packets of one piece, and one packet of several pieces', () => {
    const framer = new StreamFramer(100)
    expect(feed(framer, bytesOf('0001aa0002bbcc0003dd'))).toEqual([bytesOf('aa'), bytesOf('bbcc')])
    expect(feed(framer, new Uint8Array(0))).toEqual([])
    expect(feed(framer, bytesOf('ee'))).toEqual([])
    expect(feed(framer, bytesOf('ff00'))).toEqual([bytesOf('ddeeff')])
    expect(feed(framer, bytesOf('0111'))).toEqual([bytesOf('11')])
    expect(framer.retainedBytes).toBe(0)
  })

  it('WIRE-43 must be drained between pieces', () => {
    const framer = new StreamFramer(100)
    framer.push(bytesOf('0001aa0001bb'))
    framer.next()
    expect(() => {
      framer.push(bytesOf('00'))
    }).toThrow(InvariantError)
  })

  it('WIRE-41 a length of 0 or above the bound ends the stream for good', () => {
    for (const bad of ['0000', '0065', 'ffff']) {
      for (const cut of [1, 2]) {
        const framer = new StreamFramer(100)
        expect(feed(framer, bytesOf('0001aa'))).toEqual([bytesOf('aa')])
        expect(feed(framer, bytesOf(bad).subarray(0, cut))).toEqual([])
        expect(feed(framer, bytesOf(bad).subarray(cut))).toEqual([])
        expect(framer.problem).toBe('frame-length')
        expect(feed(framer, bytesOf('0001aa'))).toEqual([])
        expect(framer.retainedBytes).toBe(0)
      }
    }
    const framer = new StreamFramer(100)
    expect(feed(framer, Uint8Array.of(0, 100, ...new Uint8Array(100)))[0]?.length).toBe(100)
    expect(framer.problem).toBeUndefined()
    expect(() => new StreamFramer(0)).toThrow(InvariantError)
    expect(() => new StreamFramer(0x10000)).toThrow(InvariantError)
  })

  it('WIRE-42 an announced length costs nothing until its bytes come', () => {
    const framer = new StreamFramer(0xffff)
    feed(framer, bytesOf('ffff'))
    expect(framer.retainedBytes).toBeLessThanOrEqual(4)
    let received = 2
    for (const piece of [1, 5, 100, 1000, 20_000, 44_000]) {
      feed(framer, new Uint8Array(piece))
      received += piece
      expect(framer.retainedBytes).toBeLessThanOrEqual(Math.min(2 * received, 0x10001))
    }
    expect(feed(framer, new Uint8Array(0xffff)).length).toBe(1)
  })
})

describe('a shared port', () => {
  it('WIRE-44 knows client resets by their first three bytes', () => {
    for (const [hex, answer] of [
      ['', undefined],
      ['00', undefined],
      ['04', undefined],
      ['05', false],
      ['16', false],
      ['000d', false],
      ['000e', undefined],
      ['000e38', true],
      ['000e40', false],
      ['00ff38', true],
      ['010038', false],
      ['014f50', false],
      ['015050', true],
      ['04fe50', true],
      ['04ff50', false],
      ['015038', false],
      ['0010', undefined],
      ['474554', false],
    ] as const) {
      expect(looksLikeOpenVpn(bytesOf(hex)), hex).toBe(answer)
    }
  })
})
