/**
 * The first mutual TLS 1.3 handshake of a fresh process, from the built package: reads what to do as JSON from standard
 * input and prints milliseconds as JSON. Nothing but the package itself is loaded before the clock starts.
 */
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'

const { provider, group, now, ca, ...pairs } = JSON.parse(readFileSync(0, 'utf8'))
const random = (length) => {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 37 + 11) & 255
  return bytes
}

const started = performance.now()
const { TlsConnection } = await import('../dist/tls/index.js')
const { createPeerVerifier, parsePemCertificates, parsePrivateKey } = await import('../dist/x509/index.js')
const crypto =
  provider === 'noble'
    ? (await import('../dist/crypto/index.js')).noble
    : (await import('../dist/node/crypto/index.js')).nodeCrypto
const loaded = performance.now()

const configs = Object.fromEntries(
  Object.entries(pairs).map(([role, { certificate, key }]) => [
    role,
    {
      role,
      certificateChain: parsePemCertificates(certificate),
      privateKey: parsePrivateKey(key),
      verifier: createPeerVerifier({ ca }),
      clientAuth: 'required',
      groups: [group],
    },
  ]),
)
const configured = performance.now()

function handshake() {
  const environment = { unixTime: now, random, crypto }
  const client = new TlsConnection(configs.client, environment)
  const server = new TlsConnection(configs.server, environment)
  client.start()
  for (let turn = 0; turn < 4; turn++) {
    const [from, to] = turn % 2 === 0 ? [client, server] : [server, client]
    for (let output = from.poll(); output !== undefined; output = from.poll()) {
      if (output.type === 'transmit') to.receive(output.data, now)
    }
  }
  if (client.info === undefined || server.info === undefined) throw new Error('the handshake did not complete')
}

handshake()
const first = performance.now()
handshake()
const second = performance.now()
console.log(
  JSON.stringify({
    load: loaded - started,
    configure: configured - loaded,
    first: first - configured,
    second: second - first,
  }),
)
