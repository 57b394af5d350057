/**
 * Tunnels without encryption or authentication: only where they are asked for, and never without a word.
 */
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/bytes/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import type { SessionConfig } from '../../../src/session/index.ts'
import { connectPair, ipPacket, Pair } from '../../support/pair.ts'

const crypto = nodeCrypto

describe('SESS-155 under TLS', () => {
  it('auth none is announced behind `connected`, and again after nothing', () => {
    const end: Partial<SessionConfig> = { dataCiphers: ['AES-256-CBC'], auth: 'none', allowInsecure: true }
    const pair = connectPair({ crypto, client: end, server: end })
    for (const side of [pair.client, pair.server]) {
      const at = side.events.findIndex(({ type }) => type === 'connected')
      expect(side.events[at + 1]).toEqual({ type: 'unprotected', encrypted: true, authenticated: false })
      expect(pair.events(side, 'unprotected')).toHaveLength(1)
    }
    expect(pair.send(pair.client, ipPacket(1))).toBe(true)
    pair.wait(100)
    expect(pair.server.packets).toEqual([ipPacket(1)])
  })

  it('a fallback of none is refused unless it is permitted', () => {
    const client = { dataCiphersFallback: 'none' }
    expect(() => new Pair({ crypto, client })).toThrow(ConfigError)
    expect(() => new Pair({ crypto, client })).toThrow('data-ciphers-fallback none would send traffic in the clear')
  })

  it.each(['SHA256', 'none'] as const)(
    'NEG-27 both ends fall back to none, digest %s: packets cross, both say so',
    (auth) => {
      const end = { dataCiphersFallback: 'none', allowInsecure: true, auth }
      const client = { ...end, dataCiphers: ['AES-128-GCM'] }
      const pair = connectPair({ crypto, client, server: { ...end, dataCiphers: ['AES-256-CBC'] } })
      for (const side of [pair.client, pair.server]) {
        expect(pair.events(side, 'connected')[0]?.negotiated).toMatchObject({
          dataCipher: 'none',
          dataAuth: auth,
          dataFormat: 'none',
        })
        expect(pair.events(side, 'unprotected')).toEqual([
          { type: 'unprotected', encrypted: false, authenticated: auth !== 'none' },
        ])
        expect(pair.send(side, ipPacket(1))).toBe(true)
      }
      pair.wait(100)
      expect([pair.client.packets, pair.server.packets]).toEqual([[ipPacket(1)], [ipPacket(1)]])
    },
  )

  it('a client that hears of no cipher falls back to none and says so; a server with a cipher takes none of its packets', () => {
    const filter = { rules: [{ action: 'ignore', prefix: 'cipher' }], routeNopull: false } as const
    const dataCiphers = ['AES-128-GCM', 'AES-256-CBC']
    const client = { dataCiphers, dataCiphersFallback: 'none', allowInsecure: true, pullFilter: filter }
    const pair = connectPair({ crypto, client, server: { dataCiphers: ['AES-256-CBC'] } })
    expect(pair.events(pair.client, 'connected')[0]?.negotiated).toMatchObject({
      dataCipher: 'none',
      dataFormat: 'none',
    })
    expect(pair.events(pair.client, 'unprotected')).toEqual([
      { type: 'unprotected', encrypted: false, authenticated: true },
    ])
    expect(pair.events(pair.server, 'unprotected')).toEqual([])
    for (let i = 0; i < 20; i++) expect(pair.send(pair.client, ipPacket(i))).toBe(true)
    pair.wait(1000)
    expect(pair.server.packets).toEqual([])
    const drops = Object.values(pair.server.session.stats.dropped).reduce((sum, count) => sum + count, 0)
    expect(drops).toBe(20)
  })
})
