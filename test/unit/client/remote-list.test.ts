import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../src/bytes/index.ts'
import {
  type RemoteEntry,
  type RemoteFailure,
  RemoteList,
  type RemoteListOptions,
  RESOLVE_PAUSE,
} from '../../../src/client/index.ts'
import { SeededRandom } from '../../support/random.ts'

const OPTIONS: RemoteListOptions = { shuffle: false, maxTurns: 0, resolveRetry: Infinity, persistAddress: false }

function entry(host: string, more: Partial<RemoteEntry> = {}): RemoteEntry {
  return { host, retry: 1_000, maxRetry: 300_000, ...more }
}

function listOf(
  hosts: readonly (string | RemoteEntry)[],
  options: Partial<RemoteListOptions> = {},
  seed = 1,
): RemoteList {
  const entries = hosts.map((host) => (typeof host === 'string' ? entry(host) : host))
  return new RemoteList(entries, { ...OPTIONS, ...options }, new SeededRandom(seed).source)
}

/** Fails `count` attempts and tells where each next one goes; names resolve to two addresses. */
function walk(list: RemoteList, failures: readonly RemoteFailure[]): string[] {
  const seen: string[] = []
  let step = list.begin()
  const rest = [...failures]
  for (;;) {
    if (step.type === 'resolve') {
      seen.push(`? ${step.host}`)
      step = list.resolved(['10.0.0.1', '10.0.0.2'])
    } else if (step.type === 'connect') {
      seen.push(`${step.remote} ${step.address}`)
      const failure = rest.shift()
      if (failure === undefined) return seen
      step = list.failed(failure)
    } else if (step.type === 'wait') {
      step = list.resume()
    } else {
      seen.push('exhausted')
      return seen
    }
  }
}

