/** Whole handshakes between two engines: every kind of key, version, suite and group, and what the two then know. */
import { describe, expect, it } from 'vitest'
import { equalBytes } from '../../../src/bytes/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { CIPHER_SUITES, type CipherSuiteName, GROUP_CODES, type TlsVersion } from '../../../src/tls/index.ts'
import { groupFits } from '../../../src/tls/registry.ts'
import type { GroupName } from '../../../src/crypto/index.ts'
import { PKI_KINDS, type PkiKind, toyPki } from '../../support/pki.ts'
import { anonymous, config, type Host, pair, talk, text } from './support.ts'

const VERSIONS: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3']

/** Both sides are connected, agree, and carry data both ways. */
function expectWorking({ client, server }: { client: Host; server: Host }): void {
  expect(client.closed).toBeUndefined()
  expect(server.closed).toBeUndefined()
  expect(client.info).toBeDefined()
  expect(server.info).toBeDefined()
  const [ours, theirs] = [client.info!, server.info!]
  for (const key of ['version', 'cipherSuite', 'group', 'helloRetryRequest', 'extendedMasterSecret'] as const) {
    expect(ours[key]).toBe(theirs[key])
  }
  expect(ours.ownSignatureScheme).toBe(theirs.peerSignatureScheme)
  expect(theirs.ownSignatureScheme).toBe(ours.peerSignatureScheme)
  expect(client.connection.write(text('from the client'))).toBe(true)
  expect(server.connection.write(text('from the server'))).toBe(true)
  talk(client, server)
  expect(server.text).toBe('from the client')
  expect(client.text).toBe('from the server')
  const exported = [client, server].map(({ connection }) =>
    connection.exportKeyingMaterial('EXPORTER-x', undefined, 32),
  )
  expect(equalBytes(exported[0]!, exported[1]!)).toBe(true)
  client.connection.close()
  talk(client, server)
  expect(client.closed).toEqual({ type: 'close-notify', by: 'us' })
  expect(server.closed).toEqual({ type: 'close-notify', by: 'peer' })
}

describe('mutual authentication', () => {
  it.each(VERSIONS.flatMap((version) => PKI_KINDS.map((kind) => [version, kind] as const)))(
    '%s with %s',
    (version, kind) => {
      const groups: readonly GroupName[] = ['x25519', 'secp256r1', 'secp384r1', 'secp521r1']
      const over = { minVersion: version, maxVersion: version, groups }
      const hosts = pair(config('client', over, kind), config('server', over, kind), kind)
      expectWorking(hosts)
      expect(hosts.client.info?.version).toBe(version)
      expect(hosts.client.info?.peerCertificates).toEqual([toyPki(kind).server.der])
      expect(hosts.server.info?.peerCertificates).toEqual([toyPki(kind).client.der])
      expect(hosts.server.info?.peerLeaf?.subject.rdns.length).toBeGreaterThan(0)
    },
  )

  it('mixed kinds of keys', () => {
    const client = config('client', { verifier: config('server', {}, 'rsa-2048').verifier! }, 'ed25519')
    const server = config('server', { verifier: config('client', {}, 'ed25519').verifier! }, 'rsa-2048')
    expectWorking(pair(client, server))
  })

  it('with node:crypto on one side only', () => {
    expectWorking(pair(config('client'), config('server'), 'node', nodeCrypto))
  })
})

