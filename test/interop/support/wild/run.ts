/**
 * Runs a drawn pair in a laboratory: the reference serves, ours probes from a namespace of its own; where asked, the reference's
 * client tries the same profile and says whether it could work.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { OVPN } from '../connect.ts'
import { SERVER_READY } from '../configs.ts'
import { type Lab, type Running, withLab } from '../lab.ts'
import type { ProbeEvent } from '../probe.ts'
import { program, type Release } from '../reference.ts'
import { ClientPlace, withPlaces } from '../serve.ts'
import { type Draw, SERVER6 } from './draw.ts'
import type { Spelled } from './spelling.ts'
import type { Witness } from './witness.ts'

/** What came of a draw. */
export interface Outcome {
  /** The server did not start, so nothing can be said. */
  readonly unserved?: string
  readonly code: number
  readonly events: readonly ProbeEvent[]
  readonly output: string
  readonly ms: number
  /** What does not hold; empty: all well. */
  readonly faults: readonly string[]
  /** What the reference's clients made of the same profile. */
  readonly oracle: Readonly<Record<string, string>>
  readonly log: string
}

/** How a draw is run. */
export interface RunOptions {
  /** Releases whose clients try the same profile. */
  readonly oracles?: readonly Release[]
  /** Who else looks on. */
  readonly witness?: (lab: Lab, draw: Draw) => Witness | Promise<Witness>
}

function write(folder: string, name: string, { files, text }: Spelled): string {
  for (const [path, content] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content, { mode: 0o600 })
  }
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

function startServer(lab: Lab, draw: Draw): Running {
  const start = program(draw.release)
  const path = write(lab.folder, 'server.conf', draw.server)
  for (const [name, content] of draw.extras) {
    mkdirSync(dirname(join(lab.folder, name)), { recursive: true })
    writeFileSync(join(lab.folder, name), content)
    if (name.endsWith('.sh')) chmodSync(join(lab.folder, name), 0o755)
  }
  return lab.start(`server ${start.version}`, [...start.command, '--config', path], start.env)
}

/** What the server prints when it waits for clients: equal ends wait without a word of being complete. */
const WAITING =
  /Initialization Sequence Completed|link remote: \[(AF_INET6?|AF_UNSPEC)\]|link local|Listening for incoming TCP/

/** Runs a draw and judges it. */
export async function runDraw(draw: Draw, options: RunOptions = {}): Promise<Outcome> {
  return await withLab(
    async (lab) =>
      await withPlaces(lab, 1, async ([place]) => {
        const ip = (...args: readonly string[]): void => void execFileSync('ip', args)
        ip('-n', lab.namespace, 'addr', 'add', `${SERVER6}/64`, 'dev', 'v1', 'nodad')
        ip('-n', place!.namespace, 'addr', 'add', 'fd99:1::2/64', 'dev', 'eth0', 'nodad')
        silence(lab)
        return await inside(lab, place!, draw, options)
      }),
  )
}

/**
 * The server's kernel says nothing of its own on the devices that come: a router solicitation, sent to everybody at once, can
 * overtake the options of a client that is just connecting.
 */
function silence(lab: Lab): void {
  const settings = { router_solicitations: 0, dad_transmits: 0, mldv2_unsolicited_report_interval: 1 }
  for (const [name, value] of Object.entries(settings))
    lab.run(['sh', '-c', `echo ${value} > /proc/sys/net/ipv6/conf/default/${name}`])
}

async function inside(lab: Lab, place: ClientPlace, draw: Draw, options: RunOptions): Promise<Outcome> {
  const server = startServer(lab, draw)
  const nothing = { code: -1, events: [], output: '', ms: 0, faults: [], oracle: {} }
  try {
    await server.seen(draw.tags.includes('pair') ? WAITING : SERVER_READY, 30)
  } catch {
    return { ...nothing, unserved: lastWords(server.output()), log: server.output() }
  }
  const profile = write(join(lab.folder, 'client'), 'wild.ovpn', draw.client)
  const witness = await options.witness?.(lab, draw)
  const began = Date.now()
  const command = [process.execPath, OVPN, 'probe', profile, '--json', ...draw.args, ...(witness?.args ?? [])]
  const probe = lab.start('ovpn probe', ['ip', 'netns', 'exec', place.namespace, ...command])
  const { code, output } = await probe.ended(60).catch((error: unknown) => ({ code: -9, output: String(error) }))
  const ms = Date.now() - began
  const faults: string[] = []
  const events = code === 2 ? [] : read(output, faults)
  judge(draw, { code, events, ms, output }, faults)
  if (witness !== undefined && code === 0) faults.push(...(await witness.verdict()))
  const oracle: Record<string, string> = {}
  for (const release of options.oracles ?? []) oracle[release] = await consult(lab, place, release, profile, draw)
  return { code, events, output, ms, faults, oracle, log: server.output() }
}

