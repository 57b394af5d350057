/**
 * A tunnel kept up over a list of remotes, driven with the verbs of a session and a few more: names to resolve and sockets
 * to open are outputs, their results are inputs.
 *
 * This file is a switchboard between four parts: `remote-list.ts` (which remote next, after what pause), `path.ts` (sockets
 * and proxies of one attempt), the session over that path, and `policy.ts` (what follows from its end). At any time there
 * is at most one session. See spec/client.md.
 */
import { Queue } from '../bytes/index.ts'
import { type CryptoProvider, noble } from '../crypto/index.ts'
import { type CloseReason, type Credentials, type Environment, Session, type SessionEvent } from '../session/index.ts'
import { checkClientConfig, type ClientConfig, type Remote, type RetryConfig } from './config.ts'
import { ClientCredentials } from './credentials.ts'
import type { AttemptEnd, ClientCloseReason, ClientEvent, ClientOutput, ClientState } from './output.ts'
import { Path } from './path.ts'
import { afterSession } from './policy.ts'
import { literalAddress, type RemoteFailure, type RemoteList, type RemoteStep } from './remote-list.ts'
import { createRemoteList, randomizedHost, validateSessions } from './remotes.ts'
import { authenticCount } from './session-views.ts'
import { TunnelDevice } from './tunnel-device.ts'

/**
 * A client. Inputs never throw for what came from outside, outputs wait in one queue, time never runs backwards, and
 * `closed` comes once and last; after it every input is a no-op.
 *
 * @example
 * const client = new Client(config, { now: performance.now(), timeOrigin: performance.timeOrigin, random })
 * for (let output; (output = client.poll()) !== undefined; ) carryOut(output)
 * wakeAt(client.pollTimeout(), () => client.handleTimeout(performance.now()))
 */
export class Client {
  readonly #config: ClientConfig
  readonly #retry: RetryConfig
  readonly #environment: Environment
  readonly #crypto: CryptoProvider
  readonly #outputs = new Queue<ClientOutput>()
  readonly #list: RemoteList
  readonly #credentials: ClientCredentials
  readonly #device: TunnelDevice
  #now: number
  #state: ClientState = 'pausing'
  #closing = false
  #remote: Remote
  #address = ''
  #step: RemoteStep | undefined
  #request = 0
  #resolvingProxy = false
  #links = 0
  #path: Path | undefined
  #session: Session | undefined
  #username = ''
  #resumeAt = Infinity
  #answerBy = Infinity

  /** @throws ConfigError for a configuration that cannot work over one of its remotes; nothing was asked for then. */
  constructor(config: ClientConfig, environment: Environment) {
    this.#retry = checkClientConfig(config)
    validateSessions(config.remotes, environment)
    this.#config = config
    this.#environment = environment
    this.#crypto = environment.crypto ?? noble
    this.#now = environment.now
    this.#list = createRemoteList(config, this.#retry, environment.random)
    this.#credentials = new ClientCredentials(config.authNocache ?? false)
    this.#device = new TunnelDevice(this.#crypto, config.persistTun ?? false)
    this.#remote = config.remotes[this.#list.current] as Remote
    this.#follow(this.#list.begin())
  }

  get state(): ClientState {
    return this.#state
  }

  /** The session of the attempt under way, for its views and its fast lane; only where there is no relay. */
  get session(): Session | undefined {
    return this.#session
  }

  /** The link that carries the session's bytes. */
  get link(): number | undefined {
    return this.#path?.link
  }

