/** What is offered only where a host says so: names, staples, hints, levels of preference, ML-DSA. */
import { describe, expect, it } from 'vitest'
import { concat, ConfigError } from '../../../src/bytes/index.ts'
import type { GroupName } from '../../../src/crypto/index.ts'
import type { TlsConfig, TlsVersion } from '../../../src/tls/index.ts'
import { bytes, editHello, extension, readHello, replace, setExtension } from './edit.ts'
import { anonymous, config, handshakeMessage, Host, pair, Puppet, type Tamper, talk, text } from './support.ts'

const VERSIONS: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3']
const SERVER_NAME = 0
const STATUS_REQUEST = 5
const TIMESTAMPS = 18

function clientHello(over: Partial<TlsConfig>): ReturnType<typeof readHello> {
  return readHello(new Host(anonymous(over), 'offers').drain()[0]!.subarray(5))
}

/** The groups of a ClientHello's key shares. */
function sharedGroups(over: Partial<TlsConfig>): number[] {
  const shares = extension(clientHello(over), 51)!
  const groups: number[] = []
  for (let at = 2; at < shares.length; at += 4 + ((shares[at + 2]! << 8) | shares[at + 3]!)) {
    groups.push((shares[at]! << 8) | shares[at + 1]!)
  }
  return groups
}

/**
 * A client against a server whose messages a test changes behind the back of the server's transcript: what passes is
 * refused at the next signature or Finished, with `decrypt-error` in 1.3 and `bad-record-mac` at the server in 1.2.
 */
function clientAgainst(client: Partial<TlsConfig>, tamper: Tamper, server: Partial<TlsConfig> = {}): Host {
  const host = new Host(anonymous(client), 'client')
  const puppet = new Puppet(config('server', { clientAuth: 'none', ...server }), tamper)
  for (let round = 0; round < 3; round++) {
    for (const bytes of host.drain()) {
      if (host.connection.stateName !== 'expect-server-change-cipher-spec') puppet.receive(bytes)
    }
    for (const bytes of puppet.drain()) host.receive(bytes)
  }
  return host
}

describe('groups', () => {
  it('TLS-37 one share, for the first own group that the server is known to take', () => {
    const groups: readonly GroupName[] = ['x25519', 'secp256r1', 'secp384r1']
    expect(sharedGroups({ groups })).toEqual([29])
    expect(sharedGroups({ groups, serverGroups: ['secp384r1', 'secp256r1'] })).toEqual([23])
    expect(sharedGroups({ groups, serverGroups: ['secp384r1'], keyShares: ['x25519', 'secp256r1'] })).toEqual([24])
    expect(sharedGroups({ groups, serverGroups: ['secp521r1'], keyShares: ['x25519', 'secp256r1'] })).toEqual([29, 23])
    expect(sharedGroups({ groups, serverGroups: ['secp521r1'], keyShares: [] })).toEqual([])
    const server = config('server', { clientAuth: 'none', groups: ['secp384r1'] })
    expect(pair(anonymous({ groups }), server).client.info!.helloRetryRequest).toBe(true)
    const told = pair(anonymous({ groups, serverGroups: ['secp384r1'] }), server)
    expect(told.client.info).toMatchObject({ helloRetryRequest: false, group: 'secp384r1' })
  })

  it('TLS-41 the client chooses among groups of one level', () => {
    const chosen = (client: readonly GroupName[], server: NonNullable<TlsConfig['groups']>, version: TlsVersion) => {
      const offer = anonymous({ groups: client, keyShares: client, maxVersion: version })
      return pair(offer, config('server', { clientAuth: 'none', groups: server })).server.info?.group
    }
    for (const version of VERSIONS) {
      const client = ['secp384r1', 'secp256r1', 'x25519'] as const
      expect(chosen(client, ['x25519', 'secp256r1', 'secp384r1'], version)).toBe('x25519')
      expect(chosen(client, [['x25519', 'secp256r1'], 'secp384r1'], version)).toBe('secp256r1')
      expect(chosen(client, [['x25519', 'secp256r1', 'secp384r1']], version)).toBe('secp384r1')
      expect(chosen(client, [['secp521r1'], ['secp256r1', 'secp384r1']], version)).toBe('secp384r1')
    }
    expect(() => new Host(anonymous({ groups: [['MLKEM1024']], maxVersion: 'TLSv1.2' }), 'none')).toThrow(ConfigError)
  })

  it('CRY-39 TLS13-12 MLKEM1024 is agreed on where both name it, in 1.3', () => {
    const groups = ['MLKEM1024', 'x25519', 'secp256r1'] as const
    const both = pair(anonymous({ groups }), config('server', { clientAuth: 'none', groups }))
    expect(both.client.info).toMatchObject({ group: 'MLKEM1024', version: 'TLSv1.3' })
    expect(both.client.connection.exportKeyingMaterial('x', undefined, 32)).toEqual(
      both.server.connection.exportKeyingMaterial('x', undefined, 32),
    )
    const old = pair(anonymous({ groups }), config('server', { clientAuth: 'none', groups, maxVersion: 'TLSv1.2' }))
    expect(old.client.info).toMatchObject({ group: 'x25519', version: 'TLSv1.2' })
  })
})

