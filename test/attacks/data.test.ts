/**
 * Forged, altered, cut, replayed and foreign data packets among honest traffic: none of them is ever delivered, and all
 * honest packets are.
 *
 * The attacker sees every datagram before the receiver does, holds it back, changes it, and sends what it likes in any
 * order; it has no keys. Formats whose header is not authenticated (CBC, cipher none) can have that header changed without
 * anybody noticing, so there the attacker works on packets already delivered.
 */
import { describe, expect, it } from 'vitest'
import { DataCode, dataReason, isAuthentic } from '../../src/data/index.ts'
import { channelPair, opened, sealed, VARIANTS } from '../support/data.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'

/** Bytes that no honest packet holds and every secret one does. */
const CANARY = 0xc5

describe.each(VARIANTS)('$name', ({ name, options }) => {
  it('DATA-5 to DATA-11, DATA-29: nothing forged is delivered, everything honest is', () => {
    const attacks = scaled(4000, 1_200_000)
    const random = new SeededRandom(`attack ${name}`)
    const { client, server } = channelPair({ ...options, keyId: 2, receivePeerId: options.peerId })
    const stranger = channelPair({ ...options, keyId: 2 }, 'another key').client
    const headerIsBound = options.cipher.endsWith('GCM') || options.cipher.endsWith('1305')
    const reasons = new Map<string, number>()
    const delivered: Uint8Array[] = []
    let honest = 0
    let sent = 0
    let done = 0

    /** One hostile packet made of `material`; of a packet still to come, anything but that packet itself. */
    const attack = (material: Uint8Array, fresh: boolean): void => {
      const forged = forge(random, material, stranger)
      if (fresh && Buffer.compare(forged, material) === 0) return
      const before = server.failedVerifications
      const result = server.open(forged, 0, forged.length, sent)
      if (result >= 0) expect.fail(`${result} bytes delivered`)
      expect(isAuthentic(result)).toBe(false)
      expect(server.failedVerifications - before).toBe(result === DataCode.BAD_TAG ? 1 : 0)
      if (forged.filter((byte) => byte === CANARY).length > 24 && options.cipher !== 'none')
        expect.fail('plaintext left')
      reasons.set(dataReason(result), (reasons.get(dataReason(result)) ?? 0) + 1)
      done++
    }

    while (done < attacks) {
      const payload = new Uint8Array(random.int(40, 120)).fill(CANARY)
      payload[0] = sent & 255
      const datagram = sealed(client, payload)
      sent++
      for (let i = random.below(12); i > 0; i--) {
        if (headerIsBound && random.chance(0.4)) attack(datagram, true)
        else if (delivered.length > 0) attack(random.pick(delivered), false)
      }
      const got = opened(server, datagram, sent)
      if (typeof got !== 'number' && Buffer.compare(got, payload) === 0) honest++
      delivered.push(datagram)
      if (delivered.length > 100) delivered.shift()
    }

    expect(honest).toBe(sent)
    expect(sent).toBeGreaterThan(attacks / 12)
    const expected = ['bad-tag', 'replayed', 'too-old', 'too-short']
    if (options.staticKey === undefined) expected.push('wrong-key-id', 'wrong-opcode')
    if (options.epoch === true) expected.push('wrong-epoch')
    for (const reason of expected)
      expect(reasons.get(reason), `${reason} of ${[...reasons].join(' ')}`).toBeGreaterThan(5)
  })
})

/** One hostile datagram made from an honest one. */
function forge(
  random: SeededRandom,
  material: Uint8Array,
  stranger: ReturnType<typeof channelPair>['client'],
): Uint8Array {
  const copy = material.slice()
  switch (random.below(9)) {
    case 0:
      return copy
    case 1:
      copy[random.below(copy.length)]! ^= 1 << random.below(8)
      return copy
    case 2:
      return copy.slice(0, random.below(copy.length))
    case 3:
      return Uint8Array.of(...copy, ...random.bytes(random.int(1, 40)))
    case 4:
      return random.bytes(random.below(200))
    case 5:
      return sealed(stranger, new Uint8Array(random.int(1, 100)).fill(1))
    case 6:
      copy[0] = random.below(256)
      return copy
    case 7:
      copy.set(random.bytes(4), random.below(13))
      return copy
    default: {
      const half = random.below(copy.length)
      copy.set(sealed(stranger, material).subarray(0, copy.length).subarray(half), half)
      return copy
    }
  }
}

describe('one packet, every single change', () => {
  it.each(VARIANTS)('$name: all bit flips, all lengths, all first bytes', ({ options }) => {
    const { client, server } = channelPair(options)
    const payload = Uint8Array.from({ length: 60 }, (_, i) => i)
    const datagram = sealed(client, payload)
    const boundFrom =
      options.staticKey !== undefined ? 0 : options.peerId === undefined ? 1 : headerStart(options.cipher)
    let changes = 0
    for (let bit = 8 * boundFrom; bit < 8 * datagram.length; bit++) {
      const forged = datagram.slice()
      forged[bit >> 3]! ^= 1 << (bit & 7)
      expect(opened(server, forged), `bit ${bit}`).toBeLessThan(0)
      changes++
    }
    for (let length = 0; length < datagram.length; length++) {
      expect(opened(server, datagram.slice(0, length)), `length ${length}`).toBeLessThan(0)
      changes++
    }
    for (let more = 1; more <= 64; more++) {
      const forged = new Uint8Array(datagram.length + more)
      forged.set(datagram)
      expect(opened(server, forged), `${more} more`).toBeLessThan(0)
      changes++
    }
    expect(changes).toBeGreaterThan(8 * 60)
    expect(opened(server, datagram)).toEqual(payload)
  })

  /** First byte of a DATA_V2 packet that is authenticated. */
  function headerStart(cipher: string): number {
    return cipher.endsWith('CBC') || cipher === 'none' ? 4 : 0
  }
})

describe('epochs', () => {
  it('DATA-26 all 65,536 epochs under a forged tag: only those within reach cost anything, nothing moves', () => {
    const { client, server } = channelPair({ cipher: 'CHACHA20-POLY1305', epoch: true, peerId: 3 })
    const datagram = sealed(client, Uint8Array.of(1, 2, 3))
    const counts = new Map<number, number>()
    for (let epoch = 0; epoch < 65_536; epoch++) {
      const forged = datagram.slice()
      forged.set([epoch >> 8, epoch & 255], 4)
      forged[20]! ^= 1
      const result = opened(server, forged)
      if (typeof result !== 'number') expect.fail('delivered')
      else counts.set(result, (counts.get(result) ?? 0) + 1)
    }
    expect(Object.fromEntries(counts)).toEqual({ [DataCode.BAD_TAG]: 17, [DataCode.WRONG_EPOCH]: 65_519 })
    expect(opened(server, datagram)).toEqual(Uint8Array.of(1, 2, 3))
  })
})
