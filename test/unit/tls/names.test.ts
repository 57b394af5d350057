/** The words of profiles, and configurations that cannot work. */
import { describe, expect, it } from 'vitest'
import { noble } from '../../../src/crypto/index.ts'
import {
  CIPHER_SUITES,
  type CipherSuiteName,
  opensslCipherName,
  parseTlsCipher,
  parseTlsCiphersuites,
  parseTlsGroups,
  parseTlsVersion,
  profileRestrictions,
  type SignatureSchemeName,
  type TlsConfig,
  TlsConnection,
} from '../../../src/tls/index.ts'
import type { GroupName } from '../../../src/crypto/index.ts'
import { toyPki } from '../../support/pki.ts'
import { anonymous, config, NOW } from './support.ts'

describe('tls-cipher', () => {
  it('TLS-35 TLS12-14 every 1.2 suite by each of its own names', () => {
    const suites = CIPHER_SUITES.filter(({ version }) => version === 'TLSv1.2')
    expect(suites).toHaveLength(14)
    for (const { name } of suites) {
      for (const spelling of [name, name.replaceAll('_', '-'), opensslCipherName(name), name.toLowerCase()]) {
        expect(parseTlsCipher(spelling)).toEqual({ names: [name], unknown: [] })
      }
    }
    expect(opensslCipherName('TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384')).toBe('ECDHE-RSA-AES256-GCM-SHA384')
    expect(opensslCipherName('TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256')).toBe('ECDHE-ECDSA-CHACHA20-POLY1305')
    expect(opensslCipherName('TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA')).toBe('ECDHE-RSA-AES128-SHA')
    expect(opensslCipherName('TLS_AES_128_GCM_SHA256')).toBe('TLS_AES_128_GCM_SHA256')
  })

  it('TLS-35 lists as profiles have them', () => {
    const names = (text: string) => parseTlsCipher(text).names.map(opensslCipherName)
    expect(names('ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256')).toEqual([
      'ECDHE-RSA-AES256-GCM-SHA384',
      'ECDHE-RSA-AES128-GCM-SHA256',
    ])
    expect(names('DEFAULT:!EXP:!LOW:!MEDIUM')).toHaveLength(6)
    expect(names('ECDHE+AESGCM')).toHaveLength(4)
    expect(names('ECDHE+CHACHA20:!ECDSA')).toEqual(['ECDHE-RSA-CHACHA20-POLY1305'])
    expect(names('HIGH:-AES128')).toHaveLength(4)
    expect(names('HIGH:!ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384')).not.toContain(
      'ECDHE-RSA-AES256-GCM-SHA384',
    )
    expect(
      names('ALL:+CHACHA20')
        .slice(-2)
        .every((name) => name.includes('CHACHA20')),
    ).toBe(true)
    expect(names('ALL:@SECLEVEL=0')).toHaveLength(6)
  })

  it('TLS-35 names that mean nothing here are reported and left out', () => {
    const text = 'TLS-DHE-RSA-WITH-AES-256-GCM-SHA384:TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384:RC4-MD5'
    expect(parseTlsCipher(text)).toEqual({
      names: ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'],
      unknown: ['TLS-DHE-RSA-WITH-AES-256-GCM-SHA384', 'RC4-MD5'],
    })
    expect(parseTlsCipher('TLS_AES_128_GCM_SHA256').names).toEqual([])
  })

  it('TLS-35 tls-ciphersuites, tls-groups and versions', () => {
    expect(parseTlsCiphersuites('TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256')).toEqual({
      names: ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'],
      unknown: ['TLS_AES_128_CCM_SHA256'],
    })
    expect(parseTlsGroups('X25519MLKEM768:X25519:prime256v1:P-384:secp521r1:P-256:ffdhe2048')).toEqual({
      names: ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1', 'secp521r1'],
      unknown: ['ffdhe2048'],
    })
    expect(parseTlsGroups('?*X25519MLKEM768 / ?*X25519:?secp256r1').names).toEqual([
      'X25519MLKEM768',
      'x25519',
      'secp256r1',
    ])
    expect(['1.0', '1.1', '1.2', '1.3', '1.4', ''].map(parseTlsVersion)).toEqual([
      'TLSv1.2',
      'TLSv1.2',
      'TLSv1.2',
      'TLSv1.3',
      undefined,
      undefined,
    ])
  })

  it('TLS-35 tls-cert-profile suiteb leaves ECDSA and AES-GCM on two curves', () => {
    const { cipherSuites, groups, signatureSchemes } = profileRestrictions('suiteb')
    expect(cipherSuites).toHaveLength(4)
    expect(groups).toEqual(['secp256r1', 'secp384r1'])
    expect(signatureSchemes).toEqual(['ecdsa_secp256r1_sha256', 'ecdsa_secp384r1_sha384'])
    expect(profileRestrictions('preferred')).toEqual({})
  })
})

describe('configurations', () => {
  const build = (over: TlsConfig) =>
    new TlsConnection(over, { unixTime: NOW, random: (length) => new Uint8Array(length), crypto: noble })

  it('TLS-36 that cannot work are refused, naming the directive', () => {
    const keyOnly: TlsConfig = { ...anonymous(), privateKey: toyPki('P-256').client.key }
    const bad: readonly (readonly [string, TlsConfig])[] = [
      ['tls-version-min', config('client', { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' })],
      ['cert', { ...anonymous(), role: 'server' }],
      ['cert', keyOnly],
      ['cert', config('server', { certificateChain: [] })],
      ['key', { ...anonymous(), certificateChain: [toyPki('P-256').client.der] }],
      ['ca', { role: 'client' }],
      ['tls-cipher', config('client', { cipherSuites: ['NONE' as CipherSuiteName] })],
      ['tls-ciphersuites', config('client', { cipherSuites: ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'] })],
      ['tls-cipher', config('client', { maxVersion: 'TLSv1.2', cipherSuites: ['TLS_AES_128_GCM_SHA256'] })],
      ['tls-groups', config('client', { groups: [] })],
      ['tls-groups', config('client', { groups: ['sect163k1' as GroupName] })],
      ['tls-groups', config('client', { maxVersion: 'TLSv1.2', groups: ['X25519MLKEM768'] })],
      ['tls-cert-profile', config('client', { signatureSchemes: ['rsa_pkcs1_sha1' as SignatureSchemeName] })],
      ['key', config('client', { signingSchemes: ['ed25519'] })],
      ['maxFragment', config('client', { maxFragment: 16_385 })],
      ['maxFragment', config('client', { maxFragment: 63 })],
      ['maxClientHello', config('server', { maxClientHello: 1.5 })],
      ['maxCertificateMessage', config('client', { maxCertificateMessage: 0 })],
    ]
    for (const [option, over] of bad) {
      expect(() => build(over)).toThrow(expect.objectContaining({ name: 'ConfigError', option }))
    }
    expect(bad).toHaveLength(18)
  })

  it('TLS-36 a verifier is needed by whoever asks for certificates', () => {
    const { certificateChain, privateKey } = config('server')
    const server: TlsConfig = {
      role: 'server',
      clientAuth: 'required',
      ...(certificateChain && { certificateChain }),
      ...(privateKey && { privateKey }),
    }
    expect(() => build(server)).toThrow(expect.objectContaining({ option: 'ca' }))
    expect(build({ ...server, clientAuth: 'none' }).stateName).toBe('expect-client-hello')
  })
})
