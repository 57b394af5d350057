/**
 * What the data channel costs per packet, in CPU time.
 *
 * Three questions, each answered side by side in this process. What does framing cost by itself? The same channel over a
 * provider whose ciphers do nothing. How much of a provider's own speed is left? The channel against the bare `Aead` calls
 * that it makes, on the same buffers in turn. Do mixed sizes and a second tunnel spoil what the optimiser made of one? And
 * does steady traffic allocate? Rounds of all candidates alternate, and a figure is the median of its rounds.
 */
import { AEAD_KEY_LENGTH, type AeadAlgorithm, type CryptoProvider, noble } from '../src/crypto/index.ts'
import { type CounterStart, createDataChannel, type DataChannel, DataPipeline, splitKey2 } from '../src/data/index.ts'
import { nodeCrypto } from '../src/node/crypto/index.ts'
import { nullProvider, sessionWorks } from './data-session.ts'

const ROOM = 2048
const OFFSET = 64
const SIZES = [64, 512, 1400] as const
/** For each packet sealed and for each packet opened. */
const TARGET_FRAMING = 60
const TARGET_RATIO = 0.95

interface Ends {
  readonly client: DataChannel
  readonly server: DataChannel
}

function ends(crypto: CryptoProvider, cipher: AeadAlgorithm, epoch = false, counterStart: CounterStart = {}): Ends {
  const key2 = new Uint8Array(256).map((_, i) => (i * 37 + 11) & 255)
  const common = { crypto, cipher, peerId: 7, epoch, counterStart }
  const client = splitKey2(key2, 'client')
  const server = splitKey2(key2, 'server')
  if (client === undefined || server === undefined) throw new Error('the bench key is zero')
  return {
    client: createDataChannel({ ...common, keys: client }),
    server: createDataChannel({ ...common, keys: server }),
  }
}

const cpuNanoseconds = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN
const round = (value: number, digits = 1): number => Number(value.toFixed(digits))

/** A candidate: does `count` packets of `size` bytes. */
type Work = (count: number, size: number) => void

/** Median CPU time per packet in ns of each candidate, their rounds interleaved. */
function compare<Name extends string>(
  works: Record<Name, Work>,
  size: number,
  count: number,
  rounds = 9,
): Record<Name, number> {
  const names = Object.keys(works) as Name[]
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (const name of names) works[name](count, size)
  for (let i = 0; i < rounds; i++) {
    for (const name of names) {
      const before = cpuNanoseconds()
      works[name](count, size)
      times[name].push((cpuNanoseconds() - before) / count)
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times[name])])) as Record<Name, number>
}

function print(columns: readonly unknown[]): void {
  console.log(columns.map((value, i) => String(value).padEnd(i === 0 ? 34 : 12)).join(''))
}

// ---- framing ----------------------------------------------------------------------------------------------------------

function framingWorks(): Record<string, Work> {
  const works: Record<string, Work> = {}
  // Numbers beyond 2^31 are another kind of number to the engine, and a tunnel lives to see them.
  const late = { packetsSent: 2 ** 31, sendUsage: 2 ** 33, receiveUsage: 2 ** 33 }
  for (const [name, epoch, start] of [
    ['aead', false, {}],
    ['aead, late', false, late],
    ['epoch', true, {}],
    ['epoch, late', true, late],
  ] as const) {
    const sealing = ends(nullProvider, 'AES-256-GCM', epoch, start).client
    const both = ends(nullProvider, 'AES-256-GCM', epoch, start)
    const piped = ends(nullProvider, 'AES-256-GCM', epoch, start)
    const pipeline = new DataPipeline({ device: 'tun', mss: 1300 })
    const buffer = new Uint8Array(ROOM)
    buffer.fill(0x45, OFFSET, OFFSET + 40)
    let now = 0
    works[`${name} seal`] = (count, size) => {
      for (let i = 0; i < count; i++) sealing.seal(buffer, OFFSET, size)
    }
    works[`${name} seal+open`] = (count, size) => {
      for (let i = 0; i < count; i++) {
        const length = both.client.seal(buffer, OFFSET, size)
        both.server.open(buffer, both.client.resultOffset, length, now++)
      }
    }
    works[`${name} pipeline seal+open`] = (count, size) => {
      for (let i = 0; i < count; i++) {
        const length = pipeline.seal(piped.client, buffer, OFFSET, size)
        pipeline.open(piped.server, buffer, pipeline.resultOffset, length, now++)
      }
    }
  }
  for (const [name, work] of Object.entries(sessionWorks())) {
    const buffer = new Uint8Array(ROOM)
    buffer.fill(0x45, OFFSET, OFFSET + 40)
    works[name] = (count, size) => {
      work(buffer, OFFSET, count, size)
    }
  }
  return works
}

/** Heap growth per packet in steady traffic, the least of several stretches: a stretch may meet somebody else's garbage. */
function allocation(work: Work): number {
  const count = 1_000_000
  work(count, 1400)
  const growth: number[] = []
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.()
    const before = process.memoryUsage().heapUsed
    work(count, 1400)
    growth.push((process.memoryUsage().heapUsed - before) / count)
  }
  return Math.max(0, Math.min(...growth))
}

