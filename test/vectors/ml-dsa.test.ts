/** The example keys and certificates of RFC 9881: another implementation's key generation and signatures. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/bytes/index.ts'
import { noble, type SignatureAlgorithm } from '../../src/crypto/index.ts'
import { parsePem, parsePemCertificates, parsePrivateKey, writePkcs8, writePem } from '../../src/x509/index.ts'
import { certificateOf } from '../support/pki.ts'

interface Case {
  readonly name: string
  readonly seed: string
  readonly both: string
  readonly expanded: string
  readonly certificate: string
}

const file = JSON.parse(readFileSync(new URL('../../vectors/x509/ml-dsa.json', import.meta.url), 'utf8')) as {
  cases: readonly Case[]
  bad: readonly string[]
}

describe('examples of RFC 9881', () => {
  it('are three parameter sets and three contradictory keys', () => {
    expect(file.cases.map(({ name }) => name)).toEqual(['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'])
    expect(file.bad.length).toBe(3)
  })

  it.each(file.cases)('CRY-37 X509-12 X509-40 $name: the seed gives the key of the certificate', (example) => {
    const certificate = certificateOf(parsePemCertificates(example.certificate)[0]!)
    const key = parsePrivateKey(example.seed)
    expect(key).toMatchObject({ type: 'ml-dsa', parameters: example.name })
    expect(key.public).toEqual(certificate.publicKey)
    expect(parsePrivateKey(example.both)).toEqual(key)
    expect(() => parsePrivateKey(example.expanded)).toThrow(/without its seed/)
    expect(writePem('PRIVATE KEY', writePkcs8(key)).replaceAll(/\s/g, '')).toBe(example.seed.replaceAll(/\s/g, ''))
    expect(parsePrivateKey(parsePem(example.seed, 'key')[0]!.der)).toEqual(key)
  })

  it.each(file.cases)('CRY-38 X509-10 $name: the certificate is signed with its own key', (example) => {
    const certificate = certificateOf(parsePemCertificates(example.certificate)[0]!)
    const { signatureAlgorithm, tbs, signature, publicKey } = certificate
    expect(signatureAlgorithm).toEqual({ type: 'ml-dsa', parameters: example.name })
    const verifies = (message: Uint8Array, value: Uint8Array) =>
      noble.verify(signatureAlgorithm as SignatureAlgorithm, publicKey!, message, value)
    expect(verifies(tbs, signature)).toBe(true)
    const changed = tbs.slice()
    changed[changed.length >> 1]! ^= 1
    expect(verifies(changed, signature)).toBe(false)
  })

  it('X509-41 halves that contradict each other are refused', () => {
    for (const pem of file.bad) expect(() => parsePrivateKey(pem)).toThrow(ConfigError)
  })
})
