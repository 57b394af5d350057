/**
 * One look at a server: a handshake that goes as far as its question needs and no further.
 *
 * A client is driven as ever, with every datagram shown to a decoder on its way. Once the question is answered nothing more is
 * sent: no certificate, no login, no key message. The server forgets the rest after its own hand-window.
 */
import { performance } from 'node:perf_hooks'
import type { ClientConfig, Remote } from '../../client/index.ts'
import { type DecodedPacket, Decoder } from '../../decode/index.ts'
import type { SessionConfig, SessionTls, WrapConfig } from '../../session/index.ts'
import { StreamFramer, writeStaticKey, writeTlsCryptV2ClientKey } from '../../wire/index.ts'
import { ClientDriver } from '../client-driver.ts'
import { nodeCrypto } from '../crypto/index.ts'
import { type Link, type LinkRequest, type LinkSinks, openLink } from '../link.ts'

/** How far to go. */
export type Goal =
  /** The first answer. */
  | 'reset'
  /** How often the reset is answered while nobody goes on. */
  | 'repeats'
  /** The ServerHello, or the alert in its place. */
  | 'hello'
  /** The server's certificate as well. */
  | 'certificate'

/** What is different from the profile. */
export interface AttemptRequest {
  readonly goal: Goal
  /** ms. */
  readonly patience: number
  readonly wrap?: WrapConfig
  readonly tls?: Partial<SessionTls>
}

/** What was seen. Times in ms since the first datagram left. */
export interface Sighting {
  /** Hard resets of the server. */
  readonly resets: number
  readonly resetMs: number | undefined
  /** The server asked for the wrapped client key once more: it keeps no state before the second packet. */
  readonly asksForKey: boolean
  readonly helloMs: number | undefined
  readonly hello: Readonly<Record<string, string>> | undefined
  readonly alert: string | undefined
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[]
  readonly chainMs: number | undefined
  /** What the profile's verifier thinks of the chain. */
  readonly chainProblem: string | undefined
  /** Why there was no connection at all. */
  readonly failure: string | undefined
}

/** What there is to tell before anything was seen. */
export const NOTHING: Sighting = {
  resets: 0,
  resetMs: undefined,
  asksForKey: false,
  helloMs: undefined,
  hello: undefined,
  alert: undefined,
  chain: [],
  chainMs: undefined,
  chainProblem: undefined,
  failure: undefined,
}

type Seen = { -readonly [K in keyof Sighting]: Sighting[K] }

/** Looks once. */
export function attempt(remote: Remote, request: AttemptRequest): Promise<Sighting> {
  return new Promise((resolve) => {
    new Attempt(remote, request, resolve).start()
  })
}

class Attempt {
  readonly #request: AttemptRequest
  readonly #done: (sighting: Sighting) => void
  readonly #decoder: Decoder
  readonly #driver: ClientDriver
  readonly #framed: boolean
  readonly #framers = { out: new StreamFramer(65_535), in: new StreamFramer(65_535) }
  readonly #seen: Seen = { ...NOTHING }
  #began = performance.now()
  #sent = 0
  #over = false
  #timer: NodeJS.Timeout | undefined

