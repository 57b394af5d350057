/**
 * `crl-verify` and the match of certificate and key: what a profile makes of them, from a map of files and from disk.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import { inspectProfileFile } from '../../../src/node/profile-files.ts'
import { inspectProfile, parseProfile, toSessionConfig } from '../../../src/profile/index.ts'
import { issueCrl, serialDecimal, writePem } from '../../../src/x509/index.ts'
import { type Identity, PKI_NOW, toyPki } from '../../support/pki.ts'
import { seededSource } from '../../support/random.ts'

const pki = toyPki('P-256')
const other = toyPki('P-384')
const block = (name: string, text: string): string => `<${name}>\n${text.trim()}\n</${name}>\n`
const authorities = block('ca', pki.ca.pem + other.ca.pem)
const SERVER = `dev tun\nserver 10.8.0.0 255.255.255.0\n${authorities}${block('cert', pki.server.pem)}${block('key', pki.server.keyPem)}`

const folder = mkdtempSync(join(tmpdir(), 'ovpn-crl-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** A list of the first authority. */
function listOf(...revoked: readonly Identity[]): string {
  const request = {
    issuer: pki.ca.certificate,
    signingKey: pki.ca.key,
    thisUpdate: PKI_NOW - 1000,
    nextUpdate: PKI_NOW + 1000,
    revoked: revoked.map(({ certificate }) => ({ serial: certificate.serial, revocationDate: PKI_NOW - 1000 })),
  }
  return writePem('X509 CRL', issueCrl(request, noble, seededSource('crl')))
}

type Inspected = ReturnType<typeof inspectProfile>

/** What a server of the profile says about a client. */
function verdict({ profile }: Inspected, client: Identity): string {
  const found = toSessionConfig(profile).tls!.verifier!.verify([client.der], 'client', PKI_NOW, noble)
  return found.type === 'verified' ? 'verified' : found.problem
}

describe('crl-verify', () => {
  const withList = (list: string): Inspected =>
    inspectProfile(`${SERVER}crl-verify c.pem\n`, new Map([['c.pem', list]]))

  it('PROF-40 refuses who is on the list and nobody else', () => {
    expect(verdict(withList(listOf(pki.client)), pki.client)).toBe('revoked')
    expect(verdict(withList(listOf(pki.server)), pki.client)).toBe('verified')
  })

  it('PROF-40 lets certificates of an issuer without a list pass', () => {
    expect(verdict(withList(listOf(pki.client)), other.client)).toBe('verified')
  })

  it('PROF-40 takes the files of a directory for revoked serial numbers', () => {
    const serial = serialDecimal(pki.client.certificate.serial)
    const found = (file: string): Inspected => inspectProfile(`${SERVER}crl-verify gone dir\n`, new Map([[file, '']]))
    expect(verdict(found(`gone/${serial}`), pki.client)).toBe('revoked')
    expect(verdict(found(`gone/${serial}1`), pki.client)).toBe('verified')
    expect(verdict(found('gone/'), pki.client)).toBe('verified')
    expect(() => verdict(found('elsewhere/1'), pki.client)).toThrow('there is no directory "gone"')
    const beside = inspectProfile(`${SERVER}crl-verify . dir\n`, new Map([[serial, '']]))
    expect(verdict(beside, pki.client)).toBe('revoked')
  })

  it('PROF-40 finds the directory on disk', () => {
    const serial = serialDecimal(pki.client.certificate.serial)
    const path = join(folder, 'server.conf')
    writeFileSync(path, `${SERVER}crl-verify revoked dir\n`)
    expect(() => verdict(inspectProfileFile(path), pki.client)).toThrow('there is no directory')
    mkdirSync(join(folder, 'revoked'))
    expect(verdict(inspectProfileFile(path), pki.client)).toBe('verified')
    writeFileSync(join(folder, 'revoked', serial), '')
    writeFileSync(join(folder, 'revoked', 'README'), '')
    expect(verdict(inspectProfileFile(path), pki.client)).toBe('revoked')
    expect(verdict(inspectProfileFile(path), other.client)).toBe('verified')
  })
})

/** The key under the passphrase `secret`. */
function sealed(pem: string): string {
  const args = ['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-iter', '2048', '-passout', 'pass:secret']
  return execFileSync('openssl', args, { input: pem, stdio: 'pipe' }).toString()
}

describe('certificate and key', () => {
  const profile = (key: string): string =>
    `client\ndev tun\nremote a\nremote-cert-tls server\n${authorities}${block('cert', pki.client.pem)}key k\n`.replace(
      'key k\n',
      block('key', key),
    )

  it('PROF-33 are told to be no pair before anything moves', () => {
    const { problems } = inspectProfile(profile(pki.server.keyPem))
    expect(problems.filter(({ severity }) => severity === 'error').map(({ directive }) => directive)).toEqual(['key'])
    expect(() => toSessionConfig(parseProfile(profile(pki.client.keyPem)))).not.toThrow()
  })

  it.skipIf(spawnSync('openssl', ['version']).status !== 0)(
    'PROF-29 PROF-33 are compared when an encrypted key is opened, too',
    () => {
      const good = parseProfile(profile(sealed(pki.client.keyPem)))
      expect(toSessionConfig(good, { passphrase: 'secret' }).tls?.privateKey).toBeDefined()
      const text = profile(sealed(pki.server.keyPem))
      try {
        toSessionConfig(parseProfile(text), { passphrase: 'secret' })
        expect.unreachable()
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError)
        expect((error as ConfigError).message).toContain('does not belong to the certificate')
        expect((error as ConfigError).location?.line).toBe(text.split('\n').indexOf('<key>') + 1)
      }
    },
  )
})
