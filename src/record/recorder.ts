/**
 * Recording: a machine that writes down everything it is told, in the lines of `format.ts` (spec/record.md, REC-5, REC-6, REC-9).
 *
 * The recorded machine is the machine itself behind a thin front; a host drives it as it would the other. Lines are written
 * before the input runs, so that a recording of a crash holds the input that did it.
 */
import { toBase64 } from '../bytes/index.ts'
import { Client, type ClientConfig } from '../client/index.ts'
import { noble } from '../crypto/index.ts'
import { Server, type ServerConfig } from '../server/index.ts'
import { type Environment, Session, type SessionConfig } from '../session/index.ts'
import { encodeValue } from './codec.ts'
import { LANES, type MachineName, OutputDigest, type RecordingHeader, VIEWS } from './format.ts'

/** Takes one line, without its end. */
export type WriteLine = (line: string) => void

/**
 * A session that is recorded.
 *
 * @throws ConfigError for a configuration that cannot work, or that holds what cannot be recorded (an external key).
 */
export function recordSession(config: SessionConfig, environment: Environment, write: WriteLine): Session {
  const recorder = new Recorder('session', config, environment, write)
  return recorder.front(new Session(config, recorder.environment))
}

/** A client that is recorded, the fast lane of its session included. */
export function recordClient(config: ClientConfig, environment: Environment, write: WriteLine): Client {
  const recorder = new Recorder('client', config, environment, write)
  return recorder.front(new Client(config, recorder.environment))
}

/** A server that is recorded. */
export function recordServer(config: ServerConfig, environment: Environment, write: WriteLine): Server {
  const recorder = new Recorder('server', config, environment, write)
  return recorder.front(new Server(config, recorder.environment))
}

class Recorder {
  readonly environment: Environment
  readonly #write: WriteLine
  readonly #digest: OutputDigest
  #taken = 0
  #drained = false
  /** Fronts of sessions by session: a client has one after the other. */
  readonly #fronts = new WeakMap<object, object>()

  constructor(machine: MachineName, config: unknown, environment: Environment, write: WriteLine) {
    const { crypto = noble, now, random, timeOrigin } = environment
    this.#write = write
    this.#digest = new OutputDigest(crypto)
    const header: RecordingHeader = {
      'ovpn-recording': 1,
      machine,
      crypto: crypto.name,
      fastAes: crypto.fastAes,
      now,
      timeOrigin,
      config: encodeValue(config),
    }
    write(JSON.stringify(header))
    this.environment = {
      ...environment,
      // REC-6
      random: (length) => {
        const bytes = random(length)
        write(JSON.stringify(['r', toBase64(bytes)]))
        return bytes
      },
    }
  }

  /** The machine behind a front that writes down what passes. */
  front<T extends object>(machine: T, prefix = ''): T {
    return new Proxy(machine, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target)
        if (property === 'session' && typeof value === 'object' && value !== null) return this.#session(value)
        if (typeof value !== 'function' || typeof property !== 'string') return value
        const method = value as (...args: readonly unknown[]) => unknown
        if (property === 'poll' && prefix === '') return () => this.#poll(method.call(target))
        if (VIEWS.has(property)) return method.bind(target)
        return (...args: readonly unknown[]) => {
          this.#input(prefix + property, LANES.has(property) ? laneArguments(args) : args)
          const result = method.apply(target, [...args])
          if (LANES.has(property)) this.#digest.add(laneResult(target, result))
          return result
        }
      },
    })
  }

  #session(session: object): object {
    const known = this.#fronts.get(session)
    if (known !== undefined) return known
    const front = this.front(session, 'session.')
    this.#fronts.set(session, front)
    return front
  }

  #poll(output: unknown): unknown {
    if (output === undefined) {
      // A host may ask again and again: once an input is enough.
      if (!this.#drained) this.#outputs(true)
      this.#drained = true
    } else {
      this.#taken++
      this.#digest.add(output)
      this.#drained = false
    }
    return output
  }

  #outputs(drained: boolean): void {
    this.#write(JSON.stringify(['o', this.#taken, drained, this.#digest.text]))
    this.#taken = 0
  }

  #input(method: string, args: readonly unknown[]): void {
    if (this.#taken > 0) this.#outputs(false)
    this.#drained = false
    this.#write(JSON.stringify(['i', method, args.map((argument) => encodeValue(argument))]))
  }
}

/** A lane's buffer may be large and shared: only what the call touches is kept. REC-9 */
function laneArguments(args: readonly unknown[]): readonly unknown[] {
  const [buffer, offset, ...rest] = args
  if (!(buffer instanceof Uint8Array) || typeof offset !== 'number') return args
  const length = typeof rest[0] === 'number' && rest.length > 1 ? rest[0] : 0
  return [buffer.slice(offset, offset + length), offset, buffer.length, ...rest]
}

/** What a lane call left behind: its result and the bytes it made. */
export function laneResult(target: object, result: unknown): unknown {
  const { resultBuffer, resultOffset } = target as Pick<Session, 'resultBuffer' | 'resultOffset'>
  if (typeof result !== 'number' || result < 0) return { lane: result }
  return { lane: resultBuffer.subarray(resultOffset, resultOffset + result) }
}
