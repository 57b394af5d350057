/**
 * One run of a probe: a client over the profile's remotes, pings once the tunnel is up, one verdict.
 *
 * The client's own persistence is cut to what a probe is for: every remote has one turn within the time there is, and a
 * tunnel that breaks is the end. With `keep` the profile's own persistence holds and the pings go on through the next
 * tunnel.
 */
import { performance } from 'node:perf_hooks'
import type { ClientConfig, ClientEvent, CredentialsRequest, Remote } from '../../client/index.ts'
import type { TunnelOptions } from '../../control/index.ts'
import type { Credentials } from '../../session/index.ts'
import { recordClient } from '../../record/index.ts'
import { ClientDriver } from '../client-driver.ts'
import { nodeEnvironment } from '../driver.ts'
import { describeEnd, type Outcome } from './client-end.ts'
import { explainCipher } from './explain.ts'
import { EXIT } from './io.ts'
import { Pinger } from './pinger.ts'
import { pingRoute } from './ping-route.ts'
import { type ProbePlan, withKeyLog } from './plan.ts'
import { type Ask, askLogin, askText } from './login-prompts.ts'
import type { ProbeReporter } from './probe-report.ts'
import { Prompter } from './prompt.ts'

/** What the command line asked for. */
export interface ProbeRequest {
  readonly ping: Uint8Array | undefined
  readonly count: number
  readonly interval: number
  readonly size: number
  readonly require: number
  /** ms for everything. */
  readonly timeout: number
  /** The answer to a question that comes with the login. */
  readonly response: string | undefined
  readonly keep: boolean
  readonly explain: boolean
  /** Takes the session's secrets, a line each. */
  readonly keyLog: ((line: string) => void) | undefined
  /** Takes the recording of the run, a line each. */
  readonly record: ((line: string) => void) | undefined
}

/** How long a session may take to its first keys, unless the profile says. */
const HAND_WINDOW = 60_000

/** One run. */
export class Probe {
  readonly #plan: ProbePlan
  readonly #request: ProbeRequest
  readonly #reporter: ProbeReporter
  readonly #config: ClientConfig
  readonly #driver: ClientDriver
  readonly #started = performance.now()
  readonly #prompter = new Prompter()
  #pinger: Pinger | undefined
  #overall: NodeJS.Timeout | undefined
  #remote: Remote | undefined
  #pushed: readonly string[] | undefined
  #connected = false
  /** What somebody is being asked for. */
  #waitsFor: string | undefined
  #verdict: Outcome | undefined
  #finish: ((code: number) => void) | undefined

