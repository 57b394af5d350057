/**
 * The log of `ovpn serve` as a person reads it.
 */
import { describe, expect, it } from 'vitest'
import { logLine } from '../../../../src/node/command/serve-log.ts'
import { readAddress } from '../../../../src/node/server-driver.ts'
import { SecretText } from '../../../../src/session/index.ts'

const NOON = new Date(2026, 10, 3, 12, 5, 9)

describe('the log of ovpn serve', () => {
  it('has the time, the client, its address outside and inside', () => {
    const addresses = { ipv4: '10.8.0.2', ipv6: 'fd00::1000' }
    const fields = { address: 'udp 0 ::ffff:192.0.2.7 4711', name: 'ada', addresses, options: {}, certificates: ['x'] }
    expect(logLine(NOON, 3, 'client-connected', fields)).toBe(
      '2026-11-03 12:05:09 client 3 connected address=192.0.2.7:4711/udp name=ada tunnel=10.8.0.2,fd00::1000',
    )
    const floated = { from: 'udp 1 2001:db8::7 4711', to: 'udp 1 ::ffff:198.51.100.1 9' }
    expect(logLine(NOON, 3, 'client-floated', floated)).toMatch(
      /client 3 floated from=\[2001:db8::7\]:4711\/udp to=198\.51\.100\.1:9\/udp$/,
    )
    expect(logLine(NOON, undefined, 'listening', { protocol: 'tcp', port: 443, addresses: ['10.8.0.1'] })).toMatch(
      / listening protocol=tcp port=443 tunnel=10\.8\.0\.1$/,
    )
  })

  it('says in words why a client is gone', () => {
    const closed = (reason: object): string => logLine(NOON, 1, 'client-closed', { address: 'tcp ::1 7 0', reason })
    expect(closed({ type: 'peer-exit' })).toMatch(/client 1 closed address=\[::1\]:7\/tcp: the peer said goodbye$/)
    expect(closed({ type: 'replaced', by: 4 })).toMatch(/: its name connected again, as client 4$/)
    const refused = { type: 'auth-failed', failure: { type: 'refused', message: 'no' } }
    expect(closed(refused)).toMatch(/: login refused: no$/)
    expect(closed({ ...refused, failure: { type: 'session', message: '' } })).toMatch(/: login refused \(session\)$/)
    for (const type of ['killed', 'exported', 'hung-up', 'shutdown'])
      expect(closed({ type, message: '' })).not.toMatch(/undefined/)
  })

  it('shows no secret, and a name makes no line of its own', () => {
    const line = logLine(NOON, 1, 'login', { username: 'ada\n2026 client 2 closed', password: new SecretText('open') })
    expect(line).toMatch(/username=ada\?2026 client 2 closed$/)
  })
})

it('addresses of the driver are read back', () => {
  expect(readAddress('udp 1 ::ffff:192.0.2.7 4711')).toEqual({ protocol: 'udp', host: '192.0.2.7', port: 4711 })
  expect(readAddress('tcp ::FFFF:192.0.2.7 4711 12')).toEqual({ protocol: 'tcp', host: '192.0.2.7', port: 4711 })
  expect(readAddress('udp 0 ::ffff:1:2 5')).toEqual({ protocol: 'udp', host: '::ffff:1:2', port: 5 })
})
