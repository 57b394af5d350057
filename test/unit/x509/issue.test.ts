/** Issuing, keys, PEM and one's own identity. */
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { execFileSync } from 'node:child_process'
import { pbkdf2Sync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ConfigError, UsageError } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import {
  belongsTo,
  commonName,
  generatePrivateKey,
  issueCertificate,
  parsePem,
  parsePemCertificates,
  parsePrivateKey,
  readIdentity,
  readPkcs12Identity,
  writePem,
  writePkcs8,
} from '../../../src/x509/index.ts'
import { CURVE_ORDER, toBigInt } from '../../../src/x509/private-key.ts'
import { readCertificates } from '../../../src/x509/read-certificates.ts'
import { checkSecondReading } from '../../../src/x509/second-reader.ts'
import { pbkdf2 } from '../../../src/x509/pbes2.ts'
import { bitLength } from '../../../src/x509/public-key.ts'
import { certificateOf, issue, PKI_KINDS, PKI_NOT_AFTER, PKI_NOT_BEFORE, rsaKeyPem, toyPki } from '../../support/pki.ts'
import { SeededRandom, seededSource } from '../../support/random.ts'
import { ext, keyUsage } from '../../support/x509.ts'
import { derNull } from '../../../src/x509/der-write.ts'
import { readFileSync } from 'node:fs'

const request = {
  kind: 'server',
  subject: [['CN', 'x']],
  notBefore: PKI_NOT_BEFORE,
  notAfter: PKI_NOT_AFTER,
} as const

describe('certificates', () => {
  it('X509-50 have random serial numbers that are positive and 16 bytes long', () => {
    const { key } = issue('serials')
    const random = new SeededRandom('serials')
    const seen = new Set<string>()
    for (let i = 0; i < 30; i++) {
      const made = issueCertificate({ ...request, publicKey: key.public, signingKey: key }, noble, random.source)
      const { serial } = certificateOf(made)
      expect(serial.length).toBe(16)
      expect(serial[0]! >> 6).toBe(1)
      seen.add(Buffer.from(serial).toString('hex'))
    }
    expect(seen.size).toBe(30)
  })

  it('X509-50 take the serial number given, in its shortest positive form', () => {
    const serial = (...bytes: number[]): number[] => [
      ...issue('serial', { serial: new Uint8Array(bytes) }).certificate.serial,
    ]
    expect(serial(5)).toEqual([5])
    expect(serial(0, 0, 200)).toEqual([0, 200])
    expect(serial(0)).toEqual([0])
    expect(serial()).toEqual([0])
  })

  it.each(PKI_KINDS)('X509-52 are the same for the same inputs: %s', (kind) => {
    const { key } = toyPki(kind).ca
    const make = (seed: string): string => {
      const made = issueCertificate({ ...request, publicKey: key.public, signingKey: key }, noble, seededSource(seed))
      return Buffer.from(made).toString('hex')
    }
    expect(make('one')).toBe(make('one'))
    expect(make('one')).not.toBe(make('two'))
  })

  it('put given extensions in the place of defaults', () => {
    const list = issue('own', { extensions: [keyUsage('keyAgreement'), ext('1.2.3', derNull())] }).certificate
    expect([...list.extensions.keyUsage!]).toEqual(['keyAgreement'])
    expect(list.rawExtensions.length).toBe(6)
  })

  it('refuse what cannot be', () => {
    const { key } = issue('refuse')
    const made =
      (more: object): (() => unknown) =>
      () =>
        issueCertificate({ ...request, publicKey: key.public, signingKey: key, ...more }, noble, seededSource('x'))
    expect(made({ subject: [['nonsense', 'x']] })).toThrow(ConfigError)
    expect(made({ signature: { type: 'ecdsa', hash: 'MD5' } })).toThrow(UsageError)
    expect(made({ signature: { type: 'ed25519' } })).toThrow(UsageError)
  })
})