  /** @throws ConfigError for a profile that cannot work. */
  constructor(plan: ProbePlan, request: ProbeRequest, reporter: ProbeReporter) {
    this.#plan = plan
    this.#request = request
    this.#reporter = reporter
    this.#config = probeConfig(request.keyLog === undefined ? plan.client : withKeyLog(plan.client), request)
    const { record } = request
    const client = record === undefined ? this.#config : recordClient(this.#config, nodeEnvironment(), record)
    this.#driver = new ClientDriver(client, {
      packet: (data) => this.#pinger?.receive(data),
      event: (event) => {
        this.#event(event)
      },
    })
  }

  /** Runs to the end; resolves with the exit code. */
  async run(): Promise<number> {
    const code = new Promise<number>((resolve) => {
      this.#finish = resolve
    })
    this.#overall = setTimeout(() => {
      const why = this.#waitsFor ?? this.#silence()
      this.#fail(`not finished within ${this.#request.timeout / 1000} s${why === undefined ? '' : `: ${why}`}`)
    }, this.#request.timeout)
    this.#driver.start()
    return await code
  }

  #event(event: ClientEvent): void {
    switch (event.type) {
      case 'attempt': {
        this.#remote = this.#config.remotes[event.remote]
        const { host = event.address, port = 0, session } = this.#remote ?? {}
        this.#reporter.connecting(`${host}:${port}`, session?.transport ?? 'udp')
        break
      }
      case 'connected':
        this.#reporter.connected(performance.now() - this.#started, event.negotiated, event.options)
        if (this.#request.explain && this.#remote !== undefined) {
          this.#reporter.cipher(explainCipher(this.#remote.session, event.negotiated, this.#pushed))
        }
        if (!this.#connected) this.#ping(event.options)
        this.#connected = true
        break
      case 'retry':
        if (this.#connected && !this.#request.keep) this.#end(describeEnd(event.end))
        else this.#reporter.retry(describeEnd(event.end), event.delay)
        break
      case 'credentials-needed':
        this.#answer(event)
        break
      case 'closed':
        this.#closed(describeEnd(event.reason))
        break
      case 'tunnel-up':
      case 'tunnel-down':
        break
      case 'key-log':
        this.#request.keyLog?.(event.line.reveal())
        break
      case 'login-request':
        this.#reporter.event(event)
        if (event.request.type === 'text' && event.request.responseRequired) {
          this.#respond(event.request.text, event.request.echo)
        }
        break
      case 'push-received':
        if (!event.update) this.#pushed = event.options
        this.#reporter.event(event)
        break
      default:
        this.#reporter.event(event)
    }
  }

  /** The login's question: answered with what the command line gave, or by who is asked. */
  #answer(request: CredentialsRequest): void {
    const { response } = this.#request
    if (response === undefined) void this.#asked(askLogin(this.#ask, request), describeLack(request))
    else if (request.username !== undefined) this.#authenticate({ type: 'response', response })
    else {
      const lacking = { ...request, challenge: undefined }
      const asked = askLogin(this.#ask, lacking).then((login) => login && { ...login, response })
      void this.#asked(asked, describeLack(lacking))
    }
  }

  #respond(text: string, echo: boolean): void {
    const { response } = this.#request
    if (response !== undefined) this.#authenticate({ type: 'response', response })
    else void this.#asked(askText(this.#ask, text, echo), describeLack({ challenge: { text, echo }, username: '' }))
  }

  readonly #ask: Ask = async (question, echo) => await this.#prompter.ask(question, echo)

  /** What the person at the terminal typed, or a program wrote into the pipe. `lack`: what to say when there is nothing. */
  async #asked(answer: Promise<Credentials | undefined>, lack: string): Promise<void> {
    this.#waitsFor = lack
    const credentials = await answer
    this.#waitsFor = undefined
    if (credentials === undefined) this.#fail(lack)
    else this.#authenticate(credentials)
  }

  /** Later, because the client may be in the middle of a drain. */
  #authenticate(credentials: Credentials): void {
    setImmediate(() => {
      this.#driver.input((client, now) => {
        client.authenticate(credentials, now)
      })
    })
  }

  #ping(options: TunnelOptions): void {
    const { count, interval, size, require, ping } = this.#request
    const route = pingRoute(options, ping, this.#plan.addresses, this.#pushed)
    if (count > 0 && route === undefined) {
      this.#fail('no address to ping: the server pushed no gateway of that family (--ping ADDR)')
      return
    }
    const nothing = new Uint8Array(4)
    this.#pinger = new Pinger(
      {
        device: this.#plan.device,
        source: route?.source ?? nothing,
        target: route?.target ?? nothing,
        count,
        interval,
        size,
        patience: 2000,
      },
      {
        send: (packet) => this.#driver.send(packet),
        reply: (sequence, ms) => {
          this.#reporter.ping(sequence, ms)
        },
        done: (received) => {
          this.#reporter.pings(count, received)
          if (received < require) this.#fail(`${received} of ${count} pings came back`)
          else this.#close()
        },
      },
    )
    this.#pinger.start()
  }

  /** What it may mean that nothing at all came back. */
  #silence(): string | undefined {
    if (this.#remote === undefined || this.#driver.stats?.datagramsReceived !== 0) return undefined
    const { host, port } = this.#remote
    return `nothing came from ${host}:${port} (no server there, a firewall between, or another control-channel key)`
  }

  #fail(why: string): void {
    this.#end({ reason: 'gave-up', text: why })
  }

  #end(outcome: Outcome): void {
    this.#verdict ??= outcome
    this.#close()
  }

  /** Asks for a clean close. Later, because the client may be in the middle of a drain. */
  #close(): void {
    this.#pinger?.stop()
    setImmediate(() => {
      this.#driver.input((client, now) => {
        client.close(now)
      })
    })
  }

  #closed(last: Outcome): void {
    const finish = this.#finish
    this.#finish = undefined
    clearTimeout(this.#overall)
    this.#prompter.close()
    this.#pinger?.stop()
    const { reason, text } = this.#verdict ?? last
    const good = this.#verdict === undefined && this.#connected && reason === 'local'
    this.#reporter.closed(reason, text, this.#driver.stats)
    // The last farewell leaves the sockets before the command ends.
    setImmediate(() => {
      this.#driver.stop()
      finish?.(good ? EXIT.ok : EXIT.failed)
    })
  }
}

/** What the login lacks, when nobody gives it. */
function describeLack({ challenge, knownUsername, username }: CredentialsRequest): string {
  const question = challenge?.text ?? ''
  if (username !== undefined) {
    return `the login asks "${question}", and there is no answer (--response TEXT, or a line of standard input)`
  }
  if (knownUsername !== undefined) {
    return 'the profile has a username and no password (the second line of auth-user-pass, or a line of standard input)'
  }
  const wanted = challenge === undefined ? 'a username and a password' : `a username, a password and "${question}"`
  return `the profile wants ${wanted}, and has none (auth-user-pass FILE or inline, or lines of standard input)`
}

/** The client's configuration with a probe's patience. */
function probeConfig(config: ClientConfig, request: ProbeRequest): ClientConfig {
  const { remotes, retry = {} } = config
  const share = Math.max(1000, Math.floor(request.timeout / remotes.length))
  const several = remotes.length > 1
  const answered = remotes.map((remote) => withResponse(remote, request.response))
  if (request.keep) return { ...config, remotes: answered }
  return {
    ...config,
    remotes: answered.map((remote) => {
      const { session } = remote
      const handWindow = Math.min(session.timers?.handWindow ?? HAND_WINDOW, share)
      return several ? { ...remote, session: { ...session, timers: { ...session.timers, handWindow } } } : remote
    }),
    retry: {
      ...retry,
      retry: 0,
      // A question's answer takes a second turn.
      maxTurns: request.response === undefined ? 1 : 2,
      resolveRetry: 0,
      ...(several ? { pollTimeout: Math.min(retry.pollTimeout ?? share, share) } : {}),
    },
  }
}

/** The remote with the answer to its questions in place, and the promise to answer those that come later. */
function withResponse(remote: Remote, response: string | undefined): Remote {
  if (response === undefined) return remote
  const { session } = remote
  const { login } = session
  const answers = session.staticChallenge !== undefined && login?.type === 'password'
  return {
    ...remote,
    session: {
      ...session,
      ...(answers ? { login: { ...login, response } } : {}),
      peerInfo: { ...session.peerInfo, sso: 'crtext' },
    },
  }
}
