/**
 * TLS without OpenVPN: a server that answers an HTTP GET and a client that asks it, mutually authenticated, each a
 * `TlsConnection` on a socket of Node. The connection is a value: `attach` below is all the glue that a socket needs.
 *
 * Run with `npx tsx examples/tls.ts`. Certificates are made for the occasion and never touch the disk.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { utf8Decode, utf8Encode } from '../src/bytes/index.ts'
import { noble } from '../src/crypto/index.ts'
import { TlsConnection, type TlsConfig, type TlsOutput } from '../src/tls/index.ts'
import { createPeerVerifier, makePki, nameText } from '../src/x509/index.ts'

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))
const pki = makePki('P-256', Date.now(), noble, random)

/** What both ends have in common: an own certificate, and trust in the CA. */
const common = (role: 'client' | 'server'): TlsConfig => ({
  role,
  certificateChain: [pki[role].certificate],
  privateKey: pki[role].key,
  verifier: createPeerVerifier({ ca: pki.ca, remoteCertTls: role === 'client' ? 'server' : 'client' }),
})

/** Puts a connection on a socket. Bytes go in from the one and out to the other; all else is for `handle`. */
function attach(
  socket: Socket,
  config: TlsConfig,
  handle: (connection: TlsConnection, output: TlsOutput) => void,
): void {
  const connection = new TlsConnection(config, { unixTime: Date.now(), random, crypto: noble })
  const drain = (): void => {
    for (let output = connection.poll(); output !== undefined; output = connection.poll()) {
      if (output.type === 'transmit') socket.write(output.data)
      else handle(connection, output)
      if (output.type === 'closed') socket.end()
    }
  }
  socket.on('data', (bytes) => {
    connection.receive(bytes, Date.now())
    drain()
  })
  socket.on('error', (error) => {
    console.error(error.message)
  })
  connection.start()
  drain()
}

const server = createServer((socket) => {
  let request = ''
  attach(socket, { ...common('server'), clientAuth: 'required' }, (connection, output) => {
    if (output.type === 'data') request += utf8Decode(output.data)
    if (output.type !== 'data' || !request.endsWith('\r\n\r\n')) return
    const leaf = connection.info?.peerLeaf
    const body = `hello, ${leaf === undefined ? 'nobody' : nameText(leaf.subject)}\n`
    connection.write(utf8Encode(`HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n${body}`))
    connection.close()
  })
})

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  attach(connect(port, '127.0.0.1'), common('client'), (connection, output) => {
    if (output.type === 'connected') {
      const { version, cipherSuite, group, peerSignatureScheme } = output.info
      console.log(`${version}, ${cipherSuite}, ${group}, ${peerSignatureScheme ?? 'no certificate'}`)
      connection.write(utf8Encode('GET / HTTP/1.0\r\n\r\n'))
    }
    if (output.type === 'data') console.log(utf8Decode(output.data))
    if (output.type === 'closed') {
      console.log(`closed: ${JSON.stringify(output.reason)}`)
      server.close()
    }
  })
})
