/**
 * One run of `ovpn connect`: a client kept up, its inner side set up and taken down as the client says, questions put to the
 * person, and a line that says how things stand.
 */
import { performance } from 'node:perf_hooks'
import type { ClientEvent, Remote } from '../../client/index.ts'
import type { CryptoProvider } from '../../crypto/index.ts'
import type { Credentials } from '../../session/index.ts'
import { recordClient } from '../../record/index.ts'
import { ClientDriver } from '../client-driver.ts'
import { nodeEnvironment } from '../driver.ts'
import { describeEnd } from './client-end.ts'
import { withKeyLog } from './plan.ts'
import type { ConnectPlan } from './connect-plan.ts'
import type { InnerSide, InnerSideNews } from './connect-system.ts'
import { describeStats } from './describe.ts'
import { type CommandIo, counted, EXIT } from './io.ts'
import { type Ask, askLogin, askText } from './login-prompts.ts'
import { jsonReporter, type ProbeReporter, textReporter } from './probe-report.ts'
import type { Prompter } from './prompt.ts'
import { RoundTrip } from './round-trip.ts'
import { Rate, showBytes, showDuration, showRate, StatusLine } from './status-line.ts'

/** What the command line asked for. */
export interface ConnectRequest {
  readonly verb: number
  readonly json: boolean
  readonly crypto: CryptoProvider
  readonly prompter: Prompter
  /** Changes of an earlier run that were taken back before this one. */
  readonly left: number
  /** Takes the session's secrets, a line each. */
  readonly keyLog: ((line: string) => void) | undefined
  /** Takes the recording of the run, a line each. */
  readonly record: ((line: string) => void) | undefined
}

/** What a person is to type. */
type Answer = Credentials | undefined

/** One run. */
export class Connection {
  readonly #plan: ConnectPlan
  readonly #request: ConnectRequest
  readonly #reporter: ProbeReporter
  readonly #status: StatusLine
  readonly #inside: InnerSide
  readonly #driver: ClientDriver
  readonly #roundTrip = new RoundTrip()
  readonly #in = new Rate(performance.now())
  readonly #out = new Rate(performance.now())
  #started = performance.now()
  #state = 'connecting'
  #remote: Remote | undefined
  #keyId = 0
  #keysAt = 0
  #stopping = false
  #finish: ((code: number) => void) | undefined

