/** Certificates: structure, algorithms, keys and extensions, well-formed and not. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { concat, toHex } from '../../../src/bytes/index.ts'
import type { Certificate, CertificateProblem, Extension } from '../../../src/x509/index.ts'
import { keyFitsAlgorithm, parseCertificate, parsePemCertificates, parsePrivateKey } from '../../../src/x509/index.ts'
import { MAX_CERTIFICATE_LENGTH } from '../../../src/x509/certificate.ts'
import type { DerNode } from '../../../src/x509/der.ts'
import { DerBudget, parseDer, TAG } from '../../../src/x509/der.ts'
import {
  der,
  derBits,
  derBoolean,
  derInteger,
  derNull,
  derOctets,
  derOid,
  derSequence,
  derUnsigned,
} from '../../../src/x509/der-write.ts'
import { writeGeneralName } from '../../../src/x509/issue.ts'
import { issue, PKI_KINDS, rsaKeyPem, toyPki } from '../../support/pki.ts'
import { ext, extendedKeyUsage, general, keyUsage, nameConstraints, policies } from '../../support/x509.ts'

const plain = issue('certificate').der
const [TBS, ALGORITHM, SIGNATURE] = parseDer(plain, new DerBudget(200)).children as [DerNode, DerNode, DerNode]
const FIELDS = TBS.children.map(({ bytes }) => bytes)

/** The plain certificate with some fields of its signed part replaced; an empty array removes one. */
function changed(fields: Readonly<Record<number, Uint8Array>>, algorithm = ALGORITHM.bytes): Uint8Array {
  return derSequence(derSequence(...FIELDS.map((field, index) => fields[index] ?? field)), algorithm, SIGNATURE.bytes)
}
const NOTHING = new Uint8Array(0)

function parse(bytes: Uint8Array): Certificate {
  const certificate = parseCertificate(bytes)
  if (typeof certificate === 'string') throw new Error(certificate)
  return certificate
}
const problem = (bytes: Uint8Array): CertificateProblem | 'read' => {
  const result = parseCertificate(bytes)
  return typeof result === 'string' ? result : 'read'
}
const withExtensions = (...extensions: Extension[]): Uint8Array => issue('extensions', { kind: 'bare', extensions }).der

