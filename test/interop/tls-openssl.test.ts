/**
 * The TLS engine against `openssl s_server` and `s_client`, both roles, mutually authenticated: every version × suite ×
 * group × signature scheme under soak, and in the quick run a sample that shows every pair of values. Both sides' words
 * about each connection are compared: suite, group, scheme, certificate and exported keys.
 */
import { describe, expect, it } from 'vitest'
import type { CryptoProvider } from '../../src/crypto/index.ts'
import { noble } from '../../src/crypto/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { opensslCipherName, type TlsConfig } from '../../src/tls/index.ts'
import { createPeerVerifier } from '../../src/x509/index.ts'
import { PKI_KINDS, type PkiKind, toyPki } from '../support/pki.ts'
import { scaled, soaking } from '../support/scale.ts'
import { type Drive, EXPORT_LABEL, OPENSSL_PROGRAMS, OpensslPeer, type OpensslProgram } from './support/openssl.ts'
import { type Agreement, pairsOf, pairwise, PRODUCT } from './support/tls-product.ts'

const GET = 'GET / HTTP/1.0\r\n\r\n'
const CHOSEN = soaking() ? PRODUCT : pairwise(PRODUCT)

function ourConfig(role: 'client' | 'server', one: Agreement): TlsConfig {
  const { version, suite, offered, kind, scheme } = one
  const pki = toyPki(kind)
  return {
    role,
    certificateChain: [pki[role].der],
    privateKey: pki[role].key,
    verifier: createPeerVerifier({ ca: [pki.ca.der] }),
    clientAuth: 'required',
    minVersion: version,
    maxVersion: version,
    cipherSuites: [suite],
    groups: offered,
    signatureSchemes: [scheme],
    signingSchemes: [scheme],
  }
}

function peerOf(program: OpensslProgram, kind: PkiKind, role: 'client' | 'server'): OpensslPeer {
  const pki = toyPki(kind)
  return new OpensslPeer(program, { certificate: pki[role].pem, key: pki[role].keyPem, ca: pki.ca.pem })
}

/** Both providers take their turns. */
const provider = (i: number): CryptoProvider => (i % 2 === 0 ? noble : nodeCrypto)

function agreed({ version, suite, group, scheme }: Agreement): object {
  return {
    info: { version, cipherSuite: suite, group, peerSignatureScheme: scheme, ownSignatureScheme: scheme },
  }
}

const named = (one: Agreement): string => JSON.stringify(one)
const material = (printed: string): string | undefined => /Keying material: ([0-9A-F]+)/.exec(printed)?.[1]

/** Agreements that the program's library can make, of one kind of key. */
function ofKind(list: readonly Agreement[], program: OpensslProgram, kind: PkiKind): readonly Agreement[] {
  return list.filter((one) => one.kind === kind && (program.hybrid || one.group !== 'X25519MLKEM768'))
}

/** Our client on one `s_server` per kind of key; the number of connections. */
async function asClient(program: OpensslProgram, kind: PkiKind, list: readonly Agreement[]): Promise<number> {
  const peer = peerOf(program, kind, 'server')
  try {
    const groups = ['X25519', 'P-256', 'P-384', 'P-521', ...(program.hybrid ? ['X25519MLKEM768'] : [])]
    await peer.serve('-cipher', 'ALL:@SECLEVEL=1', '-groups', groups.join(':'))
    for (const [i, one] of list.entries()) {
      const ours = await peer.connect({
        config: ourConfig('client', one),
        crypto: provider(i),
        seed: named(one),
        say: GET,
        enough: (received) => received.includes('</pre>'),
      })
      expect(ours, named(one)).toMatchObject(agreed(one))
      expect(ours.received, named(one)).toMatch(new RegExp(`Cipher\\s+: ${opensslCipherName(one.suite)}\\b`))
      expect(ours.info.peerCertificates[0], named(one)).toEqual(toyPki(kind).server.der)
    }
    return list.length
  } finally {
    await peer.close()
  }
}

/** One `s_client` per connection on our server; the number of connections. */
async function asServer(program: OpensslProgram, kind: PkiKind, list: readonly Agreement[]): Promise<number> {
  const peer = peerOf(program, kind, 'client')
  try {
    for (const [i, one] of list.entries()) {
      const how: Drive = {
        config: ourConfig('server', one),
        crypto: provider(i),
        seed: named(one),
        say: 'from the engine\n',
        enough: (received) => received.includes('from openssl\n'),
      }
      const suites = one.version === 'TLSv1.3' ? '-ciphersuites' : '-cipher'
      const cipher = opensslCipherName(one.suite)
      const { ours, printed } = await peer.accept(
        how,
        ...(one.version === 'TLSv1.3' ? ['-tls1_3'] : ['-tls1_2']),
        ...['-groups', one.offered.join(':'), '-sigalgs', one.scheme, '-client_sigalgs', one.scheme],
        ...[suites, one.version === 'TLSv1.3' ? cipher : `${cipher}:@SECLEVEL=1`],
      )
      expect(ours, named(one)).toMatchObject(agreed(one))
      expect(ours.info.peerCertificates[0], named(one)).toEqual(toyPki(kind).client.der)
      expect(printed, named(one)).toContain(`Cipher is ${cipher}`)
      expect(printed, named(one)).toContain('Verify return code: 0 (ok)')
      expect(printed, named(one)).toContain('from the engine')
      expect(material(printed), named(one)).toBe(ours.exported)
    }
    return list.length
  } finally {
    await peer.close()
  }
}

describe('what two peers can agree on', () => {
  it('is all of it, and the sample shows every pair', () => {
    const count = (version: string): number => PRODUCT.filter((one) => one.version === version).length
    expect([count('TLSv1.2'), count('TLSv1.3')]).toEqual([700, 195])
    expect(new Set(CHOSEN.flatMap(pairsOf))).toEqual(new Set(PRODUCT.flatMap(pairsOf)))
    expect(pairwise(PRODUCT).length).toBeLessThan(200)
  })

  it('has an openssl to agree with', () => {
    if (process.env['OVPN_INTEROP'] === 'required') expect(OPENSSL_PROGRAMS.length).toBeGreaterThan(0)
    expect(EXPORT_LABEL).toContain('OpenVPN')
  })
})

describe.each(OPENSSL_PROGRAMS)('OpenSSL $version', (program) => {
  for (const kind of PKI_KINDS) {
    const list = ofKind(CHOSEN, program, kind)
    it(`s_server with ${kind}: ${list.length} connections of our client`, {
      timeout: scaled(60_000, 600_000),
    }, async () => {
      expect(await asClient(program, kind, list)).toBe(list.length)
    })
    it(`s_client with ${kind}: ${list.length} connections to our server`, {
      timeout: scaled(60_000, 600_000),
    }, async () => {
      expect(await asServer(program, kind, list)).toBe(list.length)
    })
  }
})
