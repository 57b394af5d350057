import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../../src/bytes/index.ts'
import { Timers } from '../../../src/reliability/index.ts'

const make = () => new Timers(['hand-window', 'ping', 'resend'] as const)

describe('Timers', () => {
  it('REL-40 sets, moves, clears and reads by name', () => {
    const timers = make()
    expect([timers.earliest(), timers.earliestName(), timers.has('ping')]).toEqual([Infinity, undefined, false])
    timers.set('ping', 500)
    timers.set('resend', 300)
    expect([timers.earliest(), timers.earliestName(), timers.get('ping')]).toEqual([300, 'resend', 500])
    timers.set('resend', 700)
    expect(timers.earliestName()).toBe('ping')
    timers.setEarlier('resend', 800)
    timers.setEarlier('resend', 100)
    expect(timers.get('resend')).toBe(100)
    timers.clear('resend')
    expect(timers.earliest()).toBe(500)
    timers.clearAll()
    expect(timers.has('ping')).toBe(false)
    expect(() => {
      timers.set('nap' as 'ping', 1)
    }).toThrow(InvariantError)
  })

  it('REL-41 runs what is due in the order of the deadlines, also what is set meanwhile', () => {
    const timers = make()
    timers.set('hand-window', 900)
    timers.set('ping', 100)
    timers.set('resend', 200)
    const fired: string[] = []
    for (let name = timers.takeDue(1000); name !== undefined; name = timers.takeDue(1000)) {
      fired.push(name)
      if (name === 'ping' && fired.length < 4) timers.set('ping', 250)
    }
    expect(fired).toEqual(['ping', 'resend', 'ping', 'ping', 'hand-window'])
  })

  it('REL-41 equal deadlines fire in the order of the names', () => {
    const timers = make()
    for (const name of ['resend', 'ping', 'hand-window'] as const) timers.set(name, 5)
    expect([timers.takeDue(5), timers.takeDue(5), timers.takeDue(5), timers.takeDue(5)]).toEqual([
      'hand-window',
      'ping',
      'resend',
      undefined,
    ])
  })

  it('REL-42 firing clears, and nothing fires early', () => {
    const timers = make()
    timers.set('ping', 100)
    expect(timers.takeDue(99)).toBeUndefined()
    expect(timers.takeDue(100)).toBe('ping')
    expect(timers.has('ping')).toBe(false)
    expect(timers.takeDue(1e12)).toBeUndefined()
  })

  it('a deadline in the infinite past is due', () => {
    const timers = make()
    timers.set('resend', -Infinity)
    expect(timers.takeDue(0)).toBe('resend')
  })
})