  /** The addresses of a name asked for, best first; empty when it has none. */
  resolved(request: number, addresses: readonly string[], now: number): void {
    if (!this.#begin(now) || this.#state !== 'resolving' || request !== this.#request) return
    if (!this.#resolvingProxy) {
      this.#fail({ type: 'unresolvable', host: this.#remote.host }, () => this.#list.resolved(addresses))
      return
    }
    const address = addresses.map(literalAddress).find((text) => text !== undefined)
    if (address !== undefined) this.#openPath(address)
    else this.#attemptFailed({ type: 'unresolvable', host: this.#remote.proxy?.server.host ?? '' })
  }

  /** The socket of a link is open. */
  connected(link: number, now: number): void {
    if (!this.#begin(now)) return
    this.#path?.connected(link)
    this.#settle()
  }

  /** The socket of a link could not be opened, or is closed. */
  disconnected(link: number, detail: string, now: number): void {
    if (!this.#begin(now)) return
    this.#path?.disconnected(link, detail)
    this.#settle()
  }

  /** Bytes from the socket of a link; default: the one that carries the session. Borrowed until the call returns. */
  receive(bytes: Uint8Array, now: number, link: number | undefined = this.link): void {
    if (!this.#begin(now) || link === undefined) return
    const payload = this.#path?.receive(link, bytes)
    if (payload !== undefined) this.#hear(payload)
    this.#settle()
  }

  /** A packet for the tunnel; false: there is none, dropped. */
  send(packet: Uint8Array, now: number): boolean {
    if (!this.#begin(now)) return false
    const taken = this.#session?.send(packet, this.#now) ?? false
    this.#settle()
    return taken
  }

  /**
   * Answers `credentials-needed`, or a text request of `login-request`.
   * @throws UsageError when nothing was asked.
   */
  authenticate(credentials: Credentials, now: number): void {
    if (!this.#begin(now)) return
    const step = this.#step
    if (this.#state === 'asking' && step !== undefined) {
      this.#credentials.provide(credentials, this.#remote.session)
      this.#follow(step)
    } else {
      this.#session?.authenticate(credentials, this.#now)
    }
    this.#settle()
  }

  /** Answers `signature-needed` of the same key id. */
  provideSignature(keyId: number, signature: Uint8Array, now: number): void {
    if (!this.#begin(now)) return
    this.#session?.provideSignature(keyId, signature, this.#now)
    this.#settle()
  }

  /** Starts a renegotiation of keys. */
  renegotiate(now: number): void {
    if (!this.#begin(now)) return
    this.#session?.renegotiate(this.#now)
    this.#settle()
  }

  /** Says goodbye and ends. */
  close(now: number): void {
    if (!this.#begin(now)) return
    this.#closing = true
    if (this.#session === undefined) this.#end({ type: 'local' })
    else this.#session.close(this.#now)
    this.#settle()
  }

  /** Runs everything due at `now`, in the order of the deadlines; harmless when early. */
  handleTimeout(now: number): void {
    if (!this.#begin(now)) return
    while (this.pollTimeout() <= this.#now) {
      const session = this.#session?.pollTimeout() ?? Infinity
      if (session <= this.#now && session <= this.#resumeAt && session <= this.#answerBy) {
        this.#session?.handleTimeout(this.#now)
      } else if (this.#resumeAt <= this.#answerBy) {
        this.#resumeAt = Infinity
        this.#follow(this.#list.resume())
      } else {
        this.#attemptFailed({ type: 'no-answer' }) // CLIENT-9
      }
      this.#settle()
    }
  }

  /** The next output; undefined when there is none. */
  poll(): ClientOutput | undefined {
    if (this.#outputs.length === 0) this.#settle()
    return this.#outputs.shift()
  }

  /** When `handleTimeout` must be called, on the clock of `now`; `Infinity`: never. */
  pollTimeout(): number {
    return Math.min(this.#resumeAt, this.#answerBy, this.#session?.pollTimeout() ?? Infinity)
  }

  #begin(now: number): boolean {
    if (now > this.#now) this.#now = now
    return this.#state !== 'closed'
  }

  #event(event: ClientEvent): void {
    this.#outputs.push({ type: 'event', event })
  }

  /** Carries out a step of the list. */
  #follow(step: RemoteStep): void {
    this.#remote = this.#config.remotes[this.#list.current] as Remote
    if (step.type === 'wait') {
      this.#state = 'pausing'
      this.#resumeAt = this.#now + step.delay
      return
    }
    if (step.type === 'exhausted') return
    const question = this.#credentials.request(this.#remote.session)
    if (question !== undefined) {
      this.#state = 'asking'
      this.#step = step
      this.#event({ type: 'credentials-needed', ...question })
      return
    }
    this.#step = undefined
    if (step.type === 'resolve') {
      const { random } = this.#environment
      this.#resolve(this.#config.randomHostname === true ? randomizedHost(step.host, random) : step.host, step.family)
      return
    }
    this.#address = step.address
    this.#event({ type: 'attempt', remote: step.remote, address: step.address })
    const proxy = this.#remote.proxy?.server
    if (proxy === undefined) this.#openPath(undefined)
    else {
      const literal = literalAddress(proxy.host)
      if (literal !== undefined) this.#openPath(literal)
      else this.#resolve(proxy.host, undefined, true)
    }
  }

  #resolve(host: string, family: 4 | 6 | undefined, forProxy = false): void {
    this.#state = 'resolving'
    this.#resolvingProxy = forProxy
    this.#request++
    this.#outputs.push({ type: 'resolve', request: this.#request, host, family })
  }

  #openPath(proxyAddress: string | undefined): void {
    this.#state = 'connecting'
    this.#answerBy = this.#now + this.#retry.pollTimeout
    const nextLink = (): number => ++this.#links
    const { random } = this.#environment
    this.#path = new Path(this.#remote, this.#address, proxyAddress, nextLink, this.#crypto, random)
    this.#settle()
  }

  /** Bytes of the session. What is not authentic does not count as an answer. */
  #hear(payload: Uint8Array): void {
    const session = this.#session
    if (session === undefined) return
    if (this.#answerBy === Infinity) {
      session.receive(payload, this.#now)
      return
    }
    const before = authenticCount(session)
    session.receive(payload, this.#now)
    if (authenticCount(session) > before) this.#answerBy = Infinity
  }

  /** Runs path and session until neither has anything to say. */
  #settle(): void {
    for (let busy = true; busy; ) busy = this.#drainPath() || this.#drainSession()
  }

  #drainPath(): boolean {
    const path = this.#path
    const output = path?.poll()
    if (output === undefined) return false
    switch (output.type) {
      case 'connect': {
        const { local, float = false } = this.#remote
        this.#outputs.push({ type: 'connect', local, float, ...output.request })
        break
      }
      case 'disconnect':
      case 'transmit':
        this.#outputs.push(output)
        break
      case 'open':
        this.#startSession()
        if (output.rest.length > 0) this.#hear(output.rest)
        break
      case 'failed':
        this.#attemptFailed(output.failure)
    }
    return true
  }

  #startSession(): void {
    const { timeOrigin, random } = this.#environment
    const config = { ...this.#remote.session, ...this.#credentials.take(this.#remote.session) }
    if (!this.#credentials.usedToken && config.login?.type === 'password') this.#username = config.login.username
    this.#state = 'session'
    this.#session = new Session(config, { now: this.#now, timeOrigin, random, crypto: this.#crypto })
  }

  #drainSession(): boolean {
    const session = this.#session
    const output = session?.poll()
    if (output === undefined) return false
    if (output.type === 'transmit') this.#path?.transmit(output.data)
    else if (output.type === 'packet') this.#outputs.push(output)
    else this.#onEvent(output.event)
    return true
  }

  #onEvent(event: SessionEvent): void {
    if (event.type === 'credentials-needed') return
    if (event.type === 'closed') {
      this.#sessionEnded(event.reason)
      return
    }
    if (event.type === 'connected') {
      this.#answerBy = Infinity
      this.#list.succeeded() // CLIENT-7
    }
    if (event.type === 'connected' || event.type === 'options-updated') {
      const { options } = event
      this.#event({ type: 'tunnel-up', action: this.#device.up(options), options })
    }
    this.#event(event)
  }

  #sessionEnded(reason: CloseReason): void {
    const end: AttemptEnd = { type: 'session', reason }
    this.#dropSession()
    if (this.#closing) {
      this.#end({ type: 'local' })
      return
    }
    const { authRetry = 'none' } = this.#config
    const next = afterSession(reason, { authRetry, usedToken: this.#credentials.usedToken })
    if (next.type === 'stop') {
      this.#end(end)
      return
    }
    if (next.type === 'challenge') this.#credentials.challenged(next.challenge)
    else this.#credentials.change(next.login)
    this.#retryAfter(end, next.failure)
  }

  /** The attempt's path or its patience is gone. */
  #attemptFailed(end: AttemptEnd): void {
    this.#dropSession()
    if (this.#closing) this.#end({ type: 'local' })
    else this.#retryAfter(end, {})
  }

  #retryAfter(end: AttemptEnd, failure: RemoteFailure): void {
    this.#fail(end, () => this.#list.failed(failure))
  }

  /** Asks the list for the step after `end`, which is none if the list has a better idea than to wait. */
  #fail(end: AttemptEnd, next: () => RemoteStep): void {
    const step = next()
    if (step.type === 'exhausted') {
      this.#end({ type: 'exhausted', last: end })
      return
    }
    if (step.type === 'wait') {
      this.#lowerTunnel(true)
      this.#event({ type: 'retry', end, delay: step.delay })
    }
    this.#follow(step)
    this.#settle()
  }

  /** Takes what the session leaves behind, and closes its sockets behind its last bytes. */
  #dropSession(): void {
    const session = this.#session
    this.#answerBy = Infinity
    if (session !== undefined) {
      if (session.token !== undefined) this.#credentials.keepToken(session.token, this.#username)
      this.#session = undefined
    }
    for (const output of this.#path?.finish() ?? []) this.#outputs.push(output)
    this.#path = undefined
  }

  #lowerTunnel(another: boolean): void {
    if (this.#device.isUp) this.#event({ type: 'tunnel-down', keep: this.#device.down(another) })
  }

  #end(reason: ClientCloseReason): void {
    if (this.#state === 'closed') return
    this.#dropSession()
    this.#lowerTunnel(false)
    this.#state = 'closed'
    this.#resumeAt = Infinity
    this.#event({ type: 'closed', reason })
  }
}
