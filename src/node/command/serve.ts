/**
 * `ovpn serve`: a server profile in user space. Clients get addresses and reach each other and the server, which answers
 * pings to its own addresses; who comes and goes is logged, one line each.
 *
 * Needs neither root nor a tun device unless it is told to use one. Ends on SIGINT or SIGTERM after it told its clients to reconnect.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { recordServer } from '../../record/index.ts'
import type { ClientId, Grant, LoginEvent, ServerConfig, ServerEvent } from '../../server/index.ts'
import { Server } from '../../server/index.ts'
import { SecretText } from '../../session/index.ts'
import type { PeerVerifier } from '../../x509/index.ts'
import { nodeCrypto } from '../crypto/index.ts'
import { nodeEnvironment } from '../driver.ts'
import { type ListenTarget, ServerDriver, type ServerSinks } from '../server-driver.ts'
import { appendPrivate, createRecording, readInputText } from './files.ts'
import { type CommandIo, CommandLineError, counted, EXIT, integerOption } from './io.ts'
import { type Inside, RealDevice, StandIn } from './serve-inside.ts'
import { logLine } from './serve-log.ts'
import { Logins } from './serve-logins.ts'
import { loadServePlan, type ServePlan, writeLeases } from './serve-plan.ts'
import { Rate, showBytes, showDuration, showRate, StatusLine } from './status-line.ts'

const HELP = `ovpn serve: a server profile in user space; answers pings to the server's own addresses

usage: ovpn serve FILE [options]

  --users FILE     let in who is named there, "name:password" a line (with or without certificates); without it the
                   profile's auth-user-pass-verify is run, where its script-security allows that
  --defer MS       decide about logins only after so long, as a slow directory would
  --tun            a real device, with the server's addresses and the profile's routes (root, and koffi)
  --keylog FILE    add every session's secrets to FILE, for ovpn decode and Wireshark: whoever has them and a capture
                   reads everything; keep the file to yourself and delete it
  --record FILE    write everything that the server is told to FILE, for ovpn replay and decode: a bug report in one file.
                   It holds keys and passwords too
  --json           one JSON object a line instead of text

Without --tun no root and no device are needed. Files that the profile names are looked for in the profile's own folder, or
where its "cd" leads. SIGINT and SIGTERM end it, SIGUSR2 prints who is connected.
Exit codes: 0 it was told to end, 1 it could not go on, 2 the profile or the command line cannot work.`

/** Runs `ovpn serve` until it is told to stop. */
export async function runServe(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      users: { type: 'string' },
      defer: { type: 'string' },
      tun: { type: 'boolean', default: false },
      keylog: { type: 'string' },
      record: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    io.out(HELP)
    return EXIT.ok
  }
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0) throw new CommandLineError('exactly one server profile is wanted')
  const environment = nodeEnvironment()
  if (!existsSync(file)) throw new CommandLineError(`can't read ${file}: there is no such file`)
  const plan = loadServePlan(file, nodeCrypto, environment.random, values.users !== undefined)
  const users = values.users === undefined ? undefined : readUsers(values.users)
  const { json, keylog, record: recording } = values
  const keyLog = keylog === undefined ? undefined : appendPrivate(keylog)
  const record = recording === undefined ? undefined : createRecording(recording)
  const options: ServeOptions = { users, defer: integerOption('defer', values.defer, 0), json, keyLog, record }
  return await new Serving(plan, options, io).run(values.tun)
}

