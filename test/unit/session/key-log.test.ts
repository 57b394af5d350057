/**
 * The key log: both ends tell the same secrets, what is sent does not change, and nothing is told unasked.
 */
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { parseKeyLogLine, type TlsVersion } from '../../../src/tls/index.ts'
import { connectPair, type Pair, pairConfigs, type Side } from '../../support/pair.ts'
import { wrapPair } from '../../support/wraps.ts'

const VERSIONS: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3']
const LABELS: Readonly<Record<TlsVersion, number>> = { 'TLSv1.2': 1, 'TLSv1.3': 5 }

/** A connection and one renegotiation. */
function run(version: TlsVersion, keyLog: boolean): Pair {
  const [{ tls }] = pairConfigs()
  if (tls === undefined) throw new Error('no TLS')
  const { client, server } = wrapPair('tls-crypt')
  const pair = connectPair({
    crypto: nodeCrypto,
    record: true,
    client: { keyLog, wrap: client, tls: { ...tls, maxVersion: version } },
    server: { keyLog, wrap: server, timers: { renegotiateAfter: 0 } },
  })
  pair.input(pair.client, (session, now) => {
    session.renegotiate(now)
  })
  pair.run(pair.now + 10_000, () => [pair.client, pair.server].every((side) => pair.events(side, 'rekeyed').length > 0))
  return pair
}

const lines = (pair: Pair, side: Side): readonly string[] =>
  pair.events(side, 'key-log').map(({ line }) => line.reveal())

const transmits = (side: Side): readonly Uint8Array[] =>
  side.outputs.flatMap((output) => (output.type === 'transmit' ? [output.data] : []))

describe('key log', () => {
  it.each(VERSIONS)(
    'SESS-180 TLS-38 %s: both ends tell the same secrets, and send what they would have sent',
    (version) => {
      const told = run(version, true)
      const [client, server] = [lines(told, told.client), lines(told, told.server)]
      expect([...client].sort()).toEqual([...server].sort())
      const tls = client.map(parseKeyLogLine).filter((secret) => secret !== undefined)
      expect(tls).toHaveLength(2 * LABELS[version])
      expect(client.filter((line) => line.startsWith('OPENVPN_DATA_KEYS '))).toHaveLength(2)
      expect(client.filter((line) => line.startsWith('OPENVPN_CONTROL_KEY '))).toHaveLength(1)
      const silent = run(version, false)
      expect(lines(silent, silent.client)).toEqual([])
      expect(lines(silent, silent.server)).toEqual([])
      expect(transmits(told.client)).toEqual(transmits(silent.client))
      expect(transmits(told.server)).toEqual(transmits(silent.server))
      expect(transmits(told.client).length).toBeGreaterThan(5)
    },
  )

  it('SESS-180 a line shows in no log', () => {
    const pair = run('TLSv1.3', true)
    const [event] = pair.events(pair.client, 'key-log')
    expect(JSON.stringify(event)).not.toContain('SECRET_0')
    expect(event?.line.reveal()).toContain('_SECRET ')
  })

  it('TLS-38 what is no line of a key log is skipped', () => {
    const random = 'ab'.repeat(32)
    expect(parseKeyLogLine(`CLIENT_RANDOM ${random} ${'cd'.repeat(48)}`)?.label).toBe('CLIENT_RANDOM')
    for (const line of [
      '',
      '# comment',
      `CLIENT_RANDOM ${random}`,
      `OTHER ${random} ${random}`,
      `CLIENT_RANDOM xx ${random}`,
    ])
      expect(parseKeyLogLine(line)).toBeUndefined()
  })
})
