/**
 * `ovpn demo --reference`: the same conversation with the installed `openvpn` as server, in a network namespace of its own
 * that is removed afterwards. Says plainly what is missing where it can't run.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Remote } from '../../client/index.ts'
import { nodeCrypto } from '../crypto/index.ts'
import { nodeEnvironment } from '../driver.ts'
import { type Link, type LinkSinks, openLink } from '../link.ts'
import { makePki, type ThrowAwayPki } from '../../x509/index.ts'
import { End, PINGS } from './demo-end.ts'
import { describeStats } from './describe.ts'
import { type CommandIo, EXIT } from './io.ts'
import { Ladder } from './ladder.ts'
import { loadPlan } from './plan.ts'

const PORT = 1194
const SERVER = Uint8Array.of(10, 8, 0, 1)
const CLIENT = Uint8Array.of(10, 8, 0, 2)
const COMMAND = fileURLToPath(new URL('../../../bin/ovpn.mjs', import.meta.url))

/** What this machine lacks for it; empty when nothing. */
function missing(): readonly string[] {
  const lacks: string[] = []
  const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
  if (process.getuid?.() !== 0) lacks.push('root (to make a network namespace and a tun device)')
  if (!has('openvpn')) lacks.push('the openvpn program (Debian: apt-get install openvpn)')
  if (!has('ip')) lacks.push('the ip program (Debian: apt-get install iproute2)')
  if (!has('ping')) lacks.push('the ping program (Debian: apt-get install iputils-ping)')
  if (!existsSync('/dev/net/tun')) lacks.push('/dev/net/tun')
  return lacks
}

const inline = (name: string, text: string): string => `<${name}>\n${text.trim()}\n</${name}>\n`

function serverText(pki: ThrowAwayPki): string {
  const lines = ['proto udp4', 'local 127.0.0.1', `port ${PORT}`, 'dev tun', 'topology subnet', 'dh none', 'verb 3']
  lines.push('server 10.8.0.0 255.255.255.0', 'keepalive 10 60')
  return (
    `${lines.join('\n')}\n` +
    inline('ca', pki.ca) +
    inline('cert', pki.server.certificatePem) +
    inline('key', pki.server.keyPem)
  )
}

function clientText(pki: ThrowAwayPki): string {
  const lines = ['client', 'dev tun', 'proto udp', `remote 127.0.0.1 ${PORT}`, 'nobind', 'remote-cert-tls server']
  return (
    `${lines.join('\n')}\n` +
    inline('ca', pki.ca) +
    inline('cert', pki.client.certificatePem) +
    inline('key', pki.client.keyPem)
  )
}

