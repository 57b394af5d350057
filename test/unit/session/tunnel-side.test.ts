import { describe, expect, it } from 'vitest'
import { FUTURE_EPOCHS, internetChecksum, ipVersion } from '../../../src/data/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import type { Session } from '../../../src/session/index.ts'
import { connectPair, ipPacket, type Pair } from '../../support/pair.ts'

const crypto = nodeCrypto

/** An IPv6 packet between two unicast addresses, UDP inside. */
function ipv6Packet(length: number): Uint8Array {
  const packet = new Uint8Array(length)
  packet.set([0x60, 0, 0, 0, (length - 40) >> 8, (length - 40) & 255, 17, 64])
  packet.set([0xfd, 0, 0, 8], 8)
  packet[23] = 2
  packet.set([0xfd, 0, 0, 9], 24)
  packet[39] = 1
  return packet
}

/** An IPv4 packet with "don't fragment". */
function rigidPacket(length: number): Uint8Array {
  const packet = ipPacket(1, length)
  packet[6] = 0x40
  packet.set([10, 8, 0, 2], 12)
  packet.set([10, 9, 0, 1], 16)
  return packet
}

/** The packets that a session has for its tunnel side. */
function packetsOf(session: Session): Uint8Array[] {
  const packets: Uint8Array[] = []
  for (let output = session.poll(); output !== undefined; output = session.poll()) {
    if (output.type === 'packet') packets.push(output.data)
  }
  return packets
}

/** What the client's own tunnel side gets back for a packet it sends. */
function answers(pair: Pair, packet: Uint8Array): Uint8Array[] {
  expect(pair.client.session.send(packet, pair.now)).toBe(false)
  return packetsOf(pair.client.session)
}

describe('answers towards the tunnel side', () => {
  it('SESS-78 IPv6 under block-ipv6 is answered with "no route"', () => {
    const pair = connectPair({
      crypto,
      server: { push: { options: ['block-ipv6'], ifconfig: '10.8.0.2 255.255.255.0' } },
    })
    const [answer] = answers(pair, ipv6Packet(100))
    expect(ipVersion(answer!, 0, answer!.length)).toBe(6)
    expect([answer![6], answer![40], answer![41]]).toEqual([58, 1, 0])
    expect(pair.client.session.stats.dropped['ipv6-blocked']).toBe(1)
    expect(pair.client.session.stats.packetsReceived).toBe(0)
    expect(pair.server.packets).toEqual([])
  })

  it('SESS-78 a packet that is too large is answered only where the host wants it', () => {
    const silent = connectPair({ crypto })
    expect(answers(silent, rigidPacket(5_000))).toEqual([])
    const pair = connectPair({ crypto, client: { answerTooLarge: true } })
    const [answer] = answers(pair, rigidPacket(5_000))
    expect([answer![9], answer![20], answer![21]]).toEqual([1, 3, 4])
    expect((answer![26]! << 8) | answer![27]!).toBe(1500)
    expect(internetChecksum(answer!, 20, answer!.length)).toBe(0)
    const [answer6] = answers(pair, ipv6Packet(5_000))
    expect([answer6![6], answer6![40], answer6![47]]).toEqual([58, 2, 1500 & 255])
    expect(answers(pair, ipPacket(1, 5_000))).toEqual([])
    expect(pair.client.session.stats.dropped['packet-too-large']).toBe(3)
  })
})

describe('epochs under a small limit', () => {
  it('DATA-28 a sender goes through many epochs under traffic and nothing is lost', () => {
    const pair = connectPair({ crypto, client: { counterStart: { usageLimit: 64 } } })
    const [event] = pair.events(pair.client, 'connected')
    expect(event?.negotiated.dataFormat).toBe('epoch')
    const count = 400
    const epochs = new Set<number>()
    for (let i = 0; i < count; i++) {
      const { session } = pair.client
      const buffer = new Uint8Array(session.headroom + 100 + session.tailroom)
      buffer.set(ipPacket(i, 100), session.headroom)
      const length = session.seal(buffer, session.headroom, 100, pair.now)
      const datagram = buffer.slice(session.resultOffset, session.resultOffset + length)
      epochs.add((datagram[4]! << 8) | datagram[5]!)
      pair.server.session.receive(datagram, pair.now)
    }
    expect(packetsOf(pair.server.session)).toHaveLength(count)
    expect(epochs.size).toBeGreaterThan(FUTURE_EPOCHS * 2)
  })
})
