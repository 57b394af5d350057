/**
 * Replaying: a recording run again, bit for bit, on any runtime (spec/record.md, REC-10, REC-11).
 *
 * The machine is made of the recorded configuration, draws the recorded randomness and is given the recorded inputs at the
 * recorded times. After every batch of outputs the digest must be that of the recording; the first one that is not ends
 * the replay with the step and what was different.
 */
import { ConfigError, fromBase64 } from '../bytes/index.ts'
import { Client, type ClientConfig } from '../client/index.ts'
import { type CryptoProvider, noble, type RandomSource } from '../crypto/index.ts'
import { Server, type ServerConfig } from '../server/index.ts'
import { Session, type SessionConfig } from '../session/index.ts'
import { decodeValue } from './codec.ts'
import { LANES, type MachineName, OutputDigest, type RecordingHeader } from './format.ts'
import { laneResult } from './recorder.ts'

/** How to replay. */
export interface ReplayOptions {
  /** Default: `noble`. */
  readonly crypto?: CryptoProvider
  /** Changes the configuration before the machine is made of it; outputs are then not compared. */
  readonly configure?: (machine: MachineName, config: unknown) => unknown
}

/** One input and what came of it. Step 0 is the making of the machine. */
export interface ReplayStep {
  readonly number: number
  /** The input's name; `create` for step 0. */
  readonly method: string
  readonly args: readonly unknown[]
  readonly outputs: readonly unknown[]
  /** What the input threw at its host. */
  readonly thrown: Error | undefined
}

/** How a replay stands. */
export type ReplayVerdict =
  | { readonly type: 'same' }
  /** The outputs are other ones from this step on, or the machine drew other randomness. */
  | { readonly type: 'different'; readonly step: number; readonly detail: string }

type Entry =
  | { readonly type: 'input'; readonly method: string; readonly args: readonly unknown[] }
  | { readonly type: 'outputs'; readonly count: number; readonly drained: boolean; readonly digest: string }

type Machine = Session | Client | Server

/** True when the text begins like a recording. */
export function isRecording(text: string): boolean {
  return text.startsWith('{"ovpn-recording":1,')
}

/**
 * A recording being run again.
 *
 * @example
 * const replay = new Replay(text)
 * for (let step = replay.step(); step !== undefined; step = replay.step()) show(step)
 * replay.verdict // { type: 'same' }
 */
export class Replay {
  readonly header: RecordingHeader
  /** What the machine was made of: its configuration, decoded. */
  readonly config: unknown
  /** Inputs in the recording. */
  readonly inputs: number
  /** The end is missing: the last line, or what came of the last input. What is there can be replayed all the same. */
  readonly isCut: boolean
  readonly #entries: readonly Entry[]
  readonly #draws: readonly Uint8Array[]
  readonly #options: ReplayOptions
  readonly #digest: OutputDigest
  #machine: Machine | undefined
  #position = 0
  #drawn = 0
  #steps = 0
  #buffer = new Uint8Array(0)
  #verdict: ReplayVerdict = { type: 'same' }

  /** @throws ConfigError when the text is no recording, or damaged before its last line. */
  constructor(text: string, options: ReplayOptions = {}) {
    const [first = '', ...lines] = text.split('\n')
    if (!isRecording(first)) throw new ConfigError('replay', 'this is no recording')
    const header = parseLine(first)
    if (header === undefined) throw damaged(1)
    this.header = header as RecordingHeader
    this.config = decodeValue(this.header.config)
    const { draws, entries } = parseLines(lines)
    const last = lines.at(-1) ?? ''
    this.isCut = (last !== '' && parseLine(last) === undefined) || entries.at(-1)?.type === 'input'
    this.#draws = draws
    this.#entries = entries
    this.#options = options
    this.#digest = new OutputDigest(options.crypto ?? noble)
    this.inputs = entries.filter(({ type }) => type === 'input').length
  }

  /** The machine as it stands; made by the first step. */
  get machine(): Machine | undefined {
    return this.#machine
  }

  /** Whether everything so far was as recorded. */
  get verdict(): ReplayVerdict {
    return this.#verdict
  }

  /** 16 hex digits over all outputs so far. */
  get digest(): string {
    return this.#digest.text
  }

