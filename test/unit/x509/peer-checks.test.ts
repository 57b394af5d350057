/** OpenVPN's own checks and the options they come from. */
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import type { Extension, PeerVerdict, PeerVerifierOptions } from '../../../src/x509/index.ts'
import { createPeerVerifier, fingerprint, fingerprintText } from '../../../src/x509/index.ts'
import { der } from '../../../src/x509/der-write.ts'
import type { Identity } from '../../support/pki.ts'
import { issue, PKI_NOT_AFTER, PKI_NOW } from '../../support/pki.ts'
import type { VerifyOptions } from '../../support/x509.ts'
import {
  ca,
  ext,
  extendedKeyUsage,
  general,
  keyUsage,
  leaf,
  outcome,
  verify as verifyChain,
  verifyUnsigned,
} from '../../support/x509.ts'

const root = ca('root')
const check = (end: Identity, options: VerifyOptions): string => outcome(verifyUnsigned([root, end], options))
const bare = (...extensions: Extension[]): Identity => leaf('end', root, { kind: 'bare', extensions })
const text = (bytes: Uint8Array): string => fingerprintText(bytes)

describe('usages', () => {
  it('X509-30 remote-cert-tls asks for both key usages to be there', () => {
    const options = { remoteCertTls: 'server' } as const
    expect(check(leaf('end', root), options)).toBe('verified')
    expect(check(bare(), options)).toBe('key-usage-missing')
    expect(check(bare(keyUsage('digitalSignature')), options)).toBe('extended-key-usage-missing')
    expect(check(bare(extendedKeyUsage('serverAuth')), options)).toBe('key-usage-missing')
    expect(check(bare(keyUsage('keyAgreement'), extendedKeyUsage('serverAuth')), options)).toBe('verified')
    const both = bare(keyUsage('digitalSignature'), extendedKeyUsage('serverAuth', 'clientAuth'))
    expect(check(both, { remoteCertTls: 'client' })).toBe('verified')
    expect(check(leaf('end', root), { remoteCertTls: 'client' })).toBe('extended-key-usage-missing')
    expect(check(leaf('end', root, { kind: 'client' }), { ...options, purpose: 'client' })).toBe(
      'extended-key-usage-missing',
    )
  })

  it('X509-31 remote-cert-ku asks for all bits of one mask', () => {
    const a0 = bare(keyUsage('digitalSignature', 'keyEncipherment'))
    for (const [masks, expected] of [
      [[0xa0], 'verified'],
      [[0x80], 'verified'],
      [[0x88], 'key-usage-missing'],
      [[0x88, 0xa0], 'verified'],
      [[0x88, 0x04], 'key-usage-missing'],
      [[0x180], 'key-usage-missing'],
      [[], 'verified'],
    ] as const) {
      expect(check(a0, { remoteCertKu: masks })).toBe(expected)
    }
    expect(check(bare(), { remoteCertKu: [] })).toBe('key-usage-missing')
    expect(check(bare(), { remoteCertKu: [0x80] })).toBe('key-usage-missing')
    // Masks given beside remote-cert-tls take the place of its bare demand for the extension.
    expect(check(leaf('end', root), { remoteCertTls: 'server', remoteCertKu: [0x08] })).toBe('key-usage-missing')
  })

  it('X509-31 remote-cert-eku asks for a usage by identifier or name', () => {
    const special = bare(extendedKeyUsage('serverAuth', '1.3.6.1.5.5.7.3.17'))
    for (const usage of ['1.3.6.1.5.5.7.3.17', 'ipsecIKE', 'serverAuth', 'TLS Web Server Authentication']) {
      expect(check(special, { remoteCertEku: usage }), usage).toBe('verified')
    }
    expect(check(special, { remoteCertEku: 'clientAuth' })).toBe('extended-key-usage-missing')
    expect(check(special, { remoteCertEku: '1.3.6.1.5.5.7.3.1.1' })).toBe('extended-key-usage-missing')
    expect(check(bare(), { remoteCertEku: '1.2.3' })).toBe('extended-key-usage-missing')
    expect(() => createPeerVerifier({ ca: [root.der], remoteCertEku: 'nonsense' })).toThrow(ConfigError)
  })

  it('X509-32 ns-cert-type asks for the old extension', () => {
    const typed = bare(ext('nsCertType', der(3, new Uint8Array([6, 0x40]))))
    expect(check(typed, { nsCertType: 'server' })).toBe('verified')
    expect(check(typed, { nsCertType: 'client' })).toBe('ns-cert-type-mismatch')
    expect(check(bare(), { nsCertType: 'server' })).toBe('ns-cert-type-mismatch')
  })
})

