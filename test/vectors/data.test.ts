/**
 * The vectors of the data channel: computed by independent code, made by the compression libraries, and caught from the
 * reference's own program.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/index.ts'
import { type AeadAlgorithm, AEAD_KEY_LENGTH, type CryptoProvider, noble } from '../../src/crypto/index.ts'
import {
  clampMss,
  CompressionCodec,
  type CompressionFraming,
  createDataChannel,
  type DataAuth,
  type DataCipher,
  type DataChannelOptions,
  DataCode,
  DataPipeline,
  dataLayout,
  decompressLz4,
  decompressLzo,
  defaultMssfix,
  deriveKeysPrf,
  EpochChain,
  formatName,
  fragmentLimit,
  Fragmenter,
  ipVersion,
  mssLimit,
  type MssfixOption,
  type PrfMaterial,
  Reassembler,
  sealedLength,
  splitKey2,
} from '../../src/data/index.ts'
import { keySlots, StaticKey } from '../../src/wire/index.ts'
import { opened, pipelineOpened, sealed } from '../support/data.ts'

const hex = (text: string): Uint8Array => fromHex(text)!

interface VectorFile<T> {
  readonly source: string
  readonly cases: readonly T[]
}

function cases<T>(name: string, count: number): VectorFile<T>['cases'] {
  const text = readFileSync(new URL(`../../vectors/data/${name}.json`, import.meta.url), 'utf8')
  const file = JSON.parse(text) as VectorFile<T>
  expect(file.source.length).toBeGreaterThan(10)
  expect(file.cases.length).toBe(count)
  return file.cases
}

describe('packets of every format, cipher and digest', () => {
  interface PacketCase {
    readonly format: string
    readonly cipher: DataCipher
    readonly auth?: DataAuth
    readonly keyId: number
    readonly peerId?: number
    readonly epoch?: number
    readonly id: number
    readonly time?: number
    readonly key2: string
    readonly payload: string
    readonly iv?: string
    readonly packet: string
  }
  const optionsOf = (c: PacketCase): Omit<DataChannelOptions, 'keys'> => ({
    crypto: noble,
    cipher: c.cipher,
    auth: c.auth ?? 'none',
    keyId: c.keyId,
    peerId: c.peerId,
    epoch: c.format === 'aead-epoch',
    ...(c.time === undefined ? {} : { staticKey: { startTime: c.time } }),
    random: (length) => new Uint8Array(length).map((_, i) => hex(c.iv!)[i % 16]!),
    allowInsecure: true,
    counterStart: { packetsSent: c.id - 1, epoch: c.epoch ?? 1 },
  })
  const all = cases<PacketCase>('packets', 312)

  it('seals what the independent code sealed (DATA-1, DATA-2, DATA-3, DATA-4, DATA-10, DATA-13, DATA-17)', () => {
    for (const c of all) {
      const channel = createDataChannel({ ...optionsOf(c), keys: splitKey2(hex(c.key2), 'client')! })
      expect(toHex(sealed(channel, hex(c.payload))), `${c.format} ${c.cipher} ${c.auth ?? ''}`).toBe(c.packet)
    }
  })

  it('opens it at the other end (KDF-4, DATA-23, DATA-24)', () => {
    for (const c of all) {
      const channel = createDataChannel({ ...optionsOf(c), counterStart: {}, keys: splitKey2(hex(c.key2), 'server')! })
      const payload = opened(channel, hex(c.packet))
      expect(typeof payload === 'number' ? payload : toHex(payload), `${c.format} ${c.cipher}`).toBe(c.payload)
    }
  })

  it('has every row of the format table, with exact lengths (DATA-1, DATA-30)', () => {
    const seen = new Set<string>()
    for (const c of all) {
      const choice = {
        cipher: c.cipher,
        auth: c.auth ?? 'none',
        epoch: c.format === 'aead-epoch',
        staticKey: c.time !== undefined,
        peerId: c.peerId !== undefined,
      }
      seen.add(formatName(choice))
      expect(formatName(choice)).toBe(c.format)
      expect(sealedLength(dataLayout(choice), c.payload.length / 2)).toBe(c.packet.length / 2)
    }
    expect([...seen].sort()).toEqual(['aead', 'aead-epoch', 'cbc', 'clear', 'static-cbc', 'static-clear'])
  })
})

describe('keys', () => {
  it('KDF-1 KDF-2 KDF-3 the PRF over key method material and session ids', () => {
    type Row = Record<keyof PrfMaterial | 'key2', string>
    for (const { key2, ...material } of cases<Row>('prf', 6)) {
      const bytes = Object.fromEntries(Object.entries(material).map(([name, text]) => [name, hex(text)]))
      expect(toHex(deriveKeysPrf(noble, bytes as unknown as PrfMaterial))).toBe(key2)
    }
  })

  it('KDF-6 KDF-7 KDF-8 the chain of epoch keys', () => {
    interface Row {
      readonly cipher: AeadAlgorithm
      readonly material: string
      readonly epochs: readonly { readonly epoch: number; readonly key: string; readonly iv: string }[]
    }
    for (const { cipher, material, epochs } of cases<Row>('epoch-keys', 4)) {
      const chain = new EpochChain(noble, cipher, hex(material))
      for (const { epoch, key, iv } of epochs) {
        while (chain.epoch < epoch) chain.advance()
        const made = chain.material()
        expect([toHex(made.key), toHex(made.iv)], `${cipher} ${epoch}`).toEqual([key, iv])
        expect(made.key.length).toBe(AEAD_KEY_LENGTH[cipher])
      }
    }
  })
})

describe('layers inside', () => {
  it('COMP-1 COMP-2 COMP-3 COMP-5 framing of uncompressed payloads, both ways', () => {
    interface Row {
      readonly framing: CompressionFraming
      readonly payload: string
      readonly wire: string
    }
    for (const { framing, payload, wire } of cases<Row>('framing', 28)) {
      const codec = new CompressionCodec(framing, false, 2000)
      const bytes = hex(payload)
      const buffer = new Uint8Array(bytes.length + 10)
      buffer.set(bytes, 5)
      const length = codec.wrap(buffer, 5, bytes.length)
      expect(toHex(buffer.slice(codec.resultOffset, codec.resultOffset + length)), framing).toBe(wire)
      const back = codec.unwrap(buffer, codec.resultOffset, length)
      expect(toHex(codec.resultBuffer.slice(codec.resultOffset, codec.resultOffset + back)), framing).toBe(payload)
    }
  })

  it('COMP-9 to COMP-13: what liblz4 and liblzo2 packed', () => {
    interface Row {
      readonly name: string
      readonly algorithm: 'lz4' | 'lzo'
      readonly packed: string
      readonly length: number
      readonly sha256: string
    }
    let literalRuns = 0
    for (const { name, algorithm, packed, length, sha256 } of cases<Row>('compressed', 44)) {
      const input = hex(packed)
      const decompress = algorithm === 'lz4' ? decompressLz4 : decompressLzo
      const output = new Uint8Array(length)
      expect(decompress(input, 0, input.length, output, 0, length), name).toBe(length)
      expect(createHash('sha256').update(output).digest('hex'), name).toBe(sha256)
      // COMP-9 COMP-11: one byte less room is refused, and so is every cut.
      expect(decompress(input, 0, input.length, output, 0, length - 1), name).toBe(-1)
      expect(decompress(input, 0, input.length - 1, output, 0, length), `${name}, cut`).not.toBe(length)
      if (algorithm === 'lzo' && input[0]! > 17) literalRuns++
    }
    expect(literalRuns).toBeGreaterThan(5)
  })

  it('FRAG-1 FRAG-2 fragments of packets', () => {
    interface Row {
      readonly limit: number
      readonly packet: string
      readonly fragments: readonly string[]
    }
    for (const { limit, packet, fragments } of cases<Row>('fragments', 9)) {
      const fragmenter = new Fragmenter(limit)
      const bytes = hex(packet)
      const buffer = new Uint8Array(bytes.length + 4)
      buffer.set(bytes, 4)
      const made: string[] = []
      for (let length = fragmenter.wrap(buffer, 4, bytes.length); length > 0; length = fragmenter.next(buffer, 4)) {
        made.push(toHex(buffer.slice(fragmenter.resultOffset, fragmenter.resultOffset + length)))
        if (fragmenter.left === 0) break
      }
      expect(made).toEqual(fragments)
      const reassembler = new Reassembler(2000)
      const results = [...fragments].reverse().map((text) => reassembler.unwrap(hex(text), 0, text.length / 2, 0))
      expect(results.pop()).toBe(bytes.length)
      expect(results.every((code) => code === DataCode.FRAGMENT_STORED)).toBe(true)
      const at = reassembler.resultOffset
      expect(toHex(reassembler.resultBuffer.slice(at, at + bytes.length))).toBe(packet)
    }
  })

  it('MSS-2 MSS-3 MSS-5 MSS-6 rewritten SYN packets', () => {
    interface Row {
      readonly name: string
      readonly limit: number
      readonly before: string
      readonly after: string
      readonly changed: boolean
    }
    for (const { name, limit, before, after, changed } of cases<Row>('mss', 84)) {
      const buffer = hex(before)
      expect(clampMss(buffer, 0, buffer.length, limit), name).toBe(changed)
      expect(toHex(buffer), name).toBe(after)
    }
  })
})

describe('caught from the reference', () => {
  interface Captured {
    readonly options: string
    readonly key: string
    readonly sent: readonly string[]
    readonly received: readonly string[]
  }
  const words = (text: string): readonly string[] => text.split(' ')
  const after = (all: readonly string[], name: string): string | undefined => {
    const at = all.indexOf(name)
    return at < 0 ? undefined : all[at + 1]
  }
  const framingOf = (options: readonly string[]): CompressionFraming => {
    if (options.includes('--comp-lzo')) return 'comp-lzo'
    if (!options.includes('--compress')) return 'none'
    const name = after(options, '--compress')
    return name === undefined || name.startsWith('--') ? 'stub' : (name as CompressionFraming)
  }

  it('DATA-15 DATA-38 static-key packets of every cipher, digest and framing, opened and read', () => {
    let payloads = 0
    let pings = 0
    let fragments = 0
    let syns = 0
    for (const { options, key, sent, received } of cases<Captured>('captured', 49)) {
      const list = words(options)
      const channel = createDataChannel({
        crypto: noble,
        cipher: after(list, '--cipher') as DataCipher,
        auth: after(list, '--auth') as DataAuth,
        keys: keySlots(new StaticKey(hex(key)), 1),
        staticKey: { startTime: 1 },
        random: (length) => new Uint8Array(length),
        allowInsecure: true,
      })
      const fragment = list.includes('--fragment') ? 400 : undefined
      const pipeline = new DataPipeline({
        device: 'tun',
        compression: framingOf(list),
        allowCompression: true,
        ...(fragment === undefined ? {} : { fragment }),
      })
      const found: string[] = []
      for (const text of received) {
        const packet = pipelineOpened(pipeline, channel, hex(text))
        if (packet === DataCode.PING) pings++
        else if (packet === DataCode.FRAGMENT_STORED) fragments++
        else if (typeof packet === 'number') expect(`${options}: ${packet}`).toBe('an accepted packet')
        else if (ipVersion(packet, 0, packet.length) === 4) {
          if (packet[9] === 17) found.push(toHex(packet.slice(28)))
          if (packet[9] === 6) syns++
        }
        expect(pipelineOpened(pipeline, channel, hex(text)), 'a second time').toBe(DataCode.REPLAYED)
      }
      expect(found, options).toEqual(sent)
      payloads += found.length
    }
    expect({ payloads, pings, syns }).toEqual({ payloads: 108, pings: 2, syns: 3 })
    expect(fragments).toBeGreaterThan(20)
  })

  it('MSS-8 MSS-9 MSS-10 FRAG-10 sizes that the reference derives from its options', () => {
    interface Row {
      readonly mode: 'static' | 'tls'
      readonly cipher: DataCipher
      readonly auth: DataAuth
      readonly options: string
      readonly mss: number
      readonly fragment: number
    }
    for (const row of cases<Row>('sizes', 52)) {
      const list = words(row.options)
      const layout = dataLayout({ cipher: row.cipher, auth: row.auth, staticKey: row.mode === 'static' })
      const senseOf = (name: string): string | undefined => list[list.indexOf(name) + 2]
      const size = after(list, '--mssfix')
      const sense = senseOf('--mssfix')
      const option: MssfixOption =
        size === undefined
          ? defaultMssfix(1500)
          : { size: Number(size), sense: sense === 'mtu' || sense === 'fixed' ? sense : 'datagram' }
      const fragment = after(list, '--fragment')
      const outer = { transport: 'udp', family: fragment === undefined ? 4 : 6 } as const
      const inner = {
        compression: new CompressionCodec(framingOf(list), false, 0).overhead,
        fragment: fragment !== undefined,
        tap: false,
      }
      expect(mssLimit(option, layout, outer, inner), JSON.stringify(row)).toBe(row.mss)
      if (fragment !== undefined) {
        const limit = fragmentLimit(Number(fragment), senseOf('--fragment') === 'mtu', layout, outer)
        expect(limit, JSON.stringify(row)).toBe(row.fragment)
      }
    }
  })
})

it('the vectors need no provider but the portable one', () => {
  const provider: CryptoProvider = noble
  expect(provider.name).toBe('noble')
})
