/**
 * A drawn server and its clients brought to life: who is meant to be in is in, reaches the server and the others, keeps its
 * tunnel over renegotiations, comes back after a break and leaves in order; who is not stays out. Then the reference gets the
 * same file, and must push the same.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SERVER_READY } from './configs.ts'
import type { Lab, Running } from './lab.ts'
import { program, type Release } from './reference.ts'
import { ClientPlace, eventsOf, withPlaces } from './serve.ts'
import type { WildClient, WildDraw } from './wild-server-draw.ts'

const OVPN = fileURLToPath(new URL('../../../bin/ovpn.mjs', import.meta.url))

/** Prints 0 when name and password of the file in `$1` stand in `users`. */
const VERIFY = `#!/bin/sh
name=$(sed -n 1p "$1"); password=$(sed -n 2p "$1")
grep -qxF "$name:$password" "$(dirname "$0")/users"
`

/** What a run found. */
export interface WildReport {
  /** What should not be; empty for a good run. */
  readonly problems: readonly string[]
  /** What is worth a look: files that only one side takes. */
  readonly notes: readonly string[]
  /** Everything that was printed, by process. */
  readonly logs: Readonly<Record<string, string>>
}

/** One run of one draw. */
export async function runWildServer(lab: Lab, draw: WildDraw, withOracle = true): Promise<WildReport> {
  const run = new WildRun(lab, draw)
  try {
    await withPlaces(lab, draw.clients.length, async (places) => {
      await run.everything(places, withOracle)
    })
  } catch (error) {
    run.problems.push(`failed: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`)
  }
  return { problems: run.problems, notes: run.notes, logs: run.logs() }
}

class WildRun {
  readonly problems: string[] = []
  readonly notes: string[] = []
  readonly #lab: Lab
  readonly #draw: WildDraw
  readonly #started: Running[] = []

  constructor(lab: Lab, draw: WildDraw) {
    this.#lab = lab
    this.#draw = draw
  }

  logs(): Record<string, string> {
    return Object.fromEntries(this.#started.map((running, i) => [`${i} ${running.name}`, running.output()]))
  }

  async everything(places: readonly ClientPlace[], withOracle: boolean): Promise<void> {
    this.#writeFiles()
    if (this.#draw.outside === 6) for (const [i, place] of places.entries()) this.#cableV6(place, i + 1)
    const server = await this.#serve()
    if (server === undefined) {
      if (withOracle) await this.#oracle(places[0] as ClientPlace, undefined)
      return
    }
    const clients = this.#draw.clients.map((client, i) => this.#connect(client, places[i] as ClientPlace))
    const insiders = this.#draw.clients.flatMap((client, i) =>
      client.fate === 'in' ? [{ client, place: places[i] as ClientPlace, running: clients[i] as Running }] : [],
    )
    for (const { client, running } of insiders) await this.#isIn(client, running, 1)
    for (const [i, client] of this.#draw.clients.entries()) {
      if (client.fate === 'refused') await this.#isOut(client, clients[i] as Running, server)
    }
    for (const { client, place } of insiders) this.#reaches(client, place)
    if (this.#draw.clientToClient) this.#meet(insiders)
    if (this.#draw.renegotiates > 0) await this.#renegotiate(server, insiders)
    for (const insider of insiders) await this.#upset(insider)
    const pushed = pushReply(clients[0] as Running)
    await this.#leave(server, insiders)
    if (withOracle) await this.#oracle(places[0] as ClientPlace, pushed)
  }

  #writeFiles(): void {
    const { folder } = this.#lab
    chmodSync(folder, 0o755)
    const files = { ...this.#draw.files, 'verify.sh': VERIFY, 'server.conf': this.#draw.server }
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(folder, dirname(name)), { recursive: true })
      // Daemons that gave up their rights still read these.
      chmodSync(this.#lab.file(name, content), name.endsWith('.sh') ? 0o755 : 0o644)
    }
  }

  #cableV6(place: ClientPlace, number: number): void {
    const outer = ['-n', this.#lab.namespace]
    execFileSync('ip', [...outer, 'addr', 'add', `fd16:${number}::1/64`, 'dev', `v${number}`, 'nodad'])
    place.run(['ip', 'addr', 'add', `fd16:${number}::2/64`, 'dev', 'eth0', 'nodad'])
  }

  async #serve(): Promise<Running | undefined> {
    const users = this.#draw.usesList ? ['--users', 'users'] : []
    const server = this.#lab.start('ovpn serve', [process.execPath, OVPN, 'serve', 'server.conf', '--json', ...users])
    this.#started.push(server)
    try {
      await server.seen(/"listening"/, 30)
      return server
    } catch {
      this.problems.push(`not served: ${server.output().trim().slice(-300)}`)
      return undefined
    }
  }

  #connect(client: WildClient, place: ClientPlace): Running {
    const start = program(client.release)
    const path = this.#lab.file(`client-${place.namespace}.conf`, client.config)
    const command = ['ip', 'netns', 'exec', place.namespace, ...start.command, '--config', path]
    const running = this.#lab.start(`${client.name} ${start.version}`, command, start.env)
    this.#started.push(running)
    return running
  }

