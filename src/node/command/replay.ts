/**
 * `ovpn replay`: runs a recording again and says whether the same bytes came out; stops at any step to look.
 */
import { parseArgs } from 'node:util'
import { Client } from '../../client/index.ts'
import { noble } from '../../crypto/index.ts'
import { isRecording, Replay, type ReplayStep } from '../../record/index.ts'
import { SecretText } from '../../session/index.ts'
import { nodeCrypto } from '../crypto/index.ts'
import { readInputText } from './files.ts'
import { type CommandIo, CommandLineError, EXIT, integerOption } from './io.ts'

const HELP = `ovpn replay: run a recording of connect, serve or probe again, bit for bit

usage: ovpn replay FILE [options]

FILE was written by --record. The same configuration, times, randomness and bytes go in; the same bytes must come out.

  --until STEP     stop after that input and show what came of it and how things stand
  --steps          show every step: its input and what came out
  --portable       use the portable primitives instead of Node's: the bytes must be the same
  --json           one JSON object a line instead of text

A recording holds the keys and passwords of its profile: treat it like the profile itself. What decode shows of it is safe.
Exit codes: 0 the same bytes came out, 1 they did not, 2 it is no recording or the command line is wrong.`

/** Runs `ovpn replay`. */
export function runReplay(args: readonly string[], io: CommandIo): number {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      until: { type: 'string' },
      steps: { type: 'boolean', default: false },
      portable: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    io.out(HELP)
    return EXIT.ok
  }
  const [path, ...more] = positionals
  if (path === undefined || more.length > 0) throw new CommandLineError('exactly one recording is wanted')
  const until = values.until === undefined ? Infinity : integerOption('until', values.until, 0)
  const text = readInputText(path)
  if (!isRecording(text)) throw new CommandLineError(`${path} is no recording`)
  const replay = new Replay(text, { crypto: values.portable ? noble : nodeCrypto })
  let outputs = 0
  let last: ReplayStep | undefined
  for (let step = replay.step(); step !== undefined; step = replay.step()) {
    last = step
    outputs += step.outputs.length
    if (values.steps || step.number === until) showStep(step, values.json, io)
    if (step.number >= until) break
  }
  const steps = last?.number ?? 0
  if (steps === until) showState(replay, values.json, io)
  else if (until !== Infinity) io.error(endsBefore(until, steps, replay.verdict.type === 'same'))
  conclude(replay, steps, outputs, values.json, io)
  return replay.verdict.type === 'same' ? EXIT.ok : EXIT.failed
}

function showStep({ args, method, number, outputs, thrown }: ReplayStep, json: boolean, io: CommandIo): void {
  const error = thrown?.message
  if (json) {
    io.out(JSON.stringify({ event: 'step', number, method, args: args.map(brief), outputs: outputs.map(brief), error }))
    return
  }
  io.out(`${number} ${method}(${args.map(words).join(', ')})`)
  for (const output of outputs) io.out(`    ${words(output)}`)
  if (error !== undefined) io.out(`    threw: ${error}`)
}

/** Why the step that was asked for is not shown. */
function endsBefore(until: number, steps: number, same: boolean): string {
  return `ovpn replay: there is no step ${until}: ${same ? `the recording ends at step ${steps}` : `the bytes differ before it`}`
}

/** How the machine stands: its state, its counters, when it wants to be woken. */
function showState({ machine }: Replay, json: boolean, io: CommandIo): void {
  if (machine === undefined) return
  const session = machine instanceof Client ? machine.session : machine
  const state = 'state' in machine ? machine.state : undefined
  const sessionState = session !== undefined && session !== machine && 'state' in session ? session.state : undefined
  const standing = { state, sessionState, nextTimeout: machine.pollTimeout(), stats: brief(session?.stats) }
  if (json) io.out(JSON.stringify({ event: 'state', ...standing }))
  else for (const [name, value] of Object.entries(standing)) if (value !== undefined) io.out(`${name}: ${words(value)}`)
}

function conclude(replay: Replay, steps: number, outputs: number, json: boolean, io: CommandIo): void {
  const { digest, header, inputs, isCut, verdict } = replay
  if (json) {
    io.out(
      JSON.stringify({
        event: 'replay',
        machine: header.machine,
        inputs,
        steps,
        outputs,
        digest,
        isCut,
        ...describe(),
      }),
    )
    return
  }
  io.out(`a ${header.machine}: ${steps} of ${inputs} inputs, ${outputs} outputs, digest ${digest}`)
  if (isCut) io.out('the recording was cut off: what came after is missing')
  io.out(verdict.type === 'same' ? 'the same as recorded' : `different at step ${verdict.step}: ${verdict.detail}`)

  function describe(): object {
    return verdict.type === 'same'
      ? { verdict: 'same' }
      : { verdict: 'different', at: verdict.step, detail: verdict.detail }
  }
}

/** Bytes as their length, secrets not at all, counters only where they counted. */
function brief(value: unknown): unknown {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (value instanceof SecretText) return '(hidden)'
  if (typeof value === 'string') return value.replace(/^(auth-token(?:-user)?) .*/s, '$1 (hidden)')
  if (Array.isArray(value)) return value.map(brief)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([name, item]) => item !== 0 && item !== undefined && !isSecret(name))
  return Object.fromEntries(entries.map(([name, item]) => [name, brief(item)]))
}

function isSecret(name: string): boolean {
  return name === 'password' || name === 'response' || name === 'authToken'
}

function words(value: unknown): string {
  const short = brief(value)
  return typeof short === 'string' ? short : JSON.stringify(short)
}
