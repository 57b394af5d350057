/**
 * The look at a packet's way: it changes nothing, sees the parts that are in use, and keeps no key that is not.
 */
import { describe, expect, it } from 'vitest'
import type { DataChannel } from '../../../src/data/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import type { Negotiated } from '../../../src/session/index.ts'
import { DataKey, KeyRing } from '../../../src/session/key-ring.ts'
import { PacketPath } from '../../../src/session/packet-path.ts'
import { connectPair, ipPacket } from '../../support/pair.ts'

/** Something on the way that counts looks. */
function watched(): { looks: number; touch(): number } {
  return {
    looks: 0,
    touch() {
      this.looks++
      return 0
    },
  }
}

const keyWith = (keyId: number): { readonly key: DataKey; readonly channel: ReturnType<typeof watched> } => {
  const channel = watched()
  return { channel, key: new DataKey(channel as unknown as DataChannel, { keyId } as Negotiated, 0, 0) }
}

describe('PacketPath', () => {
  it.each([
    ['AES-256-GCM', undefined],
    ['AES-256-GCM', 3],
    ['CHACHA20-POLY1305', 3],
    ['AES-256-CBC', 3],
  ] as const)('SESS-79 a look changes nothing of a session with %s and peer-id %s', (cipher, peerId) => {
    const pair = connectPair({
      crypto: nodeCrypto,
      client: { dataCiphers: [cipher] },
      server: { dataCiphers: [cipher], push: { options: [], ...(peerId === undefined ? {} : { peerId }) } },
    })
    for (let i = 0; i < 5; i++) pair.send(pair.client, ipPacket(i))
    pair.wait(1000)
    for (const { session } of [pair.client, pair.server]) {
      const before = [session.digest(), structuredClone(session.stats)]
      expect(session.path.touchToOpen()).toBeTypeOf('number')
      expect(session.path.touchToSeal()).toBeTypeOf('number')
      expect([session.digest(), session.stats]).toEqual(before)
      expect(session.poll()).toBeUndefined()
    }
    pair.send(pair.client, ipPacket(9))
    pair.wait(1000)
    expect(pair.server.packets).toHaveLength(6)
  })

  it('SESS-79 the newest key is on it, and none when there is none', () => {
    const path = new PacketPath()
    const ring = new KeyRing(path)
    const [first, second, third, other] = [keyWith(0), keyWith(1), keyWith(2), keyWith(3)]
    const all = [first, second, third, other]
    const looks = (): number[] => {
      for (const { channel } of all) channel.looks = 0
      path.touchToOpen()
      path.touchToSeal()
      return all.map(({ channel }) => channel.looks / 2)
    }
    expect(looks()).toEqual([0, 0, 0, 0])
    ring.replaceAll(first.key)
    expect(looks()).toEqual([1, 0, 0, 0])
    ring.install(second.key)
    expect(looks()).toEqual([0, 1, 0, 0])
    ring.restore(third.key, second.key, true)
    expect(looks()).toEqual([0, 0, 1, 0])
    ring.replaceAll(other.key)
    expect(looks()).toEqual([0, 0, 0, 1])
    other.key.dieAt = 10
    ring.expire(10)
    expect(looks()).toEqual([0, 0, 0, 0])
  })

  it('SESS-79 what an epoch brings is on it, and what the last one had is not', () => {
    const server = { push: { options: [], peerId: 0 } }
    const pair = connectPair({ crypto: nodeCrypto, client: { counterStart: { usageLimit: 64 } }, server })
    const seen = { client: new Set<unknown>(), server: new Set<unknown>() }
    for (let i = 0; i < 30; i++) {
      pair.send(pair.client, ipPacket(i, 100))
      pair.wait(100)
      for (const end of ['client', 'server'] as const) {
        const { parts } = pair.side(end).session.path
        seen[end].add(parts?.opener)
        seen[end].add(parts?.sealer)
      }
    }
    expect(seen.client.size).toBeGreaterThan(4)
    expect(seen.server.size).toBeGreaterThan(4)
  })

  it('SESS-79 every part of a session is on it', () => {
    const pair = connectPair({ crypto: nodeCrypto })
    const { path } = pair.server.session
    const parts = [path.conversation, path.tunnel, path.pipeline, path.keys]
    expect(new Set(parts.map((value) => value.constructor.name)).size).toBe(4)
    expect(parts.map((value) => value.constructor.name)).not.toContain('Object')
  })
})