  async #isIn(client: WildClient, running: Running, times: number): Promise<void> {
    await running.seen(new RegExp(`(?:${SERVER_READY.source}[^]*){${times}}`), 90).catch(() => {
      throw new Error(`${client.name} (${client.release}) is not in, time ${times}`)
    })
  }

  async #isOut(client: WildClient, running: Running, server: Running): Promise<void> {
    const told = /AUTH_FAILED|fatal SSL alert|TLS handshake failed|TLS Error|Connection reset|SIGTERM|SIGUSR1/
    // What TLS says of a certificate is printed by newer releases only.
    const closed = server.seen(/"event":"client-closed"[^\n]*"reason":\{"type":"(certificate|denied)"/, 45)
    await Promise.any([running.seen(told, 45), closed]).catch(() =>
      this.problems.push(`${client.name} (${client.release}) hears no refusal`),
    )
    if (SERVER_READY.test(running.output())) this.problems.push(`${client.name} (${client.release}) is in`)
    running.kill('SIGKILL')
    await running.ended(5).catch(() => undefined)
  }

  #reaches(client: WildClient, place: ClientPlace): void {
    const { inside, pingSize } = this.#draw
    for (const address of inside) this.#pings(`${client.name} (${client.release})`, place, address, pingSize)
    const own = ownAddresses(place)
    if (client.fixedAddress !== undefined && !own.includes(client.fixedAddress)) {
      this.problems.push(`${client.name} has ${own.join(' ')} instead of ${client.fixedAddress}`)
    }
  }

  #pings(who: string, place: ClientPlace, address: string, size: number): void {
    const answered = place.ping(address, 5, '-s', String(size))
    if (answered < 5) this.problems.push(`${who} pings ${address} with ${size}: ${answered} of 5`)
  }

  #meet(insiders: readonly Insider[]): void {
    for (const { client, place } of insiders) {
      for (const other of insiders) {
        if (other.place === place) continue
        const targets = ownAddresses(other.place).filter((address) => !/^fe80/.test(address))
        for (const address of targets) this.#pings(`${client.name} to ${other.client.name}`, place, address, 56)
      }
    }
  }

  /** A hundred pings across several new keys. */
  async #renegotiate(server: Running, insiders: readonly Insider[]): Promise<void> {
    const [address = ''] = this.#draw.inside
    const pings = insiders.map(({ place }) => {
      const command = ['ping', '-i', '0.1', '-c', '70', '-W', '4', address]
      return this.#lab.start('ping', ['ip', 'netns', 'exec', place.namespace, ...command])
    })
    for (const [i, ping] of pings.entries()) {
      const { output } = await ping.ended(40)
      const received = Number(/(\d+) received/.exec(output)?.[1] ?? '0')
      const { client } = insiders[i] as Insider
      // While a program judges a renewal, packets under its new key are dropped.
      const least = this.#draw.users === undefined || this.#draw.usesList ? 70 : 40
      if (received < least)
        this.problems.push(`${client.name} (${client.release}) lost ${70 - received} of 70 renegotiating`)
    }
    if (eventsOf(server, 'rekeyed').length === 0) this.problems.push('nobody renegotiated')
    if (eventsOf(server, 'rekey-failed').length > 0) this.problems.push('a renegotiation failed')
  }

  async #upset(insider: Insider): Promise<void> {
    const { client, place, running } = insider
    if (client.upset === 'none') return
    if (client.upset === 'restart') {
      running.kill('SIGUSR1')
      await this.#isIn(client, running, 2)
    } else {
      running.kill('SIGKILL')
      await running.ended(5).catch(() => undefined)
      insider.running = this.#connect(client, place)
      await this.#isIn(client, insider.running, 1)
    }
    this.#reaches(client, place)
  }

  /** All but the last leave by themselves; then the server does. */
  async #leave(server: Running, insiders: readonly Insider[]): Promise<void> {
    const closed = (): number => eventsOf(server, 'client-closed').filter(({ name }) => name !== 'stranger').length
    for (const { client, running } of insiders.slice(0, -1)) {
      const before = closed()
      running.kill('SIGTERM')
      await running.ended(15).catch(() => this.problems.push(`${client.name} does not end`))
      if (!this.#draw.saysGoodbye) continue
      await server.seen(new RegExp(`(?:"event":"client-closed"[^]*){${before + 1}}`), 10).catch(() => {
        this.problems.push(`the server did not hear ${client.name} (${client.release}) leave`)
      })
    }
    server.kill('SIGTERM')
    const end = await server.ended(15).catch(() => undefined)
    if (end?.code !== 0) this.problems.push(`the server ended with ${end?.code ?? 'nothing'}`)
    for (const { running } of insiders.slice(-1)) {
      running.kill('SIGKILL')
      await running.ended(5).catch(() => undefined)
    }
  }

  /** What the reference does with the same file. */
  async #oracle(place: ClientPlace, ours: readonly string[] | undefined): Promise<void> {
    const release: Release = this.#draw.oracle
    const client = this.#draw.clients[0] as WildClient
    const start = program(release)
    const path = join(this.#lab.folder, 'server.conf')
    const server = this.#lab.start(`oracle ${start.version}`, [...start.command, '--config', path], start.env)
    this.#started.push(server)
    const running = this.#connect({ ...client, name: `${client.name} with oracle` }, place)
    await Promise.race([running.seen(SERVER_READY, 30), server.ended(30)]).catch(() => undefined)
    const theirs = pushReply(running)
    for (const each of [running, server]) {
      each.kill('SIGKILL')
      await each.ended(5).catch(() => undefined)
    }
    if (theirs === undefined) {
      this.notes.push(`oracle ${release}: ${lastWords(this.#lab, server)}`)
      return
    }
    if (ours === undefined) {
      this.problems.push(`the reference ${release} serves this file`)
      return
    }
    const [mine, other] = [canonical(ours, client), canonical(theirs, client)]
    const missing = other.filter((line) => !mine.includes(line))
    const more = mine.filter((line) => !other.includes(line))
    if (missing.length > 0) this.problems.push(`oracle ${release} pushes: ${missing.join(' | ')}`)
    if (more.length > 0) this.problems.push(`oracle ${release} does not push: ${more.join(' | ')}`)
    const order = [other.filter((line) => mine.includes(line)), mine.filter((line) => other.includes(line))]
    if (order[0]?.join() !== order[1]?.join()) this.notes.push(`another order than ${release}`)
  }
}