describe('names', () => {
  const server = leaf('Server-1', root, {
    subject: [
      ['C', 'KG'],
      ['ST', 'NA'],
      ['L', 'Bishkek'],
      ['CN', 'Server-1'],
    ],
  })

  it('X509-34 verify-x509-name compares exactly', () => {
    for (const [type, value, expected] of [
      ['subject', 'C=KG, ST=NA, L=Bishkek, CN=Server-1', 'verified'],
      ['subject', 'C=KG, ST=NA, L=Bishkek, CN=Server-10', 'name-mismatch'],
      ['subject', 'CN=Server-1', 'name-mismatch'],
      ['subject', 'Server-1', 'name-mismatch'],
      ['subject', 'c=KG, ST=NA, L=Bishkek, CN=Server-1', 'name-mismatch'],
      ['name', 'Server-1', 'verified'],
      ['name', 'server-1', 'name-mismatch'],
      ['name', 'Server-', 'name-mismatch'],
      ['name', 'Server-10', 'name-mismatch'],
      ['name', ' Server-1', 'name-mismatch'],
      ['name', 'Bishkek', 'name-mismatch'],
      ['name-prefix', 'Server-', 'verified'],
      ['name-prefix', 'Server-1', 'verified'],
      ['name-prefix', 'Server-12', 'name-mismatch'],
      ['name-prefix', 'erver', 'name-mismatch'],
    ] as const) {
      expect(check(server, { verifyName: { type, value } }), `${type} ${value}`).toBe(expected)
    }
    expect(() => createPeerVerifier({ ca: [root.der], verifyName: { type: 'name-prefix', value: '' } })).toThrow(
      ConfigError,
    )
  })

  it('X509-34 cannot be satisfied by putting separators into a value', () => {
    const forged = leaf('x', root, {
      subject: [
        ['C', 'KG'],
        ['ST', 'NA'],
        ['O', 'x, L=Bishkek, CN=Server-1'],
      ],
    })
    expect(check(forged, { verifyName: { type: 'name', value: 'Server-1' } })).toBe('name-mismatch')
    const twice = leaf('x', root, {
      subject: [
        ['CN', 'Server-1'],
        ['CN', 'evil'],
      ],
    })
    expect(check(twice, { verifyName: { type: 'name', value: 'Server-1' } })).toBe('name-mismatch')
  })

  it('X509-34 looks at the field that x509-username-field names', () => {
    const mail = leaf('x', root, {
      subject: [
        ['CN', 'cn'],
        ['emailAddress', 'me@example.com'],
      ],
    })
    const options = { usernameFields: ['emailAddress'] }
    expect(check(mail, { ...options, verifyName: { type: 'name', value: 'me@example.com' } })).toBe('verified')
    expect(check(mail, { ...options, verifyName: { type: 'name', value: 'cn' } })).toBe('name-mismatch')
    expect(check(leaf('x', root, { subject: [['O', 'y']] }), { verifyName: { type: 'name', value: 'y' } })).toBe(
      'name-mismatch',
    )
  })
})

