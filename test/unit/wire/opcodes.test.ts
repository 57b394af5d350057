import { describe, expect, it } from 'vitest'
import {
  acceptsOpcode,
  carriesWrappedKey,
  firstByte,
  isClientReset,
  isControlOpcode,
  isDataOpcode,
  isHardReset,
  isServerReset,
  keyIdOf,
  nextKeyId,
  Opcode,
  opcodeOf,
  OPCODE_NAMES,
  opcodeProblem,
} from '../../../src/wire/index.ts'

describe('opcodes', () => {
  it('WIRE-1 first bytes at key 0 are those of the table, and every byte splits and joins', () => {
    const bytes = [8, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38, 0x40, 0x48, 0x50, 0x58]
    expect(bytes.map(opcodeOf)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    for (let byte = 0; byte < 256; byte++) expect(firstByte(opcodeOf(byte), keyIdOf(byte))).toBe(byte)
  })

  it('WIRE-2 key ids run from 0 to 7, then from 1', () => {
    const ids = [0]
    for (let i = 0; i < 15; i++) ids.push(nextKeyId(ids.at(-1)!))
    expect(ids).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7, 1])
  })

  it('WIRE-3 each release accepts its run of opcodes', () => {
    const accepted = (release: '2.4' | '2.5' | '2.6') =>
      Array.from({ length: 32 }, (_, opcode) => opcode).filter((opcode) => acceptsOpcode(release, opcode))
    expect(accepted('2.4')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(accepted('2.5')).toEqual([3, 4, 5, 6, 7, 8, 9, 10])
    expect(accepted('2.6')).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11])
  })

  it('has a name for each of the fourteen, and classes that fit', () => {
    expect(Object.keys(OPCODE_NAMES).length).toBe(14)
    expect(OPCODE_NAMES[Opcode.CONTROL_WKC_V1]).toBe('P_CONTROL_WKC_V1')
    const all = Array.from({ length: 32 }, (_, opcode) => opcode)
    expect(all.filter(isControlOpcode)).toEqual([1, 2, 3, 4, 5, 7, 8, 10, 11])
    expect(all.filter(isDataOpcode)).toEqual([6, 9])
    expect(all.filter(isHardReset)).toEqual([1, 2, 7, 8, 10])
    expect(all.filter(isClientReset)).toEqual([1, 7, 10])
    expect(all.filter(isServerReset)).toEqual([2, 8])
    expect(all.filter(carriesWrappedKey)).toEqual([10, 11])
  })

  it('WIRE-4, WIRE-5 refuses by opcode and role as the table says', () => {
    const u = 'opcode-unknown'
    const d = 'opcode-draft'
    const o = 'opcode-obsolete'
    const w = 'opcode-wrong-direction'
    const ok = undefined
    const client = [u, o, o, ok, ok, ok, ok, w, ok, ok, w, w, d, d, d]
    const server = [u, o, o, ok, ok, ok, ok, ok, w, ok, ok, ok, d, d, d]
    for (let opcode = 0; opcode < 32; opcode++) {
      expect(opcodeProblem(opcode, 'client'), `client ${opcode}`).toBe(opcode < 15 ? client[opcode] : u)
      expect(opcodeProblem(opcode, 'server'), `server ${opcode}`).toBe(opcode < 15 ? server[opcode] : u)
    }
  })
})
