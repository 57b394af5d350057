/**
 * `npm run tls-server -- --port P --cert F --key F [options]`: the TLS engine alone behind a TCP socket on 127.0.0.1, for
 * TLS test tools.
 *
 * It answers `GET …` with a short HTTP response and close_notify; after a fatal error it sends the alert, then closes TCP.
 *
 *   --client-ca F      ask clients for a certificate; any chain is taken, and whether it leads to F is printed
 *   --require-client   insist on a certificate, and on a chain to F
 *   --min 1.2 --max 1.3   versions
 *   --profile NAME     reqcert: ask, take any chain; echo: send back what comes; rsa12: at most 1.2; others: nothing
 *   --echo             send back what comes
 *   --sigalgs LIST     schemes accepted from clients, in CertificateRequest's order; all but ML-DSA when left out, which
 *                      test tools do not know
 *   --ciphers LIST --ciphersuites LIST --groups LIST   as in profiles
 *   --verbose          print how each connection went
 */
import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { noble } from '../src/crypto/index.ts'
import {
  type ChainVerifier,
  type CipherSuiteName,
  parseTlsCipher,
  parseTlsCiphersuites,
  parseTlsGroups,
  parseTlsVersion,
  SIGNATURE_SCHEMES,
  type SignatureSchemeName,
  type TlsCloseReason,
  type TlsConfig,
  TlsConnection,
} from '../src/tls/index.ts'
import { createPeerVerifier, parseCertificate, parsePemCertificates, parsePrivateKey } from '../src/x509/index.ts'

const { values: options } = parseArgs({
  options: {
    port: { type: 'string' },
    cert: { type: 'string' },
    key: { type: 'string' },
    'client-ca': { type: 'string' },
    'require-client': { type: 'boolean', default: false },
    min: { type: 'string', default: '1.2' },
    max: { type: 'string', default: '1.3' },
    profile: { type: 'string', default: '' },
    echo: { type: 'boolean', default: false },
    sigalgs: { type: 'string' },
    ciphers: { type: 'string' },
    ciphersuites: { type: 'string' },
    groups: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
})

const CLASSICAL = SIGNATURE_SCHEMES.filter(({ key }) => key !== 'ml-dsa').map(({ name }) => name)

function fail(message: string): never {
  console.error(`tls-server: ${message}`)
  process.exit(2)
}

/** Takes every well-formed chain; says whether it leads to the given CA. */
function lenientVerifier(caFile: string | undefined): ChainVerifier {
  const strict = caFile === undefined ? undefined : createPeerVerifier({ ca: readFileSync(caFile, 'utf8') })
  return {
    verify(chain, peerRole, unixTime, crypto) {
      const verdict = strict?.verify(chain, peerRole, unixTime, crypto)
      if (verdict?.type === 'refused') log(`client certificate: ${verdict.problem}`)
      const leaf = parseCertificate(chain[0]!)
      return typeof leaf === 'string'
        ? { type: 'refused', problem: leaf, detail: 'the certificate cannot be read' }
        : { type: 'verified', leaf, path: [leaf], username: undefined }
    },
  }
}

function log(text: string): void {
  if (options.verbose) console.log(text)
}

function buildConfig(): TlsConfig {
  const { cert, key, profile } = options
  if (cert === undefined || key === undefined) fail('--cert and --key are needed')
  const clientCa = options['client-ca']
  const asks = clientCa !== undefined || profile === 'reqcert' || options['require-client']
  const enforced = options['require-client'] && clientCa !== undefined
  const suites: CipherSuiteName[] = [
    ...(options.ciphersuites === undefined ? [] : parseTlsCiphersuites(options.ciphersuites).names),
    ...(options.ciphers === undefined ? [] : parseTlsCipher(options.ciphers).names),
  ]
  return {
    role: 'server',
    certificateChain: parsePemCertificates(readFileSync(cert, 'utf8')),
    privateKey: parsePrivateKey(readFileSync(key, 'utf8')),
    minVersion: parseTlsVersion(options.min) ?? fail('--min 1.2 or 1.3'),
    maxVersion: profile === 'rsa12' ? 'TLSv1.2' : (parseTlsVersion(options.max) ?? fail('--max 1.2 or 1.3')),
    clientAuth: options['require-client'] ? 'required' : asks ? 'optional' : 'none',
    maxClientHello: 131_072,
    groups: options.groups === undefined ? ['x25519', 'secp256r1', 'secp384r1'] : parseTlsGroups(options.groups).names,
    ...(asks && {
      verifier: enforced ? createPeerVerifier({ ca: readFileSync(clientCa, 'utf8') }) : lenientVerifier(clientCa),
    }),
    ...(suites.length > 0 && { cipherSuites: suites }),
    signatureSchemes: (options.sigalgs?.split(/[ :,]+/) as SignatureSchemeName[] | undefined) ?? CLASSICAL,
  }
}

/** What a browser would get. */
const PAGE = 'ovpn-core\n'
const RESPONSE = Buffer.from(
  `HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${PAGE.length}\r\n\r\n${PAGE}`,
)

/** Answers requests on one open connection. */
class Responder {
  #line = ''

  take(connection: TlsConnection, data: Uint8Array): void {
    if (options.echo || options.profile === 'echo') {
      connection.write(data)
      return
    }
    this.#line = (this.#line + Buffer.from(data).toString('latin1')).slice(-65_536)
    if (!/(^|\n)GET [^\n]*\n/.test(this.#line)) return
    connection.write(RESPONSE)
    connection.close()
  }
}

function serve(socket: Socket, config: TlsConfig): void {
  const random = (length: number) => new Uint8Array(randomBytes(length))
  const connection = new TlsConnection(config, { unixTime: Date.now(), random, crypto: noble })
  const responder = new Responder()
  const drain = (): void => {
    for (let output = connection.poll(); output !== undefined; output = connection.poll()) {
      if (output.type === 'transmit') socket.write(output.data)
      else if (output.type === 'connected') log(`connected ${output.info.version} ${output.info.cipherSuite}`)
      else if (output.type === 'data') responder.take(connection, output.data)
      else if (output.type === 'closed') end(output.reason)
    }
  }
  const end = (reason: TlsCloseReason): void => {
    log(JSON.stringify(reason))
    socket.end()
  }
  socket.setNoDelay(true)
  socket.setTimeout(30_000, () => socket.destroy())
  socket.on('data', (bytes) => {
    connection.receive(bytes, Date.now())
    drain()
  })
  socket.on('error', (error) => log(error.message))
}

const config = buildConfig()
const port = Number(options.port ?? fail('--port is needed'))
createServer((socket) => serve(socket, config)).listen(port, '127.0.0.1', () => {
  console.log(`listening on 127.0.0.1:${port}`)
})
