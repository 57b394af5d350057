/** Who may connect: chains, signatures, Finished, and keys that live elsewhere. Counts what got in. */
import { describe, expect, it } from 'vitest'
import { concat } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import { signedContent13 } from '../../../src/tls/auth-messages.ts'
import { onClientSignature12 } from '../../../src/tls/client12.ts'
import { onClientSignature } from '../../../src/tls/client13.ts'
import { SIGNATURE_SCHEMES, type TlsConfig, TlsConnection, type TlsVersion } from '../../../src/tls/index.ts'
import { createPeerVerifier, parseCertificate } from '../../../src/x509/index.ts'
import { issue, PKI_NOT_AFTER, toyKey, toyPki } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'
import { bytes, replace } from './edit.ts'
import { config, handshakeMessage, Host, NOW, pair, Puppet, talk, text } from './support.ts'

const VERSIONS: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3']

/** A client or server identity under the toy CA, made with options. */
function identity(
  seed: string,
  options: Parameters<typeof issue>[1] = {},
): Pick<TlsConfig, 'certificateChain' | 'privateKey'> {
  const made = issue(seed, { issuer: toyPki('P-256').ca, ...options })
  return { certificateChain: [made.der], privateKey: made.key }
}

describe('chains', () => {
  const bad = {
    expired: { alert: 'certificate-expired', problem: 'expired' },
    stranger: { alert: 'unknown-ca', problem: 'untrusted-root' },
    purpose: { alert: 'unsupported-certificate', problem: 'wrong-purpose' },
    garbage: { alert: 'bad-certificate', problem: 'malformed-certificate' },
  } as const

  function credential(fault: keyof typeof bad, role: 'client' | 'server') {
    switch (fault) {
      case 'expired':
        return identity(`expired/${role}`, { kind: role, notAfter: NOW - 1000 })
      case 'stranger': {
        const alone = issue(`stranger/${role}`, { kind: role })
        return { certificateChain: [alone.der], privateKey: alone.key }
      }
      case 'purpose':
        return identity(`purpose/${role}`, { kind: role === 'client' ? 'server' : 'client' })
      case 'garbage':
        return { ...identity(`garbage/${role}`, { kind: role }), certificateChain: [bytes(0x30, 3, 1, 2, 3)] }
    }
  }

  it.each(VERSIONS)('TLS-20 a bad chain of the server gets nowhere under %s', (maxVersion) => {
    let admitted = 0
    for (const fault of Object.keys(bad) as (keyof typeof bad)[]) {
      const { client, server } = pair(
        config('client'),
        config('server', { maxVersion, ...credential(fault, 'server') }),
      )
      if (client.info !== undefined || server.info !== undefined) admitted++
      expect(client.closed).toMatchObject({ type: 'certificate', ...bad[fault] })
      expect(server.alertReceived).toBe(bad[fault].alert)
      expect(client.events).toEqual(['closed'])
    }
    expect(admitted).toBe(0)
  })

  it.each(VERSIONS)('TLS-20 a bad chain of a client gets nowhere under %s', (maxVersion) => {
    let admitted = 0
    for (const fault of Object.keys(bad) as (keyof typeof bad)[]) {
      for (const clientAuth of ['required', 'optional'] as const) {
        const server = config('server', { maxVersion, clientAuth })
        const hosts = pair(config('client', credential(fault, 'client')), server)
        if (hosts.server.info !== undefined) admitted++
        expect(hosts.server.closed).toMatchObject({ type: 'certificate', ...bad[fault] })
        expect(hosts.client.alertReceived).toBe(bad[fault].alert)
      }
    }
    expect(admitted).toBe(0)
  })

  it('TLS-20 the time of the input decides, not that of construction', () => {
    const client = new Host(config('client'), 'time')
    const server = new Host(config('server'), 'time')
    for (const flight of client.drain()) server.receive(flight)
    for (const flight of server.drain()) client.connection.receive(flight, PKI_NOT_AFTER + 1)
    client.drain()
    expect(client.closed).toMatchObject({ type: 'certificate', problem: 'expired' })
  })

  it('TLS-20 a verifier of the host may name the alert', () => {
    const verdict = { type: 'refused', problem: 'revoked', detail: 'no', alert: 'access-denied' } as const
    const verifier = { verify: () => verdict }
    const { client } = pair(config('client', { verifier }), config('server'))
    expect(client.closed).toMatchObject({
      type: 'certificate',
      alert: 'access-denied',
      problem: 'revoked',
      detail: 'no',
    })
  })

  it.each(VERSIONS)('TLS-21 a leaf whose keyUsage forbids signatures, under %s', (maxVersion) => {
    const keyUsage = { oid: '2.5.29.15', critical: true, value: bytes(3, 2, 5, 0x20) }
    const anyone = {
      verify: (chain: readonly Uint8Array[]) => {
        const leaf = parseCertificate(chain[0]!)
        if (typeof leaf === 'string') throw new Error(leaf)
        return { type: 'verified', leaf, path: [leaf], username: undefined } as const
      },
    }
    const server = config('server', { maxVersion, ...identity('usage', { extensions: [keyUsage] }) })
    expect(pair(config('client', { verifier: anyone }), server).client.alertSent).toBe('illegal-parameter')
  })
})