describe('server_name', () => {
  it('TLS-42 is sent where the host gives a name, and may be acknowledged', () => {
    expect(extension(clientHello({}), SERVER_NAME)).toBeUndefined()
    const value = extension(clientHello({ serverName: 'vpn.example.org' }), SERVER_NAME)
    expect(value).toEqual(concat(bytes(0, 18, 0, 0, 15), text('vpn.example.org')))
    for (const serverName of ['', '192.0.2.1', 'a..b', 'a.', 'ä.example', 'a b', 'x'.repeat(254), '::1']) {
      expect(() => clientHello({ serverName })).toThrow(ConfigError)
    }
    const acknowledge = (value: Uint8Array): Record<TlsVersion, Tamper> => ({
      'TLSv1.2': editHello((hello) => setExtension(hello, SERVER_NAME, value)),
      'TLSv1.3': replace(8, () => [
        handshakeMessage(8, concat(bytes(0, 4 + value.length, 0, 0, 0, value.length), value)),
      ]),
    })
    for (const version of VERSIONS) {
      const named = { serverName: 'vpn.example.org', maxVersion: version }
      const passed = clientAgainst(named, acknowledge(bytes())[version])
      if (version === 'TLSv1.2') expect(passed.connection.stateName).toBe('expect-server-change-cipher-spec')
      else expect(passed.alertSent).toBe('decrypt-error')
      expect(clientAgainst(named, acknowledge(bytes(0))[version]).alertSent).toBe('decode-error')
      const unnamed = clientAgainst({ maxVersion: version }, acknowledge(bytes())[version])
      expect(unnamed.alertSent).toBe('unsupported-extension')
    }
  })
})

describe('application protocols', () => {
  const ALPN = 16
  const names = ['h2', 'ovpn']

  it('TLS-45 TLS-46 the server takes its first that is offered, in both versions', () => {
    for (const maxVersion of VERSIONS) {
      const agreed = (client: readonly string[], server: readonly string[]) => {
        const offer = anonymous({ maxVersion, applicationProtocols: client })
        return pair(offer, config('server', { clientAuth: 'none', applicationProtocols: server }))
      }
      for (const { info } of Object.values(agreed(names, ['ovpn', 'h2']))) {
        expect(info).toMatchObject({ version: maxVersion, applicationProtocol: 'ovpn' })
      }
      for (const [client, server] of [
        [names, []],
        [[], names],
      ] as const) {
        for (const { info } of Object.values(agreed(client, server))) {
          expect(info).toMatchObject({ version: maxVersion, applicationProtocol: undefined })
        }
      }
      const apart = agreed(names, ['other', 'H2'])
      expect(apart.server.alertSent).toBe('no-application-protocol')
      expect(apart.client.info).toBeUndefined()
    }
    for (const bad of ['', 'x'.repeat(256)])
      expect(() => clientHello({ applicationProtocols: [bad] })).toThrow(ConfigError)
  })

  it('TLS-9 TLS-45 an answer is one name of those offered, and none comes unasked', () => {
    const answer = (value: Uint8Array): Record<TlsVersion, Tamper> => ({
      'TLSv1.2': editHello((hello) => setExtension(hello, ALPN, value)),
      'TLSv1.3': replace(8, () => [
        handshakeMessage(8, concat(bytes(0, 4 + value.length, 0, ALPN, 0, value.length), value)),
      ]),
    })
    for (const version of VERSIONS) {
      const verdict = (value: Uint8Array, applicationProtocols: readonly string[] = names) =>
        clientAgainst({ applicationProtocols, maxVersion: version }, answer(value)[version]).alertSent
      const passes = version === 'TLSv1.2' ? undefined : 'decrypt-error'
      expect(verdict(bytes(0, 3, 2, 0x68, 0x32))).toBe(passes)
      expect(verdict(bytes(0, 3, 2, 0x68, 0x33))).toBe('illegal-parameter')
      expect(verdict(bytes(0, 6, 2, 0x68, 0x32, 2, 0x68, 0x32))).toBe('decode-error')
      expect(verdict(bytes(0, 3, 2, 0x68, 0x32), [])).toBe('unsupported-extension')
      for (const bad of [bytes(), bytes(0, 0), bytes(0, 1, 0), bytes(0, 3, 2, 0x68, 0x32, 0)]) {
        expect(verdict(bad)).toBe('decode-error')
      }
    }
  })
})

