import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/bytes/index.ts'
import {
  CompressionByte,
  CompressionCodec,
  type CompressionFraming,
  DataCode,
  decompressLz4,
  decompressLzo,
  FRAMING_STYLES,
} from '../../../src/data/index.ts'

const FRAMINGS = Object.keys(FRAMING_STYLES) as CompressionFraming[]
const hex = (text: string): Uint8Array => fromHex(text.replaceAll(' ', ''))!

/** The payload that a codec finds in a wire form, or the code. */
function unwrapped(framing: CompressionFraming, wire: string, allowed = true, largest = 100): string | number {
  const codec = new CompressionCodec(framing, allowed, largest)
  const buffer = hex(wire)
  const length = codec.unwrap(buffer, 0, buffer.length)
  if (length < 0) return length
  return Buffer.from(codec.resultBuffer.slice(codec.resultOffset, codec.resultOffset + length)).toString('hex')
}

describe('framing', () => {
  it('COMP-1 every option has its style and its exact room', () => {
    const room = FRAMINGS.map((framing) => {
      const { style, headroom, tailroom, overhead } = new CompressionCodec(framing, false, 10)
      return [framing, style, headroom, tailroom, overhead]
    })
    expect(room).toEqual([
      ['none', 'none', 0, 0, 0],
      ['comp-lzo', 'v1', 1, 0, 1],
      ['lzo', 'v1', 1, 0, 1],
      ['stub', 'v1-swap', 0, 1, 1],
      ['lz4', 'v1-swap', 0, 1, 1],
      ['stub-v2', 'v2', 2, 0, 0],
      ['lz4-v2', 'v2', 2, 0, 0],
    ])
  })

  it('COMP-2 COMP-3 COMP-4 either v1 style takes every uncompressed v1 form', () => {
    for (const framing of ['comp-lzo', 'lzo', 'stub', 'lz4'] as const) {
      expect(unwrapped(framing, 'fa 45 01 02')).toBe('450102')
      expect(unwrapped(framing, 'fb 01 02 45')).toBe('450102')
      expect(unwrapped(framing, 'fb 45')).toBe('45')
    }
  })

  it('COMP-4 every other byte is a drop with its own reason', () => {
    const known: number[] = Object.values(CompressionByte)
    let unknown = 0
    for (let byte = 0; byte < 256; byte++) {
      const wire = byte.toString(16).padStart(2, '0') + '45000000'
      if (!known.includes(byte)) {
        for (const framing of ['comp-lzo', 'stub'] as const) {
          expect(unwrapped(framing, wire)).toBe(DataCode.UNKNOWN_COMPRESSION)
        }
        unknown++
      }
      const v2 = `50${wire}`
      if (byte > 3 && byte !== 10) expect(unwrapped('stub-v2', v2)).toBe(DataCode.UNKNOWN_COMPRESSION)
    }
    expect(unknown).toBe(250)
    expect(unwrapped('stub-v2', '50')).toBe(DataCode.UNKNOWN_COMPRESSION)
  })

  it('COMP-5 COMP-6 the v2 escape, in both forms', () => {
    expect(unwrapped('stub-v2', '45 50 00')).toBe('455000')
    expect(unwrapped('stub-v2', '50 00 50 01 02')).toBe('500102')
    expect(unwrapped('stub-v2', '50 0a 50 01 02')).toBe('500102')
    expect(unwrapped('lz4-v2', '50 0a 50 01 02')).toBe('500102')
  })

  it('COMP-7 compressed payloads are refused unless allowed; Snappy always', () => {
    const lz4 = '69 01 02 10'
    expect(unwrapped('lz4', lz4, false)).toBe(DataCode.COMPRESSION_REFUSED)
    for (const wire of ['66 12 45 11 00 00', '67 45 11 00 00 12', lz4]) {
      for (const framing of ['comp-lzo', 'stub', 'lzo', 'lz4'] as const) {
        expect(unwrapped(framing, wire, false)).toBe(DataCode.COMPRESSION_REFUSED)
      }
    }
    for (const wire of ['50 01 10 45', '50 02 12 45 11 00 00']) {
      expect(unwrapped('lz4-v2', wire, false)).toBe(DataCode.COMPRESSION_REFUSED)
      expect(unwrapped('lz4-v2', wire, true)).toBe('45')
    }
    expect(unwrapped('comp-lzo', '68 01 02', true)).toBe(DataCode.COMPRESSION_REFUSED)
    expect(unwrapped('stub-v2', '50 03 01', true)).toBe(DataCode.COMPRESSION_REFUSED)
  })

  it('COMP-8 what does not fit the largest packet is a drop', () => {
    const bomb = '50 01 1f 45 01 00 ' + 'ff '.repeat(40) + '00 50 45 45 45 45 45'
    expect(unwrapped('lz4-v2', bomb, true, 20_000)).toHaveProperty('length', 2 * 10_225)
    expect(unwrapped('lz4-v2', bomb, true, 10_225)).toHaveProperty('length', 2 * 10_225)
    expect(unwrapped('lz4-v2', bomb, true, 10_224)).toBe(DataCode.BAD_COMPRESSION)
    expect(unwrapped('lz4-v2', bomb, true, 100)).toBe(DataCode.BAD_COMPRESSION)
  })

  it('payloads of no bytes are no packets', () => {
    for (const [framing, wire] of [
      ['comp-lzo', 'fa'],
      ['stub', 'fb'],
      ['stub-v2', '50 00'],
      ['comp-lzo', ''],
      ['lz4-v2', '50 01 00'],
    ] as const) {
      expect(unwrapped(framing, wire), wire).toBe(DataCode.EMPTY)
    }
  })
})

