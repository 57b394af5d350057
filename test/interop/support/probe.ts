/**
 * Runs our own `ovpn probe` inside a laboratory and reads its JSON events.
 */
import { fileURLToPath } from 'node:url'
import type { Lab } from './lab.ts'

const OVPN = fileURLToPath(new URL('../../../bin/ovpn.mjs', import.meta.url))

/** One line of `--json` output. */
export interface ProbeEvent {
  readonly event: string
  readonly [field: string]: unknown
}

/** A finished probe. */
export interface ProbeResult {
  readonly code: number
  readonly events: readonly ProbeEvent[]
  readonly output: string
  /** Replies that came back. */
  readonly pings: number
  /** What `connected` said was negotiated. */
  readonly negotiated: Readonly<Record<string, unknown>>
}

/** A probe that runs while the test does something to its server. */
export interface RunningProbe {
  /** Resolves once the output matched. */
  seen(pattern: RegExp, seconds?: number): Promise<string>
  /** Resolves when the command ended. */
  result(seconds?: number): Promise<ProbeResult>
}

/** Starts a probe of a profile text with the given command line. */
export function startProbe(lab: Lab, profile: string, args: readonly string[] = []): RunningProbe {
  const name = `probe-${Math.random().toString(36).slice(2)}.ovpn`
  const running = lab.start('ovpn probe', [process.execPath, OVPN, 'probe', lab.file(name, profile), '--json', ...args])
  return {
    seen: (pattern, seconds) => running.seen(pattern, seconds),
    result: async (seconds = 60) => {
      const { code, output } = await running.ended(seconds)
      return read(code, output)
    },
  }
}

/** Probes a profile text with the given command line; resolves when the command ended. */
export async function probe(
  lab: Lab,
  profile: string,
  args: readonly string[] = [],
  seconds = 60,
): Promise<ProbeResult> {
  return await startProbe(lab, profile, args).result(seconds)
}

/** The same with text for people in place of JSON. */
export async function probeText(
  lab: Lab,
  profile: string,
  args: readonly string[],
): Promise<{ readonly code: number; readonly output: string }> {
  const path = lab.file('text.ovpn', profile)
  return await lab.start('ovpn probe', [process.execPath, OVPN, 'probe', path, ...args]).ended(60)
}

function read(code: number, output: string): ProbeResult {
  const events = output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as ProbeEvent)
  const connected = events.find((event) => event.event === 'connected')
  return {
    code,
    events,
    output,
    pings: events.filter((event) => event.event === 'ping' && typeof event['ms'] === 'number').length,
    negotiated: (connected?.['negotiated'] ?? {}) as Readonly<Record<string, unknown>>,
  }
}