function readUsers(path: string): ReadonlyMap<string, string> {
  const lines = readInputText(path).split(/\r?\n/)
  const pairs = lines.filter((line) => line !== '' && !line.startsWith('#'))
  const wrong = pairs.findIndex((line) => line.indexOf(':') < 1)
  if (wrong >= 0)
    throw new CommandLineError(`${path}: line ${lines.indexOf(pairs[wrong] ?? '') + 1} is not "name:password"`)
  return new Map(pairs.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
}

/** What the command line asked for. */
interface ServeOptions {
  /** Passwords by name. */
  readonly users: ReadonlyMap<string, string> | undefined
  /** ms before a login is decided. */
  readonly defer: number
  readonly json: boolean
  /** Takes the sessions' secrets, a line each. */
  readonly keyLog: ((line: string) => void) | undefined
  /** Takes the recording of the run, a line each. */
  readonly record: ((line: string) => void) | undefined
}

/** One running server. */
class Serving {
  readonly #plan: ServePlan
  readonly #options: ServeOptions
  readonly #logins: Logins
  readonly #io: CommandIo
  readonly #status: StatusLine
  readonly #in = new Rate(performance.now())
  readonly #out = new Rate(performance.now())
  readonly #started = performance.now()
  readonly #driver: ServerDriver
  #inside: Inside
  #crlTime = 0
  #finish: ((code: number) => void) | undefined

  constructor(plan: ServePlan, options: ServeOptions, io: CommandIo) {
    const { keyLog, users } = options
    this.#plan = plan
    this.#options = options
    this.#logins = new Logins(users, plan.verify)
    this.#status = new StatusLine(io, () => this.#line(), !options.json)
    this.#io = this.#status.io
    const session = { ...plan.config.session, keyLog: keyLog !== undefined }
    const config: ServerConfig = { ...plan.config, session }
    const { record } = options
    const environment = nodeEnvironment()
    const server = record === undefined ? new Server(config, environment) : recordServer(config, environment, record)
    const sinks: ServerSinks = {
      packet: (_client, data) => {
        this.#inside.take(data)
      },
      event: (client, event) => {
        this.#event(client, event)
      },
    }
    this.#driver = new ServerDriver(server, sinks, plan.driver)
    this.#inside = new StandIn(plan, (packet) => {
      this.#driver.input((server, now) => server.send(packet, now))
    })
  }

  async run(tun: boolean): Promise<number> {
    if (tun) this.#openDevice()
    for (const warning of this.#plan.warnings) this.#log(undefined, 'warning', { text: warning })
    if (this.#plan.revocations !== undefined) this.#crlTime = modified(this.#plan.revocations.path)
    for (const target of this.#plan.listen) {
      const port = await this.#listen(target)
      this.#log(undefined, 'listening', { protocol: target.protocol, port, addresses: this.#plan.addresses })
    }
    const stop = (): void => {
      this.#driver.input((server, now) => {
        server.shutdown(now)
      })
    }
    const status = (): void => {
      for (const { id, ...client } of this.#driver.server.clients()) this.#log(id, 'status', client)
    }
    this.#status.start()
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
    process.on('SIGUSR2', status)
    const code = await new Promise<number>((resolve) => {
      this.#finish = resolve
    })
    process.off('SIGUSR2', status)
    this.#status.stop()
    return code
  }

  async #listen(target: ListenTarget): Promise<number> {
    try {
      return await this.#driver.listen(target)
    } catch (error) {
      this.#driver.close()
      this.#inside.close()
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(`${target.protocol} port ${target.port} can't be opened: ${reason}`, { cause: error })
    }
  }

  /** How things stand, in one line. */
  #line(): string {
    const now = performance.now()
    const clients = this.#driver.server.clients()
    const incoming = clients.reduce((sum, { stats }) => sum + stats.tunnelBytesReceived, 0)
    const outgoing = clients.reduce((sum, { stats }) => sum + stats.tunnelBytesSent, 0)
    return [
      `serving ${showDuration(now - this.#started)}`,
      counted(clients.length, 'client'),
      `in ${showBytes(incoming)} (${showRate(this.#in.look(incoming, now))})`,
      `out ${showBytes(outgoing)} (${showRate(this.#out.look(outgoing, now))})`,
    ].join(' | ')
  }

  #openDevice(): void {
    const send = (packets: readonly Uint8Array[]): void => {
      this.#driver.input((server, now) => {
        for (const packet of packets) server.send(packet, now)
      })
    }
    const device = new RealDevice(this.#plan, send, ({ level, text }) => {
      this.#log(undefined, level, { text })
    })
    this.#inside = device
    this.#log(undefined, 'device', { name: device.name })
  }

  #event(client: ClientId | undefined, event: ServerEvent): void {
    if (event.type === 'key-log') {
      this.#options.keyLog?.(event.line.reveal())
      return
    }
    const { type, ...fields } = event
    this.#log(client, type, fields)
    switch (event.type) {
      case 'client-begun':
        this.#reloadCrl()
        return
      case 'login':
        if (client !== undefined) this.#judge(client, event)
        return
      case 'client-connected':
        if (this.#plan.leaseFile !== undefined) writeLeases(this.#plan.leaseFile, this.#driver.server.leases())
        return
      case 'server-closed':
        // What was transmitted last leaves before the sockets close.
        setTimeout(() => {
          this.#driver.close()
          this.#inside.close()
          this.#finish?.(EXIT.ok)
        }, 20)
        return
      default:
    }
  }

  /** Changed revocations count from the next client on. */
  #reloadCrl(): void {
    const { revocations, config } = this.#plan
    const { verifier } = config.tls
    if (revocations === undefined || verifier === undefined || !('replaceCrls' in verifier)) return
    const { path, isDirectory } = revocations
    const time = modified(path)
    if (time === this.#crlTime) return
    try {
      const lists = verifier as PeerVerifier
      if (isDirectory) lists.replaceRevokedSerials(readdirSync(path))
      else lists.replaceCrls(readFileSync(path, 'utf8'))
      this.#crlTime = time
      this.#log(undefined, 'crl-reloaded', { file: path })
    } catch (error) {
      this.#log(undefined, 'warning', { text: `${path}: ${error instanceof Error ? error.message : String(error)}` })
    }
  }

  #judge(client: ClientId, login: LoginEvent): void {
    const { defer } = this.#options
    const answer = (): void => {
      this.#logins.judge(login, (refusal) => {
        const verdict = refusal ?? this.#grantFor(login)
        this.#driver.input((server, now) => {
          if (typeof verdict === 'string') server.deny(client, verdict, now)
          else server.allow(client, verdict, now)
        })
      })
    }
    if (defer === 0) {
      // At once: until a renewal is answered, packets under its new key are dropped.
      answer()
      return
    }
    this.#driver.input((server, now) => server.defer(client, Math.ceil(defer / 1000) + 30, now))
    setTimeout(answer, defer)
  }

  #grantFor(login: LoginEvent): Grant | string {
    const byUser = this.#plan.config.usernameAsCommonName === true || login.commonName === undefined
    return this.#plan.clientConfig?.grantFor(byUser ? login.username : login.commonName) ?? {}
  }

  #log(client: ClientId | undefined, event: string, fields: object): void {
    const line = { event, ...(client === undefined ? {} : { client }), ...fields }
    this.#io.out(this.#options.json ? JSON.stringify(line, loggable) : logLine(new Date(), client, event, fields))
  }
}

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** Bytes and secrets stay out of logs. */
function loggable(key: string, value: unknown): unknown {
  if (value instanceof Uint8Array || value instanceof SecretText) return undefined
  if (key === 'dropped') return Object.fromEntries(Object.entries(value as object).filter(([, count]) => count !== 0))
  return key === 'certificates' ? undefined : value
}
