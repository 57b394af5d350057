/**
 * Captures from nowhere good: cut, damaged, spliced, with keys at hand so that every reader is reached. Nothing may throw, and
 * nothing forged may count as authentic.
 */
import { describe, expect, it } from 'vitest'
import { decodeCapture, type DecodedPacket, DecodeKeys, isCapture, ladderLines } from '../../src/decode/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { writeStaticKey } from '../../src/wire/index.ts'
import { type CapturedDatagram, type CaptureForm, COMMON_FORM, writeCapture } from '../support/capture.ts'
import { capturedRun } from '../support/captured-pair.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import { WRAP_KINDS, wrapPair } from '../support/wraps.ts'

const CASES = scaled(2_000, 1_000_000)
const FORMS: readonly CaptureForm[] = [COMMON_FORM, { ...COMMON_FORM, format: 'pcapng', link: 'sll' }]

const runs = WRAP_KINDS.flatMap((wrap) =>
  (['udp', 'tcp'] as const).map((transport) =>
    capturedRun({ wrap, transport, version: transport === 'udp' ? 'TLSv1.3' : 'TLSv1.2' }),
  ),
)
const keyLogs = runs.map(({ keyLog }) => keyLog)

function keyTexts(): {
  readonly tlsAuth: { readonly text: string; readonly digest: string }[]
  readonly tlsCrypt: string[]
} {
  const [auth, crypt] = [wrapPair('tls-auth').client, wrapPair('tls-crypt').client]
  if (auth.type !== 'tls-auth' || crypt.type !== 'tls-crypt') throw new Error('no keys')
  return { tlsAuth: [{ text: writeStaticKey(auth.key), digest: 'SHA1' }], tlsCrypt: [writeStaticKey(crypt.key)] }
}

const keys = new DecodeKeys({ ...keyTexts(), keyLogs }, nodeCrypto)

/** A few packets in a row of one of the sessions, from the start often enough. */
function slice(random: SeededRandom, datagrams: readonly CapturedDatagram[]): readonly CapturedDatagram[] {
  const start = random.uint32() % 3 === 0 ? random.uint32() % datagrams.length : 0
  return datagrams.slice(start, start + 2 + (random.uint32() % 5))
}

/** Flips, overwrites, removes and inserts bytes; `fromByte` spares the file header. */
function mutate(random: SeededRandom, bytes: Uint8Array, fromByte: number): Uint8Array {
  let out = bytes.slice()
  for (let edits = 1 + (random.uint32() % 4); edits > 0; edits--) {
    const at = fromByte + (random.uint32() % Math.max(1, out.length - fromByte))
    switch (random.uint32() % 6) {
      case 0:
        out = out.slice(0, at)
        break
      case 1: {
        const kept = out.slice()
        kept.copyWithin(at, Math.min(out.length, at + 1 + (random.uint32() % 8)))
        out = kept
        break
      }
      case 2:
        out.set(random.bytes(Math.min(8, out.length - at)), at)
        break
      case 3:
        out.fill(random.uint32() % 2 === 0 ? 0 : 255, at, at + 1 + (random.uint32() % 4))
        break
      default:
        if (at < out.length) out[at] = (out[at] ?? 0) ^ (1 << (random.uint32() % 8))
    }
  }
  return out
}

describe('hostile captures', () => {
  it('DEC-70 no capture makes the decoder throw, and each gives a result or is no capture', () => {
    const random = new SeededRandom('hostile captures')
    let packets = 0
    let problems = 0
    let none = 0
    for (let i = 0; i < CASES; i++) {
      const run = runs[i % runs.length]!
      const form = FORMS[random.uint32() % FORMS.length]!
      const file = writeCapture(slice(random, run.datagrams), form)
      const bytes = mutate(random, file, random.uint32() % 8 === 0 ? 0 : 24)
      const decoded = decodeCapture(bytes, { crypto: nodeCrypto, keys: i % 4 === 0 ? {} : keys })
      if (decoded === undefined) {
        expect(isCapture(bytes)).toBe(false)
        none++
        continue
      }
      packets += decoded.packets.length
      problems += decoded.problems.length
      if (i % 16 === 0) for (const packet of decoded.packets) ladderLines(packet, 0)
    }
    expect(packets).toBeGreaterThan(CASES)
    expect(problems).toBeGreaterThan(CASES / 20)
    expect(none).toBeGreaterThan(0)
  })

  it('DEC-41 DEC-64 a packet with a flipped bit is never authentic', () => {
    const random = new SeededRandom('forged packets')
    const secured = runs.filter((_, index) => index >= 2 && index % 2 === 0 && index < 6)
    let forged = 0
    let genuine = 0
    for (let i = 0; i < scaled(80, 5_000); i++) {
      const run = secured[i % secured.length]!
      const target = random.uint32() % run.datagrams.length
      const datagrams = run.datagrams.map((datagram, index) => {
        if (index !== target) return datagram
        const payload = datagram.payload.slice()
        const at = random.uint32() % payload.length
        payload[at] = payload[at]! ^ (1 << (random.uint32() % 8))
        return { ...datagram, payload }
      })
      const decoded = decodeCapture(writeCapture(datagrams), { crypto: nodeCrypto, keys })
      decoded?.packets.forEach((packet, index) => {
        const proven = isProven(packet)
        if (index === target && proven) forged++
        else if (proven) genuine++
      })
    }
    expect(forged).toBe(0)
    expect(genuine).toBeGreaterThan(500)
  })
})

function isProven({ control, data }: DecodedPacket): boolean {
  return control?.authentic === true || data?.opened === true
}