describe('keys', () => {
  it('X509-51 draw EC secrets until one is in range', () => {
    const order = CURVE_ORDER['P-256']
    const toBytes = (value: bigint): Uint8Array =>
      new Uint8Array(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'))
    const draws = [0n, order, order + 1n, 2n ** 256n - 1n, order - 1n].map(toBytes)
    let drawn = 0
    const key = generatePrivateKey('P-256', noble, () => draws[drawn++]!)
    expect(drawn).toBe(5)
    expect(key.type === 'ec' && toBigInt(key.secret)).toBe(order - 1n)
    for (const [curve, noblesOrder] of [
      ['P-256', p256.Point.Fn.ORDER],
      ['P-384', p384.Point.Fn.ORDER],
      ['P-521', p521.Point.Fn.ORDER],
    ] as const) {
      expect(CURVE_ORDER[curve]).toBe(noblesOrder)
      const made = generatePrivateKey(curve, noble, seededSource(curve))
      expect(made.type === 'ec' && toBigInt(made.secret) < CURVE_ORDER[curve]).toBe(true)
      expect(parsePrivateKey(writePkcs8(made))).toEqual(made)
    }
  })

  it('X509-41 must have parts that belong together', () => {
    const der = writePkcs8(parsePrivateKey(rsaKeyPem('rsa-1024')))
    let taken = 0
    let tried = 0
    // Every byte from the modulus on.
    for (let at = 40; at < der.length; at += 5) {
      const changed = der.slice()
      changed[at] = (changed[at]! ^ 4) & 255
      tried++
      try {
        parsePrivateKey(changed)
        taken++
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError)
      }
    }
    expect(tried).toBeGreaterThan(100)
    // The private exponent may differ by a multiple of lcm(p-1, q-1) at most; none of these does.
    expect(taken).toBe(0)
    const ec = writePkcs8(issue('ec').key)
    for (const at of [40, ec.length - 1]) {
      const changed = ec.slice()
      changed[at] = (changed[at]! ^ 1) & 255
      expect(() => parsePrivateKey(changed)).toThrow(ConfigError)
    }
  })

  it('X509-41 must have secrets in range', () => {
    const hex = Buffer.from(writePkcs8(issue('range').key)).toString('hex')
    const at = hex.indexOf('0420') + 4
    for (const secret of ['00'.repeat(32), 'ff'.repeat(32), CURVE_ORDER['P-256'].toString(16)]) {
      const changed = hex.slice(0, at) + secret + hex.slice(at + 64)
      expect(() => parsePrivateKey(new Uint8Array(Buffer.from(changed, 'hex')))).toThrow('range')
    }
  })

  it('X509-45 derives by PBKDF2 as RFC 6070 and the host say', () => {
    const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf8'))
    const hex = (
      ...[hash, password, salt, iterations, length]: [Parameters<typeof pbkdf2>[1], string, string, number, number]
    ): string => Buffer.from(pbkdf2(noble, hash, bytes(password), bytes(salt), iterations, length)).toString('hex')
    expect(hex('SHA1', 'password', 'salt', 1, 20)).toBe('0c60c80f961f0e71f3a9b524af6012062fe037a6')
    expect(hex('SHA1', 'password', 'salt', 4096, 20)).toBe('4b007901b765489abead49d926f721d065a429c1')
    expect(hex('SHA1', 'passwordPASSWORDpassword', 'saltSALTsaltSALTsaltSALTsaltSALTsalt', 4096, 25)).toBe(
      '3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038',
    )
    for (const [hash, name] of [
      ['SHA256', 'sha256'],
      ['SHA512', 'sha512'],
    ] as const) {
      expect(hex(hash, 'passwd', 'salt', 1000, 100)).toBe(pbkdf2Sync('passwd', 'salt', 1000, 100, name).toString('hex'))
    }
  })

  it('knows sizes in bits', () => {
    expect(bitLength(new Uint8Array([]))).toBe(0)
    expect(bitLength(new Uint8Array([0, 0]))).toBe(0)
    expect(bitLength(new Uint8Array([0, 1, 0]))).toBe(9)
    expect(bitLength(new Uint8Array([255]))).toBe(8)
  })
})

