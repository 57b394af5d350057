/**
 * How the data benches measure: pairs of channels, rounds of all candidates in turn, CPU time, medians.
 */
import type { CryptoProvider } from '../src/crypto/index.ts'
import {
  type CounterStart,
  createDataChannel,
  type DataChannel,
  type DataChannelOptions,
  splitKey2,
} from '../src/data/index.ts'
import { cpuMs } from './clock.ts'

/** Bytes of a buffer, and where a packet lies in it. */
export const ROOM = 2048
export const OFFSET = 128
/** Packet sizes that are measured. */
export const SIZES = [64, 512, 1400] as const

/** Two ends of one key. */
export interface Ends {
  readonly client: DataChannel
  readonly server: DataChannel
}

/** The key material of every bench, as both ends see it. */
export function benchKeys(): {
  readonly client: DataChannelOptions['keys']
  readonly server: DataChannelOptions['keys']
} {
  const key2 = new Uint8Array(256).map((_, i) => (i * 37 + 11) & 255)
  const client = splitKey2(key2, 'client')
  const server = splitKey2(key2, 'server')
  if (client === undefined || server === undefined) throw new Error('the bench key is zero')
  return { client, server }
}

/** A client's and a server's channel. */
export function ends(
  crypto: CryptoProvider,
  cipher: DataChannelOptions['cipher'],
  epoch = false,
  counterStart: CounterStart = {},
  more: Partial<DataChannelOptions> = {},
): Ends {
  const keys = benchKeys()
  const common = { crypto, cipher, peerId: 7, epoch, counterStart, ...more }
  return {
    client: createDataChannel({ ...common, keys: keys.client }),
    server: createDataChannel({ ...common, keys: keys.server }),
  }
}

const cpuNanoseconds = (): number => cpuMs() * 1e6

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN

/** A number with so many decimals. */
export const round = (value: number, digits = 1): number => Number(value.toFixed(digits))

/** A candidate: does `count` packets of `size` bytes. */
export type Work = (count: number, size: number) => void

/** Median CPU time per packet in ns of each candidate, their rounds interleaved. */
export function compare<Name extends string>(
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

/** A line of a table. */
export function print(columns: readonly unknown[]): void {
  console.log(columns.map((value, i) => String(value).padEnd(i === 0 ? 40 : 12)).join(''))
}
