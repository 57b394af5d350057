import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../src/bytes/index.ts'
import {
  arpAnswer,
  arpRequest,
  clampMss,
  clampMssEthernet,
  dataLayout,
  defaultMssfix,
  ETHERNET_BROADCAST,
  EtherType,
  fragmentLimit,
  internetChecksum,
  ipDestination,
  ipSource,
  ipv6UnreachableAnswer,
  ipVersion,
  mssLimit,
  neighbourAnswer,
  neighbourSolicitation,
  outerOverhead,
  packetTooBigAnswer,
  parseArp,
  parseEthernet,
  parseNeighbour,
  pseudoHeaderSum,
  readU16,
  sumWords,
  transportOverhead,
  writeEthernet,
  writeU16,
} from '../../../src/data/index.ts'
import { ipv4Packet, ipv6Packet } from '../../support/data.ts'
import { SeededRandom } from '../../support/random.ts'

const hex = (text: string): Uint8Array => fromHex(text.replaceAll(' ', ''))!
const MSS = [2, 4, 5, 180]

/** A TCP packet with the given options; checksum over what it is. */
function tcp(version: 4 | 6, options: readonly number[], flags = 2): Uint8Array {
  const header = version === 4 ? 20 : 40
  const packet = version === 4 ? ipv4Packet(header + 20 + options.length) : ipv6Packet(header + 20 + options.length, 6)
  if (version === 4) packet[9] = 6
  packet.fill(0, header)
  packet[header + 12] = (20 + options.length) << 2
  packet[header + 13] = flags
  packet.set(options, header + 20)
  writeU16(packet, header + 16, tcpSum(packet, version))
  return packet
}

function tcpSum(packet: Uint8Array, version: 4 | 6): number {
  const start = version === 4 ? 20 : 40
  const addresses = version === 4 ? sumWords(packet, 12, 20) : sumWords(packet, 8, 40)
  return internetChecksum(packet, start, packet.length, addresses + 6 + packet.length - start)
}

describe('IP packets', () => {
  it('MSS-1 versions count only with a whole header', () => {
    const v4 = ipv4Packet(20)
    const v6 = ipv6Packet(40)
    expect([ipVersion(v4, 0, 20), ipVersion(v6, 0, 40)]).toEqual([4, 6])
    expect([ipVersion(v4, 0, 19), ipVersion(v6, 0, 39), ipVersion(v4, 0, 0)]).toEqual([0, 0, 0])
    for (let first = 0; first < 256; first++) {
      v4[0] = first
      const right = first >> 4 === 4 && (first & 15) === 5
      expect(ipVersion(v4, 0, 20), first.toString(16)).toBe(right ? 4 : 0)
    }
    expect([toHex(ipSource(ipv4Packet(30))!), toHex(ipDestination(ipv4Packet(30))!)]).toEqual(['0a000001', '0a000002'])
    expect(toHex(ipSource(v6)!)).toBe('20010db8000000000000000000000001')
    expect(toHex(ipDestination(v6)!)).toBe('20010db8000000000000000000000002')
    expect(ipSource(new Uint8Array(40)) ?? ipDestination(new Uint8Array(40))).toBeUndefined()
  })
})

