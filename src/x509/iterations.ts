/**
 * How much work an encrypted file may ask for before anything in it can be checked. Rule X509-45.
 */
import { ConfigError } from '../bytes/index.ts'

/** Most iterations a file may ask for (X509-45). */
export const MAX_ITERATIONS = 2_000_000

/** Refuses iteration counts that would block the host. @throws ConfigError */
export function checkIterations(iterations: number, option: string): void {
  if (iterations >= 1 && iterations <= MAX_ITERATIONS) return
  throw new ConfigError(option, `${option}: it asks for ${iterations} iterations; at most ${MAX_ITERATIONS} are done.`)
}
