/** Both roles against node:tls, which is OpenSSL, through a pair of streams in memory. */
import { connect, createSecureContext, createServer, TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { noble } from '../../../src/crypto/index.ts'
import {
  CIPHER_SUITES,
  type CipherSuiteName,
  opensslCipherName,
  type TlsConfig,
  TlsConnection,
  type TlsInfo,
  type TlsVersion,
} from '../../../src/tls/index.ts'
import { PKI_KINDS, type PkiKind, toyPki } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'
import { soaking } from '../../support/scale.ts'
import { Pipe } from './pipe.ts'
import { config, text } from './support.ts'

/** The time node:tls sees is the real one; the toy PKI is valid for years. */
const NOW = Date.now()
const OPENSSL_GROUPS = { x25519: 'X25519', secp256r1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' } as const
type ClassicalGroup = keyof typeof OPENSSL_GROUPS

interface Combination {
  readonly role: 'client' | 'server'
  readonly version: TlsVersion
  readonly suite: CipherSuiteName
  readonly group: ClassicalGroup
  readonly kind: PkiKind
}

interface Outcome {
  readonly info: TlsInfo
  readonly ours: string
  readonly theirs: string
  readonly exported: readonly string[]
  readonly cipher: string
  /** The certificate that node:tls saw. */
  readonly seen: Uint8Array
}

/** One mutually authenticated connection: each side sends a word, then both export a key. */
async function meet(combination: Combination, over: Partial<TlsConfig> = {}): Promise<Outcome> {
  const { role, version, suite, group, kind } = combination
  const pki = toyPki(kind)
  const own = config(
    role,
    { groups: [group], cipherSuites: [suite], minVersion: version, maxVersion: version, ...over },
    kind,
  )
  const random = new SeededRandom(`node/${role}`).source
  const engine = new TlsConnection(own, { unixTime: NOW, random, crypto: noble })
  return new Promise((resolve, reject) => {
    let info: TlsInfo | undefined
    let ours = ''
    let theirs = ''
    const pipe = new Pipe((bytes) => {
      engine.receive(bytes, NOW)
      drain()
    })
    const peer = role === 'client' ? 'server' : 'client'
    const credentials = { key: pki[peer].keyPem, cert: pki[peer].pem, ca: pki.ca.pem }
    const ecdhCurve = Object.values(OPENSSL_GROUPS).join(':')
    const limits = { minVersion: version, maxVersion: version, ecdhCurve, ciphers: 'ALL:@SECLEVEL=1' } as const
    const socket =
      role === 'client'
        ? new TLSSocket(pipe, {
            isServer: true,
            requestCert: true,
            rejectUnauthorized: true,
            secureContext: createSecureContext({ ...credentials, ...limits }),
          })
        : connect({ socket: pipe, ...credentials, ...limits, checkServerIdentity: () => undefined })
    const finish = (): void => {
      if (info === undefined || ours === '' || theirs === '') return
      const exported = [
        Buffer.from(engine.exportKeyingMaterial('EXPORTER-OpenVPN-datakeys', undefined, 64)).toString('hex'),
        socket.exportKeyingMaterial(64, 'EXPORTER-OpenVPN-datakeys', undefined as never).toString('hex'),
      ]
      const { standardName } = socket.getCipher() as { standardName: string }
      resolve({
        info,
        ours,
        theirs,
        exported,
        cipher: standardName,
        seen: Uint8Array.from(socket.getPeerCertificate().raw),
      })
      engine.close()
      drain()
    }
    function drain(): void {
      for (let output = engine.poll(); output !== undefined; output = engine.poll()) {
        if (output.type === 'transmit') pipe.push(Buffer.from(output.data))
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

async function check(combination: Combination): Promise<void> {
  const outcome = await meet(combination)
  expect(outcome).toMatchObject({ ours: 'from node', theirs: 'from the engine', cipher: combination.suite })
  expect(outcome.info).toMatchObject({
    version: combination.version,
    cipherSuite: combination.suite,
    group: combination.group,
  })
  expect(outcome.exported[0]).toBe(outcome.exported[1])
  expect(outcome.seen).toEqual(toyPki(combination.kind)[combination.role].der)
}

/** Every suite that fits the kind of key. */
function suitesFor(version: TlsVersion, kind: PkiKind): readonly CipherSuiteName[] {
  const authentication = kind.startsWith('rsa') ? 'rsa' : 'ecdsa'
  return CIPHER_SUITES.filter((suite) => suite.version === version)
    .filter((suite) => suite.authentication === 'any' || suite.authentication === authentication)
    .map((suite) => suite.name)
}

/** The groups a 1.2 handshake with an ECDSA key can use: its curve must be among them. */
function groupFits(version: TlsVersion, kind: PkiKind, group: ClassicalGroup): boolean {
  const curve = { 'P-256': 'secp256r1', 'P-384': 'secp384r1', 'P-521': 'secp521r1' }[kind as string]
  return version === 'TLSv1.3' || curve === undefined || curve === group
}

const ALL: readonly Combination[] = (['client', 'server'] as const).flatMap((role) =>
  (['TLSv1.2', 'TLSv1.3'] as const).flatMap((version) =>
    PKI_KINDS.flatMap((kind) =>
      suitesFor(version, kind).flatMap((suite) =>
        (Object.keys(OPENSSL_GROUPS) as ClassicalGroup[])
          .filter((group) => groupFits(version, kind, group))
          .map((group) => ({ role, version, suite, group, kind })),
      ),
    ),
  ),
)

const DIMENSIONS = ['version', 'suite', 'group', 'kind'] as const

/** A few combinations that show each value of each dimension in both roles. */
function sample(): readonly Combination[] {
  const seen = new Set<string>()
  return ALL.filter((one, i) => {
    const values = DIMENSIONS.map((key) => `${one.role} ${one[key]}`)
    const chosen = i % 17 === 0 || values.some((value) => !seen.has(value))
    if (chosen) for (const value of values) seen.add(value)
    return chosen
  })
}

/** Everything under soak. */
const CHOSEN = soaking() ? ALL : sample()

describe('what node:tls acknowledges', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('TLS-42 TLS-39 %s: server_name and a stapled response', async (version) => {
    const pki = toyPki('P-256')
    const ocspResponse = new Uint8Array(300).fill(7)
    let asked: string | undefined
    const client = new TlsConnection(
      { ...config('client'), serverName: 'toy.example', requestOcsp: true, minVersion: version, maxVersion: version },
      { unixTime: NOW, random: new SeededRandom('staple').source, crypto: noble },
    )
    const info = await new Promise<TlsInfo>((resolve, reject) => {
      const pipe = new Pipe((bytes) => {
        client.receive(bytes, NOW)
        drain()
      })
      const drain = () => {
        for (let output = client.poll(); output !== undefined; output = client.poll()) {
          if (output.type === 'transmit') pipe.push(output.data)
          else if (output.type === 'connected') resolve(output.info)
          else if (output.type === 'closed') reject(new Error(JSON.stringify(output.reason)))
        }
      }
      const secureContext = createSecureContext({ key: pki.server.keyPem, cert: pki.server.pem })
      const server = createServer({
        SNICallback: (name, done) => {
          asked = name
          done(null, secureContext)
        },
        key: pki.server.keyPem,
        cert: pki.server.pem,
      })
      server.on('OCSPRequest', (_certificate, _issuer, done: (error: null, response: Buffer) => void) => {
        done(null, Buffer.from(ocspResponse))
      })
      server.on('tlsClientError', reject)
      server.emit('connection', pipe)
      client.start()
      drain()
    })
    expect(asked).toBe('toy.example')
    expect(info).toMatchObject({ version, ocspResponse, certificateTimestamps: undefined })
  })
})

describe('node:tls', () => {
  it('the matrix is what it should be', () => {
    expect(ALL.length).toBeGreaterThan(300)
    for (const key of DIMENSIONS) {
      const values = (list: readonly Combination[]) => new Set(list.map((one) => `${one.role} ${one[key]}`)).size
      expect(values(CHOSEN)).toBe(values(ALL))
    }
  })

  it.each(
    CHOSEN.map((one) => [one.role, one.version, opensslCipherName(one.suite), one.group, one.kind, one] as const),
  )('as %s, %s %s %s %s', async (_role, _version, _suite, _group, _kind, combination) => {
    await check(combination)
  })

  it('TLS13-6 by HelloRetryRequest, both roles', async () => {
    const base = { version: 'TLSv1.3', suite: 'TLS_AES_128_GCM_SHA256', kind: 'P-256' } as const
    const asClient = await meet({ role: 'client', group: 'secp384r1', ...base }, { keyShares: [] })
    expect(asClient.info.helloRetryRequest).toBe(true)
    expect(asClient.exported[0]).toBe(asClient.exported[1])
    const asServer = await meet({ role: 'server', group: 'secp521r1', ...base })
    expect(asServer.info).toMatchObject({ helloRetryRequest: true, group: 'secp521r1' })
  })
})