describe('staples', () => {
  const ocspResponse = bytes(1, 2, 3, 4)
  const certificateTimestamps = bytes(0, 6, 0, 4, 5, 6, 7, 8)
  const server = config('server', { clientAuth: 'none', ocspResponse, certificateTimestamps })

  it('TLS-39 go to clients that ask, in both versions', () => {
    for (const maxVersion of VERSIONS) {
      for (const requestOcsp of [false, true]) {
        for (const requestTimestamps of [false, true]) {
          const { client } = pair(anonymous({ requestOcsp, requestTimestamps, maxVersion }), server)
          expect(client.info).toMatchObject({
            version: maxVersion,
            ocspResponse: requestOcsp ? ocspResponse : undefined,
            certificateTimestamps: requestTimestamps ? certificateTimestamps : undefined,
          })
        }
      }
      const without = pair(
        anonymous({ requestOcsp: true, requestTimestamps: true, maxVersion }),
        config('server', { clientAuth: 'none' }),
      )
      expect(without.client.info).toMatchObject({ ocspResponse: undefined, certificateTimestamps: undefined })
    }
  })

  it('TLS-39 a CertificateStatus that was promised may be missing, one that was not may not come', () => {
    const only12 = { maxVersion: 'TLSv1.2', requestOcsp: true } as const
    const status = handshakeMessage(22, concat(bytes(1, 0, 0, 4), ocspResponse))
    const dropped = clientAgainst(
      only12,
      replace(22, () => []),
      { ocspResponse },
    )
    expect(dropped.connection.stateName).toBe('expect-server-change-cipher-spec')
    const twice = clientAgainst(
      only12,
      replace(22, (message) => [message, message]),
      { ocspResponse },
    )
    expect(twice.alertSent).toBe('unexpected-message')
    const unasked = clientAgainst(
      { maxVersion: 'TLSv1.2' },
      replace(11, (message) => [message, status]),
    )
    expect(unasked.alertSent).toBe('unexpected-message')
    const promised = editHello((hello) => setExtension(hello, STATUS_REQUEST, bytes()))
    expect(clientAgainst({ maxVersion: 'TLSv1.2' }, promised).alertSent).toBe('unsupported-extension')
  })

  it('TLS-9 TLS-39 are read to their last byte', () => {
    for (const body of [[2, 0, 0, 1, 9], [1, 0, 0, 0], [1, 0, 0, 2, 9], [1, 0, 0, 1, 9, 9], []]) {
      const bad = replace(22, () => [handshakeMessage(22, bytes(...body))])
      const host = clientAgainst({ maxVersion: 'TLSv1.2', requestOcsp: true }, bad, { ocspResponse })
      expect(host.alertSent).toBe('decode-error')
      const entry = entryWith(STATUS_REQUEST, bytes(...body))
      expect(clientAgainst({ requestOcsp: true }, entry).alertSent).toBe('decode-error')
    }
    for (const list of [[0, 0], [0, 2, 0, 0], [0, 3, 0, 1, 7, 7], [0, 4, 0, 1, 7], []]) {
      const asks = { requestTimestamps: true }
      expect(clientAgainst(asks, entryWith(TIMESTAMPS, bytes(...list))).alertSent).toBe('decode-error')
      const inHello = editHello((hello) => setExtension(hello, TIMESTAMPS, bytes(...list)))
      expect(clientAgainst({ ...asks, maxVersion: 'TLSv1.2' }, inHello).alertSent).toBe('decode-error')
    }
    for (const request of [bytes(), bytes(1, 0, 0, 0), bytes(1, 0, 1, 0, 0), bytes(1, 0, 0, 0, 0, 0)]) {
      const host = new Host(server, 'request')
      talk(
        host,
        new Puppet(
          anonymous(),
          editHello((hello) => setExtension(hello, STATUS_REQUEST, request)),
        ),
      )
      expect(host.alertSent).toBe('decode-error')
    }
  })

  it('TLS-43 no extensions on clients’ certificates, neither sent nor taken', () => {
    let entry: Uint8Array | undefined
    const watch: Tamper = (message) => {
      if (message[0] === 11) entry = message
      return [message]
    }
    const asked = new Host(config('server'), 'asked')
    talk(asked, new Puppet(config('client', { ocspResponse, certificateTimestamps }), watch))
    expect(asked.info?.peerCertificates.length).toBe(1)
    expect([...entry!.subarray(-2)]).toEqual([0, 0])
    for (const [type, value] of [
      [STATUS_REQUEST, concat(bytes(1, 0, 0, 4), ocspResponse)],
      [TIMESTAMPS, certificateTimestamps],
    ] as const) {
      const host = new Host(config('server', { requestOcsp: true, requestTimestamps: true }), 'taken')
      const puppet = new Puppet(config('client'), entryWith(type, value))
      talk(host, puppet)
      expect(host.alertSent).toBe('unsupported-extension')
    }
  })

  it('TLS13-15 TLS-39 what stands with a CA’s certificate is forgotten', () => {
    const ca = config('server').certificateChain![0]!
    const chain = [config('server').certificateChain![0]!, ca]
    const { client } = pair(
      anonymous({ requestOcsp: true, requestTimestamps: true }),
      config('server', { clientAuth: 'none', ocspResponse, certificateTimestamps, certificateChain: chain }),
    )
    expect(client.info).toMatchObject({ ocspResponse, certificateTimestamps })
    const onCa = clientAgainst({ requestOcsp: true }, entryWith(STATUS_REQUEST, bytes(1, 0, 0, 1, 9)), {
      certificateChain: chain,
    })
    expect(onCa.alertSent).toBe('decrypt-error')
  })
})

