/** Sessions resumed with node:tls, which is OpenSSL, in both roles and both versions. */
import type { Duplex } from 'node:stream'
import { connect, createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import { expect, it } from 'vitest'
import { noble } from '../../../src/crypto/index.ts'
import { type TlsConfig, TlsConnection, type TlsInfo, type TlsVersion } from '../../../src/tls/index.ts'
import { toyPki } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'
import { Pipe } from './pipe.ts'
import { config, text } from './support.ts'

/** The time node:tls sees is the real one; the toy PKI is valid for years. */
const NOW = Date.now()
const TICKET_KEY = new Uint8Array(32).fill(5)
const pki = toyPki('P-256')

/** What one connection came to. */
interface Outcome {
  readonly info: TlsInfo
  /** node:tls's word on it. */
  readonly reused: boolean
  readonly ourSession: Uint8Array | undefined
  readonly theirSession: Buffer | undefined
  readonly exported: readonly string[]
}

/** One connection over which each side sends a word; it is over when both words and the session are there. */
async function meet(own: TlsConfig, peer: (pipe: Duplex) => TLSSocket): Promise<Outcome> {
  const random = new SeededRandom(`node/${own.role}`).source
  const engine = new TlsConnection(own, { unixTime: NOW, random, crypto: noble })
  return new Promise((resolve, reject) => {
    let info: TlsInfo | undefined
    let ourSession: Uint8Array | undefined
    let theirSession: Buffer | undefined
    let ours = ''
    let theirs = ''
    const pipe = new Pipe((bytes) => {
      engine.receive(bytes, NOW)
      drain()
    })
    const socket = peer(pipe)
    function finish(): void {
      if (info === undefined || ours === '' || theirs === '') return
      const exported = [
        Buffer.from(engine.exportKeyingMaterial('EXPORTER-test', undefined, 32)).toString('hex'),
        socket.exportKeyingMaterial(32, 'EXPORTER-test', undefined as never).toString('hex'),
      ]
      resolve({ info, reused: socket.isSessionReused(), ourSession, theirSession, exported })
      engine.close()
      drain()
    }
    function drain(): void {
      for (let output = engine.poll(); output !== undefined; output = engine.poll()) {
        if (output.type === 'transmit') pipe.push(Buffer.from(output.data))
        else if (output.type === 'session') ourSession = output.session
        else if (output.type === 'connected') {
          info = output.info
          engine.write(text('from the engine'))
        } else if (output.type === 'data') {
          ours += Buffer.from(output.data).toString()
          finish()
        } else if (output.type === 'closed' && (ours === '' || theirs === ''))
          reject(new Error(JSON.stringify(output.reason)))
      }
    }
    socket.on('session', (session: Buffer) => (theirSession = session))
    socket.on('data', (bytes: Buffer) => {
      theirs += bytes.toString()
      finish()
    })
    socket.on('error', reject)
    socket.write('from node')
    engine.start()
    drain()
  })
}

const only = (version: TlsVersion) => ({ minVersion: version, maxVersion: version })

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'TLS-53 an OpenSSL server takes back the session it gave, %s',
  async (version) => {
    const credentials = { key: pki.server.keyPem, cert: pki.server.pem, ca: pki.ca.pem }
    const secureContext: SecureContext = createSecureContext({
      ...credentials,
      ...only(version),
      sessionIdContext: 'test',
    })
    const server = (pipe: Duplex) =>
      new TLSSocket(pipe, { isServer: true, requestCert: true, rejectUnauthorized: true, secureContext })
    const first = await meet(config('client', { ...only(version), resumption: {} }), server)
    expect([first.info.resumed, first.reused]).toEqual([false, false])
    const again = config('client', { ...only(version), resumption: { session: first.ourSession! } })
    const second = await meet(again, server)
    expect([second.info.resumed, second.reused]).toEqual([true, true])
    expect(second.exported[0]).toBe(second.exported[1])
    expect(second.info.peerCertificates).toEqual(first.info.peerCertificates)
  },
)

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'TLS-53 an OpenSSL client goes on with the session it got, %s',
  async (version) => {
    const server = config('server', { ...only(version), resumption: { ticketKeys: [TICKET_KEY] } })
    const credentials = { key: pki.client.keyPem, cert: pki.client.pem, ca: pki.ca.pem }
    const client = (session?: Buffer) => (pipe: Duplex) =>
      connect({
        socket: pipe,
        ...credentials,
        ...only(version),
        ...(session && { session }),
        checkServerIdentity: () => undefined,
      })
    const first = await meet(server, client())
    expect([first.info.resumed, first.reused]).toEqual([false, false])
    const second = await meet(server, client(first.theirSession))
    expect([second.info.resumed, second.reused]).toEqual([true, true])
    expect(second.exported[0]).toBe(second.exported[1])
    expect(second.info.peerCertificates).toEqual(first.info.peerCertificates)
    expect(second.info.peerCertificates[0]).toEqual(pki.client.der)
  },
)