  /**
   * Runs the next step; undefined at the end, and after a difference.
   *
   * @throws ConfigError at step 0 when the configuration cannot work.
   */
  step(): ReplayStep | undefined {
    if (this.#verdict.type === 'different') return undefined
    if (this.#machine === undefined) {
      this.#machine = this.#create()
      return { number: 0, method: 'create', args: [], outputs: this.#collect(), thrown: undefined }
    }
    const entry = this.#entries[this.#position]
    if (entry?.type !== 'input') return undefined
    this.#position++
    this.#steps++
    const { args, method } = entry
    const thrown = this.#run(method, args)
    return { number: this.#steps, method, args, outputs: this.#collect(), thrown }
  }

  #create(): Machine {
    const { fastAes, machine, now, timeOrigin } = this.header
    const { configure, crypto = noble } = this.#options
    const random: RandomSource = (length) => this.#draw(length)
    // REC-11: the order of default ciphers depends on it.
    const environment = { now, timeOrigin, random, crypto: withFastAes(crypto, fastAes) }
    const given = configure === undefined ? this.config : configure(machine, this.config)
    if (machine === 'session') return new Session(given as SessionConfig, environment)
    if (machine === 'client') return new Client(given as ClientConfig, environment)
    return new Server(given as ServerConfig, environment)
  }

  #draw(length: number): Uint8Array {
    const bytes = this.#draws[this.#drawn++]
    if (bytes?.length === length) return bytes.slice()
    const had = bytes === undefined ? 'none are left' : `${bytes.length} were drawn`
    this.#differ(`${length} random bytes were asked for where ${had}`)
    // Other bytes every time and none of them zero, so that who draws until a value will do comes to an end.
    return new Uint8Array(length).fill((this.#drawn & 127) + 1)
  }

  #call(method: string, args: readonly unknown[]): void {
    const onSession = method.startsWith('session.')
    const name = onSession ? method.slice(8) : method
    const owner: unknown = onSession ? (this.#machine as Client).session : this.#machine
    const target = owner as Readonly<Record<string, unknown>> | undefined
    const body = target?.[name]
    if (target === undefined || typeof body !== 'function') {
      this.#differ(`there is no ${method} to call`)
      return
    }
    const call = body as (...given: readonly unknown[]) => unknown
    if (!LANES.has(name)) {
      call.apply(target, [...args])
      return
    }
    const result = call.apply(target, this.#laneArguments(args))
    this.#digest.add(laneResult(target, result))
  }

  /** REC-9: the buffer of the call, with its bytes where they were. */
  #laneArguments([bytes, offset, size, ...rest]: readonly unknown[]): unknown[] {
    if (!(bytes instanceof Uint8Array) || typeof offset !== 'number' || typeof size !== 'number')
      throw new ConfigError('recording', 'a call in it has other arguments than it takes')
    if (this.#buffer.length !== size) this.#buffer = new Uint8Array(size)
    this.#buffer.set(bytes, offset)
    return [this.#buffer, offset, ...rest]
  }

  /** Takes outputs as often as the host did. REC-10 */
  #collect(): readonly unknown[] {
    const outputs: unknown[] = []
    const take = (): boolean => {
      const output = this.#machine?.poll()
      if (output === undefined) return false
      this.#digest.add(output)
      outputs.push(output)
      return true
    }
    for (let entry = this.#entries[this.#position]; entry?.type === 'outputs'; entry = this.#entries[this.#position]) {
      this.#position++
      if (this.#options.configure !== undefined) {
        while (take());
        continue
      }
      let count = 0
      while (count < entry.count && take()) count++
      const more = entry.drained && take()
      if (count < entry.count || more || this.#digest.text !== entry.digest) {
        const had = more ? 'more outputs' : count < entry.count ? `${count} of ${entry.count} outputs` : 'other outputs'
        this.#differ(`${had} than recorded`)
        break
      }
    }
    if (this.#position === this.#entries.length) while (take());
    return outputs
  }

  #run(method: string, args: readonly unknown[]): Error | undefined {
    try {
      this.#call(method, args)
      return undefined
    } catch (error) {
      if (error instanceof Error) return error
      throw error
    }
  }

  #differ(detail: string): void {
    if (this.#verdict.type === 'same') this.#verdict = { type: 'different', step: this.#steps, detail }
  }
}

function withFastAes(crypto: CryptoProvider, fastAes: boolean): CryptoProvider {
  return crypto.fastAes === fastAes ? crypto : { ...crypto, fastAes }
}

/** REC-8: a last line that was cut does not count. */
function parseLines(lines: readonly string[]): {
  readonly entries: readonly Entry[]
  readonly draws: readonly Uint8Array[]
} {
  const entries: Entry[] = []
  const draws: Uint8Array[] = []
  lines.forEach((line, index) => {
    if (line === '') return
    const parsed = parseLine(line)
    if (parsed === undefined && index === lines.length - 1) return
    if (!Array.isArray(parsed)) throw damaged(index + 2)
    const [type, a, b, c] = parsed as readonly unknown[]
    if (type === 'r') draws.push(fromBase64(String(a)) ?? new Uint8Array(0))
    else if (type === 'i' && typeof a === 'string' && Array.isArray(b)) {
      entries.push({ type: 'input', method: a, args: b.map((argument) => decodeValue(argument)) })
    } else if (type === 'o' && typeof a === 'number' && typeof c === 'string') {
      entries.push({ type: 'outputs', count: a, drained: b === true, digest: c })
    } else throw damaged(index + 2)
  })
  return { entries, draws }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown
  } catch {
    return undefined
  }
}

function damaged(line: number): ConfigError {
  return new ConfigError('recording', `it is damaged in line ${line}`, { line })
}
