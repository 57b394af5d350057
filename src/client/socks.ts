/**
 * SOCKS5 (RFC 1928, RFC 1929) as a machine of bytes: a TCP tunnel by CONNECT, or a UDP relay by UDP ASSOCIATE, and the
 * header in front of every datagram through that relay (spec/proxy.md).
 *
 * For a TCP server the name goes to the proxy, which resolves it. For UDP the datagrams carry the server's address, and
 * the TCP connection stays open as long as the relay is to live. Fragmented relay datagrams are refused.
 */
import { concat, EMPTY, Reader, UsageError, utf8Encode, Writer } from '../bytes/index.ts'
import { formatIpv4, formatIpv6, parseIpv4Bytes, parseIpv6Bytes } from '../control/index.ts'
import type { ProxyLogin } from './http-digest.ts'
import type { ProxyProblem } from './http-proxy.ts'

/** An address or name with a port. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

/** What to ask a SOCKS proxy for. */
export interface SocksOptions {
  readonly command: 'connect' | 'udp-associate'
  /** The server; with `udp-associate` unused. */
  readonly target: HostPort
  readonly login?: ProxyLogin | undefined
}

/** What the machine wants or has come to. */
export type SocksOutput =
  | { readonly type: 'transmit'; readonly data: Uint8Array }
  /** CONNECT: the tunnel is there; `rest` are its first bytes. */
  | { readonly type: 'open'; readonly rest: Uint8Array }
  /** UDP ASSOCIATE: send datagrams there; an unspecified address stands for the proxy's own. */
  | { readonly type: 'associated'; readonly relay: HostPort }
  | { readonly type: 'failed'; readonly problem: ProxyProblem; readonly detail: string }

const REFUSALS = [
  '',
  'general failure',
  'not allowed by its rules',
  'network unreachable',
  'host unreachable',
  'connection refused',
  'time to live expired',
  'command not supported',
  'address type not supported',
]

type SocksState = 'idle' | 'method' | 'login' | 'reply' | 'done'

/** One request to a SOCKS5 proxy. */
export class SocksProxy {
  readonly #options: SocksOptions
  readonly #outputs: SocksOutput[] = []
  #state: SocksState = 'idle'
  #received = EMPTY

  /** @throws UsageError when a name, username or password does not fit its length byte. */
  constructor(options: SocksOptions) {
    const { login, target } = options
    for (const text of [target.host, login?.username ?? 'x', login?.password ?? 'x']) {
      const length = utf8Encode(text).length
      if (length === 0 || length > 255) throw new UsageError('names of a SOCKS request have 1 to 255 bytes')
    }
    this.#options = options
  }

  /** The connection to the proxy is open. PROXY-7 */
  connected(): void {
    this.#state = 'method'
    this.#transmit(this.#options.login === undefined ? Uint8Array.of(5, 1, 0) : Uint8Array.of(5, 2, 0, 2))
  }

  /** Bytes from the proxy. Borrowed. */
  receive(bytes: Uint8Array): void {
    if (this.#state === 'done' || this.#state === 'idle') return
    this.#received = concat(this.#received, bytes)
    while (this.#step());
  }

  /** The proxy closed the connection. */
  closed(): void {
    if (this.#state !== 'done') this.#fail('proxy-closed', 'it closed the connection without an answer')
  }

  /** The next output. */
  poll(): SocksOutput | undefined {
    return this.#outputs.shift()
  }

  /** Handles one complete answer; false when more bytes are needed or nothing is left to do. */
  #step(): boolean {
    if (this.#received.length < 2) return false
    switch (this.#state) {
      case 'method':
        this.#method(this.#take(2))
        return true
      case 'login':
        this.#loginAnswer(this.#take(2))
        return true
      case 'reply':
        return this.#reply()
      default:
        return false
    }
  }

  #method(answer: Uint8Array): void {
    const { login } = this.#options
    if (answer[0] !== 5) this.#fail('proxy-malformed', 'not a SOCKS5 proxy')
    else if (answer[1] === 0) this.#request()
    else if (answer[1] !== 2 || login === undefined) this.#fail('proxy-login-needed', 'it takes no anonymous clients')
    else {
      this.#state = 'login'
      const username = utf8Encode(login.username)
      const password = utf8Encode(login.password)
      this.#transmit(new Writer().u8(1).vector(1, username).vector(1, password).finish())
    }
  }

  /** PROXY-7: whatever version stands in front. */
  #loginAnswer(answer: Uint8Array): void {
    if (answer[1] === 0) this.#request()
    else this.#fail('proxy-login-refused', 'username and password')
  }

  #request(): void {
    this.#state = 'reply'
    const { command, target } = this.#options
    const writer = new Writer()
      .u8(5)
      .u8(command === 'connect' ? 1 : 3)
      .u8(0)
    // PROXY-8: where our datagrams will come from is not known yet, which the unspecified address says.
    writeAddress(writer, command === 'connect' ? target : { host: '0.0.0.0', port: 0 })
    this.#transmit(writer.finish())
  }

