import { describe, expect, it } from 'vitest'
import { ACKS_PER_ACK_PACKET, ACKS_PER_CONTROL_PACKET, AckList, OWED_ACKS } from '../../../src/reliability/index.ts'

describe('AckList', () => {
  it('REL-20 owed acks leave once as owed, oldest first', () => {
    const acks = new AckList()
    for (const id of [3, 1, 2, 1]) expect(acks.add(id)).toBe(true)
    expect(acks.owed).toBe(3)
    expect(acks.take(2)).toEqual([3, 1])
    expect(acks.owed).toBe(1)
    expect(acks.take(2)).toEqual([2, 1])
    expect(acks.owed).toBe(0)
  })

  it('REL-21 fills the room with recent acks, most recent first', () => {
    const acks = new AckList()
    for (const id of [0, 1, 2]) {
      acks.add(id)
      acks.take(4)
    }
    acks.add(3)
    expect(acks.available(4)).toBe(4)
    expect(acks.take(4)).toEqual([3, 2, 1, 0])
    expect(acks.take(1)).toEqual([3])
  })

  it('REL-21 repeats the ack of the server’s reset until it is answered', () => {
    const acks = new AckList()
    expect(acks.take(4)).toEqual([])
    acks.add(0)
    for (let i = 0; i < 20; i++) expect(acks.take(4)).toEqual([0])
  })

  it('REL-21 an ack owed again is not given twice in one packet', () => {
    const acks = new AckList()
    for (const id of [5, 6]) acks.add(id)
    acks.take(8)
    acks.add(5)
    expect(acks.available(8)).toBe(2)
    expect(acks.take(8)).toEqual([5, 6])
  })

  it('REL-22 owes twelve at most, and the rest again when asked again', () => {
    const acks = new AckList()
    for (let id = 0; id < OWED_ACKS; id++) expect(acks.add(id)).toBe(true)
    expect(acks.add(99)).toBe(false)
    expect(acks.add(0)).toBe(true)
    expect(acks.owed).toBe(12)
    acks.take(8)
    expect(acks.add(99)).toBe(true)
  })

  it('REL-23 remembers eight', () => {
    const acks = new AckList()
    for (let id = 0; id < 20; id++) {
      acks.add(id)
      acks.take(1)
    }
    expect(acks.available(100)).toBe(8)
    expect(acks.take(100)).toEqual([19, 18, 17, 16, 15, 14, 13, 12])
  })

  it('REL-24 eight acks in an ACK_V1, four in other packets', () => {
    const acks = new AckList()
    for (let id = 0; id < 12; id++) acks.add(id)
    expect(acks.take(ACKS_PER_CONTROL_PACKET)).toEqual([0, 1, 2, 3])
    expect(acks.take(ACKS_PER_ACK_PACKET)).toEqual([4, 5, 6, 7, 8, 9, 10, 11])
  })
})
