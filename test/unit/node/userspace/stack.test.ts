/**
 * The stack and its codecs: what is let in, and what is not; names.
 */
import { describe, expect, it } from 'vitest'
import { readAnswer, RECORD, writeQuestion } from '../../../../src/node/userspace/dns.ts'
import { FLAG, readIp, readTcp, readUdp, writeIp, writeTcp, writeUdp } from '../../../../src/node/userspace/packet.ts'
import { Stack, type TcpNews } from '../../../../src/node/userspace/stack.ts'
import { SeededRandom } from '../../../support/random.ts'

const OWN = Uint8Array.of(10, 8, 0, 2)
const PEER = Uint8Array.of(10, 8, 0, 1)
const OWN6 = Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? 0xfd : i))
const PEER6 = Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? 0xfd : 16 - i))

function start(): { stack: Stack; sent: Uint8Array[] } {
  const random = new SeededRandom(1)
  const sent: Uint8Array[] = []
  const stack = new Stack(
    (length) => random.bytes(length),
    (packet) => sent.push(packet),
  )
  stack.configure({ ipv4: OWN, ipv6: OWN6, mtu: 1400 })
  return { stack, sent }
}

describe.each([
  ['IPv4', OWN, PEER, 1360],
  ['IPv6', OWN6, PEER6, 1340],
])('the stack over %s', (_name, own, peer, mss) => {
  it('NODE-28 a forged answer changes nothing: each bit of it flipped, other addresses, other ports', () => {
    const { stack, sent } = start()
    const heard: TcpNews[] = []
    stack.connect(peer, 80, 0, (news) => heard.push(news))
    const syn = readTcp(readIp(sent[0]!)!)!
    expect(syn).toMatchObject({ destinationPort: 80, content: { flags: FLAG.syn, mss } })
    const content = {
      seq: 1,
      ack: syn.content.seq + 1,
      flags: FLAG.syn | FLAG.ack,
      window: 9,
      payload: new Uint8Array(),
    }
    const ports = { sourcePort: 80, destinationPort: syn.sourcePort }
    const answer = writeIp(writeTcp({ ...ports, content }, peer, own), 1)
    let forged = 0
    // Behind the first word of the header, where version and lengths say what the packet is.
    for (let bit = 32; bit < answer.length * 8; bit++) {
      // Traffic class, flow label and hop limit of IPv6 are not protected by any checksum, and mean nothing.
      if (own.length === 16 && bit >> 3 === 7) continue
      const copy = answer.slice()
      copy[bit >> 3] = copy[bit >> 3]! ^ (0x80 >> (bit & 7))
      stack.receive(copy, 1)
      forged++
    }
    for (const ports of [
      { sourcePort: 81, destinationPort: syn.sourcePort },
      { sourcePort: 80, destinationPort: syn.sourcePort ^ 1 },
    ]) {
      stack.receive(writeIp(writeTcp({ ...ports, content }, peer, own), 1), 1)
      forged++
    }
    expect(forged).toBeGreaterThan(280)
    expect(heard).toEqual([])
    stack.receive(answer, 1)
    expect(heard).toEqual([{ type: 'connected' }])
  })

  it('NODE-28 only who was asked answers, and only until the question is forgotten', () => {
    const { stack, sent } = start()
    const heard: number[] = []
    const question = stack.ask(peer, 53, Uint8Array.of(1), (answer) => heard.push(answer[0]!))!
    const asked = readUdp(readIp(sent[0]!)!)!
    expect(asked).toMatchObject({ sourcePort: question, destinationPort: 53 })
    const reply = (from: Uint8Array, sourcePort: number, value: number): Uint8Array => {
      const content = Uint8Array.of(value)
      return writeIp(writeUdp({ sourcePort, destinationPort: question, content }, from, own), 1)
    }
    const stranger = peer.map((byte) => byte ^ 1)
    stack.receive(reply(stranger, 53, 2), 1)
    stack.receive(reply(peer, 54, 3), 1)
    const damaged = reply(peer, 53, 4)
    damaged[damaged.length - 1] = 5
    stack.receive(damaged, 1)
    stack.receive(reply(peer, 53, 6), 1)
    stack.forget(question)
    stack.receive(reply(peer, 53, 7), 1)
    expect(heard).toEqual([6])
  })
})

describe('the stack', () => {
  it('NODE-28 does not read fragments, and survives anything', () => {
    const { stack, sent } = start()
    stack.ask(PEER, 53, Uint8Array.of(1), () => {
      throw new Error('heard')
    })
    const random = new SeededRandom(7)
    for (let i = 0; i < 20_000; i++) {
      const packet = i % 2 === 0 ? random.bytes(Math.floor(random.float() * 80)) : sent[0]!.slice()
      if (i % 2 === 1) packet[Math.floor(random.float() * packet.length)] = Math.floor(random.float() * 256)
      if (packet.length > 0 && i % 4 === 0) packet[0] = random.float() < 0.5 ? 0x45 : 0x60
      stack.receive(packet, 1)
    }
    expect(stack.size).toBe(0)
  })

  it('ends connections whose address went away', () => {
    const { stack } = start()
    const heard: TcpNews[] = []
    stack.connect(PEER, 80, 0, (news) => heard.push(news))
    stack.configure({ ipv4: OWN, ipv6: undefined, mtu: 1400 })
    expect(heard).toEqual([])
    stack.configure({ ipv4: PEER, ipv6: undefined, mtu: 1400 })
    expect(heard).toEqual([{ type: 'closed', reason: 'aborted' }])
    expect(stack.size).toBe(0)
  })
})

describe('questions for names', () => {
  const question = writeQuestion(0x1234, 'www.example.org', RECORD.a)!
  const record = (type: number, data: readonly number[]): number[] => [
    0xc0,
    12,
    0,
    type,
    0,
    1,
    0,
    0,
    0,
    9,
    0,
    data.length,
    ...data,
  ]
  const answer = (...records: readonly number[][]): Uint8Array => {
    const message = Uint8Array.from([...question, ...records.flat()])
    message.set([0x81, 0x80], 2)
    message[7] = records.length
    return message
  }

  it('reads addresses behind aliases, whatever the case of the name', () => {
    const full = answer(record(5, [1, 97, 0]), record(RECORD.a, [10, 0, 0, 1]), record(RECORD.a, [10, 0, 0, 2]))
    full[13] = 0x57
    expect(readAnswer(full, question)?.map((address) => [...address])).toEqual([
      [10, 0, 0, 1],
      [10, 0, 0, 2],
    ])
    expect(readAnswer(answer(), question)).toEqual([])
  })

  it('NODE-28 refuses what answers another question', () => {
    const other = writeQuestion(0x1234, 'www.example.com', RECORD.a)!
    const id = writeQuestion(0x1235, 'www.example.org', RECORD.a)!
    const kind = writeQuestion(0x1234, 'www.example.org', RECORD.aaaa)!
    for (const asked of [other, id, kind])
      expect(readAnswer(answer(record(RECORD.a, [1, 2, 3, 4])), asked)).toBeUndefined()
    expect(readAnswer(question, question)).toBeUndefined()
    const full = answer(record(RECORD.a, [1, 2, 3, 4]))
    for (let length = 0; length < full.length; length++) {
      const found = readAnswer(full.slice(0, length), question)
      expect(found === undefined || found.length === 0).toBe(true)
    }
  })

  it('makes none for what is no name', () => {
    for (const name of ['', '.', 'a..b', 'a'.repeat(64), `${'a.'.repeat(130)}b`]) {
      expect(writeQuestion(1, name, RECORD.a)).toBeUndefined()
    }
  })
})