describe('mssfix', () => {
  it('MSS-2 MSS-3 lowers SYN and SYN-ACK, 20 more in IPv6, and leaves the rest', () => {
    for (const version of [4, 6] as const) {
      const at = version === 4 ? 42 : 62
      for (let flags = 0; flags < 256; flags++) {
        const packet = tcp(version, MSS, flags)
        const changed = clampMss(packet, 0, packet.length, 1200)
        expect(changed).toBe((flags & 2) !== 0)
        expect(readU16(packet, at)).toBe(changed ? (version === 4 ? 1200 : 1180) : 1460)
        expect(tcpSum(packet, version)).toBe(0)
      }
      const low = tcp(version, [2, 4, 2, 0])
      expect(clampMss(low, 0, low.length, 1200)).toBe(false)
    }
  })

  it('MSS-4 later fragments and other protocols are not looked into', () => {
    for (const [at, value] of [
      [7, 1],
      [6, 0x20 | 1],
      [9, 17],
    ] as const) {
      const packet = tcp(4, MSS)
      packet[at] = value
      expect(clampMss(packet, 0, packet.length, 1200)).toBe(false)
    }
    const first = tcp(4, MSS)
    first[6] = 0x20
    expect(clampMss(first, 0, first.length, 1200)).toBe(true)
    const extended = tcp(6, MSS)
    extended[6] = 0
    expect(clampMss(extended, 0, extended.length, 1200)).toBe(false)
  })

  it('MSS-5 malformed options end the search', () => {
    const broken = [
      [3, 0, ...MSS, 0, 0],
      [3, 1, ...MSS, 0, 0],
      [3, 9, ...MSS, 0, 0],
      [0, 1, ...MSS, 1, 1],
      [1, 1, 1, 3],
      [2, 3, 5, 180],
      [2, 6, 5, 180, 0, 0, 1, 1],
    ]
    for (const options of broken) {
      const packet = tcp(4, options)
      const before = packet.slice()
      expect(clampMss(packet, 0, packet.length, 1200), options.join()).toBe(false)
      expect(packet).toEqual(before)
    }
    expect(broken.length).toBe(7)
    for (const options of [
      [1, 1, 2, 4],
      [1, 1, 1, 2],
    ]) {
      const packet = tcp(4, options)
      const longer = Uint8Array.of(...packet, 255, 255, 255, 255)
      expect(clampMss(longer, 0, longer.length, 1200), 'a value behind the header').toBe(false)
    }
  })

  it('MSS-5 reads and writes nothing outside the packet, whatever its header says', () => {
    const random = new SeededRandom('mss')
    let changed = 0
    for (let i = 0; i < 20_000; i++) {
      const packet = tcp(random.pick([4, 6] as const), [...random.shuffle([[1], MSS, [3, 3, 7], [4, 2]]).flat(), 1, 1])
      for (let flip = random.below(3); flip > 0; flip--) packet[random.below(packet.length)] = random.below(256)
      const length = random.chance(0.3) ? random.below(packet.length) : packet.length
      const buffer = new Uint8Array(packet.length + 20).fill(0xee)
      buffer.set(packet.subarray(0, length), 10)
      if (clampMss(buffer, 10, length, 1000)) changed++
      expect(buffer.subarray(0, 10).every((byte) => byte === 0xee)).toBe(true)
      expect(buffer.subarray(10 + length).every((byte) => byte === 0xee)).toBe(true)
    }
    expect(changed).toBeGreaterThan(5000)
  })

  it('MSS-6 the checksum follows at even and odd places, for all values, and stays wrong when it was', () => {
    const random = new SeededRandom('sum')
    for (let i = 0; i < 5000; i++) {
      const value = random.int(101, 65535)
      const limit = random.int(100, value - 1)
      const options = [[2, 4, value >> 8, value & 255], [4, 2], [1], [3, 3, random.below(256)]]
      const list = random.shuffle(options).flat()
      while (list.length % 4 !== 0) list.push(1)
      const packet = tcp(4, list)
      const off = random.pick([0, 0, 1])
      writeU16(packet, 36, readU16(packet, 36) ^ off)
      expect(clampMss(packet, 0, packet.length, limit)).toBe(true)
      const sum = tcpSum(packet, 4)
      expect(sum === 0 || sum === 0xffff).toBe(off === 0)
    }
  })

  it('MSS-7 looks behind Ethernet headers and one VLAN tag', () => {
    const packet = tcp(4, MSS)
    const mac = new Uint8Array(6)
    const plain = writeEthernet(mac, mac, EtherType.IPV4, packet)
    expect(clampMssEthernet(plain, 0, plain.length, 1200)).toBe(true)
    const tagged = writeEthernet(mac, mac, EtherType.VLAN, Uint8Array.of(0, 5, 8, 0, ...packet))
    expect(clampMssEthernet(tagged, 0, tagged.length, 1200)).toBe(true)
    expect(readU16(tagged, 18 + 42)).toBe(1200)
    for (const length of [0, 13, 14, 20, 17]) expect(clampMssEthernet(tagged, 0, length, 1200)).toBe(false)
    const arp = arpRequest(mac, new Uint8Array(4), new Uint8Array(4))
    expect(clampMssEthernet(arp, 0, arp.length, 1200)).toBe(false)
  })

  it('MSS-8 MSS-9 what each thing around and inside costs', () => {
    const udp4 = { transport: 'udp', family: 4 } as const
    const inner = { compression: 0, fragment: false, tap: false }
    const gcm = dataLayout({ cipher: 'AES-256-GCM', peerId: true })
    const limit = (sense: 'datagram' | 'mtu' | 'fixed', outer = {}, more = {}): number =>
      mssLimit({ size: 1400, sense }, gcm, { ...udp4, ...outer }, { ...inner, ...more })
    expect(limit('datagram')).toBe(1400 - 24 - 40)
    expect(limit('mtu')).toBe(1400 - 28 - 24 - 40)
    expect(limit('mtu', { family: 6 })).toBe(1400 - 48 - 24 - 40)
    expect(limit('mtu', { transport: 'tcp' })).toBe(1400 - 40 - 2 - 24 - 40)
    expect(limit('datagram', { socks: true })).toBe(1400 - 10 - 24 - 40)
    expect(limit('datagram', {}, { compression: 1 })).toBe(1400 - 24 - 1 - 40)
    expect(limit('datagram', {}, { fragment: true, tap: true })).toBe(1400 - 24 - 4 - 14 - 40)
    expect(limit('fixed', { family: 6 }, { tap: true })).toBe(1360)
    expect([outerOverhead(udp4), transportOverhead(udp4)]).toEqual([28, 0])
    expect(fragmentLimit(1200, false, gcm, udp4)).toBe(1200 - 24 - 4)
  })

  it('MSS-10 defaults', () => {
    expect(defaultMssfix(1500)).toEqual({ size: 1492, sense: 'mtu' })
    expect(defaultMssfix(1400)).toEqual({ size: 1400, sense: 'fixed' })
  })

  it('MSS-2 limits of nothing change nothing', () => {
    for (const limit of [0, -5, 20]) {
      const packet = tcp(6, MSS)
      expect(clampMss(packet, 0, packet.length, limit)).toBe(false)
    }
  })
})

