/**
 * Every case of small worlds: all first bytes, all truncations and all single-bit flips of the forty golden packets, and all
 * lengths of a wrapped client key. Each gives the reason of the oracle's table, and nothing forged is accepted.
 */
import { describe, expect, it } from 'vitest'
import { concat, equalBytes, toHex } from '../../src/bytes/index.ts'
import { noble } from '../../src/crypto/index.ts'
import {
  type ControlPacket,
  createTlsCryptKeys,
  createTlsCryptV2Wrapper,
  generateTlsCryptV2ClientKey,
  isWireProblem,
  splitWrappedKey,
  TlsCryptV2ServerKey,
  type WireProblem,
} from '../../src/wire/index.ts'
import { SeededRandom } from '../support/random.ts'
import { type Golden, goldenPackets, mutatedVerdict } from '../support/wire.ts'

const golden = goldenPackets()

/** The fields of a packet as one line. */
function line(result: WireProblem | ControlPacket): string {
  if (typeof result === 'string') return result
  const { opcode, keyId, sessionId, acks, peerSessionId, packetId, payload } = result
  return [opcode, keyId, toHex(sessionId), acks, peerSessionId && toHex(peerSessionId), packetId, toHex(payload)].join(
    ' ',
  )
}

/** Opens changed bytes, compares with the oracle; true when a protected packet was accepted. */
function judge({ name, wrap }: Golden, changed: Uint8Array): boolean {
  const before = changed.slice()
  const result = wrap.open(changed)
  if (!equalBytes(changed, before)) throw new Error(`${name}: the input was written to`)
  const actual = line(typeof result === 'string' ? result : result.packet)
  const expected = line(mutatedVerdict(wrap, changed))
  if (actual !== expected) throw new Error(`${name}: ${actual} instead of ${expected}`)
  return wrap.type !== 'none' && typeof result !== 'string'
}

describe('golden packets', () => {
  it('are forty, of every wrap, and open', () => {
    expect(golden.length).toBe(40)
    const count = (type: string) => golden.filter(({ wrap }) => wrap.type === type).length
    expect([count('none'), count('tls-auth'), count('tls-crypt')]).toEqual([11, 15, 14])
    for (const { name, wrap, bytes, packet } of golden) {
      const opened = wrap.open(bytes)
      expect(typeof opened === 'string' ? opened : opened.packet, name).toEqual(packet)
    }
  })

  it('WIRE-4, WIRE-6, WRAP-14 all 32 opcodes with all 8 key ids get the table’s reason', () => {
    let forged = 0
    let accepted = 0
    for (const packet of golden) {
      for (let first = 0; first < 256; first++) {
        if (first === packet.bytes[0]) continue
        const changed = packet.bytes.slice()
        changed[0] = first
        if (judge(packet, changed)) accepted++
        forged++
      }
    }
    expect(forged).toBe(40 * 255)
    expect(accepted).toBe(0)
  })

  it('WIRE-14 all truncations get the table’s reason', () => {
    let cut = 0
    let accepted = 0
    for (const packet of golden) {
      for (let length = 0; length < packet.bytes.length; length++) {
        if (judge(packet, packet.bytes.slice(0, length))) accepted++
        cut++
      }
    }
    expect(cut).toBeGreaterThan(4000)
    expect(accepted).toBe(0)
  })

  it('WRAP-13, WRAP-24 all single-bit flips get the table’s reason', () => {
    let flipped = 0
    let accepted = 0
    for (const packet of golden) {
      for (let bit = 0; bit < 8 * packet.bytes.length; bit++) {
        const changed = packet.bytes.slice()
        changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7))
        if (judge(packet, changed)) accepted++
        flipped++
      }
    }
    expect(flipped).toBeGreaterThan(32_000)
    expect(accepted).toBe(0)
  })
})

describe('wrapped client keys', () => {
  const random = new SeededRandom('all lengths')
  const serverKey = new TlsCryptV2ServerKey(random.bytes(128))

  for (const serverKeyId of [undefined, 0x01020304]) {
    const form = serverKeyId === undefined ? 'the usual form' : 'the several-keys form'
    it(`WRAP-33, WRAP-43 all 65,536 lengths behind both opcodes, ${form}: one is right`, () => {
      const wrapper = createTlsCryptV2Wrapper(noble, serverKey, serverKeyId)
      const client = generateTlsCryptV2ClientKey(wrapper, random.source, { type: 'timestamp', unixSeconds: 1 })
      const keys = createTlsCryptKeys(noble, client.key, 'client')
      const whole = client.wrappedKey.length
      const least = serverKeyId === undefined ? 290 : 294
      const seen = new Map<WireProblem | 'opened', number>()
      for (const opcode of [10, 11]) {
        const packet = keys.seal(
          { opcode, keyId: 0, sessionId: random.bytes(8), acks: [], packetId: 0, payload: random.bytes(opcode * 40) },
          0x0f000001,
          1,
        )
        const datagram = concat(packet, client.wrappedKey)
        for (let length = 0; length < 65_536; length++) {
          datagram[datagram.length - 2] = length >> 8
          datagram[datagram.length - 1] = length & 255
          let expected: WireProblem | 'opened'
          if (length < 290 || length > 1024 || datagram.length - length < 54) expected = 'wrapped-key-length'
          else if (length < least) expected = 'wrapped-key-length'
          else expected = length === whole ? 'opened' : 'wrapped-key-mismatch'
          const parts = splitWrappedKey(datagram)
          const unwrapped = isWireProblem(parts) ? parts : wrapper.unwrap(parts.wrappedKey)
          const verdict = isWireProblem(unwrapped) ? unwrapped : 'opened'
          if (verdict !== expected) throw new Error(`length ${length}: ${verdict} instead of ${expected}`)
          seen.set(verdict, (seen.get(verdict) ?? 0) + 1)
        }
      }
      expect(seen.get('opened')).toBe(2)
      expect([...seen.values()].reduce((sum, count) => sum + count)).toBe(2 * 65_536)
      expect(seen.get('wrapped-key-mismatch')).toBeGreaterThan(800)
    })
  }
})