function read(output: string, faults: string[]): ProbeEvent[] {
  const events: ProbeEvent[] = []
  for (const text of output.split('\n')) {
    if (text === '') continue
    try {
      events.push(JSON.parse(text) as ProbeEvent)
    } catch {
      faults.push(`a line that is no JSON: ${text}`)
    }
  }
  return events
}

type Run = Pick<Outcome, 'code' | 'events' | 'ms' | 'output'>

function judge(draw: Draw, { code, events, ms, output }: Run, faults: string[]): void {
  const closed = events.at(-1)
  const wanted = Number(draw.args[draw.args.indexOf('--count') + 1])
  const pings = events.filter(({ event }) => event === 'ping').length
  if (code === 2) faults.push(output.split('\n').at(-2) ?? '')
  else if (closed?.event !== 'closed') faults.push('closed is not the last event')
  if (draw.fate === 'up') {
    if (code !== 0) faults.push(`exit code ${code}: ${String(closed?.['reason'])}: ${String(closed?.['message'])}`)
    else if (!draw.args.includes('--require') && pings !== wanted) faults.push(`${pings} of ${wanted} pings`)
    const { dropped = {} } = (closed?.['stats'] ?? {}) as { readonly dropped?: Readonly<Record<string, number>> }
    const lost = Object.entries(dropped).filter(([reason, count]) => !isStray(draw, reason, count))
    if (code === 0 && lost.length > 0) faults.push(`dropped ${JSON.stringify(dropped)}`)
    return
  }
  if (code !== 1) faults.push(`exit code ${code} where a refusal is due`)
  else if (!draw.fate.includes(String(closed?.['reason']))) {
    faults.push(
      `refused as ${String(closed?.['reason'])}, not ${draw.fate.join(' or ')}: ${String(closed?.['message'])}`,
    )
  }
  if (ms > 12_000) faults.push(`refused after ${ms} ms`)
}

/**
 * What the server sends of its own accord (a keepalive's ping, an ARP question) comes when it comes: ahead of the options, without
 * which the client has no keys yet, or, over UDP, when the client has just said goodbye. Such packets are rare and both moments
 * short, so there is one at most in each; more would be a fault.
 */
function isStray({ transport }: Draw, reason: string, count: number): boolean {
  return count === 1 && (reason === 'key-not-ready' || (reason === 'closed' && transport === 'udp'))
}

/** Does the reference's client connect and ping with the same profile? */
async function consult(lab: Lab, place: ClientPlace, release: Release, profile: string, draw: Draw): Promise<string> {
  const start = program(release)
  const more = ['--verb', '3', '--mute', '0', '--cd', dirname(profile)]
  const command = ['ip', 'netns', 'exec', place.namespace, ...start.command, '--config', profile, ...more]
  const client = lab.start(`client ${release}`, command, start.env)
  try {
    await client.seen(SERVER_READY, draw.fate === 'up' ? 15 : 6)
    if (!draw.tags.includes('pair')) return place.ping(draw.gateway, 1) === 1 ? 'up' : 'up, no ping'
    return 'up'
  } catch {
    return `refused: ${lastWords(client.output())}`
  } finally {
    client.kill(draw.transport === 'udp' ? 'SIGTERM' : 'SIGKILL')
    await client.ended(5).catch(() => undefined)
  }
}

function lastWords(output: string): string {
  const lines = output.split('\n').map((text) => text.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /, ''))
  const telling = lines.filter(
    (text) =>
      !text.includes('--cipher is not set') &&
      /Options error|ERROR|Cannot|failed|fatal|error|AUTH_FAILED|unsupported|refused/i.test(text),
  )
  return (telling.length > 0 ? telling.slice(-3) : lines.slice(-3)).join(' | ')
}
