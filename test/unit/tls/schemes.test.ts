/** Signature schemes of a peer: offered, fitting, and what happens otherwise. */
import { describe, expect, it } from 'vitest'
import { noble, type PublicKey } from '../../../src/crypto/index.ts'
import { AlertError } from '../../../src/tls/alerts.ts'
import { SIGNATURE_SCHEMES, type TlsConfig, type TlsVersion } from '../../../src/tls/index.ts'
import { ProvenPeer, VerifiedChain } from '../../../src/tls/proofs.ts'
import { schemeFitsKey } from '../../../src/tls/signatures.ts'
import { toyKey, toyPki } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'
import { bytes, edit, record, setExtension } from './edit.ts'
import { config, Host, Puppet, text } from './support.ts'

const VERSIONS: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3']

/** The alert that a check throws. */
function catchAlert(check: () => unknown): string | undefined {
  try {
    check()
  } catch (error) {
    return error instanceof AlertError ? error.alert : undefined
  }
  return undefined
}

describe('schemes', () => {
  const { key, der } = toyPki('P-256').client
  const sign = (message: Uint8Array) =>
    noble.sign({ type: 'ecdsa', hash: 'SHA256' }, key, message, new SeededRandom('scheme').source)

  it.each(VERSIONS)(
    'TLS-22 a right signature with a scheme that fits the key but was not offered, under %s',
    (version) => {
      const message = text('a handshake')
      const signed = { scheme: 0x0403, signature: sign(message) }
      const prove = (signatureSchemes: NonNullable<TlsConfig['signatureSchemes']>) => {
        const { context } = new Puppet(config('server', { signatureSchemes }))
        return ProvenPeer.check(context, VerifiedChain.check(context, [der]), version, signed, message)
      }
      expect(prove(['ed25519', 'ecdsa_secp256r1_sha256']).scheme.name).toBe('ecdsa_secp256r1_sha256')
      expect(catchAlert(() => prove(['ed25519', 'ecdsa_secp384r1_sha384']))).toBe('illegal-parameter')
    },
  )

  it('TLS-22 TLS-23 a 1.2 server that signs rightly with a scheme that the client did not offer', () => {
    // The puppet is told of a scheme that the client's hello, as the client knows it, does not hold. Its signature covers
    // the randoms and the parameters only, so nothing but the scheme is wrong with it.
    const over = { maxVersion: 'TLSv1.2' } as const
    const client = new Host(config('client', { ...over, signatureSchemes: ['ecdsa_secp384r1_sha384'] }), 'unoffered')
    const server = new Puppet(config('server', { ...over, signingSchemes: ['ecdsa_secp256r1_sha256'] }))
    for (const flight of client.drain()) {
      const told = edit(flight.subarray(5), (hello) => setExtension(hello, 13, bytes(0, 2, 4, 3)))
      server.receive(record(22, told))
    }
    for (const flight of server.drain()) client.receive(flight)
    client.drain()
    expect(client.alertSent).toBe('illegal-parameter')
    expect(client.info).toBeUndefined()
  })

  it('TLS-22 TLS13-14 TLS12-5 which scheme fits which key', () => {
    const keys: Record<string, PublicKey> = {
      p256: toyKey('P-256', 0).public,
      p384: toyKey('P-384', 0).public,
      ed25519: toyKey('ed25519', 0).public,
      rsa: toyKey('rsa-2048', 0).public,
      pss: toyKey('rsa-pss-2048', 0).public,
    }
    const fitting = (key: PublicKey, version: TlsVersion) =>
      SIGNATURE_SCHEMES.filter((scheme) => schemeFitsKey(scheme, key, version)).map(({ name }) => name)
    expect(fitting(keys['p256']!, 'TLSv1.3')).toEqual(['ecdsa_secp256r1_sha256'])
    expect(fitting(keys['p256']!, 'TLSv1.2')).toHaveLength(3)
    expect(fitting(keys['p384']!, 'TLSv1.3')).toEqual(['ecdsa_secp384r1_sha384'])
    expect(fitting(keys['ed25519']!, 'TLSv1.2')).toEqual(['ed25519'])
    expect(fitting(keys['rsa']!, 'TLSv1.3').every((name) => name.startsWith('rsa_pss_rsae'))).toBe(true)
    expect(fitting(keys['rsa']!, 'TLSv1.2')).toHaveLength(6)
    expect(fitting(keys['pss']!, 'TLSv1.2').every((name) => name.startsWith('rsa_pss_pss'))).toBe(true)
    const bound = { ...keys['pss']!, pssParameters: { hash: 'SHA384', saltLength: 48 } } as PublicKey
    expect(fitting(bound, 'TLSv1.3')).toEqual(['rsa_pss_pss_sha384'])
    const small = { type: 'rsa', n: new Uint8Array(96).fill(255), e: bytes(1, 0, 1), pssOnly: false } as const
    expect(fitting(small, 'TLSv1.3')).toEqual(['rsa_pss_rsae_sha256'])
  })
})
