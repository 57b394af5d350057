/**
 * Capture files in every form, link type and state of repair.
 */
import { describe, expect, it } from 'vitest'
import { concat, utf8Encode } from '../../../src/bytes/index.ts'
import { decodeCapture, isCapture, parseFrame, readCapture } from '../../../src/decode/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import {
  CAPTURE_ENDS,
  type CaptureForm,
  COMMON_FORM,
  type LinkName,
  pcapngBlock,
  writeCapture,
  writeLinkFrame,
} from '../../support/capture.ts'
import { capturedRun } from '../../support/captured-pair.ts'

const { client, client6, server, server6 } = CAPTURE_ENDS
const LINKS: readonly LinkName[] = ['ethernet', 'vlan', 'raw', 'sll', 'sll2', 'null', 'loop']
const FORMS: readonly CaptureForm[] = (['pcap', 'pcapng'] as const).flatMap((format) =>
  [true, false].flatMap((little) =>
    [true, false].map((nanoseconds) => ({ format, little, nanoseconds, link: 'ethernet' as const })),
  ),
)

const run = capturedRun({ renegotiations: 0 })
const reference = decodeCapture(writeCapture(run.datagrams), { crypto: nodeCrypto, keys: { keyLogs: [run.keyLog] } })

describe('capture files', () => {
  it.each(FORMS)('DEC-1 DEC-2 DEC-5 $format little=$little ns=$nanoseconds reads the same', (form) => {
    const decoded = decodeCapture(writeCapture(run.datagrams, form), {
      crypto: nodeCrypto,
      keys: { keyLogs: [run.keyLog] },
    })
    expect(decoded?.format).toBe(form.format)
    expect(decoded?.packets).toEqual(reference?.packets)
    expect(decoded?.packets.length).toBe(run.datagrams.length)
    expect(decoded?.packets[5]?.time).toBeCloseTo(run.datagrams[5]?.time ?? 0, 2)
  })

  it.each(LINKS)('DEC-10 DEC-11 DEC-14 link type %s', (link) => {
    for (const [from, to] of [
      [client, server],
      [client6, server6],
    ] as const) {
      const payload = Uint8Array.of(1, 2, 3)
      const capture = readCapture(writeCapture([{ from, to, payload, time: 5 }], { ...COMMON_FORM, link }))
      const [frame] = capture?.frames ?? []
      const segment = frame === undefined ? 'no frame' : parseFrame(frame)
      expect(segment).toMatchObject({ type: 'udp', from: { port: 40_000 }, to: { port: 1194 }, payload })
    }
  })

  it('DEC-12 DEC-13 options and extension headers are passed over, fragments and cut packets are not looked at', () => {
    const datagram = { from: client, to: server, payload: Uint8Array.of(9, 9), time: 0 }
    const frame = (data: Uint8Array, linkType = 101): ReturnType<typeof parseFrame> =>
      parseFrame({ number: 1, time: 0, linkType, data, cut: false })
    const packet = writeLinkFrame(datagram, 'raw')
    expect(frame(packet)).toMatchObject({ type: 'udp', payload: datagram.payload })
    const withOptions = concat(packet.subarray(0, 20), new Uint8Array(8), packet.subarray(20))
    withOptions[0] = 0x47
    withOptions[3] = withOptions.length
    expect(frame(withOptions)).toMatchObject({ type: 'udp', payload: datagram.payload })
    const fragment = packet.slice()
    fragment[6] = 0x20
    expect(frame(fragment)).toBe('ip-fragment')
    expect(frame(packet.subarray(0, packet.length - 1))).toBe('cut-short')
    expect(frame(packet.subarray(0, 10))).toBe('cut-short')
    expect(frame(new Uint8Array(60))).toBe('not-ip')
    expect(frame(packet, 147)).toBe('link-type')
    const six = writeLinkFrame({ ...datagram, from: client6, to: server6 }, 'raw')
    const extended = concat(six.subarray(0, 40), Uint8Array.of(17, 0, 0, 0, 0, 0, 0, 0), six.subarray(40))
    extended[6] = 0
    extended[5] = (extended[5] ?? 0) + 8
    expect(frame(extended)).toMatchObject({ type: 'udp', payload: datagram.payload })
    extended[6] = 44
    expect(frame(extended)).toBe('ip-fragment')
    const icmp = packet.slice()
    icmp[9] = 1
    expect(frame(icmp)).toBe('other-protocol')
  })

  it.each(['pcap', 'pcapng'] as const)('DEC-4 %s: a file cut anywhere is read until there and says so', (format) => {
    const form: CaptureForm = { ...COMMON_FORM, format }
    const datagrams = run.datagrams.slice(0, 4)
    const whole = writeCapture(datagrams, form)
    let told = 0
    for (let length = 28; length < whole.length; length += 7) {
      const capture = readCapture(whole.subarray(0, length))
      expect(capture?.frames.length).toBeLessThan(4)
      if (capture?.problem !== undefined) told++
    }
    expect(told).toBeGreaterThan(200)
    expect(readCapture(whole)?.problem).toBeUndefined()
    expect(isCapture(whole.subarray(0, 20))).toBe(false)
    expect(decodeCapture(Uint8Array.of(1, 2, 3))).toBeUndefined()
  })

  it('DEC-3 DEC-6 unknown blocks are passed over, key logs inside count', () => {
    const file = writeCapture(run.datagrams, { ...COMMON_FORM, format: 'pcapng' })
    const words = new Uint8Array(8)
    const log = utf8Encode(run.keyLog)
    new DataView(words.buffer).setUint32(0, 0x544c534b, true)
    new DataView(words.buffer).setUint32(4, log.length, true)
    const head = file.subarray(0, 28)
    const blocks = [pcapngBlock(0xbad, new Uint8Array(13), true), pcapngBlock(10, concat(words, log), true)]
    const decoded = decodeCapture(concat(head, ...blocks, file.subarray(28)), { crypto: nodeCrypto })
    expect(decoded?.problems).toEqual([])
    expect(decoded?.packets).toEqual(reference?.packets)
  })

  it('DEC-80 flows of other protocols are counted and left alone, unless their port is named', () => {
    const move = <T extends { readonly port: number }>(end: T): T => (end.port === 1194 ? { ...end, port: 5000 } : end)
    const moved = run.datagrams.map((datagram) => ({ ...datagram, from: move(datagram.from), to: move(datagram.to) }))
    const noise = { from: client, to: { ...server, port: 53 }, payload: Uint8Array.of(0x38, 1, 2, 3, 4), time: 0 }
    const all = decodeCapture(writeCapture([noise, ...moved]), { crypto: nodeCrypto })
    expect(all?.packets).toHaveLength(moved.length)
    expect(all?.skipped).toEqual({ 'other-flow': 1 })
    // The tail of a session has no reset.
    const tail = writeCapture(moved.slice(2))
    expect(decodeCapture(tail, { crypto: nodeCrypto })?.packets).toHaveLength(0)
    expect(decodeCapture(tail, { crypto: nodeCrypto, ports: [5000] })?.packets).toHaveLength(moved.length - 2)
  })
})
