/**
 * Whole sessions of the real OpenVPN 3 client with our server, recorded once and run again: the client's bytes are its own, the
 * server's come of the code as it is now. What a session comes to must stay. The bytes that leave must stay too, as long as
 * nobody means to change them: whoever does puts the new digest into `vectors/record/openvpn3.json`, and needs no client.
 */
import { describe, expect, it } from 'vitest'
import { noble } from '../../src/crypto/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { recordedCases, rerun } from '../support/recordings.ts'

const cases = recordedCases('openvpn3.json')

describe('sessions of OpenVPN 3', () => {
  it('are so many, with every wrap, both transports, both TLS versions and all three ciphers', () => {
    expect(cases).toHaveLength(8)
    const of = (field: string): unknown[] => [
      ...new Set(cases.flatMap(({ outcome }) => outcome.connected.map((connected) => connected[field]))),
    ]
    expect(of('wrap').sort()).toEqual(['none', 'tls-auth', 'tls-crypt', 'tls-crypt-v2'])
    expect(of('dataCipher').sort()).toEqual(['AES-128-GCM', 'AES-256-GCM', 'CHACHA20-POLY1305'])
    expect(of('tlsVersion').sort()).toEqual(['TLSv1.2', 'TLSv1.3'])
    expect(of('version')).toEqual(['3.11.7'])
    const initiators = cases.flatMap(({ outcome }) => outcome.rekeyed.map(({ initiator }) => initiator))
    expect(initiators.sort()).toEqual(['peer', 'us'])
    expect(cases.reduce((sum, { outcome }) => sum + outcome.connected.length, 0)).toBe(10)
    expect(cases.reduce((sum, { outcome }) => sum + outcome.packets, 0)).toBeGreaterThan(25)
  })

  it.each(cases)('REC-10 SESS-21 SESS-37 SESS-38 $file: $about', ({ file, outcome, wire }) => {
    const again = rerun(file, nodeCrypto)
    expect(again.outcome).toEqual(outcome)
    expect(again.wire).toBe(wire)
  })

  it('REC-11 come to the same with the portable provider', () => {
    const { file, outcome, wire } = cases[0]!
    expect(rerun(file, noble)).toEqual({ outcome, wire })
  })
})