describe('cipher suites', () => {
  it.each(CIPHER_SUITES.map((suite) => suite.name))('%s', (name: CipherSuiteName) => {
    const suite = CIPHER_SUITES.find((own) => own.name === name)!
    const kind: PkiKind = suite.authentication === 'rsa' ? 'rsa-2048' : 'P-256'
    const over = { minVersion: suite.version, maxVersion: suite.version, cipherSuites: [name] }
    const hosts = pair(config('client', over, kind), config('server', over, kind))
    expectWorking(hosts)
    expect(hosts.server.info?.cipherSuite).toBe(name)
  })

  it('TLS-19 the server decides by its own order', () => {
    const server = config('server', { cipherSuites: ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'] })
    const client = config('client', { cipherSuites: ['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256'] })
    expect(pair(client, server).server.info?.cipherSuite).toBe('TLS_AES_128_GCM_SHA256')
    const lenient = { ...server, preferOwnCipherOrder: false }
    expect(pair(client, lenient).server.info?.cipherSuite).toBe('TLS_AES_256_GCM_SHA384')
    const equal = config('server', { cipherSuites: [['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384']] })
    expect(pair(client, equal).server.info?.cipherSuite).toBe('TLS_AES_256_GCM_SHA384')
  })

  it('TLS-19 nothing in common is a handshake_failure', () => {
    const { client, server } = pair(
      config('client', { cipherSuites: ['TLS_AES_256_GCM_SHA384'] }),
      config('server', { cipherSuites: ['TLS_AES_128_GCM_SHA256'] }),
    )
    expect(server.alertSent).toBe('handshake-failure')
    expect(client.alertReceived).toBe('handshake-failure')
  })

  it('TLS12-1 TLS12-14 CBC and AEAD do not meet by default', () => {
    const cbc = { maxVersion: 'TLSv1.2', cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA'] } as const
    const { server } = pair(config('client', cbc), config('server'))
    expect(server.alertSent).toBe('handshake-failure')
  })
})

describe('groups', () => {
  const names = Object.keys(GROUP_CODES) as GroupName[]
  const cases = VERSIONS.flatMap((version) =>
    names.filter((g) => groupFits(g, version)).map((g) => [version, g] as const),
  )

  it.each(cases)('%s over %s', (version, group) => {
    const over = { minVersion: version, maxVersion: version, groups: [group] }
    const hosts = pair(config('client', over, 'ed25519'), config('server', over, 'ed25519'))
    expectWorking(hosts)
    expect(hosts.client.info?.group).toBe(group)
  })

  it('TLS13-12 the server asks for its own first group, by HelloRetryRequest where no share came', () => {
    const client = config('client', { groups: ['x25519', 'secp384r1'] })
    const hosts = pair(client, config('server', { groups: ['secp384r1', 'x25519'] }))
    expectWorking(hosts)
    expect(hosts.client.info).toMatchObject({ group: 'secp384r1', helloRetryRequest: true })
  })

  it('a hybrid and a classical share go out together', () => {
    const groups = ['X25519MLKEM768', 'x25519'] as const
    const modern = pair(config('client', { groups }), config('server', { groups }))
    expect(modern.client.info).toMatchObject({ group: 'X25519MLKEM768', helloRetryRequest: false })
    const old = pair(config('client', { groups }), config('server', { groups: ['x25519'] }))
    expect(old.client.info).toMatchObject({ group: 'x25519', helloRetryRequest: false })
  })

  it('no shares at all still connect', () => {
    const hosts = pair(config('client', { keyShares: [] }), config('server'))
    expectWorking(hosts)
    expect(hosts.server.info?.helloRetryRequest).toBe(true)
  })
})

describe('versions', () => {
  it('TLS-15 the highest common version is taken', () => {
    for (const [client, server, expected] of [
      [{}, {}, 'TLSv1.3'],
      [{ maxVersion: 'TLSv1.2' }, {}, 'TLSv1.2'],
      [{}, { maxVersion: 'TLSv1.2' }, 'TLSv1.2'],
      [{ minVersion: 'TLSv1.3' }, {}, 'TLSv1.3'],
    ] as const) {
      const hosts = pair(config('client', client), config('server', server))
      expectWorking(hosts)
      expect(hosts.client.info?.version).toBe(expected)
    }
  })

  it('TLS-15 no common version is a protocol_version', () => {
    for (const [client, server] of [
      [{ minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }],
      [{ maxVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' }],
    ] as const) {
      const hosts = pair(config('client', client), config('server', server))
      expect(hosts.server.alertSent).toBe('protocol-version')
      expect(hosts.client.alertReceived).toBe('protocol-version')
    }
  })
})

describe('client authentication', () => {
  const clients = { certified: () => config('client'), anonymous: () => anonymous() }

  it.each(VERSIONS)('TLS-24 TLS13-16 TLS12-9 as the server says, under %s', (maxVersion) => {
    for (const clientAuth of ['none', 'optional', 'required'] as const) {
      for (const kind of ['certified', 'anonymous'] as const) {
        const { client, server } = pair(clients[kind](), config('server', { clientAuth, maxVersion }))
        if (clientAuth === 'required' && kind === 'anonymous') {
          expect(server.info).toBeUndefined()
          expect(server.closed).toMatchObject({ type: 'certificate', problem: 'no-certificate' })
          expect(server.alertSent).toBe(maxVersion === 'TLSv1.3' ? 'certificate-required' : 'handshake-failure')
          continue
        }
        expectWorking({ client, server })
        expect(server.info?.peerCertificates.length).toBe(clientAuth !== 'none' && kind === 'certified' ? 1 : 0)
      }
    }
  })

  it.each(VERSIONS)('TLS13-17 the names of CAs reach the client under %s', (maxVersion) => {
    const authority = toyPki('P-256').ca.certificate.subject.der
    const { client } = pair(config('client'), config('server', { maxVersion, certificateAuthorities: [authority] }))
    expect(client.info?.certificateAuthorities).toEqual([authority])
    expect(client.info?.peerSignatureAlgorithms).toContain(0x0403)
  })

  it.each(VERSIONS)(
    'TLS-44 TLS13-16 TLS12-9 a client whose key the server cannot check shows no certificate, under %s',
    (maxVersion) => {
      const over = { maxVersion, signatureSchemes: ['ed25519'] } as const
      const tolerant = pair(config('client'), config('server', { ...over, clientAuth: 'optional' }))
      expectWorking(tolerant)
      expect(tolerant.server.info).toMatchObject({ peerCertificates: [], peerSignatureScheme: undefined })
      expect(tolerant.client.info).toMatchObject({ ownSignatureScheme: undefined })
      const strict = pair(config('client'), config('server', { ...over, clientAuth: 'required' }))
      const alert = maxVersion === 'TLSv1.3' ? 'certificate-required' : 'handshake-failure'
      expect(strict.server.alertSent).toBe(alert)
      expect(strict.client.alertReceived).toBe(alert)
      const insisting = config('client', { insistOnCertificate: true })
      for (const clientAuth of ['optional', 'required'] as const) {
        const { client } = pair(insisting, config('server', { ...over, clientAuth }))
        expect(client.alertSent).toBe('handshake-failure')
        expect(client.info).toBeUndefined()
      }
      expectWorking(pair(insisting, config('server', { maxVersion })))
    },
  )
})

describe('a whole connection', () => {
  it('TLS-3 is the same byte for byte from the same inputs', () => {
    for (const maxVersion of VERSIONS) {
      const run = () => {
        const over = { maxVersion }
        const flights: Uint8Array[] = []
        const hosts = pair(config('client', over), config('server', over), 'same')
        for (const host of [hosts.client, hosts.server]) {
          host.connection.write(text('x'))
          flights.push(...host.drain())
        }
        return flights
      }
      expect(run()).toEqual(run())
    }
  })

  it('TLS-34 exports only when open', () => {
    const { client } = pair(config('client'), config('server'))
    expect(client.connection.exportKeyingMaterial('x', undefined, 16)).toHaveLength(16)
    client.connection.close()
    expect(() => client.connection.exportKeyingMaterial('x', undefined, 16)).toThrow(/not open/)
    expect(client.connection.info).toBeUndefined()
  })

  it('TLS13-18 TLS12-13 an absent exporter context equals an empty one in 1.3 only', () => {
    for (const maxVersion of VERSIONS) {
      const { client } = pair(config('client', { maxVersion }), config('server'))
      const absent = client.connection.exportKeyingMaterial('x', undefined, 16)
      const empty = client.connection.exportKeyingMaterial('x', new Uint8Array(0), 16)
      expect(equalBytes(absent, empty)).toBe(maxVersion === 'TLSv1.3')
    }
  })
})
