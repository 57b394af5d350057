/**
 * HTTP CONNECT through a proxy, as a machine of bytes (spec/proxy.md).
 *
 * It asks the proxy for a tunnel to the server and, where the proxy wants a login, answers once per challenge: Basic or
 * Digest. A login takes a new connection, because proxies close the one they refused on; the machine says so and goes on
 * where it was. Once the proxy has said yes, whatever it sent behind its answer is the first of the tunnel's bytes.
 */
import { concat, EMPTY, toBase64, toHex, UsageError, utf8Encode } from '../bytes/index.ts'
import { isPlainAscii } from '../control/index.ts'
import type { CryptoProvider, RandomSource } from '../crypto/index.ts'
import { digestHash, type ProxyLogin, writeDigest } from './http-digest.ts'
import {
  endOfHead,
  type HttpChallenge,
  type HttpHead,
  MAX_HTTP_HEAD,
  parseChallenges,
  parseHead,
} from './http-header.ts'

/** How to ask. */
export interface HttpProxyOptions {
  /** The server: a name or an address. */
  readonly host: string
  readonly port: number
  readonly login?: ProxyLogin | undefined
  /**
   * `none`: never log in. `basic`: at once, in the clear. `auto`: with whatever the proxy asks for. `auto-nct`: the same,
   * but never in the clear. Default `auto`.
   */
  readonly authentication?: 'none' | 'basic' | 'auto' | 'auto-nct'
  /** Default 1.0, as the reference. */
  readonly version?: '1.0' | '1.1'
  readonly userAgent?: string | undefined
  /** Header lines to add, name and value. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
}

/** Why a proxy gives no tunnel. */
export type ProxyProblem =
  /** The answer is not that of a proxy of this kind. */
  | 'proxy-malformed'
  /** The proxy refuses this server, or cannot reach it. */
  | 'proxy-refused'
  /** The proxy wants a login and there is none, or none of a kind it takes. */
  | 'proxy-login-needed'
  /** The proxy refuses the login. */
  | 'proxy-login-refused'
  /** The proxy closed the connection before it answered. */
  | 'proxy-closed'

/** What a proxy machine wants or has come to. */
export type ProxyOutput =
  | { readonly type: 'transmit'; readonly data: Uint8Array }
  /** Open a new connection to the proxy in place of this one, then call `connected`. */
  | { readonly type: 'reconnect' }
  /** The tunnel is there; `rest` are its first bytes. */
  | { readonly type: 'open'; readonly rest: Uint8Array }
  | { readonly type: 'failed'; readonly problem: ProxyProblem; readonly detail: string }

/** One CONNECT. */
export class HttpProxy {
  readonly #options: HttpProxyOptions
  readonly #crypto: CryptoProvider
  readonly #random: RandomSource
  readonly #outputs: ProxyOutput[] = []
  #received = EMPTY
  #challenge: HttpChallenge | undefined
  #answers = 0
  #asked = false
  #done = false

  /** @throws UsageError when a header or the host holds what would break out of its line. */
  constructor(options: HttpProxyOptions, crypto: CryptoProvider, random: RandomSource) {
    const { headers = [], host, userAgent = '' } = options
    const texts = [host, userAgent, ...headers.flat()]
    if (!texts.every(isPlainAscii) || /[\s/@]/.test(host) || headers.some(([name]) => !/^[A-Za-z0-9-]+$/.test(name)))
      throw new UsageError('the host or a header of the proxy request is not plain text') // PROXY-1
    this.#options = options
    this.#crypto = crypto
    this.#random = random
  }

