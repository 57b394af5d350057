import { describe, expect, it } from 'vitest'
import {
  dataHeaderLength,
  parseDataHeader,
  PEER_ID_NONE,
  readPeerId,
  writeDataV1Header,
  writeDataV2Header,
} from '../../../src/wire/index.ts'
import { bytesOf } from '../../support/wire.ts'

describe('data headers', () => {
  it('WIRE-30 DATA_V1 is one byte', () => {
    const out = new Uint8Array(3)
    writeDataV1Header(out, 1, 5)
    expect(out).toEqual(bytesOf('003500'))
    expect(parseDataHeader(out.subarray(1))).toEqual({ opcode: 6, keyId: 5, peerId: undefined, length: 1 })
  })

  it('WIRE-31 DATA_V2 has a 24-bit peer-id behind it', () => {
    const out = new Uint8Array(6)
    writeDataV2Header(out, 1, 2, 0xabcdef)
    expect(out).toEqual(bytesOf('004aabcdef00'))
    expect(readPeerId(out, 1)).toBe(0xabcdef)
    expect(parseDataHeader(out.subarray(1))).toEqual({ opcode: 9, keyId: 2, peerId: 0xabcdef, length: 4 })
  })

  it('WIRE-32 no peer-id is all ones', () => {
    const out = new Uint8Array(4)
    writeDataV2Header(out, 0, 0, PEER_ID_NONE)
    expect(out).toEqual(bytesOf('48ffffff'))
    expect(readPeerId(out, 0)).toBe(PEER_ID_NONE)
  })

  it('WIRE-33 refuses what is too short, and other opcodes', () => {
    expect(parseDataHeader(new Uint8Array(0))).toBe('too-short')
    for (let length = 1; length < 4; length++) {
      expect(parseDataHeader(bytesOf('48000001').subarray(0, length))).toBe('data-header-short')
    }
    for (let byte = 0; byte < 256; byte++) {
      const opcode = byte >> 3
      expect(dataHeaderLength(byte)).toBe(opcode === 6 ? 1 : opcode === 9 ? 4 : 0)
      if (opcode !== 6 && opcode !== 9) expect(parseDataHeader(Uint8Array.of(byte, 0, 0, 0))).toBe('opcode-unknown')
    }
  })

  it('every peer-id of a table comes back', () => {
    const out = new Uint8Array(4)
    for (const peerId of [0, 1, 255, 256, 65535, 65536, 0x7fffff, 0x800000, 0xfffffe]) {
      writeDataV2Header(out, 0, 7, peerId)
      expect(readPeerId(out, 0)).toBe(peerId)
    }
  })
})