  constructor(remote: Remote, request: AttemptRequest, done: (sighting: Sighting) => void) {
    const session = this.#session(remote.session, request)
    this.#request = request
    this.#done = done
    this.#framed = session.transport === 'tcp'
    this.#decoder = new Decoder({ crypto: nodeCrypto, keys: keysOf(session.wrap) })
    const config: ClientConfig = {
      remotes: [{ ...remote, session }],
      retry: { retry: 0, maxTurns: 1, resolveRetry: 0, pollTimeout: Math.max(request.patience, 1000) },
    }
    this.#driver = new ClientDriver(
      config,
      {
        packet: () => undefined,
        event: (event) => {
          if (event.type !== 'closed' && event.type !== 'retry') return
          const end = event.type === 'retry' ? event.end : event.reason
          if ('detail' in end && end.type !== 'proxy') this.#seen.failure = end.detail
          this.#end()
        },
      },
      undefined,
      (link, sinks) => this.#open(link, sinks),
    )
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#end()
    }, this.#request.patience)
    this.#driver.start()
  }

  #session(session: SessionConfig, { patience, tls, wrap }: AttemptRequest): SessionConfig {
    const inner = session.tls?.verifier
    return {
      ...session,
      ...(wrap === undefined ? {} : { wrap }),
      login: { type: 'none' },
      timers: { ...session.timers, handWindow: Math.max(patience, 1000) },
      tls: {
        ...session.tls,
        ...tls,
        verifier: {
          verify: (chain, purpose, unixTime, crypto) => {
            const verdict = inner?.verify(chain, purpose, unixTime, crypto)
            this.#seen.chain = chain.map((der) => der.slice())
            this.#seen.chainMs = this.#elapsed()
            if (verdict?.type === 'refused') this.#seen.chainProblem = verdict.detail
            this.#reached('certificate')
            return verdict ?? { type: 'refused', problem: 'no-certificate', detail: 'nobody judges it' }
          },
        },
      },
    }
  }

  #open(request: LinkRequest, sinks: LinkSinks): Link {
    const link = openLink(request, {
      ...sinks,
      receive: (data) => {
        if (this.#isOver()) return
        this.#watch(data, 'in')
        if (!this.#isOver() && this.#request.goal !== 'repeats') sinks.receive(data)
      },
    })
    return {
      send: (data) => {
        if (this.#over || (this.#request.goal === 'repeats' && this.#sent > 0)) return
        if (this.#sent === 0) this.#began = performance.now()
        this.#sent++
        this.#watch(data, 'out')
        link.send(data)
      },
      close: () => {
        link.close()
      },
    }
  }

  #watch(data: Uint8Array, way: 'in' | 'out'): void {
    for (const bytes of this.#packetsOf(data, way)) {
      const [from, to] = way === 'out' ? ['client', 'server'] : ['server', 'client']
      const time = Date.now()
      const packet = this.#decoder.packet({ frame: 0, time, transport: 'udp', from, to, bytes })
      if (way === 'in') this.#heard(packet)
    }
  }

  #packetsOf(data: Uint8Array, way: 'in' | 'out'): readonly Uint8Array[] {
    if (!this.#framed) return [data]
    const framer = this.#framers[way]
    const packets: Uint8Array[] = []
    framer.push(data)
    for (let packet = framer.next(); packet !== undefined; packet = framer.next()) packets.push(packet.slice())
    return packets
  }

  #heard({ opcode, said }: DecodedPacket): void {
    const seen = this.#seen
    if (opcode === 'P_CONTROL_HARD_RESET_SERVER_V2') {
      seen.resets++
      seen.resetMs ??= this.#elapsed()
      seen.asksForKey ||= said.some((item) => item.type === 'message' && item.text.endsWith('true'))
      this.#reached('reset')
    }
    for (const item of said) {
      if (item.type !== 'tls') continue
      if (item.name === 'ServerHello') {
        seen.hello = item.fields
        seen.helloMs = this.#elapsed()
        this.#reached('hello')
      } else if (item.name.startsWith('alert ')) {
        seen.alert = item.name.split(' ').at(-1)
        this.#end()
      }
    }
  }

  /** A call, so that control flow analysis does not take it for what it was before a call. */
  #isOver(): boolean {
    return this.#over
  }

  #elapsed(): number {
    return performance.now() - this.#began
  }

  #reached(goal: Goal): void {
    if (goal === this.#request.goal) this.#end()
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    // Later, because the client may be in the middle of an input.
    setImmediate(() => {
      this.#driver.input((client, now) => {
        client.close(now)
      })
      this.#driver.stop()
      this.#done(this.#seen)
    })
  }
}

/** What opens the wrap for the decoder. */
function keysOf(wrap: WrapConfig | undefined): NonNullable<ConstructorParameters<typeof Decoder>[0]>['keys'] & object {
  if (wrap?.type === 'tls-auth') return { tlsAuth: [{ text: writeStaticKey(wrap.key) }] }
  if (wrap?.type === 'tls-crypt') return { tlsCrypt: [writeStaticKey(wrap.key)] }
  if (wrap?.type !== 'tls-crypt-v2') return {}
  return { tlsCryptV2: [writeTlsCryptV2ClientKey({ key: wrap.key, wrappedKey: wrap.wrappedKey })] }
}