describe('structure', () => {
  it('keeps the received bytes apart from the caller’s', () => {
    const copy = plain.slice()
    const certificate = parse(copy)
    copy.fill(0)
    expect(toHex(certificate.der)).toBe(toHex(plain))
    expect(toHex(certificate.tbs)).toBe(toHex(TBS.bytes))
    expect(certificate.version).toBe(3)
  })

  it('reads field by field what OpenSSL prints', () => {
    const pki = toyPki('rsa-2048')
    const text = execFileSync(
      'openssl',
      ['x509', '-noout', '-serial', '-startdate', '-enddate', '-fingerprint', '-sha256'],
      {
        input: pki.server.pem,
      },
    ).toString()
    const { serial, notBefore, notAfter } = pki.server.certificate
    expect(text).toContain(`serial=${toHex(serial).toUpperCase()}`)
    expect(Date.parse(/notBefore=(.*)/.exec(text)![1]!)).toBe(notBefore)
    expect(Date.parse(/notAfter=(.*)/.exec(text)![1]!)).toBe(notAfter)
  })

  it('X509-8 refuses a signature algorithm that differs from the signed one', () => {
    const other = derSequence(derOid('1.2.840.10045.4.3.3'))
    expect(problem(changed({}, other))).toBe('signature-algorithm-mismatch')
    expect(problem(changed({ 2: other }))).toBe('signature-algorithm-mismatch')
    expect(problem(changed({ 2: other }, other))).toBe('read')
  })

  it('X509-1, X509-17 ties extensions to version 3, reads unique identifiers as bits and bounds the serial number', () => {
    expect(problem(changed({ 0: der(0xa0, derInteger(1)) }))).toBe('malformed-certificate')
    expect(problem(changed({ 0: NOTHING }))).toBe('malformed-certificate')
    expect(problem(changed({ 0: der(0xa0, derInteger(3)) }))).toBe('malformed-certificate')
    expect(parse(changed({ 0: NOTHING, 7: NOTHING })).version).toBe(1)
    expect(parse(changed({ 0: der(0xa0, derInteger(1)), 7: NOTHING })).version).toBe(2)
    const unique = der(0x81, new Uint8Array([0, 1]))
    expect(problem(changed({ 0: NOTHING, 7: unique }))).toBe('malformed-certificate')
    expect(problem(changed({ 0: der(0xa0, derInteger(1)), 7: unique }))).toBe('read')
    for (const bits of [[], [8, 1], [1], [1, 1]]) {
      const odd = der(0x81, new Uint8Array(bits))
      expect(problem(changed({ 0: der(0xa0, derInteger(1)), 7: odd })), String(bits)).toBe('malformed-certificate')
    }
    for (const serial of [[0], [0xff], [0x80, 0], new Array<number>(64).fill(1)]) {
      expect(problem(changed({ 1: der(TAG.integer, new Uint8Array(serial)) })), String(serial)).toBe('read')
    }
    expect(problem(changed({ 1: der(TAG.integer, new Uint8Array(65).fill(1)) }))).toBe('malformed-certificate')
  })

  it('X509-4 refuses missing, foreign and additional fields', () => {
    for (let index = 1; index <= 6; index++) {
      expect(problem(changed({ [index]: NOTHING })), `without ${index}`).toBe('malformed-certificate')
      expect(problem(changed({ [index]: derNull() })), `null for ${index}`).toBe('malformed-certificate')
    }
    expect(problem(changed({ 7: concat(FIELDS[7]!, derNull()) }))).toBe('malformed-certificate')
    expect(problem(derSequence(TBS.bytes, ALGORITHM.bytes, SIGNATURE.bytes, derNull()))).toBe('malformed-certificate')
    expect(problem(derSequence(TBS.bytes, ALGORITHM.bytes))).toBe('malformed-certificate')
    expect(problem(concat(plain, new Uint8Array(1)))).toBe('malformed-certificate')
    expect(problem(NOTHING)).toBe('malformed-certificate')
    expect(problem(derSequence())).toBe('malformed-certificate')
  })

  it('X509-2 refuses certificates that are too long or hold too much', () => {
    const long = ext('1.2.3', new Uint8Array(MAX_CERTIFICATE_LENGTH))
    expect(problem(withExtensions(long))).toBe('certificate-too-complex')
    const many = Array.from({ length: 700 }, (_, index) => ext(`1.2.3.${index}`, derNull()))
    expect(problem(withExtensions(...many))).toBe('certificate-too-complex')
    const names = derSequence(...Array.from({ length: 1990 }, () => writeGeneralName(general('dns:a'))))
    expect(problem(withExtensions(ext('subjectAltName', names)))).toBe('certificate-too-complex')
  })

  it('X509-9 refuses validity that is no two times', () => {
    expect(problem(changed({ 4: derSequence(derNull(), derNull()) }))).toBe('malformed-certificate')
    expect(problem(changed({ 4: derSequence() }))).toBe('malformed-certificate')
  })
})

describe('signature algorithms', () => {
  const type = (algorithm: Uint8Array): string => {
    const { signatureAlgorithm } = parse(changed({ 2: algorithm }, algorithm))
    return 'hash' in signatureAlgorithm
      ? `${signatureAlgorithm.type} ${signatureAlgorithm.hash}`
      : signatureAlgorithm.type
  }
  const rsa = (last: number, ...parameters: Uint8Array[]): Uint8Array =>
    derSequence(derOid(`1.2.840.113549.1.1.${last}`), ...parameters)

  it('X509-10 knows RSA with NULL or absent parameters', () => {
    for (const [last, hash] of [
      [4, 'MD5'],
      [5, 'SHA1'],
      [14, 'SHA224'],
      [11, 'SHA256'],
      [12, 'SHA384'],
      [13, 'SHA512'],
    ] as const) {
      expect(type(rsa(last, derNull()))).toBe(`rsa-pkcs1 ${hash}`)
      expect(type(rsa(last))).toBe(`rsa-pkcs1 ${hash}`)
      expect(type(rsa(last, derSequence()))).toBe('unsupported')
    }
  })

  it('X509-10 knows ECDSA and Ed25519 without parameters only', () => {
    expect(type(derSequence(derOid('1.2.840.10045.4.3.2')))).toBe('ecdsa SHA256')
    expect(type(derSequence(derOid('1.2.840.10045.4.3.2'), derNull()))).toBe('unsupported')
    expect(type(derSequence(derOid('1.3.101.112')))).toBe('ed25519')
    expect(type(derSequence(derOid('1.3.101.112'), derNull()))).toBe('unsupported')
    expect(type(derSequence(derOid('1.2.840.10040.4.3')))).toBe('unsupported')
  })

  it('refuses an algorithm identifier with more than parameters', () => {
    const algorithm = derSequence(derOid('1.3.101.112'), derNull(), derNull())
    expect(problem(changed({ 2: algorithm }, algorithm))).toBe('malformed-certificate')
  })

  it('X509-11 takes RSA-PSS with one hash and the usual trailer', () => {
    const sha = (last: number): Uint8Array => derSequence(derOid(`2.16.840.1.101.3.4.2.${last}`), derNull())
    const mask = (hash: Uint8Array, oid = '1.2.840.113549.1.1.8'): Uint8Array => derSequence(derOid(oid), hash)
    const pss = (...parts: Uint8Array[]): string => type(rsa(10, derSequence(...parts)))
    expect(pss(der(0xa0, sha(1)), der(0xa1, mask(sha(1))), der(0xa2, derInteger(32)))).toBe('rsa-pss SHA256')
    expect(pss(der(0xa0, sha(1)), der(0xa1, mask(sha(1))), der(0xa2, derInteger(32)), der(0xa3, derInteger(1)))).toBe(
      'rsa-pss SHA256',
    )
    expect(pss()).toBe('rsa-pss SHA1')
    expect(type(rsa(10))).toBe('unsupported')
    expect(pss(der(0xa0, sha(1)))).toBe('unsupported')
    expect(pss(der(0xa0, sha(1)), der(0xa1, mask(sha(2))))).toBe('unsupported')
    expect(pss(der(0xa0, sha(1)), der(0xa1, mask(sha(1), '1.2.3')))).toBe('unsupported')
    expect(pss(der(0xa0, sha(9)), der(0xa1, mask(sha(9))))).toBe('unsupported')
    expect(pss(der(0xa0, sha(1)), der(0xa1, mask(sha(1))), der(0xa3, derInteger(2)))).toBe('unsupported')
    expect(pss(der(0xa0, sha(1)), der(0xa1, mask(sha(1))), der(0xa2, derInteger(5000)))).toBe('unsupported')
  })
})