describe('LZ4', () => {
  const decode = (wire: string, room = 100): string | number => {
    const input = hex(wire)
    const output = new Uint8Array(room + 8).fill(0xee)
    const length = decompressLz4(input, 0, input.length, output, 4, 4 + room)
    expect(output.subarray(0, 4).every((byte) => byte === 0xee)).toBe(true)
    expect(output.subarray(4 + room).every((byte) => byte === 0xee)).toBe(true)
    return length < 0 ? length : Buffer.from(output.subarray(4, 4 + length)).toString('hex')
  }

  it('COMP-9 COMP-10 literals, matches, overlapping matches, continued lengths', () => {
    expect(decode('10 61')).toBe('61')
    expect(decode('00')).toBe('')
    expect(decode('10 61 01 00 10 62')).toBe('616161616162')
    expect(decode('20 61 62 02 00 10 63')).toBe('61626162616263')
    expect(decode('1f 61 01 00 05 00', 50)).toBe('61'.repeat(1 + 19 + 5))
    expect(decode(`f0 01 ${'07'.repeat(16)}`)).toBe('07'.repeat(16))
  })

  it('COMP-9 refuses distances of 0, before the start, and output beyond the room', () => {
    expect(decode('10 61 00 00 00')).toBe(-1)
    expect(decode('10 61 02 00 00')).toBe(-1)
    expect(decode('10 61 01 00 00', 4)).toBe(-1)
    expect(decode('10 61 01 00 00', 5)).toBe('6161616161')
    expect(decode('20 61 62', 1)).toBe(-1)
    expect(decode(`1f 61 01 00 ${'ff'.repeat(30)} 00 00`)).toBe(-1)
  })

  it('COMP-10 refuses blocks that end inside a sequence', () => {
    for (const wire of ['', '10', 'f0', 'f0 ff', '10 61 01', '10 61 01 00', '1f 61 01 00', '1f 61 01 00 ff', '20 61']) {
      expect(decode(wire), wire).toBe(-1)
    }
  })
})