describe('usernames', () => {
  const username = (end: Identity, ...usernameFields: string[]): string => {
    const verdict: PeerVerdict = verifyUnsigned([root, end], usernameFields.length > 0 ? { usernameFields } : {})
    return verdict.type === 'verified' ? String(verdict.username) : verdict.problem
  }
  const person = leaf('p', root, {
    subject: [
      ['O', 'Org'],
      ['OU', 'first'],
      ['OU', 'last'],
      ['CN', 'person'],
      ['emailAddress', 'p@example.com'],
    ],
    subjectAltName: ['dns:a.b', 'email:one@example.com', 'uri:http://x/', 'email:two@example.com'].map(general),
    serial: new Uint8Array([0x0f, 0xab, 0x00]),
  })

  it('X509-35 come from the common name, or from what is asked for', () => {
    expect(username(person)).toBe('person')
    expect(username(person, 'CN')).toBe('person')
    expect(username(person, 'OU')).toBe('last')
    expect(username(person, 'ou')).toBe('last')
    expect(username(person, 'organizationName')).toBe('Org')
    expect(username(person, 'emailAddress')).toBe('p@example.com')
    expect(username(person, '2.5.4.3')).toBe('person')
    expect(username(person, 'serialNumber')).toBe('0x0FAB00')
    expect(username(person, 'ext:subjectAltName')).toBe('two@example.com')
    expect(username(person, 'CN', 'serialNumber')).toBe('person_0x0FAB00')
  })

  it('X509-35 are absent, or refused where asked for, when a field is', () => {
    const plain = leaf('x', root, { subject: [['O', 'Org']] })
    expect(username(plain)).toBe('undefined')
    expect(username(plain, 'CN')).toBe('username-missing')
    expect(username(person, 'CN', 'L')).toBe('username-missing')
    expect(username(plain, 'ext:subjectAltName')).toBe('username-missing')
    expect(username(plain, 'ext:issuerAltName')).toBe('username-missing')
    const dnsOnly = leaf('x', root, { subjectAltName: [general('dns:person')] })
    expect(username(dnsOnly, 'ext:subjectAltName')).toBe('username-missing')
  })

  it('X509-35 are text of 1 to 64 bytes without control characters', () => {
    const named = (cn: string): string => username(leaf('x', root, { subject: [['CN', cn]] }), 'CN')
    expect(named('a'.repeat(64))).toBe('a'.repeat(64))
    expect(named('a'.repeat(65))).toBe('username-missing')
    expect(named('ü'.repeat(32))).toBe('ü'.repeat(32))
    expect(named('ü'.repeat(33))).toBe('username-missing')
    expect(named('')).toBe('username-missing')
    for (const bad of ['a\nb', 'a\rb', '\x01', 'x\x7f', '\t']) expect(named(bad)).toBe('username-missing')
    expect(named('name with spaces, ünïcode & signs')).toBe('name with spaces, ünïcode & signs')
  })

  it('X509-35 name fields that exist', () => {
    for (const fields of [['nonsense'], ['ext:keyUsage'], [], ['CN', '']]) {
      expect(() => createPeerVerifier({ ca: [root.der], usernameFields: fields })).toThrow(ConfigError)
    }
  })
})

