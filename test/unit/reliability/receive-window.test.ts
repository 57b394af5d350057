import { describe, expect, it } from 'vitest'
import { ReceiveWindow } from '../../../src/reliability/index.ts'

describe('ReceiveWindow', () => {
  it('REL-10 takes ids up to eleven above the next one, in any order', () => {
    const window = new ReceiveWindow<number>()
    for (let id = 11; id >= 0; id--) expect(window.accept(id, id)).toBe('new')
    expect([window.held, [...window.messages()].length]).toEqual([12, 12])
    expect(window.accept(12, 12)).toBe('beyond')
  })

  it('REL-11 tells duplicates, held or taken', () => {
    const window = new ReceiveWindow<string>()
    window.accept(0, 'first')
    expect(window.accept(0, 'again')).toBe('duplicate')
    expect(window.take()).toBe('first')
    expect(window.accept(0, 'again')).toBe('duplicate')
    expect(window.held).toBe(0)
    expect(window.take()).toBeUndefined()
  })

  it('REL-12 refuses ids beyond the window', () => {
    const window = new ReceiveWindow<string>()
    for (const id of [12, 13, 1000, 0x80000000, 0xffffffff]) expect(window.accept(id, 'far')).toBe('beyond')
    expect(window.held).toBe(0)
    expect(new ReceiveWindow<string>(8).accept(8, 'far')).toBe('beyond')
  })

  it('REL-13 gives messages in sequence, each once, and moves on', () => {
    const window = new ReceiveWindow<number>()
    const out: number[] = []
    for (const id of [2, 0, 1, 5, 3, 4, 15, 6]) {
      window.accept(id, id)
      for (let message = window.take(); message !== undefined; message = window.take()) out.push(message)
    }
    expect(out).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect([window.nextId, window.held, window.verdict(15)]).toEqual([7, 1, 'duplicate'])
  })

  it('REL-1 begins at 1 behind a stateless reset', () => {
    const window = new ReceiveWindow<string>(12, 1)
    expect(window.accept(0, 'reset')).toBe('duplicate')
    expect(window.accept(1, 'hello')).toBe('new')
    expect([window.take(), window.nextId]).toEqual(['hello', 2])
  })

  it('REL-12 ends at the largest id', () => {
    const window = new ReceiveWindow<string>(12, 0xffffffff)
    expect(window.accept(0xffffffff, 'last')).toBe('new')
    expect(window.take()).toBe('last')
    expect(window.accept(0x100000000, 'none')).toBe('beyond')
    expect(window.accept(0, 'old')).toBe('duplicate')
  })
})
