/**
 * Throughput of a whole tunnel: `ovpn connect` with the native provider and with node:crypto against the reference's own
 * client, in turns, to the same server of the reference, each with a real tun and one TCP stream of iperf3 up and down.
 *
 * What to keep are the ratios to the reference in the same round: throughput, and CPU time of the client process per
 * gigabyte. Wants root, openvpn and iperf3.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { OVPN } from '../test/interop/support/connect.ts'
import { clientConfig, generateStaticKey, PORT, SERVER_READY, serverConfig } from '../test/interop/support/configs.ts'
import { type Lab, type Running, withLab } from '../test/interop/support/lab.ts'
import { opensslPki } from '../test/interop/support/pki.ts'
import { program } from '../test/interop/support/reference.ts'
import { type ClientPlace, withPlaces } from '../test/interop/support/serve.ts'

const CLIENTS = ['reference', 'native', 'node'] as const
type Client = (typeof CLIENTS)[number]

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5)
/** Seconds of each direction. */
const SECONDS = 2
/** Clock ticks per second of /proc. */
const TICKS = 100

interface Measured {
  readonly megabits: number
  readonly cpuPerGigabyte: number
}

type Round = Readonly<Record<Client, Readonly<Record<'up' | 'down', Measured>>>>

/** CPU seconds of a process so far. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

function pidIn(place: ClientPlace): number {
  return Number(execFileSync('ip', ['netns', 'pids', place.namespace], { encoding: 'utf8' }).split('\n')[0])
}

interface Transfer {
  readonly bytes: number
  readonly bits_per_second: number
}

/** One transfer; again where the server has not yet finished the one before. */
async function transfer(place: ClientPlace, seconds: number, ...args: readonly string[]): Promise<Transfer> {
  for (let attempt = 0; ; attempt++) {
    const command = `iperf3 -c 10.8.0.1 -t ${seconds} -J ${args.join(' ')} || true`
    const report = JSON.parse(place.run(['sh', '-c', command])) as {
      readonly error?: string
      readonly end: { readonly sum_received?: Transfer }
    }
    if (report.end.sum_received !== undefined && report.error === undefined) return report.end.sum_received
    if (attempt === 5) throw new Error(`iperf3: ${report.error ?? 'no report'}`)
    await sleep(500)
  }
}

async function measure(place: ClientPlace, pid: number, direction: 'up' | 'down'): Promise<Measured> {
  const before = cpuOf(pid)
  const { bytes, bits_per_second: rate } = await transfer(place, SECONDS, ...(direction === 'down' ? ['-R'] : []))
  return { megabits: rate / 1e6, cpuPerGigabyte: ((cpuOf(pid) - before) / bytes) * 1e9 }
}

async function startClient(lab: Lab, place: ClientPlace, client: Client, file: string): Promise<Running> {
  const { command } = program('2.6')
  const words =
    client === 'reference'
      ? [...command, '--config', file]
      : [process.execPath, OVPN, 'connect', file, '--crypto', client, '--json']
  const running = lab.start(client, ['ip', 'netns', 'exec', place.namespace, ...words])
  await running.seen(client === 'reference' ? SERVER_READY : /"event":"connected"/, 30)
  return running
}

async function round(lab: Lab, place: ClientPlace, file: string, order: readonly Client[]): Promise<Round> {
  const results: Partial<Record<Client, Record<'up' | 'down', Measured>>> = {}
  for (const client of order) {
    const running = await startClient(lab, place, client, file)
    const pid = pidIn(place)
    // One short transfer first, so that nothing is measured cold.
    await transfer(place, 1)
    results[client] = { up: await measure(place, pid, 'up'), down: await measure(place, pid, 'down') }
    running.kill('SIGTERM')
    await running.ended(20)
    await sleep(200)
  }
  return results as Round
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

/** Measures all clients and prints a line for each. */
export async function runTunnelBench(): Promise<unknown> {
  const tunnel = {
    transport: 'udp',
    wrap: 'tls-crypt',
    key: generateStaticKey(),
    pki: opensslPki('P-256'),
    client: 'data-ciphers AES-256-GCM',
  } as const
  const rounds: Round[] = []
  await withLab(async (lab) => {
    await withPlaces(lab, 1, async ([place]) => {
      const config = serverConfig(tunnel).replace('local 127.0.0.1\n', '').replace('verb 4', 'verb 3')
      const server = lab.openvpn('2.6', 'server', `${config}\ndisable-dco\n`)
      await server.seen(SERVER_READY)
      const iperf = lab.start('iperf3', ['iperf3', '-s', '--forceflush'])
      await iperf.seen(/listening/)
      const profile = clientConfig(tunnel).replace(`remote 127.0.0.1 ${PORT}`, `remote ${place!.server} ${PORT}`)
      const file = lab.file('client.ovpn', `${profile}\ndisable-dco\n`)
      for (let i = 0; i < ROUNDS; i++) {
        // Nobody is always first.
        rounds.push(await round(lab, place!, file, [...CLIENTS.slice(i % 3), ...CLIENTS.slice(0, i % 3)]))
      }
    })
  })
  const results: Record<string, unknown> = { load: loadavg().map((value) => Math.round(value * 10) / 10) }
  for (const client of CLIENTS) {
    for (const direction of ['up', 'down'] as const) {
      const of = (pick: (measured: Measured) => number): { value: number; ratio: number } => ({
        value: median(rounds.map((one) => pick(one[client][direction]))),
        ratio: median(rounds.map((one) => pick(one[client][direction]) / pick(one.reference[direction]))),
      })
      const rate = of(({ megabits }) => megabits)
      const cpu = of(({ cpuPerGigabyte }) => cpuPerGigabyte)
      results[`${client} ${direction}`] = { rate, cpu }
      console.log(
        `tunnel ${direction.padEnd(4)} ${client.padEnd(9)} ${rate.value.toFixed(0)} Mbit/s (ratio ${rate.ratio.toFixed(2)}), ` +
          `${cpu.value.toFixed(1)} s CPU per GB (ratio ${cpu.ratio.toFixed(2)})`,
      )
    }
  }
  return results
}