describe('keys and the signatures they may make', () => {
  const rsa = { type: 'rsa', n: NOTHING, e: NOTHING, pssOnly: false } as const
  const pss = { ...rsa, pssOnly: true } as const
  const bound = { ...pss, pssParameters: { hash: 'SHA256', saltLength: 32 } } as const
  const pkcs1 = { type: 'rsa-pkcs1', hash: 'SHA256' } as const
  const salted = (hash: 'SHA256' | 'SHA384', saltLength: number) => ({ type: 'rsa-pss', hash, saltLength }) as const

  it('X509-11 are tied together', () => {
    for (const [key, algorithm, fits] of [
      [rsa, pkcs1, true],
      [pss, pkcs1, false],
      [rsa, salted('SHA256', 0), true],
      [pss, salted('SHA384', 20), true],
      [bound, salted('SHA256', 32), true],
      [bound, salted('SHA256', 64), true],
      [bound, salted('SHA256', 31), false],
      [bound, salted('SHA384', 48), false],
      [rsa, { type: 'ecdsa', hash: 'SHA256' }, false],
      [rsa, { type: 'ed25519' }, false],
      [{ type: 'ed25519', key: NOTHING }, { type: 'ed25519' }, true],
      [{ type: 'ed25519', key: NOTHING }, { type: 'ecdsa', hash: 'SHA256' }, false],
      [{ type: 'ec', curve: 'P-256', point: NOTHING }, { type: 'ecdsa', hash: 'SHA384' }, true],
      [{ type: 'ec', curve: 'P-256', point: NOTHING }, pkcs1, false],
    ] as const) {
      expect(keyFitsAlgorithm(key, algorithm), JSON.stringify([key, algorithm])).toBe(fits)
    }
  })
})

