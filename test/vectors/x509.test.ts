/** Files that OpenSSL made: private keys in every form, PKCS#12 bundles, and what must not be taken. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ConfigError, fromBase64, toBase64 } from '../../src/bytes/index.ts'
import type { PrivateKey } from '../../src/crypto/index.ts'
import { noble } from '../../src/crypto/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { defaultSignature, parsePkcs12, parsePrivateKey, writePkcs8, writePublicKeyInfo } from '../../src/x509/index.ts'
import { seededSource } from '../support/random.ts'

interface Failing {
  readonly option?: string
  readonly says?: string
}
interface KeyCase extends Failing {
  readonly name: string
  readonly pem: string
  readonly passphrase?: string
  readonly publicKeyInfo?: string
}
interface BundleCase extends Failing {
  readonly name: string
  readonly p12: string
  readonly password: string
  readonly certificate?: string
  readonly others?: readonly string[]
  readonly publicKeyInfo?: string
}

function load(name: string): readonly unknown[] {
  const text = readFileSync(new URL(`../../vectors/x509/${name}.json`, import.meta.url), 'utf8')
  return (JSON.parse(text) as { cases: unknown[] }).cases
}
const bytes = (text: string): Uint8Array => fromBase64(text.replace(/\s/g, '')) ?? expect.fail('not base64')

function refuses({ option, says }: Failing, act: () => unknown): void {
  let error: unknown
  try {
    act()
  } catch (caught) {
    error = caught
  }
  expect(error).toBeInstanceOf(ConfigError)
  expect((error as ConfigError).option).toBe(option)
  expect((error as ConfigError).message).toContain(says)
}

/** The secret belongs to the public key: what one signs the other verifies. */
function works(key: PrivateKey): void {
  const algorithm = defaultSignature(key.public)
  const message = new Uint8Array([1, 2, 3])
  const signature = noble.sign(algorithm, key, message, seededSource('vectors'))
  expect(noble.verify(algorithm, key.public, message, signature)).toBe(true)
}

describe('private keys made by OpenSSL', () => {
  const cases = load('private-keys') as readonly KeyCase[]

  it('are 59, of which 38 can be used', () => {
    expect(cases.length).toBe(59)
    expect(cases.filter(({ publicKeyInfo }) => publicKeyInfo !== undefined).length).toBe(38)
  })

  it.each(cases)('X509-40, X509-42, X509-44, X509-46 $name', (test) => {
    if (test.publicKeyInfo === undefined) {
      refuses(test, () => parsePrivateKey(test.pem, test.passphrase))
      return
    }
    const key = parsePrivateKey(test.pem, test.passphrase)
    expect(toBase64(writePublicKeyInfo(key.public))).toBe(test.publicKeyInfo)
    expect(parsePrivateKey(writePkcs8(key))).toEqual(key)
    works(key)
    // The headers of the old form do not survive without the PEM around them.
    if (test.pem.includes('Proc-Type')) return
    const body = /-----BEGIN [A-Z ]*PRIVATE KEY-----([^-]*)-----END/.exec(test.pem)![1]!
    expect(parsePrivateKey(bytes(body), test.passphrase)).toEqual(key)
  })

  it('X509-42, X509-46 triple DES opens where the provider has it, and under the right passphrase only', () => {
    const names = ['encrypted under PBES1', 'old encrypted PEM, DES']
    for (const { passphrase, pem } of cases.filter(({ name }) => names.includes(name))) {
      works(parsePrivateKey(pem, passphrase, nodeCrypto))
      for (const wrong of ['', `${passphrase} `, 'wrong']) {
        refuses({ option: 'askpass', says: 'does not open' }, () => parsePrivateKey(pem, wrong, nodeCrypto))
      }
      refuses({ option: 'askpass', says: 'give its passphrase' }, () => parsePrivateKey(pem, undefined, nodeCrypto))
    }
    expect(cases.filter(({ name }) => names.includes(name))).toHaveLength(2)
  })

  it('X509-42 nothing opens under 600 wrong passphrases, and no other header is taken', () => {
    const { pem } = cases.find(({ name }) => name === 'old encrypted PEM, AES')!
    for (let i = 0; i < 600; i++)
      refuses({ option: 'askpass', says: 'does not open' }, () => parsePrivateKey(pem, `${i}`))
    const unknown = ['AES-128-CBC,zz', 'AES-128-CBC', 'AES-128-CFB,5C1D04896001494E5ED2E58061A77B23', 'RC2-40-CBC,00']
    for (const header of unknown) {
      const changed = pem.replace(/DEK-Info: .*/, `DEK-Info: ${header}`)
      refuses({ option: 'key', says: header.endsWith('CBC') ? 'vector' : 'openssl pkcs8' }, () =>
        parsePrivateKey(changed, 'abcd'),
      )
    }
    const short = pem.replace('ioyo\n-----END', '\n-----END')
    refuses({ option: 'key', says: 'cut short' }, () => parsePrivateKey(short, 'abcd'))
  })
})

describe('PKCS#12 bundles made by OpenSSL', () => {
  const cases = load('pkcs12') as readonly BundleCase[]

  it('are 19, of which 13 can be used', () => {
    expect(cases.length).toBe(19)
    expect(cases.filter(({ certificate }) => certificate !== undefined).length).toBe(13)
  })

  it.each(cases)('X509-47, X509-48, X509-49 $name', (test) => {
    if (test.certificate === undefined) {
      refuses(test, () => parsePkcs12(bytes(test.p12), test.password))
      return
    }
    const { privateKey, certificate, others } = parsePkcs12(bytes(test.p12), test.password)
    expect(toBase64(certificate)).toBe(test.certificate)
    expect(others.map(toBase64)).toEqual(test.others)
    expect(toBase64(writePublicKeyInfo(privateKey.public))).toBe(test.publicKeyInfo)
    works(privateKey)
  })

  it('X509-49 triple DES opens where the provider has it', () => {
    const { p12, password } = cases.find(({ name }) => name === '3DES')!
    const { privateKey, certificate } = parsePkcs12(bytes(p12), password, nodeCrypto)
    expect(certificate.length).toBeGreaterThan(200)
    works(privateKey)
    refuses({ option: 'askpass', says: 'password' }, () => parsePkcs12(bytes(p12), 'Secret', nodeCrypto))
    const rc2 = cases.find(({ name }) => name.includes('RC2'))!
    refuses({ option: 'pkcs12', says: '-legacy' }, () => parsePkcs12(bytes(rc2.p12), rc2.password, nodeCrypto))
  })

  it('X509-47 no changed bundle is opened', () => {
    const bundle = bytes(cases[0]!.p12)
    let opened = 0
    for (let at = 0; at < bundle.length; at += 97) {
      const changed = bundle.slice()
      changed[at] = (changed[at]! ^ 0x10) & 255
      try {
        const contents = parsePkcs12(changed, cases[0]!.password)
        // Only the MAC's own description may differ, as long as the MAC still fits.
        if (toBase64(contents.certificate) !== cases[0]!.certificate) opened++
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError)
      }
    }
    expect(opened).toBe(0)
  })
})