/** Puts an extension onto the last entry of a 1.3 Certificate. */
function entryWith(type: number, value: Uint8Array): Tamper {
  return replace(11, (message) => {
    const added = concat(bytes(0, 4 + value.length, 0, type, 0, value.length), value)
    const body = concat(message.subarray(4, message.length - 2), added)
    const list = body.length - 4
    body.set(bytes(list >> 16, (list >> 8) & 255, list & 255), 1)
    return [handshakeMessage(11, body)]
  })
}

describe('chains', () => {
  it('TLS-12 as many certificates as the host allows', () => {
    const der = config('server').certificateChain![0]!
    for (const maxVersion of VERSIONS) {
      const connects = (count: number, maxCertificates?: number) => {
        const chain = Array.from({ length: count }, () => der)
        const client = anonymous({ maxVersion, ...(maxCertificates !== undefined && { maxCertificates }) })
        return pair(client, config('server', { clientAuth: 'none', certificateChain: chain })).client
      }
      expect(connects(16).info?.peerCertificates.length).toBe(16)
      expect(connects(17).alertSent).toBe('bad-certificate')
      expect(connects(3, 2).alertSent).toBe('bad-certificate')
      expect(connects(40, 40).info?.peerCertificates.length).toBe(40)
    }
    for (const bad of [0, 1025, 1.5]) expect(() => clientHello({ maxCertificates: bad })).toThrow(ConfigError)
  })
})

describe('ML-DSA', () => {
  it.each(['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'] as const)('TLS13-29 %s on both sides, in 1.3 only', (kind) => {
    const scheme = `mldsa${kind.slice(-2)}`
    const { client, server } = pair(config('client', {}, kind), config('server', {}, kind))
    expect(client.info).toMatchObject({ version: 'TLSv1.3', ownSignatureScheme: scheme, peerSignatureScheme: scheme })
    expect(server.info).toMatchObject({ ownSignatureScheme: scheme, peerSignatureScheme: scheme })
    const old = pair(config('client', { maxVersion: 'TLSv1.2' }, kind), config('server', {}, kind))
    expect(old.server.alertSent).toBe('handshake-failure')
    expect(old.client.info).toBeUndefined()
  })

  it('TLS-30 TLS13-29 a peer that does not take it is not signed for with it', () => {
    const refused = pair(
      anonymous({ signatureSchemes: ['ecdsa_secp256r1_sha256', 'mldsa65'] }),
      config('server', { clientAuth: 'none' }, 'ML-DSA-44'),
    )
    expect(refused.server.alertSent).toBe('handshake-failure')
    expect(() => clientHello({ signatureSchemes: ['mldsa65'], maxVersion: 'TLSv1.2' })).toThrow(ConfigError)
  })

  it('TLS-23 TLS13-29 a forged signature is refused', () => {
    const flip = replace(15, (message) => {
      const copy = message.slice()
      copy[copy.length - 700]! ^= 4
      return [copy]
    })
    const host = new Host(config('client', {}, 'ML-DSA-65'), 'forged')
    talk(host, new Puppet(config('server', {}, 'ML-DSA-65'), flip))
    expect(host.alertSent).toBe('decrypt-error')
  })
})
