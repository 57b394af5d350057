/**
 * A whole life of sessions in a process whose clocks, randomness, timers, promises and crypto throw: everything a session
 * needs comes in as an argument. Prints a digest of every output, so that two processes can be compared.
 */
import { createHash } from 'node:crypto'
import { noble } from '../../src/crypto/index.ts'
import { rough } from '../support/network.ts'
import { connectPair, ipPacket } from '../support/pair.ts'
import { toyPki } from '../support/pki.ts'
import { WRAP_KINDS, wrapPair } from '../support/wraps.ts'

const write = process.stdout.write.bind(process.stdout)
const digest = createHash('sha256')
toyPki('P-256')
toyPki('ed25519')

/** Every API that a pure library may not touch. */
function poison(): string[] {
  const poisoned: string[] = []
  const set = (target: object, name: string): void => {
    const refuse = (): never => {
      throw new Error(`${name} was called`)
    }
    Object.defineProperty(target, name, { value: refuse, writable: false, configurable: true })
    poisoned.push(name)
  }
  set(Date, 'now')
  set(Math, 'random')
  set(performance, 'now')
  for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'structuredClone', 'fetch']) {
    set(globalThis, name)
  }
  set(Promise.prototype, 'then')
  Object.defineProperty(globalThis, 'crypto', {
    get: () => {
      throw new Error('crypto was read')
    },
  })
  // A date of given numbers is pure (certificates are read with some); the present one is not.
  class GivenDate extends Date {
    constructor(...args: readonly number[]) {
      if (args.length === 0) throw new Error('the present date was read')
      super(...(args as [number]))
    }
  }
  Object.defineProperty(globalThis, 'Date', { value: GivenDate })
  poisoned.push('new Date()')
  for (const name of ['TextEncoder', 'TextDecoder', 'Buffer', 'WebAssembly', 'Intl']) {
    Object.defineProperty(globalThis, name, {
      get: () => {
        throw new Error(`${name} was read`)
      },
    })
    poisoned.push(name)
  }
  return poisoned
}

const poisoned = poison()
let connects = 0
let rekeys = 0
let packets = 0
let outputs = 0
for (const kind of WRAP_KINDS) {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const wrap = wrapPair(kind)
    const pair = connectPair({
      crypto: noble,
      seed: `purity/${kind}`,
      pki: maxVersion === 'TLSv1.2' ? 'P-256' : 'ed25519',
      faults: { ...rough(0.1), corrupt: kind === 'none' ? 0 : 0.03 },
      record: true,
      client: { wrap: wrap.client, trace: true },
      server: { wrap: wrap.server, trace: true },
    })
    connects++
    for (let i = 0; i < 10; i++) {
      pair.send(pair.client, ipPacket(i))
      pair.send(pair.server, ipPacket(i))
      pair.wait(50)
    }
    pair.input(pair.client, (session, now) => session.renegotiate(now))
    pair.wait(90_000)
    rekeys += pair.client.session.stats.rekeys
    packets += pair.client.packets.length + pair.server.packets.length
    pair.input(pair.client, (session, now) => session.close(now))
    pair.wait(10_000)
    for (const output of [...pair.client.outputs, ...pair.server.outputs]) {
      outputs++
      digest.update(output.type === 'event' ? JSON.stringify(output.event) : output.data)
    }
  }
}
write(JSON.stringify({ poisoned: poisoned.length, connects, rekeys, packets, outputs, digest: digest.digest('hex') }))