describe('ICMP answers', () => {
  const big = (fill = 0x61): Uint8Array => ipv4Packet(1500, fill)

  it('MSS-11 fragmentation needed', () => {
    const answer = packetTooBigAnswer(big(), 1400)!
    expect(ipVersion(answer, 0, answer.length)).toBe(4)
    expect(answer.length).toBe(20 + 8 + 28)
    expect(internetChecksum(answer, 0, 20)).toBe(0)
    expect(internetChecksum(answer, 20, answer.length)).toBe(0)
    expect([...answer.slice(20, 22), readU16(answer, 26)]).toEqual([3, 4, 1400])
    expect([...answer.slice(12, 20)]).toEqual([10, 0, 0, 2, 10, 0, 0, 1])
    expect(answer.slice(28)).toEqual(big().slice(0, 28))
    expect([...packetTooBigAnswer(big(), 1400, Uint8Array.of(10, 0, 0, 9))!.slice(12, 16)]).toEqual([10, 0, 0, 9])
    expect(packetTooBigAnswer(big(), 1500)).toBeUndefined()
    const mayFragment = big()
    mayFragment[6] = 0
    expect(packetTooBigAnswer(mayFragment, 1400)).toBeUndefined()
  })

  it('MSS-12 packet too big; MSS-13 unreachable', () => {
    const packet = ipv6Packet(1500)
    for (const [answer, head] of [
      [packetTooBigAnswer(packet, 1400)!, [2, 0]],
      [ipv6UnreachableAnswer(packet)!, [1, 0]],
    ] as const) {
      expect(answer.length).toBe(1280)
      expect([...answer.slice(40, 42)]).toEqual(head)
      expect(internetChecksum(answer, 40, answer.length, pseudoHeaderSum(answer, answer.length - 40))).toBe(0)
      expect(answer.slice(8, 24)).toEqual(packet.slice(24, 40))
      expect(answer.slice(24, 40)).toEqual(packet.slice(8, 24))
      expect(answer.slice(48)).toEqual(packet.slice(0, 1232))
    }
    expect(readU16(packetTooBigAnswer(packet, 1400)!, 46)).toBe(1400)
    expect(ipv6UnreachableAnswer(big())).toBeUndefined()
    expect(ipv6UnreachableAnswer(ipv6Packet(60))!.length).toBe(40 + 8 + 60)
  })

  it('MSS-14 nothing to errors, multicast, unspecified, later fragments, or what is no packet', () => {
    const change = (packet: Uint8Array, at: number, ...values: number[]): Uint8Array => {
      packet.set(values, at)
      return packet
    }
    const refused = [
      change(change(big(), 9, 1), 20, 3),
      change(change(big(), 9, 1), 20, 11),
      change(big(), 16, 224, 0, 0, 5),
      change(big(), 16, 255, 255, 255, 255),
      change(big(), 12, 0, 0, 0, 0),
      change(big(), 6, 0x40, 1),
      change(ipv6Packet(1500, 58), 40, 1),
      change(ipv6Packet(1500), 24, 0xff, 2),
      change(ipv6Packet(1500), 8, 0xff, 2),
      change(ipv6Packet(1500), 8, ...new Uint8Array(16)),
      new Uint8Array(1500),
    ]
    for (const packet of refused) {
      expect(packetTooBigAnswer(packet, 1400)).toBeUndefined()
      expect(ipv6UnreachableAnswer(packet)).toBeUndefined()
    }
    expect(packetTooBigAnswer(change(change(big(), 9, 1), 20, 8), 1400)).toBeDefined()
    expect(packetTooBigAnswer(change(ipv6Packet(1500, 58), 40, 128), 1400)).toBeDefined()
  })
})