describe('handshake signatures', () => {
  const { key, der } = toyPki('P-256').client
  const another = toyKey('P-256', 1)
  const sign = (signer: typeof key, message: Uint8Array) =>
    noble.sign({ type: 'ecdsa', hash: 'SHA256' }, signer, message, new SeededRandom('forge').source)

  /** What a client signs instead of, or over, the message it should sign. All else about it is honest. */
  const signatures: Readonly<Record<string, (message: Uint8Array) => Uint8Array>> = {
    'a changed bit': (message) => sign(key, message).map((byte, i) => (i === 10 ? byte ^ 1 : byte)),
    'no bytes': () => bytes(),
    'zeros for r and s': () => bytes(0x30, 6, 2, 1, 0, 2, 1, 0),
    "another key's": (message) => sign(another, message),
    "the server's words": (message) => sign(key, concat(signedContent13('server', bytes()), message.subarray(98))),
    'another transcript': (message) =>
      sign(
        key,
        message.map((byte, i) => (i === message.length - 1 ? byte ^ 1 : byte)),
      ),
  }

  /** A server after a client that answers with a signature of its own making. */
  function serverAfter(maxVersion: TlsVersion, make: (message: Uint8Array) => Uint8Array): Host {
    const server = new Host(config('server', { maxVersion }), 'forge')
    const privateKey = { type: 'external', publicKey: key.public } as const
    const client = new Puppet(config('client', { certificateChain: [der], privateKey }))
    talk(client, server)
    const { state, context } = client
    if (state.type === 'expect-client-signature')
      client.state = onClientSignature(context, state, make(state.pending.message))
    else if (state.type === 'expect-client-signature-12') {
      client.state = onClientSignature12(context, state, make(state.pending.message))
    } else throw new Error(state.type)
    talk(client, server)
    return server
  }

  it.each(VERSIONS)('TLS-23 TLS13-14 TLS12-10 no forged signature of a client is accepted under %s', (maxVersion) => {
    expect(serverAfter(maxVersion, (message) => sign(key, message)).info?.version).toBe(maxVersion)
    let accepted = 0
    for (const [name, make] of Object.entries(signatures)) {
      const server = serverAfter(maxVersion, make)
      if (server.info !== undefined) accepted++
      expect([name, server.alertSent]).toEqual([name, 'decrypt-error'])
    }
    expect(accepted).toBe(0)
  })

  it.each(VERSIONS)('TLS-23 a changed signature of either side is a decrypt_error under %s', (maxVersion) => {
    const flip = (m: Uint8Array) => [m.map((byte, i) => (i === m.length - 1 ? byte ^ 1 : byte))]
    const client = new Host(config('client'), 'sig')
    const badServer = new Puppet(
      config('server', { maxVersion }),
      maxVersion === 'TLSv1.3' ? replace(15, flip) : replace(12, flip),
    )
    for (const flight of client.drain()) badServer.receive(flight)
    for (const flight of badServer.drain()) client.receive(flight)
    client.drain()
    expect(client.alertSent).toBe('decrypt-error')
    const server = new Host(config('server', { maxVersion }), 'sig')
    const badClient = new Puppet(config('client'), replace(15, flip))
    for (const flight of badClient.drain()) server.receive(flight)
    for (const flight of server.drain()) badClient.receive(flight)
    for (const flight of badClient.drain()) server.receive(flight)
    server.drain()
    expect(server.alertSent).toBe('decrypt-error')
    expect(server.info).toBeUndefined()
  })

  it.each(VERSIONS)('TLS-22 a scheme that was not offered or does not fit the key, under %s', (maxVersion) => {
    const setScheme = (high: number, low: number) =>
      replace(15, (message) => [concat(message.subarray(0, 4), bytes(high, low), message.subarray(6))])
    for (const [high, low] of [
      [2, 3],
      [2, 1],
      [4, 1],
      [8, 4],
      [8, 7],
      [8, 9],
      [9, 9],
      ...(maxVersion === 'TLSv1.3' ? [[5, 3] as const] : []),
    ] as const) {
      const server = new Host(config('server', { maxVersion }), 'scheme')
      const client = new Puppet(config('client'), setScheme(high, low))
      for (const flight of client.drain()) server.receive(flight)
      for (const flight of server.drain()) client.receive(flight)
      for (const flight of client.drain()) server.receive(flight)
      server.drain()
      expect(server.alertSent).toBe('illegal-parameter')
    }
  })
})

