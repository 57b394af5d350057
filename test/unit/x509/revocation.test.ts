/** Revocation lists: scope, currency, replacement. Everything fails closed. */
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import type { Extension } from '../../../src/x509/index.ts'
import { createPeerVerifier, serialDecimal, writePem } from '../../../src/x509/index.ts'
import { readCrl } from '../../../src/x509/crl.ts'
import { DerBudget, parseDer } from '../../../src/x509/der.ts'
import { der, derBits, derInteger, derNamedBits, derNull, derSequence } from '../../../src/x509/der-write.ts'
import { writeName } from '../../../src/x509/issue.ts'
import type { Identity } from '../../support/pki.ts'
import { issue, PKI_NOW } from '../../support/pki.ts'
import { seededSource } from '../../support/random.ts'
import type { CrlOptions, VerifyOptions } from '../../support/x509.ts'
import {
  ca,
  crl,
  distributionPoint,
  ext,
  flag,
  issuingPoint,
  keyUsage,
  leaf,
  outcome,
  pointName,
  verify,
} from '../../support/x509.ts'

const root = ca('root')
const good = leaf('good', root)
const bad = leaf('bad', root)
const rootCrl = crl(root, { revoked: [bad] })

const judge = (crls: readonly Uint8Array[], end: Identity = good, options: VerifyOptions = {}): string =>
  outcome(verify([root, end], { crls, ...options }))

