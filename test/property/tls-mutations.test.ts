/** Laws of the TLS engine: mutations never get in, nothing ever throws, and what a call does is bounded by counters. */
import { describe, expect, it } from 'vitest'
import { concat } from '../../src/bytes/index.ts'
import type { TlsVersion } from '../../src/tls/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import { hostOf, RECORDINGS, resetWork, SHAPE_NAMES, work } from '../support/tls-shapes.ts'
import { anonymous, config, Host, Puppet, talk, type Tamper, text } from '../unit/tls/support.ts'

const VERSIONS: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3']

describe('mutations', () => {
  /** One change of a flight: a flipped bit, a changed byte, a piece cut out, doubled or moved, rubbish put in. */
  function mutate(flight: Uint8Array, random: SeededRandom): Uint8Array {
    const at = random.below(flight.length)
    const length = random.int(1, 40)
    switch (random.below(7)) {
      case 0:
        return flight.map((byte, i) => (i === at ? byte ^ (1 << random.below(8)) : byte))
      case 1:
        return flight.map((byte, i) => (i === at ? (byte + random.int(1, 255)) & 255 : byte))
      case 2:
        return concat(flight.subarray(0, at), flight.subarray(at + length))
      case 3:
        return concat(flight.subarray(0, at + length), flight.subarray(at))
      case 4:
        return concat(flight.subarray(0, at), random.bytes(length), flight.subarray(at))
      case 5:
        return flight.subarray(0, at)
      default:
        return concat(flight.subarray(at), flight.subarray(0, at))
    }
  }

  it('TLS-2 TLS-25 of recorded flights: no throw, no acceptance, one end at most, bounded work', () => {
    const random = new SeededRandom('mutations')
    const runs = scaled(3300, 1_000_000)
    let accepted = 0
    let ended = 0
    const most = { asymmetric: 0, symmetric: 0, outputs: 0 }
    for (let run = 0; run < runs; run++) {
      const shape = SHAPE_NAMES[run % SHAPE_NAMES.length]!
      const role = random.chance(0.5) ? 'client' : 'server'
      const { flights, handshake } = RECORDINGS.get(shape)!
      const own = flights[role].slice(0, handshake[role])
      const host = hostOf(shape, role)
      host.drain()
      const target = random.below(own.length)
      for (const [i, data] of own.entries()) {
        const changed = i === target ? mutate(data, random) : data
        const before = host.info !== undefined
        resetWork()
        host.receive(changed)
        const outputs = host.drain().length
        most.asymmetric = Math.max(most.asymmetric, work.asymmetric)
        most.symmetric = Math.max(most.symmetric, work.symmetric)
        most.outputs = Math.max(most.outputs, outputs)
        const won = i === target && !before && host.info !== undefined
        if (won && !saysTheSame(changed, data, shape)) accepted++
      }
      const ends = host.events.filter((event) => event === 'closed').length
      if (ends > 1) expect.fail(`run ${run} ended ${ends} times`)
      if (ends === 1) {
        ended++
        if (host.events.at(-1) !== 'closed') expect.fail(`run ${run} went on after its end`)
      }
    }
    expect(ended).toBeGreaterThan(runs / 3)
    expect(accepted).toBe(0)
    expect(most.asymmetric).toBeLessThanOrEqual(6)
    expect(most.symmetric).toBeLessThanOrEqual(30)
    expect(most.outputs).toBeLessThanOrEqual(4)
  }, 3_600_000)

  function same(a: Uint8Array, b: Uint8Array): boolean {
    return a.length === b.length && a.every((byte, i) => byte === b[i])
  }

  /**
   * True when a flight begins with everything that TLS protects of another. Two things no TLS protects: the second byte of
   * a plaintext record's version, and under 1.3 the ChangeCipherSpec records that are there for middleboxes.
   */
  function saysTheSame(changed: Uint8Array, data: Uint8Array, shape: string): boolean {
    const essence = (flight: Uint8Array): string => {
      const records: string[] = []
      for (let at = 0; at + 5 <= flight.length; ) {
        const end = at + 5 + ((flight[at + 3]! << 8) | flight[at + 4]!)
        const dropped = flight[at] === 20 && shape.includes('1.3')
        if (end <= flight.length && !dropped) records.push(`${flight[at]}:${String(flight.subarray(at + 5, end))};`)
        at = end
      }
      return records.join('')
    }
    return essence(changed).startsWith(essence(data))
  }

  it('TLS-2 TLS-25 of messages before they are sealed: no throw, no acceptance', () => {
    const random = new SeededRandom('messages')
    const runs = scaled(250, 20_000)
    const ends = new Map(
      VERSIONS.flatMap((maxVersion) =>
        (['client', 'server'] as const).map((role) => [`${role} ${maxVersion}`, config(role, { maxVersion })] as const),
      ),
    )
    const endOf = (role: 'client' | 'server', version: TlsVersion) => ends.get(`${role} ${version}`)!
    let accepted = 0
    let mutated = 0
    for (let run = 0; run < runs; run++) {
      const maxVersion = VERSIONS[run & 1]!
      const real = run & 2 ? 'client' : 'server'
      const host = new Host(endOf(real, maxVersion), 'victim', nodeCrypto)
      // A changed ClientHello of a puppet is a hello like any other: its transcript begins with what went out.
      const target = real === 'server' ? random.int(1, 4) : random.below(6)
      const tamper: Tamper = (message, index) => {
        if (index !== target) return [message]
        const changed = mutate(message, random)
        if (!same(changed, message)) mutated++
        return [changed]
      }
      const puppet = new Puppet(endOf(real === 'client' ? 'server' : 'client', maxVersion), tamper, 'p', nodeCrypto)
      const before = mutated
      try {
        talk(host, puppet)
      } catch {
        // The puppet may meet its own rubbish.
      }
      host.drain()
      if (mutated > before && host.info !== undefined) accepted++
    }
    expect(mutated).toBeGreaterThan(runs / 2)
    expect(accepted).toBe(0)
  })

  it('TLS-2 of records on an open connection: nothing of them is heard', () => {
    const random = new SeededRandom('records')
    const runs = scaled(150, 20_000)
    const serverOnly = config('server', { clientAuth: 'none' })
    const clients = VERSIONS.map((maxVersion) => anonymous({ maxVersion }))
    let heard = 0
    for (let run = 0; run < runs; run++) {
      const host = new Host(serverOnly, 'open', nodeCrypto)
      const puppet = new Puppet(clients[run & 1]!, undefined, 'p', nodeCrypto)
      talk(host, puppet)
      const sealed = puppet.records.seal(23, text('secret'))
      const changed = mutate(sealed, random)
      if (same(changed, sealed)) continue
      host.receive(changed)
      host.drain()
      if (host.data.length > 0 && !String(changed).startsWith(String(sealed))) heard++
    }
    expect(heard).toBe(0)
  })
})
