/**
 * `ovpn probe`: brings a profile's tunnel up in user space, pings through it, says what was negotiated and closes.
 *
 * Needs neither root nor a tun device: the pings are built here (pinger.ts). Each remote of the profile is tried once, in
 * order, until one connects.
 */
import { isIP } from 'node:net'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { type CloseReason, describeCloseReason, Session, type SessionEvent } from '../../session/index.ts'
import type { TunnelOptions } from '../../control/index.ts'
import { addressBytes, loadPlan, type ProbePlan, type ProbeRemote } from './plan.ts'
import { nodeEnvironment, SessionDriver } from '../driver.ts'
import { openTransport, type Transport } from '../transport.ts'
import { type CommandIo, CommandLineError, EXIT, integerOption, numberOption } from './io.ts'
import { Pinger } from './pinger.ts'
import { jsonReporter, type ProbeReporter, textReporter } from './probe-report.ts'

const HELP = `ovpn probe: connect a profile in user space, ping through the tunnel, say what was negotiated

usage: ovpn probe FILE [options]

  --ping ADDR      address to ping inside the tunnel (default: the pushed gateway)
  --count N        pings to send (default 4; 0: connect only)
  --interval MS    pause between pings (default 50)
  --size BYTES     ICMP payload (default 56)
  --require N      fewest replies that count as success (default: all)
  --timeout S      give up after so many seconds in all (default 30)
  --explain        also say which pushed options were refused and how both ends' options differ
  --json           one JSON object a line instead of text

No root and no tun device are needed. Exit codes: 0 connected and pinged, 1 not, 2 the profile cannot work.`

/** What the command line asked for. */
export interface ProbeRequest {
  readonly ping: Uint8Array | undefined
  readonly count: number
  readonly interval: number
  readonly size: number
  readonly require: number
  readonly timeout: number
}

/** Runs `ovpn probe`. */
export async function runProbe(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ping: { type: 'string' },
      count: { type: 'string' },
      interval: { type: 'string' },
      size: { type: 'string' },
      require: { type: 'string' },
      timeout: { type: 'string' },
      explain: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    io.out(HELP)
    return EXIT.ok
  }
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0) throw new CommandLineError('exactly one profile is wanted')
  const count = integerOption('count', values.count, 4)
  const request: ProbeRequest = {
    ping: values.ping === undefined ? undefined : pingAddress(values.ping),
    count,
    interval: numberOption('interval', values.interval, 50),
    size: integerOption('size', values.size, 56),
    require: integerOption('require', values.require, count),
    timeout: numberOption('timeout', values.timeout, 30) * 1000,
  }
  if (request.require > count) throw new CommandLineError(`--require ${request.require} is more than --count ${count}`)
  const plan = loadPlan(file)
  const reporter = values.json ? jsonReporter(io) : textReporter(io, values.explain)
  reporter.warnings(plan.warnings)
  return await probeRemotes(plan, request, reporter)
}

function pingAddress(text: string): Uint8Array {
  const bytes = addressBytes(text)
  if (bytes === undefined) throw new CommandLineError(`--ping wants an IPv4 or IPv6 address, not "${text}"`)
  return bytes
}

async function probeRemotes(plan: ProbePlan, request: ProbeRequest, reporter: ProbeReporter): Promise<number> {
  const deadline = performance.now() + request.timeout
  for (const [index, remote] of plan.remotes.entries()) {
    const last = index === plan.remotes.length - 1
    const share = (deadline - performance.now()) / (plan.remotes.length - index)
    const result = await new Probe(plan, remote, request, reporter, last ? deadline : performance.now() + share).run()
    if (result.connected || last) return result.code
  }
  return EXIT.failed
}

interface ProbeOutcome {
  readonly connected: boolean
  readonly code: number
}

/** One remote, one session. */
class Probe {
  readonly #plan: ProbePlan
  readonly #remote: ProbeRemote
  readonly #request: ProbeRequest
  readonly #reporter: ProbeReporter
  readonly #deadline: number
  readonly #started = performance.now()
  #transport: Transport | undefined
  #driver: SessionDriver | undefined
  #pinger: Pinger | undefined
  #overall: NodeJS.Timeout | undefined
  #connected = false
  #failure: string | undefined
  #finish: ((outcome: ProbeOutcome) => void) | undefined

  constructor(plan: ProbePlan, remote: ProbeRemote, request: ProbeRequest, reporter: ProbeReporter, deadline: number) {
    this.#plan = plan
    this.#remote = remote
    this.#request = request
    this.#reporter = reporter
    this.#deadline = deadline
  }