interface Insider {
  readonly client: WildClient
  readonly place: ClientPlace
  running: Running
}

/** Addresses of the client's device. */
function ownAddresses(place: ClientPlace): readonly string[] {
  const output = place.run(['ip', '-o', 'addr', 'show'])
  return [...output.matchAll(/^\d+: (?:tun|tap)\d+ +inet6? ([0-9a-f.:]+)/gm)].map(([, address]) => address as string)
}

/** Everything pushed in the first answer; `undefined` when there was none. */
function pushReply(client: Running): readonly string[] | undefined {
  const all = [...client.output().matchAll(/PUSH: Received control message: '(PUSH_REPLY[^\n]*)'\n/g)]
  const parts: string[] = []
  for (const [, text = ''] of all) {
    parts.push(...text.split(',').slice(1))
    if (!text.includes('push-continuation 2')) return parts
  }
  return undefined
}

/** What differs with reason is left out: numbers of clients, secrets, what only some releases push. */
function canonical(lines: readonly string[], { fixedAddress }: WildClient): readonly string[] {
  return lines
    .filter(
      (line) => !/^(push-continuation|peer-id|auth-token|protocol-flags|key-derivation|tun-mtu|tun-ipv6)/.test(line),
    )
    .map((line) => {
      if (/^ifconfig-ipv6 /.test(line)) return line.replace(/ .*\//, ' */')
      const [, local = '', second = ''] = /^ifconfig (\S+) (\S+)/.exec(line) ?? []
      if (local === '' || fixedAddress !== undefined) return line
      // The ends of a block of four differ by one.
      return /^255\.|\.1$/.test(second) ? `ifconfig * ${second}` : `ifconfig * ${step(second, local)}`
    })
}

function step(second: string, local: string): string {
  return String(Number(local.split('.').at(-1)) - Number(second.split('.').at(-1)))
}

function lastWords(lab: Lab, server: Running): string {
  let text = server.output()
  try {
    text += readFileSync(join(lab.folder, 'openvpn.log'), 'utf8')
  } catch {
    // It logs to its output.
  }
  const lines = text.split('\n').filter((line) => line !== '' && !/WARNING|Exiting/.test(line))
  return (lines.find((line) => /Options error/.test(line)) ?? lines.slice(-2).join(' / ')).slice(0, 300)
}
