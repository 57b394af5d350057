/**
 * Lists of pushed options read for tests: the options, or what was refused of them.
 */
import { expect } from 'vitest'
import { type PullPolicy, pullOptions, type PushRefusal, type TunnelOptions } from '../../src/control/index.ts'

/** The policy of a usual client. */
const tun: PullPolicy = { device: 'tun' }

/** What a list of pushed options, with commas between, comes to; throws when it is rejected as a whole. */
export function pull(list: string, policy: PullPolicy = tun) {
  const result = pullOptions(list.split(','), policy)
  if (result.type !== 'pulled') throw new Error(`rejected: ${result.option}`)
  return result
}

/** The options of a list that is taken without a refusal, and that JSON holds. */
export function options(list: string, policy?: PullPolicy): TunnelOptions {
  const result = pull(list, policy)
  expect(result.refused).toEqual([])
  expect(JSON.parse(JSON.stringify(result.options))).toEqual(result.options)
  return result.options
}

/** What was not taken of a list. */
export function refusals(list: string, policy?: PullPolicy): readonly PushRefusal[] {
  return pull(list, policy).refused
}

/** Why, word by word. */
export function reasons(list: string, policy?: PullPolicy): string[] {
  return refusals(list, policy).map((refusal) => refusal.reason)
}
