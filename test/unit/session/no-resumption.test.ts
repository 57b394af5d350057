/** Each key of a tunnel has a TLS handshake of its own: sessions of TLS are neither offered, nor given, nor taken. */
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import { Session, type SessionConfig } from '../../../src/session/index.ts'
import { resolveConfig } from '../../../src/session/validate.ts'
import { type TlsConfig, TlsConnection, type TlsOutput } from '../../../src/tls/index.ts'
import { connectPair, pairConfigs } from '../../support/pair.ts'
import { PKI_NOW } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'
import { readHello } from '../tls/edit.ts'

const [client, server] = pairConfigs()
const TICKET_KEY = new Uint8Array(32).fill(3)
/** session_ticket, pre_shared_key, early_data, psk_key_exchange_modes. */
const RESUMPTION_EXTENSIONS = [35, 41, 42, 45]

/** Runs a client of the TLS floor against a server of it; what each was told. */
function handshake(own: TlsConfig, peer: TlsConfig): { own: TlsOutput[]; peer: TlsOutput[] } {
  const make = (config: TlsConfig) =>
    new TlsConnection(config, { unixTime: PKI_NOW, random: new SeededRandom(config.role).source, crypto: noble })
  const ends = [make(own), make(peer)] as const
  const told: [TlsOutput[], TlsOutput[]] = [[], []]
  for (const end of ends) end.start()
  for (let round = 0; round < 12; round++) {
    for (const [index, end] of ends.entries()) {
      for (let output = end.poll(); output !== undefined; output = end.poll()) {
        if (output.type === 'transmit') ends[1 - index]!.receive(output.data, PKI_NOW)
        else told[index]!.push(output)
      }
    }
  }
  return { own: told[0], peer: told[1] }
}

const resumedOf = (outputs: readonly TlsOutput[]) =>
  outputs.flatMap((output) => (output.type === 'connected' ? [output.info.resumed] : []))
const sessionsOf = (outputs: readonly TlsOutput[]) =>
  outputs.flatMap((output) => (output.type === 'session' ? [output.session] : []))

describe('SESS-181', () => {
  it('a configuration that asks for resumption is refused', () => {
    const environment = { now: 0, timeOrigin: PKI_NOW, random: new SeededRandom('x').source, crypto: noble }
    for (const config of [client, server]) {
      const wanting = { ...config, tls: { ...config.tls!, resumption: {} } } as SessionConfig
      expect(() => new Session(wanting, environment)).toThrow(ConfigError)
      expect(resolveConfig(config, noble).tls.resumption).toBeUndefined()
    }
  })

  it("a client's hello offers no session and asks for none", () => {
    const groups = ['x25519'] as const
    const pair = connectPair({ record: true, client: { tls: { ...client.tls!, groups } } })
    const packets = pair.client.outputs.flatMap((output) => (output.type === 'transmit' ? [output.data] : []))
    const record = (packet: Uint8Array) =>
      packet.findIndex((byte, at) => byte === 22 && packet[at + 1] === 3 && packet[at + 5] === 1)
    const packet = packets.find((candidate) => record(candidate) > 0)!
    const types = readHello(packet.subarray(record(packet) + 5)).extensions!.map(([type]) => type)
    expect(types).toContain(51)
    expect(types.filter((type) => RESUMPTION_EXTENSIONS.includes(type))).toEqual([])
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('a server gives no ticket and takes none, %s', (version) => {
    const serverTls = resolveConfig(server, noble).tls
    const wanting: TlsConfig = {
      ...resolveConfig(client, noble).tls,
      minVersion: version,
      maxVersion: version,
      resumption: {},
    }
    const first = handshake(wanting, { ...serverTls, resumption: { ticketKeys: [TICKET_KEY] } })
    const [session] = sessionsOf(first.own)
    const again: TlsConfig = { ...wanting, resumption: { session: session! } }
    expect(resumedOf(handshake(again, { ...serverTls, resumption: { ticketKeys: [TICKET_KEY] } }).own)).toEqual([true])
    const refused = handshake(again, serverTls)
    expect([resumedOf(refused.own), resumedOf(refused.peer), sessionsOf(refused.own)]).toEqual([[false], [false], []])
  })

  it("a client of a tunnel takes no server's ticket", () => {
    const ours = resolveConfig(client, noble).tls
    const theirs: TlsConfig = { ...resolveConfig(server, noble).tls, resumption: { ticketKeys: [TICKET_KEY] } }
    const { own } = handshake(ours, theirs)
    expect([resumedOf(own), sessionsOf(own)]).toEqual([[false], []])
  })
})
