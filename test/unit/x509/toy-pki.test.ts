/** The toy PKI verifies under our own verifier and under OpenSSL, for every kind of key. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { noble } from '../../../src/crypto/index.ts'
import { createPeerVerifier, nameText } from '../../../src/x509/index.ts'
import { PKI_KINDS, PKI_NOW, toyPki } from '../../support/pki.ts'

describe('toy PKI', () => {
  it.each(PKI_KINDS)('%s: both leaves verify in their own role only', (kind) => {
    const { ca, server, client } = toyPki(kind)
    const verifier = createPeerVerifier({ ca: ca.pem })
    const verdict = verifier.verify([server.der], 'server', PKI_NOW, noble)
    expect(verdict).toMatchObject({ type: 'verified', username: `server ${kind}` })
    expect(verifier.verify([client.der], 'client', PKI_NOW, noble).type).toBe('verified')
    expect(verifier.verify([client.der], 'server', PKI_NOW, noble)).toMatchObject({ problem: 'wrong-purpose' })
    expect(verifier.verify([server.der], 'client', PKI_NOW, noble)).toMatchObject({ problem: 'wrong-purpose' })
    expect(nameText(server.certificate.subject)).toBe(`C=KG, O=Toy PKI, CN=server ${kind}`)
  })

  it.each(PKI_KINDS)('%s: OpenSSL accepts the chain and the keys', (kind) => {
    const { ca, server, client } = toyPki(kind)
    const directory = mkdtempSync(join(tmpdir(), 'x509-'))
    try {
      const file = (name: string, text: string): string => {
        writeFileSync(join(directory, name), text)
        return join(directory, name)
      }
      const anchor = file('ca.pem', ca.pem)
      for (const [purpose, identity] of [
        ['sslserver', server],
        ['sslclient', client],
      ] as const) {
        const leaf = file('leaf.pem', identity.pem)
        const verify = ['verify', '-x509_strict', '-attime', String(PKI_NOW / 1000), '-purpose', purpose]
        expect(execFileSync('openssl', [...verify, '-CAfile', anchor, leaf]).toString()).toContain('OK')
        const fromKey = execFileSync('openssl', ['pkey', '-pubout', '-in', file('key.pem', identity.keyPem)])
        const fromCertificate = execFileSync('openssl', ['x509', '-pubkey', '-noout', '-in', leaf])
        expect(fromKey.toString()).toBe(fromCertificate.toString())
      }
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
