/**
 * Warm connect: two sessions in one process, client and server, from the first reset to `connected` on both ends. CPU time
 * per connect for each provider, as a ratio to the time spent inside that provider's own primitives in the same run.
 */
import { noble } from '../src/crypto/index.ts'
import { nodeCrypto } from '../src/node/crypto/index.ts'
import { connectPair } from '../test/support/pair.ts'
import { cpuMs } from './clock.ts'

/** `inner` with every call of it, and of the objects it makes, timed into `clock.ms`; calls inside calls count once. */
export function timed<T extends object>(inner: T, clock: { ms: number; depth: number }): T {
  return new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        const start = clock.depth++ === 0 ? performance.now() : 0
        try {
          const result: unknown = Reflect.apply(value, target, args)
          if (result === target) return timed(inner, clock)
          const made = typeof result === 'object' && result !== null && !(result instanceof Uint8Array)
          return made ? timed(result, clock) : result
        } finally {
          if (--clock.depth === 0) clock.ms += performance.now() - start
        }
      }
    },
  })
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

/** Measures both providers and prints a line for each. */
export function runConnectBench(): unknown {
  const results: Record<string, unknown> = {}
  for (const provider of [noble, nodeCrypto]) {
    const rounds = 15
    for (let i = 0; i < 5; i++) connectPair({ crypto: provider, seed: i })
    const plain: number[] = []
    const inside: number[] = []
    const ratios: number[] = []
    for (let i = 0; i < rounds; i++) {
      const before = cpuMs()
      connectPair({ crypto: provider, seed: 100 + i })
      plain.push(cpuMs() - before)
      const clock = { ms: 0, depth: 0 }
      const started = performance.now()
      connectPair({ crypto: timed(provider, clock), seed: 100 + i })
      ratios.push((performance.now() - started) / clock.ms)
      inside.push(clock.ms)
    }
    const result = { cpuMs: median(plain), primitivesMs: median(inside), ratio: median(ratios) }
    results[provider.name] = result
    console.log(
      `connect, both ends, ${provider.name.padEnd(12)} ${result.cpuMs.toFixed(2)} ms CPU; ` +
        `${result.primitivesMs.toFixed(2)} ms in primitives; ratio ${result.ratio.toFixed(2)} (target 1.15)`,
    )
  }
  return results
}
