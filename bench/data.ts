/**
 * What the data channel costs per packet, in CPU time.
 *
 * Three questions, each answered side by side in this process. What does framing cost by itself? The same channel over a
 * provider whose ciphers do nothing. How much of a provider's own speed is left? The channel against the bare `Aead` calls
 * that it makes, on the same buffers in turn. Do mixed sizes and a second tunnel spoil what the optimiser made of one? And
 * does steady traffic allocate? Rounds of all candidates alternate, and a figure is the median of its rounds.
 */
import { DataPipeline } from '../src/data/index.ts'
import { measureProviders } from './data-providers.ts'
import { nullProvider, sessionWorks } from './data-session.ts'
import { compare, ends, type Ends, OFFSET, print, ROOM, round, SIZES, type Work } from './data-measure.ts'

/** For each packet sealed and for each packet opened. */
const TARGET_FRAMING = 60

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
  const result = { framing: framing(), mixed: mixed(), ...measureProviders() }
  if (globalThis.gc === undefined) console.log('without --expose-gc the heap figures are not to be trusted')
  return result
}