/** Runs it. */
export async function runReferenceDemo(io: CommandIo): Promise<number> {
  const lacks = missing()
  if (lacks.length > 0) {
    io.error('ovpn demo --reference cannot run here. Missing:')
    for (const lack of lacks) io.error(`  - ${lack}`)
    return EXIT.failed
  }
  const unixTime = performance.timeOrigin + performance.now()
  const pki = makePki('P-256', unixTime, nodeCrypto, nodeEnvironment().random)
  const folder = mkdtempSync(join(tmpdir(), 'ovpn-demo-'))
  const namespace = basename(folder)
  const inside = ['netns', 'exec', namespace]
  writeFileSync(join(folder, 'server.conf'), serverText(pki), { mode: 0o600 })
  writeFileSync(join(folder, 'client.ovpn'), clientText(pki), { mode: 0o600 })
  execFileSync('ip', ['netns', 'add', namespace])
  const server = spawn('ip', [...inside, 'openvpn', '--config', join(folder, 'server.conf')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    execFileSync('ip', ['-n', namespace, 'link', 'set', 'lo', 'up'])
    await ready(server.stdout)
    return await child([
      ...inside,
      process.execPath,
      COMMAND,
      'demo',
      '--reference-client',
      join(folder, 'client.ovpn'),
    ])
  } finally {
    server.kill('SIGKILL')
    await new Promise((done) => server.once('close', done))
    spawnSync('ip', ['netns', 'del', namespace])
    rmSync(folder, { recursive: true, force: true })
  }
}

function ready(output: NodeJS.ReadableStream): Promise<void> {
  return new Promise((done, failed) => {
    let text = ''
    const timer = setTimeout(() => {
      failed(new Error(`openvpn did not start:\n${text}`))
    }, 10_000)
    output.on('data', (data: Buffer) => {
      text += data.toString()
      if (!text.includes('Initialization Sequence Completed')) return
      clearTimeout(timer)
      done()
    })
  })
}

function child(args: readonly string[]): Promise<number> {
  const running = spawn('ip', args, { stdio: 'inherit' })
  return new Promise((done) => running.once('close', (code) => done(code ?? EXIT.failed)))
}

/** The client's end, inside the namespace: connects, pings both ways, renews the keys under traffic, closes. */
export async function runReferenceClient(file: string, io: CommandIo): Promise<number> {
  const plan = loadPlan(file)
  const [remote] = plan.client.remotes
  if (remote === undefined) throw new Error('the profile names no remote')
  const ladder = new Ladder(io.out, io.colour, performance.now())
  ladder.heading('ovpn-core', `openvpn ${remote.host}:${remote.port}`)
  const current: { end?: End } = {}
  const link = await openUdpOrTcp(remote, {
    receive: (data) => current.end?.driver.receive(data),
    over: (detail) => {
      io.error(detail)
    },
  })
  const end = new End({
    side: 'left',
    ladder,
    drawsPeer: true,
    config: { ...remote.session, trace: true },
    transmit: (data) => {
      link.send(data)
    },
  })
  current.end = end
  const connected = end.seen('connected')
  end.driver.start()
  await connected
  const before = await bothWays(end, ladder, 20)
  ladder.note(performance.now(), 'left', 'renegotiates while pings go on')
  const rekeyed = end.seen('rekeyed')
  const during = bothWays(end, ladder, 60)
  await sleep(100)
  end.driver.input((session, now) => {
    session.renegotiate(now)
  })
  await rekeyed
  const replies = before + (await during)
  const closed = end.seen('closed')
  end.driver.input((session, now) => {
    session.close(now)
  })
  await closed
  end.driver.stop()
  link.close()
  io.out('')
  for (const line of describeStats(end.driver.session.stats)) io.out(line)
  io.out(replies === 4 * PINGS ? 'every ping came back' : `${replies} of ${4 * PINGS} pings came back`)
  return replies === 4 * PINGS ? EXIT.ok : EXIT.failed
}

/** A socket to the server, whose address the profile gives as numbers. */
function openUdpOrTcp({ host, port, session }: Remote, sinks: Omit<LinkSinks, 'open'>): Promise<Link> {
  return new Promise((open) => {
    const link = openLink(
      { type: 'connect', link: 0, transport: session.transport, address: host, port, local: undefined, float: false },
      {
        ...sinks,
        open: () => {
          open(link)
        },
      },
    )
  })
}

/** Our pings to the server, and the system's pings to us through the server's tun device. */
async function bothWays(end: End, ladder: Ladder, interval: number): Promise<number> {
  const [there, back] = await Promise.all([end.ping(CLIENT, SERVER, interval), systemPing(interval)])
  const now = performance.now()
  ladder.arrow(now, 'left', `P_DATA_V2: ${there} of ${PINGS} pings answered`)
  ladder.arrow(now, 'right', `P_DATA_V2: ${back} of ${PINGS} pings answered`)
  return there + back
}

function systemPing(interval: number): Promise<number> {
  const args = ['-c', `${PINGS}`, '-i', `${interval / 1000}`, '-W', '2', CLIENT.join('.')]
  const running = spawn('ping', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  running.stdout.on('data', (data: Buffer) => {
    text += data.toString()
  })
  return new Promise((done, failed) => {
    running.once('error', failed)
    running.once('close', () => {
      done(Number(/(\d+) received/.exec(text)?.[1] ?? 0))
    })
  })
}