describe('a list', () => {
  it('X509-84 clears and refuses certificates', () => {
    expect(judge([rootCrl])).toBe('verified')
    expect(verify([root, bad], { crls: [rootCrl] })).toMatchObject({ problem: 'revoked', subject: 'CN=bad' })
  })

  it('X509-84 is needed for every certificate of the path', () => {
    const middle = ca('middle', root)
    const end = leaf('end', middle)
    const of = (...crls: Uint8Array[]): string => outcome(verify([root, middle, end], { crls }))
    expect(of(rootCrl)).toBe('crl-missing')
    expect(of(crl(middle))).toBe('crl-missing')
    expect(of(rootCrl, crl(middle))).toBe('verified')
    expect(of(crl(root, { revoked: [middle] }), crl(middle))).toBe('revoked')
    expect(of(rootCrl, crl(middle, { revoked: [end] }))).toBe('revoked')
  })

  it('X509-84 of an anchor counts against the anchor itself', () => {
    expect(judge([crl(root, { revoked: [root] })])).toBe('revoked')
    const self = issue('self', { extensions: [keyUsage('digitalSignature', 'cRLSign')] })
    expect(outcome(verify([self], { crls: [rootCrl] }))).toBe('crl-missing')
    expect(outcome(verify([self], { crls: [crl(self)] }))).toBe('verified')
    expect(outcome(verify([self], { crls: [crl(self, { revoked: [self] })] }))).toBe('revoked')
  })

  it('X509-89 that is missing may be accepted, an expired or unusable one never', () => {
    const other = crl(ca('other'))
    expect(judge([other])).toBe('crl-missing')
    expect(judge([other], good, { missingCrl: 'accept' })).toBe('verified')
    expect(judge([crl(root, { nextUpdate: PKI_NOW })], good, { missingCrl: 'accept' })).toBe('crl-expired')
    expect(judge([rootCrl], bad, { missingCrl: 'accept' })).toBe('revoked')
    const broken = crl(root, { signer: other === rootCrl ? root : bad })
    expect(judge([broken], good, { missingCrl: 'accept' })).toBe('crl-unusable')
  })

  it('X509-85 is current from thisUpdate, inclusive, to nextUpdate, exclusive', () => {
    const from = (thisUpdate: number, nextUpdate: number): string => judge([crl(root, { thisUpdate, nextUpdate })])
    expect(from(PKI_NOW, PKI_NOW + 1000)).toBe('verified')
    expect(from(PKI_NOW + 1000, PKI_NOW + 2000)).toBe('crl-not-yet-valid')
    expect(from(PKI_NOW - 1000, PKI_NOW)).toBe('crl-expired')
    expect(from(PKI_NOW - 1000, PKI_NOW + 1000)).toBe('verified')
  })

  it('X509-85 without nextUpdate is not used', () => {
    const [tbs, algorithm] = parseDer(crl(root), new DerBudget(100)).children
    const withEnd = tbs!.children.map(({ bytes }) => bytes)
    const endless = derSequence(...withEnd.filter((_, index) => index !== 4))
    const signature = noble.sign({ type: 'ecdsa', hash: 'SHA256' }, root.key, endless, seededSource('endless'))
    const list = derSequence(endless, algorithm!.bytes, derBits(signature))
    expect(readCrl(list).nextUpdate).toBeUndefined()
    expect(judge([list])).toBe('crl-unusable')
  })

  it('X509-86 needs a signature of its issuer', () => {
    expect(judge([crl(root, { signer: bad })])).toBe('crl-unusable')
    const forged = rootCrl.slice()
    forged[60] = (forged[60]! ^ 1) & 255
    expect(judge([forged])).not.toBe('verified')
    let accepted = 0
    for (let bit = 0; bit < rootCrl.length * 8; bit += 7) {
      const mutated = rootCrl.slice()
      mutated[bit >> 3] = mutated[bit >> 3]! ^ (1 << (bit & 7))
      try {
        if (judge([mutated]) === 'verified') accepted++
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError)
      }
    }
    expect(accepted).toBe(0)
  })

  it('X509-86 needs an issuer that may sign lists', () => {
    const noSign = ca('no crl sign', undefined, { extensions: [keyUsage('keyCertSign')] })
    expect(outcome(verify([noSign, leaf('x', noSign)], { crls: [crl(noSign)] }))).toBe('crl-unusable')
    const noUsage = ca('no usage', undefined, {
      kind: 'bare',
      extensions: [ext('basicConstraints', derSequence(new Uint8Array([1, 1, 255])))],
    })
    expect(outcome(verify([noUsage, leaf('x', noUsage)], { crls: [crl(noUsage)] }))).toBe('verified')
  })

  it('X509-86 is judged by the certificate profile', () => {
    const bytes = (hash: 'SHA1' | 'SHA512'): CrlOptions => ({ ...({ signature: { type: 'ecdsa', hash } } as object) })
    expect(judge([crl(root, bytes('SHA1'))])).toBe('crl-unusable')
    expect(judge([crl(root, bytes('SHA512'))])).toBe('verified')
    expect(judge([crl(root, bytes('SHA512'))], good, { profile: 'suiteb' })).toBe('crl-unusable')
  })

  it('X509-81 with unknown critical extensions is not used', () => {
    expect(judge([crl(root, { extensions: [ext('1.2.3', derNull(), true)] })])).toBe('crl-unusable')
    expect(judge([crl(root, { extensions: [ext('1.2.3', derNull())] })])).toBe('verified')
    const entry = (extension: Extension): Uint8Array =>
      crl(root, { revoked: [{ identity: bad, extensions: [extension] }] })
    expect(judge([entry(ext('1.2.3', derNull(), true))])).toBe('crl-unusable')
    expect(judge([entry(ext('1.2.3', derNull()))])).toBe('verified')
    expect(judge([entry(ext('1.2.3', derNull()))], bad)).toBe('revoked')
    const named = ext('certificateIssuer', derSequence(der(0xa4, writeName([['CN', 'x']]))), true)
    expect(judge([entry(named)])).toBe('crl-unusable')
  })

  it('X509-88 newer than another of the same scope takes its place', () => {
    const older = crl(root, { thisUpdate: PKI_NOW - 7200_000, revoked: [good] })
    expect(judge([older])).toBe('revoked')
    expect(judge([older, crl(root)])).toBe('verified')
    expect(judge([crl(root), older])).toBe('verified')
    expect(judge([crl(root, { thisUpdate: PKI_NOW - 7200_000 }), crl(root, { revoked: [good] })])).toBe('revoked')
    const unusable = crl(root, { thisUpdate: PKI_NOW - 1000, signer: bad })
    expect(judge([unusable, older])).toBe('revoked')
  })

  it('of several in one file is found by its issuer, not by serial number alone', () => {
    const other = ca('other')
    const twin = leaf('twin', other, { serial: bad.certificate.serial })
    const pem = [other, root]
      .map((issuer) => writePem('X509 CRL', crl(issuer, issuer === root ? { revoked: [bad] } : {})))
      .join('\n')
    const verifier = createPeerVerifier({ ca: [root.der, other.der], crls: pem })
    expect(outcome(verifier.verify([twin.der], 'server', PKI_NOW, noble))).toBe('verified')
    expect(outcome(verifier.verify([bad.der], 'server', PKI_NOW, noble))).toBe('revoked')
  })
})