  /** A connection to the proxy is open: the first, or the one asked for by `reconnect`. */
  connected(): void {
    this.#received = EMPTY
    this.#asked = true
    const { headers = [], userAgent, version = '1.0' } = this.#options
    const lines = [`CONNECT ${this.#target} HTTP/${version}`, `Host: ${this.#target}`]
    if (userAgent !== undefined) lines.push(`User-Agent: ${userAgent}`)
    for (const [name, value] of headers) lines.push(`${name}: ${value}`)
    const authorization = this.#authorization()
    if (authorization !== undefined) lines.push(`Proxy-Authorization: ${authorization}`)
    this.#outputs.push({ type: 'transmit', data: utf8Encode(`${lines.join('\r\n')}\r\n\r\n`) })
  }

  /** Bytes from the proxy. Borrowed. */
  receive(bytes: Uint8Array): void {
    if (!this.#asked || this.#done) return
    this.#received = concat(this.#received, bytes)
    const end = endOfHead(this.#received)
    if (end > MAX_HTTP_HEAD || (end < 0 && this.#received.length > MAX_HTTP_HEAD)) {
      this.#fail('proxy-malformed', 'its answer is too long') // PROXY-2
      return
    }
    if (end < 0) return
    this.#asked = false
    const head = parseHead(this.#received.subarray(0, end))
    if (head === undefined) this.#fail('proxy-malformed', 'its answer is not HTTP')
    else this.#answer(head, this.#received.slice(end))
  }

  /** The proxy closed the connection. */
  closed(): void {
    if (this.#asked && !this.#done) this.#fail('proxy-closed', 'it closed the connection without an answer')
  }

  /** The next output. */
  poll(): ProxyOutput | undefined {
    return this.#outputs.shift()
  }

  get #target(): string {
    const { host, port } = this.#options
    return `${host.includes(':') ? `[${host}]` : host}:${port}`
  }

  #answer(head: HttpHead, rest: Uint8Array): void {
    if (head.status >= 200 && head.status < 300) {
      this.#done = true
      this.#outputs.push({ type: 'open', rest }) // PROXY-3
    } else if (head.status === 407) {
      this.#loginNeeded(parseChallenges(head.fields.get('proxy-authenticate') ?? []))
    } else {
      this.#fail('proxy-refused', `${head.status} ${head.reason}`.trim())
    }
  }

  /** PROXY-4, PROXY-5 */
  #loginNeeded(challenges: readonly HttpChallenge[]): void {
    const { authentication = 'auto', login } = this.#options
    const digests = challenges.filter((challenge) => digestHash(challenge) !== undefined)
    const digest = digests.find((challenge) => digestHash(challenge) === 'SHA256') ?? digests[0]
    const basic = challenges.find((challenge) => challenge.scheme === 'basic')
    const chosen = authentication === 'basic' ? basic : (digest ?? (authentication === 'auto' ? basic : undefined))
    if (login === undefined || authentication === 'none' || chosen === undefined) {
      this.#fail('proxy-login-needed', challenges.map((challenge) => challenge.scheme).join(', '))
      return
    }
    // A second challenge means the first answer was wrong, unless the proxy says that only its nonce was old.
    const stale = chosen.parameters.get('stale')?.toLowerCase() === 'true' && this.#answers === 1
    if ((this.#answers > 0 && !stale) || (authentication === 'basic' && this.#answers === 0)) {
      this.#fail('proxy-login-refused', chosen.scheme)
      return
    }
    this.#challenge = chosen
    this.#answers++
    this.#outputs.push({ type: 'reconnect' })
  }

  #authorization(): string | undefined {
    const { authentication, login } = this.#options
    if (login === undefined || authentication === 'none') return undefined
    const challenge = this.#challenge
    if (authentication === 'basic' || challenge?.scheme === 'basic')
      return `Basic ${toBase64(utf8Encode(`${login.username}:${login.password}`))}`
    if (challenge === undefined) return undefined
    return writeDigest(this.#crypto, {
      challenge,
      login,
      method: 'CONNECT',
      uri: this.#target,
      clientNonce: toHex(this.#random(16)),
      count: 1,
    })
  }

  #fail(problem: ProxyProblem, detail: string): void {
    this.#done = true
    this.#outputs.push({ type: 'failed', problem, detail })
  }
}
