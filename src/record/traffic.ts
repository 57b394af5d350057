/**
 * What passed between a recorded machine and its peers, with every key there is: what a decoder needs to show it.
 *
 * The recording is replayed with the key log switched on, which changes nothing that is sent.
 */
import type { ClientConfig } from '../client/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import type { ServerConfig } from '../server/index.ts'
import { SecretText, type SessionConfig, type WrapConfig } from '../session/index.ts'
import { StreamFramer, writeStaticKey, writeTlsCryptV2ClientKey, writeTlsCryptV2ServerKey } from '../wire/index.ts'
import type { MachineName } from './format.ts'
import { Replay, type ReplayStep } from './replay.ts'

/** A packet of a recording. */
export interface RecordedPacket {
  /** The step it passed in. */
  readonly frame: number
  /** Unix ms. */
  readonly time: number
  readonly transport: 'udp' | 'tcp'
  readonly from: string
  readonly to: string
  /** A datagram, or a TCP record without its length. */
  readonly bytes: Uint8Array
}

/** Everything that passed. REC-12 */
export interface RecordedTraffic {
  /** The recording was cut off: what came after is missing. */
  readonly isCut: boolean
  readonly packets: readonly RecordedPacket[]
  /** Control keys as their files hold them. */
  readonly keys: {
    readonly tlsAuth: readonly { readonly text: string; readonly digest?: string }[]
    readonly tlsCrypt: readonly string[]
    readonly tlsCryptV2: readonly string[]
    readonly keyLogs: readonly string[]
  }
}

/**
 * The traffic of a recording.
 *
 * @throws ConfigError when the text is no recording.
 */
export function recordedTraffic(text: string, crypto: CryptoProvider): RecordedTraffic {
  const replay = new Replay(text, { crypto, configure: withKeyLog })
  const collector = new Collector(replay)
  for (let step = replay.step(); step !== undefined; step = replay.step()) collector.take(step)
  return {
    isCut: replay.isCut,
    packets: collector.packets,
    keys: { ...collector.keys, keyLogs: [collector.lines.join('\n')] },
  }
}

function withKeyLog(machine: MachineName, config: unknown): unknown {
  const keyLog = true
  if (machine === 'session') return { ...(config as SessionConfig), keyLog }
  if (machine === 'server') {
    const server = config as ServerConfig
    return { ...server, session: { ...server.session, keyLog } }
  }
  const client = config as ClientConfig
  const remotes = client.remotes.map((remote) => ({ ...remote, session: { ...remote.session, keyLog } }))
  return { ...client, remotes }
}

interface ControlKeys {
  readonly tlsAuth: { readonly text: string; readonly digest?: string }[]
  readonly tlsCrypt: string[]
  readonly tlsCryptV2: string[]
}

class Collector {
  readonly packets: RecordedPacket[] = []
  readonly lines: string[] = []
  readonly keys: ControlKeys = { tlsAuth: [], tlsCrypt: [], tlsCryptV2: [] }
  readonly #replay: Replay
  readonly #streams = new Map<string, StreamFramer>()
  readonly #local: string
  /** Index of the client's remote. */
  #remote = 0
  #now: number

  constructor(replay: Replay) {
    this.#replay = replay
    this.#now = replay.header.now
    this.#local = replay.header.machine
    for (const wrap of wrapsOf(replay)) addWrap(this.keys, wrap)
  }

  take(step: ReplayStep): void {
    const [bytes, second, link] = step.args
    const isReceive = step.method === 'receive' && typeof second === 'number'
    const now = isReceive ? second : [...step.args].reverse().find((argument) => typeof argument === 'number')
    if (typeof now === 'number') this.#now = Math.max(this.#now, now)
    if (step.method === 'receive' && bytes instanceof Uint8Array) {
      this.#pass(step.number, typeof second === 'string' ? second : peerName(link), this.#local, bytes)
    }
    for (const output of step.outputs) this.#output(step.number, output as Readonly<Record<string, unknown>>)
  }

  #output(frame: number, output: Readonly<Record<string, unknown>>): void {
    if (output['type'] === 'transmit' && output['data'] instanceof Uint8Array) {
      const to = typeof output['to'] === 'string' ? output['to'] : peerName(output['link'])
      this.#pass(frame, this.#local, to, output['data'])
      return
    }
    const event = output['event'] as Readonly<Record<string, unknown>> | undefined
    if (event?.['type'] === 'attempt') this.#remote = Number(event['remote'])
    if (event?.['type'] === 'key-log' && event['line'] instanceof SecretText) this.lines.push(event['line'].reveal())
  }

  #pass(frame: number, from: string, to: string, bytes: Uint8Array): void {
    const transport = this.#transport(from === this.#local ? to : from)
    const time = this.#replay.header.timeOrigin + this.#now
    const common = { frame, time, transport, from, to }
    if (transport === 'udp') {
      this.packets.push({ ...common, bytes: bytes.slice() })
      return
    }
    const name = `${from} ${to}`
    const framer = this.#streams.get(name) ?? new StreamFramer(65_535)
    this.#streams.set(name, framer)
    framer.push(bytes)
    for (let packet = framer.next(); packet !== undefined; packet = framer.next()) {
      this.packets.push({ ...common, bytes: packet.slice() })
    }
  }

  #transport(peer: string): 'udp' | 'tcp' {
    const { config, header } = this.#replay
    if (header.machine === 'server') return peer.startsWith('tcp ') ? 'tcp' : 'udp'
    if (header.machine === 'session') return (config as SessionConfig).transport
    return (config as ClientConfig).remotes[this.#remote]?.session.transport ?? 'udp'
  }
}

/** The other end of a session or client: a client's link tells attempts apart. */
function peerName(link: unknown): string {
  return typeof link === 'number' ? `link ${link}` : 'peer'
}

/** The control wraps of a configuration. */
function wrapsOf({ config, header }: Replay): readonly WrapConfig[] {
  if (header.machine === 'server') return (config as ServerConfig).wraps ?? []
  const sessions =
    header.machine === 'client'
      ? (config as ClientConfig).remotes.map(({ session }) => session)
      : [config as SessionConfig]
  return sessions.map(({ wrap }) => wrap).filter((wrap) => wrap !== undefined)
}

function addWrap(keys: ControlKeys, wrap: WrapConfig): void {
  switch (wrap.type) {
    case 'none':
      return
    case 'tls-auth':
      keys.tlsAuth.push({
        text: writeStaticKey(wrap.key),
        ...(wrap.digest === undefined ? {} : { digest: wrap.digest }),
      })
      return
    case 'tls-crypt':
      keys.tlsCrypt.push(writeStaticKey(wrap.key))
      return
    case 'tls-crypt-v2':
      keys.tlsCryptV2.push(writeTlsCryptV2ClientKey({ key: wrap.key, wrappedKey: wrap.wrappedKey }))
      return
    case 'tls-crypt-v2-server':
      keys.tlsCryptV2.push(writeTlsCryptV2ServerKey(wrap.serverKey))
  }
}