function framing(): unknown {
  const rows: unknown[] = []
  const works = framingWorks()
  print(['framing, null provider, ns/packet', '64 B', '512 B', '1400 B', 'heap bytes/packet'])
  const times = SIZES.map((size) => compare(works, size, 300_000))
  for (const [name, work] of Object.entries(works)) {
    const figures = times.map((time) => round(time[name] ?? NaN))
    const heap = round(allocation(work), 2)
    print([name, ...figures, heap])
    rows.push({
      name,
      ns: figures,
      heap,
      target: TARGET_FRAMING,
      met: Math.max(...figures) <= TARGET_FRAMING * (name.endsWith('seal+open') ? 2 : 1) && heap <= 0.05,
    })
  }
  return rows
}

// ---- providers ----------------------------------------------------------------------------------------------------------

const SLOTS = 256

/** The bare calls and the channel's, each over a ring of buffers of its own. */
function providerWorks(
  crypto: CryptoProvider,
  cipher: AeadAlgorithm,
): Record<'bare seal' | 'seal' | 'bare open' | 'open', Work> {
  // Two keys, as a tunnel has: what one end seals with, the other opens with, each holding its own tables.
  const key = new Uint8Array(AEAD_KEY_LENGTH[cipher]).fill(9)
  const sealer = crypto.createAead(cipher, key)
  const opener = crypto.createAead(cipher, key)
  const nonce = new Uint8Array(12)
  const arena = new Uint8Array(SLOTS * ROOM)
  const { client, server } = ends(crypto, cipher)
  const HEADER = 24
  let id = 0
  const number = (): void => {
    id++
    nonce[0] = id >>> 24
    nonce[1] = id >>> 16
    nonce[2] = id >>> 8
    nonce[3] = id
  }
  return {
    'bare seal': (count, size) => {
      for (let i = 0; i < count; i++) {
        const at = (i % SLOTS) * ROOM + OFFSET
        number()
        sealer.seal(arena, at - HEADER, 8, at, size, at - 16, nonce)
      }
    },
    seal: (count, size) => {
      for (let i = 0; i < count; i++) client.seal(arena, (i % SLOTS) * ROOM + OFFSET, size)
    },
    'bare open': (count, size) => {
      for (let i = 0; i < count; i++) {
        const at = (i % SLOTS) * ROOM + OFFSET
        number()
        sealer.seal(arena, at - HEADER, 8, at, size, at - 16, nonce)
        if (!opener.open(arena, at - HEADER, 8, at, size, at - 16, nonce)) throw new Error('bare open failed')
      }
    },
    open: (count, size) => {
      for (let i = 0; i < count; i++) {
        const length = client.seal(arena, (i % SLOTS) * ROOM + OFFSET, size)
        if (server.open(arena, client.resultOffset, length, i) !== size) throw new Error('open failed')
      }
    },
  }
}

function providers(): unknown {
  const rows: unknown[] = []
  print(['provider and cipher', 'size', 'bare ns', 'channel ns', 'seal ratio', 'seal+open ratio'])
  for (const crypto of [noble, nodeCrypto]) {
    for (const cipher of ['AES-256-GCM', 'CHACHA20-POLY1305'] as const) {
      const works = providerWorks(crypto, cipher)
      for (const size of SIZES) {
        const time = compare(works, size, 4000, 11)
        const seal = time['bare seal'] / time.seal
        const both = time['bare open'] / time.open
        const name = `${crypto.name} ${cipher}`
        print([name, size, round(time['bare seal'], 0), round(time.seal, 0), round(seal, 3), round(both, 3)])
        rows.push({ name, size, seal: round(seal, 3), sealAndOpen: round(both, 3), target: TARGET_RATIO })
      }
    }
  }
  return rows
}

// ---- mixed sizes, several tunnels ---------------------------------------------------------------------------------------

function mixed(): unknown {
  const SIZE_LIST = [40, 64, 1400, 1, 576, 1400, 52, 1300, 15, 16, 17, 1400]
  const one = ends(nullProvider, 'AES-256-GCM')
  const pairs = [
    ends(nullProvider, 'AES-256-GCM'),
    ends(nullProvider, 'CHACHA20-POLY1305'),
    ends(nullProvider, 'AES-256-GCM', true),
  ]
  const buffer = new Uint8Array(ROOM)
  let now = 0
  const pass = ({ client, server }: Ends, size: number): void => {
    const length = client.seal(buffer, OFFSET, size)
    server.open(buffer, client.resultOffset, length, now++)
  }
  const time = compare(
    {
      steady: (count, size) => {
        for (let i = 0; i < count; i++) pass(one, size)
      },
      'two tunnels': (count) => {
        for (let i = 0; i < count; i++) pass(pairs[i & 1] as Ends, SIZE_LIST[i % SIZE_LIST.length] as number)
      },
      'two tunnels and an epoch one': (count) => {
        for (let i = 0; i < count; i++) pass(pairs[i % 3] as Ends, SIZE_LIST[i % SIZE_LIST.length] as number)
      },
    },
    1400,
    300_000,
  )
  print(['seal+open, null provider', 'ns/packet'])
  for (const [name, value] of Object.entries(time))
    print([name === 'steady' ? 'one tunnel, one size' : `mixed sizes, ${name}`, round(value)])
  return Object.fromEntries(Object.entries(time).map(([name, value]) => [name, round(value)]))
}

/** Runs all of it, prints tables, and returns the figures. */
export function runDataBench(): unknown {
  const result = { framing: framing(), mixed: mixed(), providers: providers() }
  if (globalThis.gc === undefined) console.log('without --expose-gc the heap figures are not to be trusted')
  return result
}
