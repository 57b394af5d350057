/**
 * `ovpn connect` inside a laboratory: the server in one namespace, the client with a tun of its own in another, a cable
 * between them.
 */
import { chmodSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Running } from './lab.ts'
import type { Lab } from './lab.ts'
import type { ProbeEvent } from './probe.ts'
import type { ClientPlace } from './serve.ts'

/** The command. */
export const OVPN = fileURLToPath(new URL('../../../bin/ovpn.mjs', import.meta.url))

/** A connection that runs while a test looks at it. */
export interface RunningConnect {
  readonly running: Running
  /** Events of a kind so far. */
  events(kind?: string): readonly ProbeEvent[]
  /** Resolves once `count` events of the kind were printed. */
  event(kind: string, count?: number, seconds?: number): Promise<ProbeEvent>
  /** Sends SIGTERM; resolves with exit code and output. */
  stop(): Promise<{ code: number; output: string }>
}

/** Starts `ovpn connect` in a client's place with a profile text. */
export function startConnect(
  lab: Lab,
  place: ClientPlace,
  profile: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  prefix: readonly string[] = [],
): RunningConnect {
  const file = lab.file(`connect-${Math.random().toString(36).slice(2)}.ovpn`, profile)
  // Whoever runs it must be able to read it.
  if (prefix.length > 0) chmodSync(file, 0o644)
  const command = [...prefix, process.execPath, OVPN, 'connect', file, '--json', ...args]
  const running = lab.start('ovpn connect', ['ip', 'netns', 'exec', place.namespace, ...command], env)
  const events = (kind?: string): readonly ProbeEvent[] =>
    running
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as ProbeEvent)
      .filter(({ event }) => kind === undefined || event === kind)
  return {
    running,
    events,
    event: async (kind, count = 1, seconds = 20) => {
      await running.seen(new RegExp(`(?:"event":"${kind}"[^]*?){${count}}\\n`), seconds)
      return events(kind)[count - 1]!
    },
    stop: async () => {
      running.kill('SIGTERM')
      return await running.ended(15)
    },
  }
}