  /**
   * @param makeInside - makes the inner side, once it can be told where its news go.
   * @throws ConfigError for a profile that cannot work, and what `makeInside` throws.
   */
  constructor(
    plan: ConnectPlan,
    request: ConnectRequest,
    io: CommandIo,
    makeInside: (news: InnerSideNews) => InnerSide,
  ) {
    this.#plan = plan
    this.#request = request
    this.#status = new StatusLine(io, () => this.#line(), !request.json && request.verb > 0)
    const { io: streams } = this.#status
    const quiet: CommandIo = { ...streams, out: request.verb === 0 ? () => undefined : streams.out }
    this.#reporter = request.json ? jsonReporter(streams) : textReporter(quiet, request.verb >= 3)
    this.#inside = makeInside({
      tell: ({ level, text }) => {
        if (level === 'warning' && !request.json) streams.error(`warning: ${text}`)
        else this.#reporter.note('network', { level, text }, text)
      },
      fail: (text) => {
        this.#tellError(text)
        this.#close()
      },
    })
    const environment = nodeEnvironment(request.crypto)
    const config = request.keyLog === undefined ? plan.client : withKeyLog(plan.client)
    const client = request.record === undefined ? config : recordClient(config, environment, request.record)
    this.#driver = new ClientDriver(
      client,
      {
        packet: (packet) => {
          this.#inside.deliver(packet)
        },
        event: (event) => {
          this.#event(event)
        },
      },
      environment,
      this.#inside.open,
    )
    this.#inside.attach(this.#driver)
  }

  /** Runs to the end; resolves with the exit code. */
  async run(): Promise<number> {
    const { left } = this.#request
    this.#reporter.warnings(this.#plan.warnings)
    const refusal = await this.#inside.prepare?.()
    if (refusal !== undefined) {
      this.#tellError(refusal)
      this.#inside.close()
      return EXIT.failed
    }
    if (left > 0) {
      const text = `took back ${counted(left, 'setting')} that a killed run had left`
      this.#reporter.note('leftovers', { commands: left }, text)
    }
    // Whatever ends this process, the system gets its settings back.
    const close = (): void => {
      this.#inside.close()
    }
    process.once('exit', close)
    const stop = (): void => {
      this.#stop()
    }
    const again = (): void => {
      this.#reconnect()
    }
    const status = (): void => {
      this.#printStatus()
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
    process.on('SIGUSR1', again)
    process.on('SIGUSR2', status)
    const code = new Promise<number>((resolve) => {
      this.#finish = resolve
    })
    this.#status.start()
    this.#driver.start()
    return await code
  }

  #tellError(text: string): void {
    if (this.#request.json) this.#reporter.note('error', { text }, text)
    else this.#status.io.error(text)
  }

  #event(event: ClientEvent): void {
    switch (event.type) {
      case 'attempt': {
        this.#remote = this.#plan.client.remotes[event.remote]
        this.#state = 'connecting'
        this.#started = performance.now()
        this.#roundTrip.reset()
        this.#reporter.connecting(this.#peer(event.address), this.#remote?.session.transport ?? 'udp')
        break
      }
      case 'key-log':
        this.#request.keyLog?.(event.line.reveal())
        break
      case 'tunnel-up':
        if (event.action !== 'keep') this.#inside.up(event.options)
        this.#reporter.note(
          'tunnel-up',
          { device: this.#inside.name, action: event.action },
          `${this.#inside.name} is up`,
        )
        break
      case 'tunnel-down':
        if (!event.keep) this.#inside.down()
        this.#reporter.note(
          'tunnel-down',
          { device: this.#inside.name, keep: event.keep },
          `${this.#inside.name} is down${event.keep ? ', and keeps its settings' : ''}`,
        )
        break
      case 'connected':
        this.#state = 'connected'
        this.#newKeys(event.negotiated.keyId)
        this.#reporter.connected(performance.now() - this.#started, event.negotiated, event.options)
        this.#started = performance.now()
        break
      case 'rekeyed':
        this.#newKeys(event.keyId)
        this.#reporter.event(event)
        break
      case 'retry':
        this.#state = 'waiting'
        this.#reporter.retry(describeEnd(event.end), event.delay)
        break
      case 'credentials-needed':
        void this.#answer(askLogin(this.#ask, event))
        break
      case 'login-request':
        this.#reporter.event(event)
        if (event.request.type === 'text' && event.request.responseRequired) {
          void this.#answer(askText(this.#ask, event.request.text, event.request.echo))
        } else if (event.request.type === 'open-url' || event.request.type === 'web-auth') {
          const { url } = event.request
          this.#reporter.note('open-url', { url }, `open this page to go on: ${url}`)
        }
        break
      case 'closed':
        this.#closed(event)
        break
      case 'trace':
        this.#roundTrip.trace(event, performance.now())
        if (this.#request.verb >= 4) {
          const { direction, opcode, packetId, size } = event
          const { type, ...fields } = event
          this.#reporter.note(type, fields, `${direction} ${opcode} ${packetId ?? 'ack'}, ${size} bytes`)
        }
        break
      default:
        this.#reporter.event(event)
    }
    this.#status.draw()
  }

  #peer(address: string): string {
    const { host = address, port = 0 } = this.#remote ?? {}
    return `${host}:${port}`
  }

  #newKeys(keyId: number): void {
    this.#keyId = keyId
    this.#keysAt = performance.now()
  }

  readonly #ask: Ask = async (question, echo) => {
    this.#status.stop()
    const answer = await this.#request.prompter.ask(question, echo)
    if (this.#finish !== undefined) this.#status.start()
    return answer
  }

  /** Gives the answer to the client; without one there is nothing to go on with. */
  async #answer(asked: Promise<Answer>): Promise<void> {
    const credentials = await asked
    if (this.#finish === undefined) return
    if (credentials === undefined) {
      this.#reporter.note('no-answer', {}, 'no answer was given')
      this.#close()
      return
    }
    this.#driver.input((client, now) => {
      client.authenticate(credentials, now)
    })
  }

  #stop(): void {
    if (this.#stopping) process.exit(EXIT.failed)
    this.#stopping = true
    this.#close()
  }

  #close(): void {
    this.#driver.input((client, now) => {
      client.close(now)
    })
  }

  /** As if the tunnel had broken: the client decides what follows. */
  #reconnect(): void {
    this.#driver.breakLink('told to reconnect')
  }

  #closed(event: Extract<ClientEvent, { type: 'closed' }>): void {
    const finish = this.#finish
    this.#finish = undefined
    const { reason, text } = describeEnd(event.reason)
    this.#status.stop()
    this.#request.prompter.close()
    this.#reporter.closed(reason, text, this.#driver.stats)
    // The last farewell leaves the sockets before the command ends.
    setImmediate(() => {
      this.#driver.stop()
      this.#inside.close()
      finish?.(this.#stopping ? EXIT.ok : EXIT.failed)
    })
  }

  #printStatus(): void {
    const { stats } = this.#driver
    const lines = stats === undefined ? [] : describeStats(stats)
    this.#reporter.note('status', { state: this.#state, stats }, [this.#line(), ...lines].join('\n'))
  }

  /** How things stand, in one line. */
  #line(): string {
    const now = performance.now()
    const { stats } = this.#driver
    const since = showDuration(now - this.#started)
    if (this.#state !== 'connected' || stats === undefined) return `${this.#state} ${since}`
    const { tunnelBytesReceived: incoming, tunnelBytesSent: outgoing } = stats
    const { renegotiateAfter } = this.#plan
    const rtt = this.#roundTrip.ms
    return [
      `connected ${since}`,
      `in ${showBytes(incoming)} (${showRate(this.#in.look(incoming, now))})`,
      `out ${showBytes(outgoing)} (${showRate(this.#out.look(outgoing, now))})`,
      ...(rtt === undefined ? [] : [`rtt ${rtt < 10 ? rtt.toFixed(1) : Math.round(rtt)} ms`]),
      `key ${this.#keyId}`,
      ...(renegotiateAfter === 0 ? [] : [`new keys in ${showDuration(this.#keysAt + renegotiateAfter - now)}`]),
    ].join(' | ')
  }
}