  #reply(): boolean {
    const reader = new Reader(this.#received)
    const version = reader.u8()
    const code = reader.u8()
    if (version !== 5) {
      this.#fail('proxy-malformed', 'not a SOCKS5 answer')
      return false
    }
    if (code !== 0) {
      this.#fail('proxy-refused', REFUSALS[code] ?? `code ${code}`)
      return false
    }
    reader.skip(1)
    const relay = readAddress(reader)
    if (relay === 'malformed') {
      this.#fail('proxy-malformed', 'unknown kind of address')
      return false
    }
    if (relay === undefined) return false
    this.#state = 'done'
    const rest = reader.rest().slice()
    this.#outputs.push(this.#options.command === 'connect' ? { type: 'open', rest } : { type: 'associated', relay })
    return false
  }

  #take(length: number): Uint8Array {
    const taken = this.#received.subarray(0, length)
    this.#received = this.#received.subarray(length)
    return taken
  }

  #transmit(data: Uint8Array): void {
    this.#outputs.push({ type: 'transmit', data })
  }

  #fail(problem: ProxyProblem, detail: string): void {
    this.#state = 'done'
    this.#outputs.push({ type: 'failed', problem, detail })
  }
}

/** Address type, address and port, as requests and datagram headers have them. */
function writeAddress(writer: Writer, { host, port }: HostPort): void {
  const ipv4 = parseIpv4Bytes(host)
  const ipv6 = ipv4 === undefined ? parseIpv6Bytes(host) : undefined
  if (ipv4 !== undefined) writer.u8(1).bytes(ipv4)
  else if (ipv6 !== undefined) writer.u8(4).bytes(ipv6)
  else writer.u8(3).vector(1, utf8Encode(host))
  writer.u16(port)
}

/** The inverse; `undefined` when bytes are missing. */
function readAddress(reader: Reader): HostPort | 'malformed' | undefined {
  if (reader.remaining === 0) return undefined
  const kind = reader.u8()
  let host: string
  if (kind === 1) host = formatIpv4(reader.take(4))
  else if (kind === 4) host = reader.remaining < 16 ? '' : formatIpv6(reader.take(16))
  else if (kind === 3) host = String.fromCharCode(...reader.vector(1))
  else return 'malformed'
  const port = reader.u16()
  return reader.failed || host === '' ? undefined : { host, port }
}

/** The header for every datagram to `target` through a relay: 10 bytes for IPv4, 22 for IPv6. PROXY-9 */
export function socksDatagramHeader(target: HostPort): Uint8Array {
  const writer = new Writer(22).u16(0).u8(0)
  writeAddress(writer, target)
  return writer.finish()
}

/**
 * The payload of a datagram from a relay, as a view; `undefined` for a fragment, for what does not come from
 * `target`, and for anything malformed. PROXY-9
 */
export function unwrapSocksDatagram(datagram: Uint8Array, target: HostPort): Uint8Array | undefined {
  const reader = new Reader(datagram)
  reader.skip(2)
  if (reader.u8() !== 0) return undefined
  const from = readAddress(reader)
  if (from === undefined || from === 'malformed' || from.host !== target.host || from.port !== target.port)
    return undefined
  return reader.rest()
}
