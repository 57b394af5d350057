/**
 * Side-by-side measuring: all candidates in one process, in turns, CPU time, medians.
 *
 * Absolute figures move by a factor of two with the weather on a shared machine; ratios of figures from the same turns
 * stay. Iterations are chosen per candidate so that each turn takes about the same time.
 */
import { cpuMs } from './clock.ts'

/** Median CPU nanoseconds per call of each candidate. */
export function interleave<Name extends string>(
  candidates: Readonly<Record<Name, () => void>>,
  rounds = 7,
  turnMilliseconds = 8,
): Record<Name, number> {
  const names = Object.keys(candidates) as Name[]
  const iterations = new Map<Name, number>()
  for (const name of names) {
    const run = candidates[name]
    for (let i = 0; i < 300; i++) run()
    let count = 10
    while (cpuNanoseconds(run, count) < turnMilliseconds * 1e5 && count < 1e6) count *= 2
    iterations.set(name, Math.ceil((count * turnMilliseconds * 1e6) / Math.max(1e5, cpuNanoseconds(run, count))))
  }
  const samples = new Map<Name, number[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const count = iterations.get(name) ?? 1
      samples.get(name)?.push(cpuNanoseconds(candidates[name], count) / count)
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(samples.get(name) ?? [])])) as Record<Name, number>
}

function cpuNanoseconds(run: () => void, count: number): number {
  const start = process.cpuUsage()
  for (let i = 0; i < count; i++) run()
  return cpuMs(start) * 1e6
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? NaN
}

/** Two decimals. */
export function round2(value: number): number {
  return Math.round(value * 100) / 100
}
