/** Open connections taken as plain data and resumed elsewhere. */
import { describe, expect, it } from 'vitest'
import { noble } from '../../../src/crypto/index.ts'
import { type TlsConfig, TlsConnection, type TlsSnapshot } from '../../../src/tls/index.ts'
import { SeededRandom } from '../../support/random.ts'
import { config, type Host, NOW, pair, talk, text } from './support.ts'

const KINDS: readonly { readonly name: string; readonly over: Partial<TlsConfig> }[] = [
  { name: 'TLS 1.3', over: {} },
  { name: 'TLS 1.2', over: { maxVersion: 'TLSv1.2' } },
  {
    name: 'TLS 1.2 ChaCha',
    over: { maxVersion: 'TLSv1.2', cipherSuites: ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'] },
  },
  { name: 'TLS 1.2 CBC', over: { maxVersion: 'TLSv1.2', cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256'] } },
]

/** Puts a resumed connection in a host's place. */
function resume(host: Host, own: TlsConfig, snapshot: TlsSnapshot): void {
  const random = new SeededRandom('resumed').source
  const connection = new TlsConnection(own, { unixTime: NOW, random, crypto: noble }, snapshot)
  ;(host as { connection: TlsConnection }).connection = connection
}

describe.each(KINDS)('$name', ({ over }) => {
  it.each(['client', 'server'] as const)('TLS-60 the %s goes on elsewhere, record by record', (end) => {
    const configs = { client: config('client', over), server: config('server', over) }
    const hosts = pair(configs.client, configs.server)
    const other = hosts[end === 'client' ? 'server' : 'client']
    const host = hosts[end]
    for (const word of ['a', 'b', 'c']) {
      host.connection.write(text(word))
      other.connection.write(text(word))
      talk(host, other)
    }
    const exported = host.connection.exportKeyingMaterial('EXPORTER-test', undefined, 32)
    // Half a record is on its way.
    other.connection.write(text('second half'))
    const [record] = other.drain()
    host.receive(record!.slice(0, 9))
    const { info } = host.connection
    const snapshot = host.connection.snapshot()!
    resume(host, configs[end], snapshot)
    host.receive(record!.slice(9))
    host.connection.write(text('d'))
    talk(host, other)
    expect([host.text, other.text]).toEqual(['abcsecond half', 'abcd'])
    expect(host.connection.exportKeyingMaterial('EXPORTER-test', undefined, 32)).toEqual(exported)
    expect(host.connection.info?.peerLeaf?.subject).toEqual(info?.peerLeaf?.subject)
    expect(host.connection.info?.cipherSuite).toBe(info?.cipherSuite)
    expect(host.events.filter((type) => type === 'connected').length).toBe(1)
    if (over.maxVersion === undefined) {
      expect(host.connection.updateKeys(true)).toBe(true)
      talk(host, other)
      resume(host, configs[end], host.connection.snapshot()!)
      other.connection.write(text('!'))
      host.connection.write(text('?'))
      talk(host, other)
      expect([host.text, other.text]).toEqual(['abcsecond half!', 'abcd?'])
    }
    host.connection.close()
    talk(host, other)
    expect(other.closed).toEqual({ type: 'close-notify', by: 'peer' })
    expect(host.connection.snapshot()).toBeUndefined()
  })
})

it('TLS-60 what is not open, or not at rest, gives no snapshot', () => {
  const fresh = new TlsConnection(config('server'), {
    unixTime: NOW,
    random: new SeededRandom('x').source,
    crypto: noble,
  })
  expect(fresh.snapshot()).toBeUndefined()
  const { client, server } = pair(config('client'), config('server'))
  client.connection.write(text('waiting'))
  expect(client.connection.snapshot()).toBeUndefined()
  talk(client, server)
  expect(client.connection.snapshot()).toBeDefined()
  server.connection.endWrite()
  server.drain()
  expect(server.connection.snapshot()).toBeUndefined()
})
