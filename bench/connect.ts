/**
 * Warm connect: two sessions in one process, client and server, from the first reset to `connected` on both ends. CPU time
 * per connect for each provider, as a ratio to the time spent inside that provider's own primitives in the same run.
 */
import type { CryptoProvider } from '../src/crypto/index.ts'
import { noble } from '../src/crypto/index.ts'
import { nodeCrypto } from '../src/node/crypto/index.ts'
import { connectPair } from '../test/support/pair.ts'

/** CPU milliseconds of this process so far. */
const cpu = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Methods whose time is the primitives' own: everything that costs more than a table lookup. */
const TIMED = [
  'sign',
  'verify',
  'createKeyShare',
  'respondKeyShare',
  'createAead',
  'createHmac',
  'derivePublicKey',
] as const

/** A provider that adds the time spent in the given provider's calls, agreements included, to `clock.ms`. */
function timed(inner: CryptoProvider, clock: { ms: number }): CryptoProvider {
  const outer = Object.create(inner) as Record<string, unknown>
  const measure = <T>(body: () => T): T => {
    const start = performance.now()
    try {
      return body()
    } finally {
      clock.ms += performance.now() - start
    }
  }
  for (const name of TIMED) {
    const method = inner[name].bind(inner) as (...args: unknown[]) => unknown
    outer[name] = (...args: unknown[]) => measure(() => method(...args))
  }
  outer['createKeyShare'] = (...args: Parameters<CryptoProvider['createKeyShare']>) => {
    const share = measure(() => inner.createKeyShare(...args))
    return { group: share.group, share: share.share, agree: (peer: Uint8Array) => measure(() => share.agree(peer)) }
  }
  return outer as unknown as CryptoProvider
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

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
      const before = cpu()
      connectPair({ crypto: provider, seed: 100 + i })
      plain.push(cpu() - before)
      const clock = { ms: 0 }
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