describe('Finished', () => {
  it.each(VERSIONS)('TLS-25 changed, cut or longer, of either side, under %s', (maxVersion) => {
    const changes: readonly ((m: Uint8Array) => Uint8Array)[] = [
      (m) => m.map((byte, i) => (i === 4 ? byte ^ 0x80 : byte)),
      (m) => m.map((byte, i) => (i === m.length - 1 ? byte ^ 1 : byte)),
      (m) => handshakeMessage(20, m.subarray(4, m.length - 1)),
      (m) => handshakeMessage(20, concat(m.subarray(4), bytes(0))),
      () => handshakeMessage(20, bytes()),
    ]
    let accepted = 0
    for (const change of changes) {
      const finished = replace(20, (message) => [change(message)])
      const server = new Host(config('server', { maxVersion }), 'finished')
      talk(new Puppet(config('client'), finished), server)
      expect(server.alertSent).toBe('decrypt-error')
      const client = new Host(config('client'), 'finished')
      talk(client, new Puppet(config('server', { maxVersion }), finished))
      expect(client.alertSent).toBe('decrypt-error')
      if (client.info !== undefined || server.info !== undefined) accepted++
    }
    expect(accepted).toBe(0)
  })
})

describe('keys that live elsewhere', () => {
  /** A configuration whose key is the same, but out of reach. */
  function external(role: 'client' | 'server', over: Partial<TlsConfig> = {}): TlsConfig {
    return config(role, { privateKey: { type: 'external', publicKey: toyPki('P-256')[role].key.public }, ...over })
  }

  function signatureOf(role: 'client' | 'server', output: { scheme: string; message: Uint8Array }): Uint8Array {
    const scheme = SIGNATURE_SCHEMES.find(({ name }) => name === output.scheme)!
    return noble.sign(scheme.algorithm, toyPki('P-256')[role].key, output.message, new SeededRandom('hsm').source)
  }

  it.each(VERSIONS)('TLS-32 both sides connect with signatures made by the host under %s', (maxVersion) => {
    const hosts = {
      client: new TlsConnection(external('client'), environment('c')),
      server: new TlsConnection(external('server', { maxVersion }), environment('s')),
    }
    hosts.client.start()
    const asked: string[] = []
    const connected: string[] = []
    for (let round = 0; round < 20; round++) {
      for (const role of ['client', 'server'] as const) {
        const peer = hosts[role === 'client' ? 'server' : 'client']
        for (let output = hosts[role].poll(); output !== undefined; output = hosts[role].poll()) {
          if (output.type === 'transmit') peer.receive(output.data, NOW)
          else if (output.type === 'signature-needed') {
            asked.push(`${role} ${output.scheme}`)
            expect(hosts[role].write(text('x'))).toBe(false)
            hosts[role].provideSignature(signatureOf(role, output))
          } else if (output.type === 'connected') connected.push(role)
        }
      }
    }
    expect(asked).toEqual(['server ecdsa_secp256r1_sha256', 'client ecdsa_secp256r1_sha256'])
    expect(connected.sort()).toEqual(['client', 'server'])
  })

  function environment(seed: string) {
    return { unixTime: NOW, random: new SeededRandom(seed).source, crypto: noble }
  }

  /** A server that waits for its signature. */
  function waiting(maxVersion: TlsVersion) {
    const server = new TlsConnection(external('server', { maxVersion }), environment('wait'))
    for (const flight of new Host(config('client'), 'wait').drain()) server.receive(flight, NOW)
    const outputs = []
    for (let output = server.poll(); output !== undefined; output = server.poll()) outputs.push(output)
    const request = outputs.find((output) => output.type === 'signature-needed')
    if (request === undefined) throw new Error('no signature asked for')
    return { server, request }
  }

  it.each(VERSIONS)('TLS-32 a wrong signature never leaves, under %s', (maxVersion) => {
    const { server, request } = waiting(maxVersion)
    const good = signatureOf('server', request)
    let sent = 0
    for (const wrong of [bytes(), good.map((byte, i) => (i === 9 ? byte ^ 1 : byte)), signatureOf('client', request)]) {
      expect(() => server.provideSignature(wrong)).toThrow(/not a ecdsa_secp256r1_sha256 signature/)
      if (server.poll() !== undefined) sent++
    }
    expect(sent).toBe(0)
    server.provideSignature(good)
    expect(server.poll()?.type).toBe('transmit')
    expect(() => server.provideSignature(good)).toThrow(/no signature is awaited/)
  })

  it('TLS-33 input waits, up to 262,144 bytes', () => {
    const { server } = waiting('TLSv1.3')
    server.receive(new Uint8Array(262_144), NOW)
    expect(server.poll()).toBeUndefined()
    server.receive(bytes(0), NOW)
    expect(server.poll()?.type).toBe('transmit')
    expect(server.poll()).toMatchObject({ type: 'closed', reason: { type: 'alert-sent', alert: 'internal-error' } })
    server.provideSignature(bytes())
    expect(server.poll()).toBeUndefined()
  })

  it('TLS-33 a connection can be closed while it waits', () => {
    const { server } = waiting('TLSv1.3')
    server.close()
    expect(server.poll()?.type).toBe('transmit')
    expect(server.poll()).toMatchObject({ type: 'closed' })
  })

  it("TLS-32 the holder's list of schemes decides", () => {
    const publicKey = toyKey('rsa-2048', 1).public
    const privateKey = { type: 'external', publicKey, schemes: ['rsa_pss_rsae_sha512', 'rsa_pss_rsae_sha256'] } as const
    const server = new TlsConnection(config('server', { privateKey }, 'rsa-2048'), environment('rsa'))
    for (const flight of new Host(config('client'), 'rsa').drain()) server.receive(flight, NOW)
    const outputs = []
    for (let output = server.poll(); output !== undefined; output = server.poll()) outputs.push(output)
    expect(outputs.at(-1)).toMatchObject({ type: 'signature-needed', scheme: 'rsa_pss_rsae_sha512' })
  })
})

describe('verifiers', () => {
  it('are asked with what came, once', () => {
    const calls: unknown[][] = []
    const real = createPeerVerifier({ ca: [toyPki('P-256').ca.der] })
    const verifier = {
      verify: (...call: Parameters<typeof real.verify>) => {
        calls.push([call[0].length, call[1], call[2]])
        return real.verify(...call)
      },
    }
    const { client, server } = pair(config('client', { verifier }), config('server', { verifier }))
    expect(client.info ?? server.info).toBeDefined()
    expect(calls).toEqual([
      [1, 'server', NOW],
      [1, 'client', NOW],
    ])
  })
})