describe('fingerprints', () => {
  const end = leaf('end', root)
  const other = leaf('other', root)
  const pin = (identity: Identity): string => text(fingerprint(identity.der, noble))
  const pinned = (options: PeerVerifierOptions, received: Identity, now = PKI_NOW): string =>
    outcome(createPeerVerifier(options).verify([received.der], 'server', now, noble))

  it('X509-33 have their hash’s full length in hex', () => {
    const full = pin(end)
    const plain = full.replaceAll(':', '')
    for (const good of [full, plain, plain.toLowerCase(), ` ${full}\t`]) {
      expect(pinned({ ca: [root.der], peerFingerprints: [good] }, end), good).toBe('verified')
    }
    for (const bad of [
      full.slice(0, -3),
      `${full}:00`,
      plain.slice(1),
      `${plain}0`,
      '',
      ':',
      full.replace(':', ''),
      full.replace(':', '::'),
      full.replace(/^./, 'G'),
      text(fingerprint(end.der, noble, 'SHA1')),
      `SHA256 ${full}`,
    ]) {
      expect(() => createPeerVerifier({ peerFingerprints: [bad] }), bad).toThrow(ConfigError)
    }
  })

  it('X509-33 any of a list will do, and only those', () => {
    const options = { ca: [root.der], peerFingerprints: [pin(other), pin(end)] }
    expect(pinned(options, end)).toBe('verified')
    expect(pinned(options, other)).toBe('verified')
    expect(pinned(options, leaf('third', root))).toBe('fingerprint-mismatch')
    expect(pinned({ ca: [root.der], peerFingerprints: [] }, end)).toBe('fingerprint-mismatch')
  })

  it('X509-33 one flipped bit anywhere is another certificate', () => {
    const digest = fingerprint(end.der, noble)
    let accepted = 0
    for (let bit = 0; bit < 256; bit++) {
      const close = digest.slice()
      close[bit >> 3] = close[bit >> 3]! ^ (1 << (bit & 7))
      if (pinned({ peerFingerprints: [text(close)] }, end) === 'verified') accepted++
    }
    expect(accepted).toBe(0)
  })

  it('X509-38 with ca, the chain must hold as well', () => {
    const stranger = issue('stranger')
    expect(pinned({ ca: [root.der], peerFingerprints: [pin(stranger)] }, stranger)).toBe('untrusted-root')
    expect(pinned({ ca: [root.der], peerFingerprints: [pin(end)] }, end, PKI_NOT_AFTER)).toBe('expired')
  })

  it('X509-38 without ca, the pin takes the chain’s place', () => {
    const stranger = issue('stranger', { kind: 'client' })
    expect(pinned({ peerFingerprints: [pin(stranger)] }, stranger)).toBe('verified')
    expect(pinned({ peerFingerprints: [pin(stranger)] }, stranger, PKI_NOT_AFTER + 1e9)).toBe('verified')
    expect(pinned({ peerFingerprints: [pin(end)] }, stranger)).toBe('fingerprint-mismatch')
    expect(pinned({ peerFingerprints: [pin(end)] }, end)).toBe('verified')
    expect(pinned({ peerFingerprints: [pin(stranger)], remoteCertTls: 'server' }, stranger)).toBe(
      'extended-key-usage-missing',
    )
    expect(pinned({ peerFingerprints: [pin(stranger)], verifyName: { type: 'name', value: 'x' } }, stranger)).toBe(
      'name-mismatch',
    )
    expect(pinned({ peerFingerprints: [pin(stranger)], revokedSerials: ['0'] }, stranger)).toBe('verified')
    const serial = BigInt(`0x${Buffer.from(stranger.certificate.serial).toString('hex')}`)
    expect(pinned({ peerFingerprints: [pin(stranger)], revokedSerials: [String(serial)] }, stranger)).toBe('revoked')
  })

  it('X509-36 verify-hash is about the certificate above the leaf', () => {
    const middle = ca('middle', root)
    const below = leaf('below', middle)
    const hash = (
      identity: Identity,
      algorithm: 'SHA1' | 'SHA256',
    ): NonNullable<PeerVerifierOptions['verifyHash']> => ({
      hash: algorithm,
      values: [text(fingerprint(identity.der, noble, algorithm))],
    })
    for (const algorithm of ['SHA1', 'SHA256'] as const) {
      const of = (identity: Identity): string =>
        outcome(verifyChain([root, middle, below], { verifyHash: hash(identity, algorithm) }))
      expect(of(middle)).toBe('verified')
      expect(of(root)).toBe('issuer-hash-mismatch')
      expect(of(below)).toBe('issuer-hash-mismatch')
      expect(outcome(verifyChain([root, end], { verifyHash: hash(root, algorithm) }))).toBe('verified')
    }
    const self = issue('self')
    expect(outcome(verifyChain([self], { verifyHash: hash(self, 'SHA256') }))).toBe('issuer-hash-mismatch')
    for (const values of [['00'], [text(fingerprint(root.der, noble))]]) {
      expect(() => createPeerVerifier({ ca: [root.der], verifyHash: { hash: 'SHA1', values } })).toThrow(ConfigError)
    }
  })

  it('X509-37 a verifier without ca and fingerprints is none', () => {
    expect(() => createPeerVerifier({})).toThrow(ConfigError)
    for (const source of ['', 'nothing', [new Uint8Array([1])], [new Uint8Array()]]) {
      expect(() => createPeerVerifier({ ca: source })).toThrow(ConfigError)
    }
  })
})
