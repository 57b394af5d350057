/**
 * What a tunnel's news look like to a person.
 */
import { expect, it } from 'vitest'
import { textReporter } from '../../../../src/node/command/probe-report.ts'
import type { Negotiated } from '../../../../src/session/index.ts'
import { options } from '../../../support/pull.ts'

const NEGOTIATED: Negotiated = {
  keyId: 0,
  tlsVersion: 'TLSv1.3',
  cipherSuite: 'TLS_AES_128_GCM_SHA256',
  group: 'x25519',
  signatureScheme: 'ed25519',
  wrap: 'tls-crypt',
  dynamicTlsCrypt: false,
  dataCipher: 'AES-256-GCM',
  dataAuth: undefined,
  dataFormat: 'aead',
  keyDerivation: 'tls-ekm',
  peerId: 0,
  peerSubject: 'CN=server',
  peerInfo: {},
}

/** The lines about a tunnel with these pushed options. */
function connected(pushed: string): readonly string[] {
  const lines: string[] = []
  const io = { out: (line: string) => lines.push(line), error: (line: string) => lines.push(line), colour: false }
  textReporter(io, false).connected(12.34, NEGOTIATED, options(pushed))
  return lines
}

it('tells address, gateway, routes and names', () => {
  const lines = connected(
    'topology subnet,route-gateway 10.8.0.1,ifconfig 10.8.0.2 255.255.255.0,route 10.9.0.0 255.255.0.0,dhcp-option DNS 10.8.0.1',
  )
  expect(lines[0]).toBe('connected in 12.3 ms')
  for (const line of ['address 10.8.0.2/24', 'gateway 10.8.0.1', 'route 10.9.0.0/16', 'dns 10.8.0.1'])
    expect(lines).toContain(`  ${line}`)
})

it('says of redirect-gateway what the server wants, for probes and proxies redirect nothing', () => {
  const pushed = 'ifconfig 10.8.0.2 255.255.255.0,topology subnet'
  expect(connected(pushed).join('\n')).not.toContain('traffic')
  expect(connected(`${pushed},redirect-gateway def1`)).toContain(
    '  the server wants all traffic to go through the tunnel',
  )
})