describe('scope', () => {
  it('X509-82 by kind of certificate', () => {
    const middle = ca('middle', root)
    const end = leaf('end', middle)
    const forRoot = (point: Extension): string =>
      outcome(verify([root, middle, end], { crls: [crl(root, { extensions: [point] }), crl(middle)] }))
    const forMiddle = (point: Extension): string =>
      outcome(verify([root, middle, end], { crls: [crl(root), crl(middle, { extensions: [point] })] }))
    expect(forRoot(issuingPoint(flag(0x82)))).toBe('verified')
    expect(forRoot(issuingPoint(flag(0x81)))).toBe('crl-unusable')
    expect(forRoot(issuingPoint(flag(0x85)))).toBe('crl-unusable')
    expect(forMiddle(issuingPoint(flag(0x81)))).toBe('verified')
    expect(forMiddle(issuingPoint(flag(0x82)))).toBe('crl-unusable')
  })

  it('X509-82 by distribution point', () => {
    const pointed = leaf('pointed', root, { extensions: [distributionPoint(pointName('point'))] })
    const at = (name: string, options: CrlOptions = {}): Uint8Array =>
      crl(root, { ...options, extensions: [issuingPoint(pointName(name))] })
    expect(judge([at('point')], pointed)).toBe('verified')
    expect(judge([at('point', { revoked: [pointed] })], pointed)).toBe('revoked')
    expect(judge([at('elsewhere')], pointed)).toBe('crl-unusable')
    expect(judge([rootCrl], pointed)).toBe('verified')
    expect(judge([at('point')], good)).toBe('crl-unusable')
    expect(judge([at('elsewhere', { revoked: [pointed] }), at('point')], pointed)).toBe('verified')
  })

  it('X509-82 by a name relative to the issuer', () => {
    const relative = der(
      0xa0,
      der(0xa1, derSequence(der(6, new Uint8Array([0x55, 4, 3])), der(0x0c, new Uint8Array([0x70])))),
    )
    const pointed = leaf('pointed', root, { extensions: [distributionPoint(relative)] })
    const full = der(
      0xa0,
      der(
        0xa0,
        der(
          0xa4,
          writeName([
            ['CN', 'root'],
            ['CN', 'p'],
          ]),
        ),
      ),
    )
    expect(judge([crl(root, { extensions: [issuingPoint(full)] })], pointed)).toBe('verified')
    expect(judge([crl(root, { extensions: [issuingPoint(relative)] })], pointed)).toBe('verified')
    expect(judge([crl(root, { extensions: [issuingPoint(pointName('p'))] })], pointed)).toBe('crl-unusable')
  })

  it('X509-84 by reasons, which must be covered together', () => {
    const some = issuingPoint(derNamedBits(0b10, 0x83))
    const rest = issuingPoint(derNamedBits(0b1_1111_1100, 0x83))
    expect(judge([crl(root, { extensions: [some] })])).toBe('crl-unusable')
    expect(judge([crl(root, { extensions: [some] }), crl(root, { extensions: [rest] })])).toBe('verified')
    expect(judge([crl(root, { extensions: [some] }), crl(root, { extensions: [rest], revoked: [good] })])).toBe(
      'revoked',
    )
  })

  it('X509-83 counts lists of the issuer without a distribution point of their own', () => {
    const elsewhere = leaf('x', root, { extensions: [distributionPoint(pointName('somewhere else'))] })
    expect(judge([rootCrl], elsewhere)).toBe('verified')
    const partial = leaf('x', root, { extensions: [distributionPoint(pointName('p'), derNamedBits(0b10, 0x81))] })
    expect(judge([crl(root, { extensions: [issuingPoint(pointName('p'))] })], partial)).toBe('crl-unusable')
    expect(judge([rootCrl], partial)).toBe('verified')
  })
})