  async run(): Promise<ProbeOutcome> {
    const { target } = this.#remote
    this.#reporter.connecting(`${target.host}:${target.port}`, target.protocol)
    try {
      this.#transport = await openTransport(target, {
        receive: (data) => this.#driver?.receive(data),
        broken: (reason) => {
          this.#end({ connected: this.#connected, code: EXIT.failed }, 'transport-broken', reason)
        },
      })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.#reporter.closed('transport-broken', message, undefined)
      return { connected: false, code: EXIT.failed }
    }
    const outcome = new Promise<ProbeOutcome>((resolve) => {
      this.#finish = resolve
    })
    this.#drive(this.#transport)
    return await outcome
  }

  #drive(transport: Transport): void {
    const session = new Session(this.#remote.config, nodeEnvironment())
    this.#driver = new SessionDriver(session, {
      transmit: (data) => {
        transport.send(data)
      },
      packet: (data) => this.#pinger?.receive(data),
      event: (event) => {
        this.#event(event)
      },
    })
    this.#overall = setTimeout(
      () => {
        this.#fail(`not finished within ${this.#request.timeout / 1000} s`)
      },
      Math.max(0, this.#deadline - performance.now()),
    )
    this.#driver.start()
  }

  #event(event: SessionEvent): void {
    switch (event.type) {
      case 'connected':
        this.#connected = true
        this.#reporter.connected(performance.now() - this.#started, event.negotiated, event.options)
        this.#ping(event.options)
        break
      case 'closed':
        this.#closed(event.reason)
        break
      case 'credentials-needed':
        this.#fail('the profile wants a username and a password, and has none (auth-user-pass FILE or inline)')
        break
      default:
        this.#reporter.event(event)
    }
  }

  #ping(options: TunnelOptions): void {
    const route = pingRoute(options, this.#request.ping, this.#plan.addresses)
    if (this.#request.count > 0 && route === undefined) {
      this.#fail('no address to ping: the server pushed no gateway of that family (--ping ADDR)')
      return
    }
    const nothing = new Uint8Array(4)
    this.#pinger = new Pinger(
      {
        device: this.#plan.device,
        source: route?.source ?? nothing,
        target: route?.target ?? nothing,
        count: this.#request.count,
        interval: this.#request.interval,
        size: this.#request.size,
        patience: 2000,
      },
      {
        send: (packet) => this.#driver?.send(packet),
        reply: (sequence, ms) => {
          this.#reporter.ping(sequence, ms)
        },
        done: (received) => {
          this.#reporter.pings(this.#request.count, received)
          if (received < this.#request.require) this.#fail(`${received} of ${this.#request.count} pings came back`)
          else this.#close()
        },
      },
    )
    this.#pinger.start()
  }

  #fail(why: string): void {
    this.#failure ??= why
    this.#close()
  }

  /** Asks for a clean close. Later, because the session may be in the middle of a drain. */
  #close(): void {
    this.#pinger?.stop()
    setImmediate(() => {
      this.#driver?.input((session, now) => {
        session.close(now)
      })
    })
  }

  #closed(reason: CloseReason): void {
    const expected = reason.type === 'local' && this.#failure === undefined
    const text = this.#failure ?? describeCloseReason(reason)
    const code = expected && this.#connected ? EXIT.ok : EXIT.failed
    this.#end({ connected: this.#connected, code }, this.#failure === undefined ? reason.type : 'gave-up', text)
  }

  #end(outcome: ProbeOutcome, reason: string, text: string): void {
    const finish = this.#finish
    if (finish === undefined) return
    this.#finish = undefined
    clearTimeout(this.#overall)
    this.#pinger?.stop()
    this.#driver?.stop()
    this.#reporter.closed(reason, text, this.#driver?.session.stats)
    // The last farewell leaves the socket before it is closed.
    setImmediate(() => {
      this.#transport?.close()
      finish(outcome)
    })
  }
}

/** Own address and target of the pings: as asked, else the gateway that was pushed. */
function pingRoute(
  options: TunnelOptions,
  asked: Uint8Array | undefined,
  configured: ProbePlan['addresses'],
): { source: Uint8Array; target: Uint8Array } | undefined {
  const source4 = options.ipv4?.address ?? configured.ipv4
  const source6 = options.ipv6?.address ?? configured.ipv6
  const gateway4 = gatewayOf(options) ?? options.ipv4?.peer ?? configured.peer4
  const gateway6 = options.ipv6?.peer ?? configured.peer6
  const family = asked === undefined ? (gateway4 === undefined ? 16 : 4) : asked.length
  const source = addressBytes((family === 4 ? source4 : source6) ?? '')
  const target = asked ?? addressBytes((family === 4 ? gateway4 : gateway6) ?? '')
  return source === undefined || target === undefined ? undefined : { source, target }
}

function gatewayOf(options: TunnelOptions): string | undefined {
  const gateway = options.routeGateway
  return gateway !== undefined && isIP(gateway) === 4 ? gateway : undefined
}