describe('public keys', () => {
  const key = (info: Uint8Array): Certificate['publicKey'] => parse(changed({ 6: info })).publicKey
  const info = (algorithm: readonly Uint8Array[], bits: Uint8Array): Uint8Array =>
    derSequence(derSequence(...algorithm), derBits(bits))
  const EC = derOid('1.2.840.10045.2.1')
  const P256 = derOid('1.2.840.10045.3.1.7')
  const RSA = [derOid('1.2.840.113549.1.1.1'), derNull()]
  const rsaBits = (bits: number, exponent: Uint8Array): Uint8Array => {
    const n = new Uint8Array(Math.ceil(bits / 8)).fill(255)
    n[0] = 255 >> ((8 - (bits % 8)) % 8)
    return derSequence(derUnsigned(n), derUnsigned(exponent))
  }
  const E = new Uint8Array([1, 0, 1])

  it.each(PKI_KINDS)('X509-12 reads a %s key', (kind) => {
    expect(toyPki(kind).server.certificate.publicKey).toEqual(toyPki(kind).server.key.public)
  })

  it('X509-12 takes points that are uncompressed and of the right length', () => {
    const point = concat(new Uint8Array([4]), new Uint8Array(64).fill(7))
    expect(key(info([EC, P256], point))).toEqual({ type: 'ec', curve: 'P-256', point })
    expect(key(info([EC, P256], point.subarray(0, 64)))).toBeUndefined()
    expect(key(info([EC, P256], new Uint8Array(33).fill(2)))).toBeUndefined()
    expect(key(info([EC, derOid('1.3.132.0.10')], point))).toBeUndefined()
    expect(key(info([EC], point))).toBeUndefined()
    expect(key(info([EC, derNull()], point))).toBeUndefined()
  })

  it('X509-12 never follows a curve given by its parameters', () => {
    const pem = execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-pkeyopt',
        'ec_param_enc:explicit',
        '-nodes',
        '-keyout',
        '/dev/null',
        '-subj',
        '/CN=explicit',
        '-days',
        '1',
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    ).toString()
    expect(parse(parsePemCertificates(pem)[0]!).publicKey).toBeUndefined()
  })

  it('X509-12 takes RSA keys in range only', () => {
    expect(key(info(RSA, rsaBits(512, E)))).toMatchObject({ type: 'rsa', pssOnly: false })
    expect(key(info(RSA, rsaBits(8192, E)))).toMatchObject({ type: 'rsa' })
    expect(key(info(RSA, rsaBits(511, E)))).toBeUndefined()
    expect(key(info(RSA, rsaBits(8193, E)))).toBeUndefined()
    expect(key(info(RSA, rsaBits(2048, new Uint8Array([3]))))).toMatchObject({ type: 'rsa' })
    expect(key(info(RSA, rsaBits(2048, new Uint8Array([1]))))).toBeUndefined()
    expect(key(info(RSA, rsaBits(2048, new Uint8Array([2]))))).toBeUndefined()
    expect(key(info(RSA, rsaBits(2048, new Uint8Array([1, 0, 0, 0, 1]))))).toMatchObject({ type: 'rsa' })
    expect(key(info(RSA, rsaBits(2048, new Uint8Array([2, 0, 0, 0, 1]))))).toBeUndefined()
    expect(key(info([RSA[0]!, derSequence()], rsaBits(2048, E)))).toBeUndefined()
    const even = derSequence(derUnsigned(new Uint8Array(256).fill(254)), derUnsigned(E))
    expect(key(info(RSA, even))).toBeUndefined()
  })

  it('refuses RSA keys that are no two positive numbers', () => {
    for (const bits of [
      derSequence(),
      derSequence(derUnsigned(E)),
      derSequence(derUnsigned(E), derUnsigned(E), derUnsigned(E)),
      derSequence(der(TAG.integer, new Uint8Array([0xff])), derUnsigned(E)),
      derSequence(derInteger(0), derUnsigned(E)),
      derNull(),
    ]) {
      expect(problem(changed({ 6: info(RSA, bits) }))).toBe('malformed-certificate')
    }
    expect(problem(changed({ 6: derSequence(derSequence(...RSA), der(TAG.bitString, new Uint8Array([1, 2]))) }))).toBe(
      'malformed-certificate',
    )
  })

  it('X509-12 knows the parameters an RSA-PSS key is bound to', () => {
    const { certificate } = issue('bound', { key: parsePrivateKey(rsaKeyPem('rsa-pss-sha256')) })
    expect(certificate.signatureAlgorithm).toEqual({ type: 'rsa-pss', hash: 'SHA256', saltLength: 32 })
    expect(certificate.publicKey).toMatchObject({
      pssOnly: true,
      pssParameters: { hash: 'SHA256', saltLength: 32 },
    })
  })

  it('leaves other kinds of key unsupported', () => {
    expect(key(info([derOid('1.3.101.112')], new Uint8Array(32)))).toMatchObject({ type: 'ed25519' })
    expect(key(info([derOid('1.3.101.112')], new Uint8Array(31)))).toBeUndefined()
    expect(key(info([derOid('1.3.101.112'), derNull()], new Uint8Array(32)))).toBeUndefined()
    expect(key(info([derOid('1.3.101.113')], new Uint8Array(57)))).toBeUndefined()
    expect(key(info([derOid('1.2.840.10040.4.1')], derInteger(5)))).toBeUndefined()
  })
})

