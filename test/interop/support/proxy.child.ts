/**
 * A proxy with a login, for what the proxies of the distribution do not offer: HTTP CONNECT with Digest (RFC 7616), and
 * SOCKS5 with name and password (RFC 1929) for TCP and, by UDP ASSOCIATE, for UDP. Written from the RFCs on Node's own
 * primitives, and proved right by letting the reference's client through.
 *
 * Arguments: `http ALGORITHM` or `socks VERSION-OF-THE-LOGIN-ANSWER`, port, name, password. Each decision is a line on standard output.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect, createServer, type Socket } from 'node:net'

const [kind, variant, portText, name, password] = process.argv.slice(2) as [string, string, string, string, string]
const REALM = 'laboratory'
const nonces = new Set<string>()

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** Joins both sockets; either end closes the other. */
function join(client: Socket, host: string, port: number, ready: () => void): void {
  const far = connect(port, host)
  far.on('connect', () => {
    ready()
    client.pipe(far).pipe(client)
  })
  far.on('error', () => client.destroy())
  far.on('close', () => client.destroy())
  client.on('close', () => far.destroy())
}

const hash = (text: string): string =>
  createHash(variant === 'SHA-256' ? 'sha256' : 'md5')
    .update(text)
    .digest('hex')

/** Whether the answer is that of somebody who has the password and asks for this target. */
function isGood(header: string, target: string): boolean {
  const field = (key: string): string => new RegExp(`[ ,]${key}="?([^",]*)"?`).exec(header)?.[1] ?? ''
  const nonce = field('nonce')
  if (!header.startsWith('Digest ') || !nonces.delete(nonce) || field('uri') !== target) return false
  if (field('username') !== name || field('realm') !== REALM || field('qop') !== 'auth') return false
  const secret = hash(`${name}:${REALM}:${password}`)
  const request = hash(`CONNECT:${target}`)
  return field('response') === hash(`${secret}:${nonce}:${field('nc')}:${field('cnonce')}:auth:${request}`)
}

function http(client: Socket): void {
  let text = ''
  const listen = (data: Buffer): void => {
    text += data.toString('latin1')
    if (!text.includes('\r\n\r\n')) return
    client.off('data', listen)
    const target = /^CONNECT (\S+) HTTP\/1\.[01]\r\n/.exec(text)?.[1] ?? ''
    const header = /^Proxy-Authorization: (.*)$/im.exec(text)?.[1]?.trim()
    if (header !== undefined && isGood(header, target)) {
      say(`tunnel to ${target}`)
      const [host = '', port = ''] = target.split(':')
      join(client, host, Number(port), () => client.write('HTTP/1.0 200 Connection established\r\n\r\n'))
      return
    }
    say(header === undefined ? 'asked for a login' : `refused ${header.split(' ')[0] ?? ''}`)
    const nonce = randomBytes(16).toString('hex')
    nonces.add(nonce)
    const challenge = `Digest realm="${REALM}", qop="auth", algorithm=${variant}, nonce="${nonce}", opaque="x1"`
    client.end(
      `HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: ${challenge}\r\nContent-Length: 0\r\n\r\n`,
    )
  }
  client.on('data', listen)
}

/** The next bytes of a stream, as many as asked for. */
class Reader {
  #bytes = Buffer.alloc(0)
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    socket.on('data', (data: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, data])
      this.#wake?.()
    })
  }

  async take(length: number): Promise<Buffer> {
    while (this.#bytes.length < length) await new Promise<void>((resolve) => (this.#wake = resolve))
    const taken = this.#bytes.subarray(0, length)
    this.#bytes = this.#bytes.subarray(length)
    return taken
  }
}

async function socks(client: Socket): Promise<void> {
  const reader = new Reader(client)
  const [, count = 0] = await reader.take(2)
  if (!(await reader.take(count)).includes(2)) {
    say('refused: no login offered')
    client.end(Uint8Array.of(5, 0xff))
    return
  }
  client.write(Uint8Array.of(5, 2))
  const [, nameLength = 0] = await reader.take(2)
  const given = (await reader.take(nameLength)).toString()
  const [passwordLength = 0] = await reader.take(1)
  const good = given === name && (await reader.take(passwordLength)).toString() === password
  client.write(Uint8Array.of(Number(variant), good ? 0 : 1))
  if (!good) {
    say('refused: wrong login')
    client.end()
    return
  }
  const [, command, , type] = await reader.take(4)
  const host =
    type === 3 ? (await reader.take((await reader.take(1))[0] ?? 0)).toString() : (await reader.take(4)).join('.')
  const port = (await reader.take(2)).readUInt16BE()
  if (command === 3) {
    relay(client)
    return
  }
  say(`tunnel to ${host}:${port}`)
  client.removeAllListeners('data')
  join(client, host, port, () => client.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0)))
}

/** UDP for as long as the TCP connection lives. */
function relay(client: Socket): void {
  const near = createSocket('udp4')
  const far = createSocket('udp4')
  let header: Buffer = Buffer.alloc(0)
  let back: { port: number; address: string } | undefined
  near.on('message', (data, sender) => {
    back = sender
    header = data.subarray(0, 10)
    far.send(data.subarray(10), data.readUInt16BE(8), data.subarray(4, 8).join('.'))
  })
  far.on('message', (data) => {
    if (back !== undefined) near.send(Buffer.concat([header, data]), back.port, back.address)
  })
  client.on('close', () => {
    near.close()
    far.close()
  })
  near.bind(0, '127.0.0.1', () => {
    const { port } = near.address()
    say(`relay at ${port}`)
    client.write(Uint8Array.of(5, 0, 0, 1, 127, 0, 0, 1, port >> 8, port & 255))
  })
}

createServer((client) => {
  client.on('error', () => client.destroy())
  if (kind === 'http') http(client)
  else void socks(client)
}).listen(Number(portText), '127.0.0.1', () => {
  say('listening')
})