describe('LZO1X', () => {
  const decode = (wire: string, room = 70_000): string | number => {
    const input = hex(wire)
    const output = new Uint8Array(room + 8).fill(0xee)
    const length = decompressLzo(input, 0, input.length, output, 4, 4 + room)
    expect(output.subarray(0, 4).every((byte) => byte === 0xee)).toBe(true)
    expect(output.subarray(4 + room).every((byte) => byte === 0xee)).toBe(true)
    return length < 0 ? length : Buffer.from(output.subarray(4, 4 + length)).toString('hex')
  }
  const END = '11 00 00'

  it('COMP-12 COMP-13 the empty stream, first runs, long runs', () => {
    expect(decode(END)).toBe('')
    expect(decode(`12 61 ${END}`)).toBe('61')
    expect(decode(`15 61 62 63 64 ${END}`)).toBe('61626364')
    expect(decode(`01 61 62 63 64 ${END}`)).toBe('61626364')
    expect(decode(`00 01 ${'61'.repeat(19)} ${END}`)).toBe('61'.repeat(19))
    expect(decode(`00 00 01 ${'61'.repeat(274)} ${END}`)).toBe('61'.repeat(274))
  })

  it('COMP-11 matches of every kind', () => {
    const four = '15 61 62 63 64'
    expect(decode(`${four} 40 00 ${END}`), 'length 3, distance 1').toBe('61626364646464')
    expect(decode(`${four} 6d 00 65 ${END}`), 'length 4, distance 4, a literal').toBe('616263646162636465')
    expect(decode(`${four} e8 00 ${END}`), 'length 8, distance 3').toBe('616263646263646263646263')
    expect(decode(`${four} 21 0c 00 ${END}`), 'length 3, distance 4').toBe('61626364616263')
    expect(decode(`${four} 20 01 00 00 ${END}`), 'length 34').toBe(`616263${'64'.repeat(35)}`)
    expect(decode(`14 61 62 63 00 00 ${END}`), 'a match of 2 behind 3 literals').toBe('6162636363')
    expect(decode(`14 61 62 63 0a 00 65 66 ${END}`), 'the same with distance 3 and two literals').toBe('61626361626566')
  })

  it('COMP-11 far matches, and the match of 3 behind a run', () => {
    const run = `00 ${'00'.repeat(80)} 01 ${'6a'.repeat(3 + 15 + 80 * 255 + 1)}`
    const length = 3 + 15 + 80 * 255 + 1
    const far = decode(`${run} 12 04 00 ${END}`)
    expect(far, 'length 4, distance 16385').toBe('6a'.repeat(length + 4))
    expect(decode(`${run} 04 00 ${END}`), 'length 3, distance 2050').toBe('6a'.repeat(length + 3))
    expect(decode(`${run} 1a 04 00 ${END}`), 'distance 32769').toBe(-1)
    expect(decode(`15 61 62 63 64 04 00 ${END}`), 'distance 2050').toBe(-1)
  })

  it('COMP-11 COMP-12 refuses what leaves its bounds or ends early or late', () => {
    expect(decode(`15 61 62 63 64 ${END}`, 3)).toBe(-1)
    expect(decode(`15 61 62 63 64 40 00 ${END}`, 6)).toBe(-1)
    expect(decode(`15 61 62 63 64 50 00 ${END}`)).toBe(-1)
    expect(decode(`40 00 ${END}`)).toBe(-1)
    for (const wire of ['', '15', '15 61 62 63', '15 61 62 63 64', '15 61 62 63 64 11', '15 61 62 63 64 11 00']) {
      expect(decode(wire), wire).toBe(-1)
    }
    expect(decode(`${END} 00`)).toBe(-1)
    expect(decode(`15 61 62 63 64 ${END} ${END}`)).toBe(-1)
    expect(decode('00 '.repeat(200))).toBe(-1)
    expect(decode(`20 ${'00 '.repeat(200)}`)).toBe(-1)
  })
})