describe('files and directories', () => {
  it('X509-92 can be replaced while running', () => {
    const verifier = createPeerVerifier({ ca: [root.der], crls: [crl(root)] })
    const now = (): string => outcome(verifier.verify([bad.der], 'server', PKI_NOW, noble))
    expect(now()).toBe('verified')
    verifier.replaceCrls(writePem('X509 CRL', rootCrl))
    expect(now()).toBe('revoked')
    verifier.replaceCrls([crl(root)])
    expect(now()).toBe('verified')
    verifier.replaceRevokedSerials([serialDecimal(bad.certificate.serial)])
    expect(now()).toBe('revoked')
    verifier.replaceRevokedSerials([])
    expect(now()).toBe('verified')
    expect(() => verifier.replaceCrls('nothing')).toThrow(ConfigError)
    expect(now()).toBe('verified')
  })

  it('X509-91 revoke by decimal serial number, at any height', () => {
    const middle = ca('middle', root, { serial: new Uint8Array([1, 0, 0]) })
    const end = leaf('end', middle, { serial: new Uint8Array([0xff, 0xff]) })
    const listed = (...revokedSerials: string[]): string => outcome(verify([root, middle, end], { revokedSerials }))
    expect(listed()).toBe('verified')
    expect(listed('65535')).toBe('revoked')
    expect(listed('65536')).toBe('revoked')
    expect(listed('99999', '0', '', 'index.txt', 'FFFF')).toBe('verified')
    expect(serialDecimal(new Uint8Array([0xff]))).toBe('-1')
    expect(serialDecimal(new Uint8Array([0]))).toBe('0')
  })

  it('X509-37 need CA certificates, and lists that can be read', () => {
    const options = { peerFingerprints: ['00'.repeat(32)], crls: [rootCrl] }
    expect(() => createPeerVerifier(options)).toThrow(ConfigError)
    for (const crls of ['', 'text', writePem('CERTIFICATE', root.der), [new Uint8Array([1])], [root.der], []]) {
      expect(() => createPeerVerifier({ ca: [root.der], crls })).toThrow(ConfigError)
    }
  })

  it('read large lists, quickly', () => {
    const many = Array.from({ length: 20000 }, (_, i) =>
      derSequence(derInteger(i + 1), der(0x17, new Uint8Array(Buffer.from('240101000000Z')))),
    )
    const parsed = readCrl(rootCrl)
    const fields = [
      derInteger(1),
      derSequence(der(6, new Uint8Array([0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]))),
      parsed.issuer.der,
    ]
    const times = [0, 1].map(() => der(0x17, new Uint8Array(Buffer.from('240101000000Z'))))
    const list = derSequence(
      derSequence(...fields, ...times, derSequence(...many)),
      fields[1]!,
      der(3, new Uint8Array([0, 1])),
    )
    const entries = [...readCrl(list).entries.values()][0]
    expect(entries?.size).toBe(20000)
    expect(entries?.has('4e20')).toBe(true)
  })

  it('X509-93 with a serial number in another form cannot hide a certificate', () => {
    for (const padding of [[0], [0, 0]]) {
      const serial = new Uint8Array([...padding, ...bad.certificate.serial])
      const padded = crl(root, { revoked: [{ ...bad, certificate: { ...bad.certificate, serial } }] })
      expect(() => judge([padded], bad)).toThrow(ConfigError)
    }
    const empty = crl(root, { revoked: [{ ...bad, certificate: { ...bad.certificate, serial: new Uint8Array() } }] })
    expect(() => judge([empty], bad)).toThrow(ConfigError)
  })

  it('X509-80 refuse malformed lists', () => {
    const entry = derSequence(derInteger(5), derNull())
    for (const bytes of [
      new Uint8Array(),
      derNull(),
      derSequence(),
      derSequence(derSequence(), derSequence(), derSequence()),
      entry,
    ]) {
      expect(() => readCrl(bytes)).toThrow()
    }
    expect(() => readCrl(new Uint8Array(17 * 1024 * 1024))).toThrow('longer')
  })
})