describe('extensions', () => {
  it('X509-13 refuses an extension that occurs twice', () => {
    expect(problem(withExtensions(ext('1.2.3', derNull()), ext('1.2.3', derNull())))).toBe('duplicate-extension')
    expect(problem(withExtensions(keyUsage('digitalSignature'), keyUsage('digitalSignature')))).toBe(
      'duplicate-extension',
    )
  })

  it('X509-14 lists critical extensions that are not acted upon', () => {
    const list = (...extensions: Extension[]): readonly string[] => parse(withExtensions(...extensions)).unknownCritical
    expect(list(ext('1.2.3', derNull(), true), ext('1.2.4', derNull()))).toEqual(['1.2.3'])
    expect(list(ext('subjectKeyIdentifier', derOctets(new Uint8Array(1)), true))).toEqual(['2.5.29.14'])
    expect(list({ ...keyUsage('keyCertSign'), critical: true }, { ...policies('1.2.3'), critical: true })).toEqual([])
  })

  it('decodes what it acts upon', () => {
    const { extensions } = parse(
      withExtensions(
        keyUsage('digitalSignature', 'keyEncipherment', 'decipherOnly'),
        extendedKeyUsage('serverAuth', '1.2.3'),
        nameConstraints(['dns:example.com'], ['ip:10,0,0,0,255,0,0,0']),
        ext(
          'subjectAltName',
          derSequence(
            ...['dns:a.b', 'email:a@b', 'uri:http://c/', 'ip:1,2,3,4', 'other:5,0'].map((name) =>
              writeGeneralName(general(name)),
            ),
          ),
        ),
        ext('nsCertType', new Uint8Array([3, 2, 6, 0xc0])),
      ),
    )
    expect([...extensions.keyUsage!]).toEqual(['digitalSignature', 'keyEncipherment', 'decipherOnly'])
    expect(extensions.keyUsageBits).toBe(0xa0)
    expect(extensions.extendedKeyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.2.3'])
    expect(extensions.nameConstraints).toMatchObject({ permitted: [{ value: 'example.com' }], hasDistances: false })
    expect(extensions.subjectAltName?.map(({ type }) => type)).toEqual(['dns', 'email', 'uri', 'ip', 'other'])
    expect(extensions.nsCertType).toBe(0xc0)
    expect(extensions.basicConstraints).toBeUndefined()
  })

  const broken: [string, Extension][] = [
    ['bytes that are no DER', ext('keyUsage', new Uint8Array([3]))],
    ['keyUsage of another type', ext('keyUsage', derNull())],
    [
      'basicConstraints with a negative path length',
      ext('basicConstraints', derSequence(derBoolean(true), der(TAG.integer, new Uint8Array([255])))),
    ],
    [
      'basicConstraints with a third field',
      ext('basicConstraints', derSequence(derBoolean(true), derInteger(1), derInteger(1))),
    ],
    [
      'basicConstraints with a huge path length',
      ext('basicConstraints', derSequence(derBoolean(true), derUnsigned(new Uint8Array(9).fill(1)))),
    ],
    ['an empty extendedKeyUsage', ext('extendedKeyUsage', derSequence())],
    ['an empty subjectAltName', ext('subjectAltName', derSequence())],
    ['a general name of unknown kind', ext('subjectAltName', derSequence(der(0x89, NOTHING)))],
    ['a directory name that is none', ext('subjectAltName', derSequence(der(0xa4, derNull())))],
    ['empty name constraints', ext('nameConstraints', derSequence())],
    ['name constraints with an empty list', ext('nameConstraints', derSequence(der(0xa0)))],
    ['a policy listed twice', policies('1.2.3', '1.2.3')],
    ['no policies', ext('certificatePolicies', derSequence())],
    ['policy constraints that say nothing', ext('policyConstraints', derSequence())],
    ['empty policy mappings', ext('policyMappings', derSequence())],
    ['a distribution point that says nothing', ext('crlDistributionPoints', derSequence(derSequence()))],
    ['a key identifier of another type', ext('subjectKeyIdentifier', derNull())],
    ['an inhibitAnyPolicy below zero', ext('inhibitAnyPolicy', der(TAG.integer, new Uint8Array([255])))],
  ]
  it.each(broken)('X509-15 refuses %s', (_, extension) => {
    expect(problem(withExtensions(extension))).toBe('malformed-certificate')
    expect(problem(withExtensions({ ...extension, critical: true }))).toBe('malformed-certificate')
  })

  it('X509-6 refuses control and non-ASCII characters in alternative names', () => {
    for (const kind of [0x81, 0x82, 0x86]) {
      for (const byte of [0, 10, 0x7f, 0x80, 0xff]) {
        const names = derSequence(der(kind, new Uint8Array([97, byte, 98])))
        expect(problem(withExtensions(ext('subjectAltName', names)))).toBe('malformed-certificate')
      }
    }
  })
})
