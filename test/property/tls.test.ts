/** Laws of the TLS engine: how the bytes are cut changes nothing. */
import { describe, expect, it } from 'vitest'
import type { TlsVersion } from '../../src/tls/index.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import { RECORDINGS, replay, SHAPE_NAMES } from '../support/tls-shapes.ts'
import { bytes } from '../unit/tls/edit.ts'
import { config, Host, talk } from '../unit/tls/support.ts'

const VERSIONS: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3']

describe('cuts', () => {
  it.each(SHAPE_NAMES)(
    'TLS-1 every flight of a %s conversation, cut at every offset, tells the same story',
    (shape) => {
      const { flights, heard } = RECORDINGS.get(shape)!
      expect(heard).toEqual(['two', 'one'])
      let cuts = 0
      for (const role of ['client', 'server'] as const) {
        const expected = replay(shape, role)
        expect(expected).toContain('connected')
        for (const [index, data] of flights[role].entries()) {
          for (let at = 1; at < data.length; at++) {
            if (replay(shape, role, { index, at }) !== expected) expect.fail(`${role}, flight ${index}, cut at ${at}`)
            cuts++
          }
        }
      }
      expect(cuts).toBeGreaterThan(700)
    },
  )

  it.each(VERSIONS)('TLS-1 byte by byte under %s', (maxVersion) => {
    const client = new Host(config('client', { maxVersion }), 'bytes')
    const server = new Host(config('server'), 'bytes')
    talk(client, server, function* (flight) {
      for (const byte of flight) yield bytes(byte)
    })
    expect(client.info?.version).toBe(maxVersion)
    expect(server.info?.version).toBe(maxVersion)
  })

  it('TLS-1 random cuts and joins', () => {
    const random = new SeededRandom('joins')
    for (let i = 0; i < scaled(10, 2000); i++) {
      const [client, server] = [new Host(config('client'), 'joins'), new Host(config('server'), 'joins')]
      talk(client, server, (flight) => {
        const parts: Uint8Array[] = []
        for (let at = 0; at < flight.length; ) {
          const next = at + random.int(1, 200)
          parts.push(flight.subarray(at, next))
          at = next
        }
        return parts
      })
      expect(client.info).toBeDefined()
      expect(server.info).toBeDefined()
    }
  })
})
