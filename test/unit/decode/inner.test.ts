/**
 * What is inside data packets, by its bytes alone; and control packets in the wrong order.
 */
import { describe, expect, it } from 'vitest'
import { concat } from '../../../src/bytes/index.ts'
import { arpRequest, EtherType, PING_PAYLOAD, writeEthernet, writeOcc } from '../../../src/data/index.ts'
import { decodeCapture, DecodeKeys, type DecodedPacket } from '../../../src/decode/index.ts'
import { innerView } from '../../../src/decode/inner.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { CAPTURE_ENDS, type CapturedDatagram, writeCapture, writeLinkFrame } from '../../support/capture.ts'
import { capturedRun } from '../../support/captured-pair.ts'

const { client, client6, server, server6 } = CAPTURE_ENDS
const udp = writeLinkFrame({ from: client, to: server, payload: new Uint8Array(5), time: 0 }, 'raw')
const tcp = writeLinkFrame(
  { from: client6, to: server6, payload: new Uint8Array(0), time: 0, sequence: 7, flags: 2 },
  'raw',
)
const UDP_TEXT = 'IPv4 192.0.2.2 > 192.0.2.1 UDP 40000 > 1194, 33 bytes'

describe('inside a data packet', () => {
  it('DEC-60 IP packets by addresses and ports', () => {
    expect(innerView(udp)).toEqual({ kind: 'packet', summary: UDP_TEXT })
    expect(innerView(tcp).summary).toBe('IPv6 fd00::2 > fd00::1 TCP 40000 > 1194 SYN, 60 bytes')
    expect(innerView(PING_PAYLOAD).kind).toBe('ping')
    expect(innerView(writeOcc({ type: 'exit' })).summary).toBe('OCC exit')
    expect(innerView(new Uint8Array(0)).kind).toBe('empty')
    expect(innerView(udp.subarray(1)).kind).not.toBe('packet')
  })

  it('DEC-61 compression framing', () => {
    const swapped = concat(Uint8Array.of(0xfb), udp.subarray(1), udp.subarray(0, 1))
    for (const framed of [concat(Uint8Array.of(0xfa), udp), swapped, concat(Uint8Array.of(0x50, 0), udp)]) {
      expect(innerView(framed).summary).toBe(UDP_TEXT)
    }
    expect(innerView(concat(Uint8Array.of(0x66), udp.subarray(3))).kind).toBe('compressed')
    expect(innerView(concat(Uint8Array.of(0x50, 1), udp.subarray(3))).kind).toBe('compressed')
  })

  it('DEC-62 fragment headers', () => {
    expect(innerView(concat(new Uint8Array(4), udp)).summary).toBe(UDP_TEXT)
    expect(innerView(concat(Uint8Array.of(0xfa), new Uint8Array(4), udp)).summary).toBe(UDP_TEXT)
    expect(innerView(concat(Uint8Array.of(0x80, 0, 0, 1), udp.subarray(10))).kind).toBe('fragment')
  })

  it('DEC-63 Ethernet frames', () => {
    const [a, b] = [Uint8Array.of(2, 0, 0, 0, 0, 1), Uint8Array.of(2, 0, 0, 0, 0, 2)]
    const frame = writeEthernet(b, a, EtherType.IPV4, concat(udp, new Uint8Array(13)))
    expect(innerView(frame).summary).toBe(`02:00:00:00:00:01 > 02:00:00:00:00:02 ${UDP_TEXT}`)
    expect(innerView(arpRequest(a, Uint8Array.of(10, 0, 0, 1), Uint8Array.of(10, 0, 0, 2))).summary).toBe(
      'ARP who has 10.0.0.2, tell 10.0.0.1',
    )
  })
})

describe('order', () => {
  const run = capturedRun({ wrap: 'tls-auth', renegotiations: 2 })
  const decode = (datagrams: readonly CapturedDatagram[]): readonly DecodedPacket[] =>
    decodeCapture(writeCapture(datagrams), { crypto: nodeCrypto, keys: { keyLogs: [run.keyLog] } })?.packets ?? []
  const names = (packets: readonly DecodedPacket[], sender: string): readonly string[] =>
    packets
      .filter((packet) => packet.sender === sender)
      .flatMap(({ said }) => said.map((item) => ('name' in item ? item.name : item.type)))
  const straight = decode(run.datagrams)

  it('DEC-50 DEC-52 what is captured twice is said once, through every negotiation', () => {
    const packets = decode(run.datagrams.flatMap((datagram) => [datagram, datagram]))
    for (const sender of ['client', 'server']) expect(names(packets, sender)).toEqual(names(straight, sender))
    expect(names(packets, 'client').filter((name) => name === 'ClientHello')).toHaveLength(3)
    const repeated = packets.filter(({ control }) => control?.fields?.repeated === true)
    const messages = straight.filter(({ control }) => control?.fields?.packetId !== undefined)
    expect(repeated).toHaveLength(messages.length)
  })

  it('DEC-51 packets that come early wait', () => {
    const datagrams = [...run.datagrams]
    // The two halves of the first ClientHello, and of the answer.
    for (const at of [2, 5]) [datagrams[at], datagrams[at + 1]] = [datagrams[at + 1]!, datagrams[at]!]
    const packets = decode(datagrams)
    for (const sender of ['client', 'server']) expect(names(packets, sender)).toEqual(names(straight, sender))
  })

  it('DEC-71 a client whose address changes is followed', () => {
    const half = Math.floor(run.datagrams.length / 2)
    const moved = run.datagrams.map((datagram, index) => {
      const move = <T extends { readonly port: number }>(end: T): T =>
        index > half && end.port === 40_000 ? { ...end, port: 40_001 } : end
      return { ...datagram, from: move(datagram.from), to: move(datagram.to) }
    })
    const packets = decode(moved)
    for (const sender of ['client', 'server']) expect(names(packets, sender)).toEqual(names(straight, sender))
    expect(new Set(packets.map(({ flow }) => flow)).size).toBe(2)
  })
})

describe('keys', () => {
  it('DEC-31 a tls-auth key of one half opens without a direction', () => {
    const half = Array.from({ length: 8 }, (_, line) => `${line}`.repeat(32)).join('\n')
    const text = `-----BEGIN OpenVPN Static key V1-----\n${half}\n-----END OpenVPN Static key V1-----`
    expect(new DecodeKeys({ tlsAuth: [{ text }] }, nodeCrypto).wraps).toHaveLength(6)
    expect(new DecodeKeys({ tlsAuth: [{ text, digest: 'SHA256' }] }, nodeCrypto).wraps).toHaveLength(1)
  })

  it('DEC-33 lines that make no sense are passed over', () => {
    const run = capturedRun({ renegotiations: 0 })
    const noise =
      'hello\nOPENVPN_DATA_KEYS\nOPENVPN_DATA_KEYS a b c d e f g\nOPENVPN_CONTROL_KEY 1 2 3\nCLIENT_RANDOM 1 2'
    const keys = new DecodeKeys({ keyLogs: [noise, `${noise}\r\n${run.keyLog}\r\n`] }, nodeCrypto)
    expect(keys.dataKeys(0)).toHaveLength(1)
    const cipher = run.keyLog.replaceAll(/AES-256-GCM|CHACHA20-POLY1305/g, 'ROT-13')
    expect(new DecodeKeys({ keyLogs: [cipher] }, nodeCrypto).dataKeys(0)).toHaveLength(0)
  })
})
