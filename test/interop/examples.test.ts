/** The examples that need nothing from outside run to their end and say what they promise. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

function run(name: string): string {
  const path = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))
  return execFileSync(process.execPath, ['--import', import.meta.resolve('tsx'), path], {
    encoding: 'utf8',
    timeout: 50_000,
  })
}

describe('examples', () => {
  it('tls.ts: a GET over a mutually authenticated connection', () => {
    const output = run('tls.ts')
    expect(output).toContain('TLSv1.3, TLS_')
    expect(output).toContain('X25519MLKEM768, ecdsa_secp256r1_sha256')
    expect(output).toContain('HTTP/1.0 200 OK')
    expect(output).toMatch(/hello, CN=\S*client/)
    expect(output).toContain('closed: {"type":"close-notify","by":"peer"}')
  })

  it('x509.ts: a CA, a certificate, and the verdicts on it', () => {
    const output = run('x509.ts')
    expect(output).toContain('-----BEGIN CERTIFICATE-----')
    expect(output).toContain('today: verified')
    expect(output).toMatch(/in two years: expired\. /)
    expect(output).toMatch(/once revoked: revoked\. /)
  })
})
