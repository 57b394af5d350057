/**
 * Published attacks on data channels, against whole sessions: used-up ids, replays, weak ciphers, compression oracles, views
 * into shared memory.
 */
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/bytes/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { Session, type SessionConfig } from '../../src/session/index.ts'
import { connectPair, ipPacket, pairConfigs } from '../support/pair.ts'
import { PKI_NOW } from '../support/pki.ts'
import { SeededRandom } from '../support/random.ts'

const crypto = nodeCrypto
const [client] = pairConfigs()

/** Why a configuration is refused; undefined when it is taken. */
function fault(change: Partial<SessionConfig>): ConfigError | undefined {
  try {
    const random = new SeededRandom('attack').source
    new Session({ ...client, ...change }, { now: 0, timeOrigin: PKI_NOW, random, crypto })
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  return undefined
}

/** The option blamed for a configuration; `none` when it is taken. */
const blamed = (change: Partial<SessionConfig>): string => fault(change)?.option ?? 'none'

/** The words of the refusal. */
const refusal = (change: Partial<SessionConfig>): string => fault(change)?.message ?? ''

describe('data channel of a session', () => {
  it('C1 CVE-2017-7479 used-up packet ids stop the sender, ask for a new key, and never come again', () => {
    const counterStart = { packetsSent: 0xffffffff - 3 }
    const pair = connectPair({
      crypto,
      client: { counterStart, dataCiphers: ['AES-256-CBC'] },
      server: { dataCiphers: ['AES-256-CBC'] },
    })
    const { session } = pair.client
    const taken = Array.from({ length: 6 }, (_, i) => session.send(ipPacket(i), pair.now))
    expect(taken).toEqual([true, true, true, false, false, false])
    expect(session.stats.dropped['key-exhausted']).toBe(3)
    expect(session.pendingTimer).toBe('reneg-sec')
  })

  it('C7 SWEET32 ciphers with 64-bit blocks are negotiated by nobody, and BF-CBC is refused where it is asked for', () => {
    // DES-EDE3-CBC is one that this provider has.
    for (const name of ['BF-CBC', 'DES-EDE3-CBC']) {
      expect(blamed({ dataCiphers: [name] })).toBe('data-ciphers')
      expect(blamed({ dataCiphers: ['AES-256-GCM', name] })).toBe('data-ciphers')
      expect(blamed({ dataCiphers: ['AES-256-GCM', `?${name}`] })).toBe('none')
    }
    expect(blamed({ dataCiphersFallback: 'BF-CBC' })).toBe('data-ciphers-fallback')
    expect(refusal({ dataCiphersFallback: 'BF-CBC' })).toMatch(/64-bit blocks \(SWEET32\)/)
    expect(blamed({ dataCiphersFallback: 'DES-EDE3-CBC' })).toBe('none')
    for (const name of ['CAST5-CBC', 'DES-CBC', 'RC2-CBC', 'IDEA-CBC', 'SEED-CBC']) {
      expect(blamed({ dataCiphers: [name] })).toBe('data-ciphers')
    }
    const pair = connectPair({ crypto })
    expect(pair.events(pair.client, 'connected')[0]?.negotiated.dataCipher).toMatch(/GCM|POLY1305/)
    const both = { dataCiphersFallback: 'DES-EDE3-CBC' }
    const fallen = connectPair({ crypto, client: both, server: both })
    expect(fallen.events(fallen.client, 'connected')[0]?.negotiated.dataCipher).toMatch(/GCM|POLY1305/)
  })

  it('C9 neither a cipher nor a digest of `none` comes into use unless it is permitted in so many words', () => {
    expect(blamed({ dataCiphers: ['none'] })).toBe('data-ciphers')
    expect(blamed({ dataCiphersFallback: 'none' })).toBe('data-ciphers-fallback')
    expect(blamed({ auth: 'none', dataCiphers: ['AES-256-CBC'] })).toBe('auth')
    expect(blamed({ auth: 'none', dataCiphers: ['AES-256-GCM'] })).toBe('none')
    expect(blamed({ dataCiphers: ['none'], allowInsecure: true })).toBe('data-ciphers')
    const both = { dataCiphersFallback: 'none', allowInsecure: true }
    const pair = connectPair({ crypto, client: both, server: both })
    expect(pair.events(pair.client, 'connected')[0]?.negotiated.dataCipher).toMatch(/GCM|POLY1305/)
    expect(pair.events(pair.client, 'unprotected')).toEqual([])
  })

  it('C12 a delivered packet is the host’s own: writing to it, or to what was received, changes nothing else', () => {
    const pair = connectPair({ crypto })
    const { session } = pair.server
    const sealed = (mark: number): Uint8Array => {
      const { session: sender } = pair.client
      const buffer = new Uint8Array(sender.headroom + 100 + sender.tailroom)
      buffer.set(ipPacket(mark), sender.headroom)
      const length = sender.seal(buffer, sender.headroom, 100, pair.now)
      return buffer.slice(sender.resultOffset, sender.resultOffset + length)
    }
    const [first, second] = [sealed(1), sealed(2)]
    const before = first.slice()
    session.receive(first, pair.now)
    expect(first).toEqual(before)
    first.fill(0xee)
    session.receive(second, pair.now)
    const packets: Uint8Array[] = []
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      if (output.type !== 'packet') continue
      packets.push(output.data.slice())
      output.data.fill(0xdd)
    }
    expect(packets).toEqual([ipPacket(1), ipPacket(2)])
  })
})
