import { describe, expect, it } from 'vitest'
import {
  MAX_EPOCH_COUNTER,
  MAX_PACKET_ID,
  PACKET_ID_REKEY,
  readEpoch,
  readEpochCounter,
  readLongPacketIdTime,
  readPacketId,
  writeEpochPacketId,
  writeLongPacketId,
  writePacketId,
} from '../../../src/wire/index.ts'
import { bytesOf } from '../../support/wire.ts'

describe('packet ids', () => {
  it('WIRE-20 the short form is a u32', () => {
    const out = new Uint8Array(6)
    for (const id of [0, 1, 0x7fffffff, 0x80000000, PACKET_ID_REKEY, MAX_PACKET_ID]) {
      writePacketId(out, 1, id)
      expect(readPacketId(out, 1)).toBe(id)
    }
    writePacketId(out, 1, 0x01020304)
    expect(out).toEqual(bytesOf('000102030400'))
  })

  it('WIRE-21 the long form is the id, then the time', () => {
    const out = new Uint8Array(8)
    writeLongPacketId(out, 0, 0x01020304, 0xf5f6f7f8)
    expect(out).toEqual(bytesOf('01020304f5f6f7f8'))
    expect(readPacketId(out, 0)).toBe(0x01020304)
    expect(readLongPacketIdTime(out, 0)).toBe(0xf5f6f7f8)
  })

  it('WIRE-22 the threshold for a new key leaves 2^24 ids', () => {
    expect(MAX_PACKET_ID - PACKET_ID_REKEY + 1).toBe(2 ** 24)
  })

  it('WIRE-23 the epoch form is a u16 epoch and a u48 counter', () => {
    const out = new Uint8Array(8)
    writeEpochPacketId(out, 0, 0x0102, 0x030405060708)
    expect(out).toEqual(bytesOf('0102030405060708'))
    for (const [epoch, counter] of [
      [1, 1],
      [0xffff, MAX_EPOCH_COUNTER],
      [2, 0xffffffff],
      [2, 0x100000000],
    ] as const) {
      writeEpochPacketId(out, 0, epoch, counter)
      expect([readEpoch(out, 0), readEpochCounter(out, 0)]).toEqual([epoch, counter])
    }
  })
})
