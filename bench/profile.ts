/**
 * Reading profiles: time for 256 kB of several shapes, and time against size on doublings, which shows whether the work is
 * linear. The hostile shapes are those that cost a careless parser most: unknown names, unterminated and nested blocks, many
 * connections, one long line, long words full of escapes.
 */
import { performance } from 'node:perf_hooks'
import { inspectProfile, lint } from '../src/profile/index.ts'

/** Target for 256 kB, in milliseconds. */
const TARGET_MS = 50
const LARGEST = 256 * 1024
const SIZES = [16, 32, 64, 128, 256].map((kilobytes) => kilobytes * 1024)

/** One shape: a text of about so many characters. */
type Shape = (size: number) => string

const repeat = (piece: string) => (size: number) => piece.repeat(Math.ceil(size / piece.length))

/** Shapes by name. */
export const PROFILE_SHAPES: Readonly<Record<string, Shape>> = {
  routes: repeat('route 10.20.30.0 255.255.255.0 vpn_gateway 5\n'),
  certificates: (size) => `client\ndev tun\nremote a\n<ca>\n${repeat(`${'A'.repeat(64)}\n`)(size)}</ca>\n`,
  comments: repeat('# a remark nobody reads\n\n'),
  unknown: repeat('no-such-directive with some words\n'),
  'short lines': repeat('x\n'),
  'open blocks': repeat('<ca>\n'),
  'broken tags': repeat('<ca\n</ca>\n'),
  'nested connections': repeat('<connection>\n'),
  connections: repeat('<connection>\nremote vpn.example.com 1194 udp\nproto udp\n</connection>\n'),
  remotes: repeat('remote vpn.example.com 1194 udp\n'),
  'one line': (size) => `setenv x ${'y'.repeat(size)}`,
  escapes: repeat(`setenv x "${'\\\\'.repeat(100)}"\n`),
  quotes: repeat('"\n'),
}

/** Milliseconds of the fastest of some runs. */
function fastest(work: () => void, runs = 5): number {
  let best = Infinity
  for (let i = 0; i < runs; i++) {
    const start = performance.now()
    work()
    best = Math.min(best, performance.now() - start)
  }
  return best
}

/** What a shape costs. */
export interface ShapeResult {
  readonly shape: string
  /** Milliseconds for 256 kB: reading with all rules. */
  readonly inspect: number
  /** Milliseconds for 256 kB: lint on behalf of 2.6, after reading. */
  readonly lint: number
  /** Milliseconds of reading by size in kB. */
  readonly bySize: Readonly<Record<number, number>>
  /** Growth of time over growth of size between the smallest and the largest: 1 is linear, 2 quadratic. */
  readonly exponent: number
}

/** Measures one shape. */
export function measureShape(shape: string, make: Shape): ShapeResult {
  const times = SIZES.map((size) => {
    const text = make(size).slice(0, size)
    return [size / 1024, fastest(() => inspectProfile(text))] as const
  })
  const { profile } = inspectProfile(make(LARGEST).slice(0, LARGEST))
  const lintTime = fastest(() => lint(profile, { peer: '2.6' }), 3)
  const [first, last] = [times[1]!, times.at(-1)!]
  const exponent = Math.log(last[1] / Math.max(first[1], 0.05)) / Math.log(last[0] / first[0])
  return { shape, inspect: last[1], lint: lintTime, bySize: Object.fromEntries(times), exponent }
}

/** Measures every shape, prints a line for each, and returns the figures. */
export function runProfileBench(): readonly ShapeResult[] {
  const results = Object.entries(PROFILE_SHAPES).map(([shape, make]) => measureShape(shape, make))
  console.log(`256 kB, target ${TARGET_MS} ms to read with all rules`)
  for (const { shape, inspect, lint: linted, bySize, exponent } of results) {
    const sizes = Object.entries(bySize).map(([kilobytes, ms]) => `${kilobytes}k ${ms.toFixed(1)}`)
    const verdict = inspect <= TARGET_MS ? '' : '  over target'
    console.log(
      `${shape.padEnd(20)} ${inspect.toFixed(1).padStart(7)} ms, lint ${linted.toFixed(1)} ms, exponent ${exponent.toFixed(2)} (${sizes.join(', ')})${verdict}`,
    )
  }
  return results
}