describe('the list of remotes', () => {
  it('CLIENT-3 tries all addresses of a remote, then the next remote, then begins again', () => {
    expect(walk(listOf(['a.example', '192.0.2.1']), [{}, {}, {}, {}])).toEqual([
      '? a.example',
      '0 10.0.0.1',
      '0 10.0.0.2',
      '1 192.0.2.1',
      '? a.example',
      '0 10.0.0.1',
      '0 10.0.0.2',
    ])
  })

  it('CLIENT-3 a server may send on to the next remote at once', () => {
    expect(walk(listOf(['a.example', '192.0.2.1']), [{ advance: 'remote' }, { advance: 'addr' }])).toEqual([
      '? a.example',
      '0 10.0.0.1',
      '1 192.0.2.1',
      '? a.example',
      '0 10.0.0.1',
    ])
  })

  it('CLIENT-4 stays with the remote when told so, with or without its address', () => {
    const failures: RemoteFailure[] = [{}, { advance: 'no' }]
    expect(walk(listOf(['a.example', 'b.example']), failures)).toEqual([
      '? a.example',
      '0 10.0.0.1',
      '0 10.0.0.2',
      '? a.example',
      '0 10.0.0.1',
    ])
    expect(walk(listOf(['a.example', 'b.example'], { persistAddress: true }), failures)).toEqual([
      '? a.example',
      '0 10.0.0.1',
      '0 10.0.0.2',
      '0 10.0.0.2',
    ])
  })

  it('CLIENT-2 shuffles once, fairly, from the randomness given', () => {
    const hosts = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4']
    const counts = new Map<string, number>()
    for (let seed = 0; seed < 2_400; seed++) {
      const list = listOf(hosts, { shuffle: true }, seed)
      const order = walk(list, [{}, {}, {}]).map((line) => line.charAt(0))
      expect([...order].sort()).toEqual(['0', '1', '2', '3'])
      counts.set(order.join(''), (counts.get(order.join('')) ?? 0) + 1)
    }
    expect(counts.size).toBe(24)
    for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThan(45)
    expect(walk(listOf(hosts, { shuffle: true }, 7), [{}, {}])).toEqual(
      walk(listOf(hosts, { shuffle: true }, 7), [{}, {}]),
    )
  })

  it('CLIENT-5 the pause doubles after five turns of every remote, up to a cap', () => {
    const list = listOf(['192.0.2.1', '192.0.2.2'], {})
    list.begin()
    const pauses: number[] = []
    for (let i = 0; i < 40; i++) {
      const step = list.failed()
      if (step.type !== 'wait') throw new Error(step.type)
      pauses.push(step.delay / 1000)
      list.resume()
    }
    expect(pauses.slice(0, 9)).toEqual(Array(9).fill(1))
    expect(pauses.slice(9, 13)).toEqual([2, 2, 4, 4])
    expect(pauses.at(-1)).toBe(300)
    expect(Math.max(...pauses)).toBe(300)
    list.succeeded()
    expect(list.failed()).toEqual({ type: 'wait', delay: 1_000 })
  })

  it('CLIENT-5 a server may ask for a longer pause, within the cap', () => {
    const list = listOf(['192.0.2.1'])
    list.begin()
    expect(list.failed({ pause: 42_000, advance: 'no' })).toEqual({ type: 'wait', delay: 42_000 })
    list.resume()
    expect(list.failed({ pause: 86_400_000 })).toEqual({ type: 'wait', delay: 300_000 })
    list.resume()
    expect(list.failed({ pause: 5 })).toEqual({ type: 'wait', delay: 1_000 })
  })

  it('CLIENT-6 a lone name is tried again for a while, one of several is passed over', () => {
    const lone = listOf(['a.example'], { resolveRetry: 2 * RESOLVE_PAUSE })
    expect(lone.begin()).toMatchObject({ type: 'resolve' })
    for (let i = 0; i < 2; i++) {
      expect(lone.resolved([])).toEqual({ type: 'wait', delay: RESOLVE_PAUSE })
      expect(lone.resume()).toMatchObject({ type: 'resolve' })
      expect(lone.failedTurns).toBe(0)
    }
    expect(lone.resolved([])).toEqual({ type: 'wait', delay: 1_000 })
    expect(lone.failedTurns).toBe(1)
    const several = listOf(['a.example', 'b.example'])
    several.begin()
    expect(several.resolved([])).toEqual({ type: 'wait', delay: 1_000 })
    expect(several.resume()).toMatchObject({ type: 'resolve', host: 'b.example' })
    const never = listOf(['a.example'], { resolveRetry: 0, maxTurns: 1 })
    never.begin()
    expect(never.resolved([])).toEqual({ type: 'exhausted' })
  })

  it('CLIENT-7 gives up after so many turns of every remote since the last success', () => {
    const hosts = ['a.example', '192.0.2.1']
    expect(walk(listOf(hosts, { maxTurns: 1 }), Array(9).fill({}))).toEqual([
      '? a.example',
      '0 10.0.0.1',
      '0 10.0.0.2',
      '1 192.0.2.1',
      'exhausted',
    ])
    expect(walk(listOf(hosts, { maxTurns: 2 }), Array(9).fill({})).length).toBe(9)
    expect(walk(listOf(['192.0.2.1'], { maxTurns: 3 }), Array(9).fill({ advance: 'no' })).length).toBe(4)
    const list = listOf(['192.0.2.1'], { maxTurns: 2 })
    list.begin()
    for (let i = 0; i < 20; i++) {
      expect(list.failed().type).toBe('wait')
      list.resume()
      list.succeeded()
    }
  })

  it('uses addresses of the wanted family only, each once, at most sixteen', () => {
    const addresses = ['fd00::1', '10.0.0.1', 'FD00:0::1', 'nonsense', '010.0.0.1', '10.0.0.1']
    const visited = (family: 4 | 6 | undefined): string[] => {
      const list = listOf([entry('a.example', { family })])
      list.begin()
      const seen: string[] = []
      let step = list.resolved(addresses)
      while (step.type === 'connect') {
        seen.push(step.address)
        if (list.failed().type !== 'wait') break
        step = list.resume()
      }
      return seen
    }
    expect(visited(undefined)).toEqual(['fd00::1', '10.0.0.1'])
    expect(visited(4)).toEqual(['10.0.0.1'])
    expect(visited(6)).toEqual(['fd00::1'])
    const many = listOf(['a.example'], { maxTurns: 1 })
    many.begin()
    let step = many.resolved(Array.from({ length: 99 }, (_, i) => `10.0.1.${i}`))
    let count = 0
    while (step.type === 'connect') {
      count++
      if (many.failed().type !== 'wait') break
      step = many.resume()
    }
    expect(count).toBe(16)
  })

  it('leaves a name to the proxy that resolves it', () => {
    expect(listOf([entry('a.example', { byName: true })]).begin()).toEqual({
      type: 'connect',
      remote: 0,
      address: 'a.example',
    })
  })

  it('refuses wrong use', () => {
    expect(() => listOf([])).toThrow(UsageError)
    expect(() => listOf(['192.0.2.1']).resume()).toThrow(UsageError)
  })
})