describe('Ethernet', () => {
  const ours = hex('02 00 00 00 00 01')
  const theirs = hex('02 00 00 00 00 02')
  const ip = Uint8Array.of(10, 8, 0, 2)

  it('MSS-15 answers ARP requests for its address, and only those', () => {
    const request = arpRequest(theirs, Uint8Array.of(10, 8, 0, 1), ip)
    expect(request.length).toBe(42)
    expect(parseEthernet(request)).toMatchObject({ destination: ETHERNET_BROADCAST, source: theirs, vlan: undefined })
    const answer = arpAnswer(request, ours, ip)!
    expect(parseArp(answer)).toEqual({
      operation: 'reply',
      senderMac: ours,
      senderIp: ip,
      targetMac: theirs,
      targetIp: Uint8Array.of(10, 8, 0, 1),
    })
    expect(toHex(answer.slice(0, 22))).toBe('0200000000020200000000010806' + '0001080006040002')
    expect(arpAnswer(request, ours, Uint8Array.of(10, 8, 0, 3))).toBeUndefined()
    expect(arpAnswer(answer, ours, Uint8Array.of(10, 8, 0, 1))).toBeUndefined()
    for (let length = 0; length < request.length; length++) {
      expect(arpAnswer(request.subarray(0, length), ours, ip)).toBeUndefined()
    }
    for (const at of [12, 14, 16, 18, 19, 20]) {
      const wrong = request.slice()
      wrong[at]! ^= 0x40
      expect(arpAnswer(wrong, ours, ip)).toBeUndefined()
    }
  })

  it('MSS-16 asks and answers neighbour solicitations', () => {
    const own = hex('fd00 0000 0000 0000 0000 0000 0012 3456')
    const asker = hex('fd00 0000 0000 0000 0000 0000 0000 0001')
    const question = neighbourSolicitation(theirs, asker, own)
    expect(toHex(question.slice(0, 6))).toBe('3333ff123456')
    expect(toHex(question.slice(14 + 24, 14 + 40))).toBe('ff0200000000000000000001ff123456')
    expect(parseNeighbour(question)).toEqual({ kind: 'solicitation', source: asker, target: own, mac: theirs })
    const answer = neighbourAnswer(question, ours, own)!
    expect(parseNeighbour(answer)).toEqual({ kind: 'advertisement', source: own, target: own, mac: ours })
    expect(answer.slice(0, 6)).toEqual(theirs)
    expect(neighbourAnswer(question, ours, asker)).toBeUndefined()
    expect(neighbourAnswer(answer, ours, own)).toBeUndefined()
    for (let at = 14 + 4; at < question.length; at++) {
      const wrong = question.slice()
      wrong[at]! ^= 0x10
      expect(parseNeighbour(wrong), `byte ${at}`).toBeUndefined()
    }
    for (let length = 0; length < question.length; length++) {
      expect(parseNeighbour(question.subarray(0, length))).toBeUndefined()
    }
  })
})