describe('identities', () => {
  const pki = toyPki()

  it('X509-43 need the key of their certificate', () => {
    const good = readIdentity({ cert: pki.server.pem + pki.ca.pem, key: pki.server.keyPem })
    expect(good.certificateChain).toEqual([pki.server.der, pki.ca.der])
    expect(good.privateKey).toEqual(pki.server.key)
    expect(commonName(good.leaf.subject)).toBe('server P-256')
    expect(() => readIdentity({ cert: pki.server.pem, key: pki.client.keyPem })).toThrow(ConfigError)
    expect(() => readIdentity({ cert: pki.ca.pem + pki.server.pem, key: pki.server.keyPem })).toThrow(ConfigError)
    expect(() => readIdentity({ cert: [], key: pki.server.keyPem })).toThrow(ConfigError)
  })

  it('send extra-certs after the certificate', () => {
    const { certificateChain } = readIdentity({ cert: pki.server.pem, key: pki.server.keyPem, extraCerts: pki.ca.pem })
    expect(certificateChain).toEqual([pki.server.der, pki.ca.der])
  })

  it.each(PKI_KINDS)('X509-43 tells keys apart: %s', (kind) => {
    const { server, client } = toyPki(kind)
    expect(belongsTo(server.key, server.certificate)).toBe(true)
    expect(belongsTo(client.key, server.certificate)).toBe(false)
    expect(belongsTo(toyPki(kind === 'P-256' ? 'ed25519' : 'P-256').server.key, server.certificate)).toBe(false)
  })

  it('come from PKCS#12 as well', () => {
    const text = readFileSync(new URL('../../../vectors/x509/pkcs12.json', import.meta.url), 'utf8')
    const [bundle] = (JSON.parse(text) as { cases: { p12: string; password: string }[] }).cases
    const { certificateChain, leaf, privateKey } = readPkcs12Identity(
      new Uint8Array(Buffer.from(bundle!.p12, 'base64')),
      bundle!.password,
    )
    expect(certificateChain.length).toBe(2)
    expect(commonName(leaf.subject)).toBe('Bundle end')
    expect(belongsTo(privateKey, leaf)).toBe(true)
  })
})

describe('PEM', () => {
  const { pem, der } = toyPki().server

  it('is read with text around, other line ends and headers', () => {
    for (const text of [
      pem,
      pem.replaceAll('\n', '\r\n'),
      pem.replaceAll('\n', '\r'),
      `Certificate:\n  Data: x\n${pem}\ntrailing`,
      pem.trimEnd(),
    ]) {
      expect(parsePemCertificates(text)).toEqual([der])
    }
    expect(parsePem(pem.replace('-----\n', '-----\nSubject: x\nOther: y\n\n'), 'ca')[0]!.der).toEqual(der)
    expect(parsePemCertificates(pem + pem).length).toBe(2)
    expect(parsePemCertificates(pem.replaceAll('CERTIFICATE', 'X509 CERTIFICATE'))).toEqual([der])
    const printed = execFileSync('openssl', ['x509', '-text'], { input: pem }).toString()
    expect(parsePemCertificates(printed)).toEqual([der])
  })

  it('is written as OpenSSL writes it', () => {
    expect(writePem('CERTIFICATE', der)).toBe(execFileSync('openssl', ['x509'], { input: pem }).toString())
  })

  it('is refused when it is cut or no base64', () => {
    for (const text of [
      pem.replace(/-----END.*\n/, ''),
      pem.replace(/-----BEGIN.*\n/, ''),
      pem.replace('END CERTIFICATE', 'END PRIVATE KEY'),
      pem + pem.replace(/-----END.*\n/, '') + pem,
      pem.replace(/\n(.)/, '\n!$1'),
      pem.replace(/=+\n/, '\n'),
      '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
    ]) {
      expect(() => parsePemCertificates(text)).toThrow(ConfigError)
    }
    expect(() => parsePemCertificates(' '.repeat(33 * 1024 * 1024))).toThrow(ConfigError)
  })
})

describe('the second reader', () => {
  it('X509-53 agrees on certificates of every kind', () => {
    for (const kind of PKI_KINDS) {
      const { ca, server, client } = toyPki(kind)
      expect(readCertificates([ca.der, server.der, client.der], 'ca').length).toBe(3)
    }
  })

  it('X509-53 disagreement refuses the certificate', () => {
    const { certificate } = toyPki().ca
    expect(() => checkSecondReading(certificate)).not.toThrow()
    for (const other of [
      { version: 1 as const },
      { serial: new Uint8Array([1]) },
      { tbs: certificate.tbs.subarray(1) },
      { signature: certificate.signature.subarray(1) },
      { subject: { ...certificate.subject, rdns: [] } },
      { rawExtensions: certificate.rawExtensions.slice(1) },
      {
        rawExtensions: certificate.rawExtensions.map((extension) => ({ ...extension, critical: !extension.critical })),
      },
      { der: new Uint8Array([0x30, 0]) },
      { der: new Uint8Array([0x30, 0x80]) },
    ]) {
      expect(() => checkSecondReading({ ...certificate, ...other })).toThrow()
    }
  })
})
