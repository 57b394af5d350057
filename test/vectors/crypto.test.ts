/**
 * Every provider against the vectors under vectors/crypto, and their counts.
 */
import { describe, expect, it } from 'vitest'
import { concat, toHex } from '../../src/bytes/index.ts'
import {
  type AeadAlgorithm,
  type CbcAlgorithm,
  type CurveName,
  digest,
  expandLabel,
  type GroupName,
  type HashName,
  hkdfExpand,
  hkdfExtract,
  hmac,
  type PublicKey,
  type SignatureAlgorithm,
  tls12Prf,
  tls1Prf,
} from '../../src/crypto/index.ts'
import { fixedKey, hex, providers, readCases, rsaKey, rsaPublicKey } from '../unit/crypto/providers.ts'

const noRandom = (length: number): Uint8Array => new Uint8Array(length)

describe.each(providers)('vectors with $name', (crypto) => {
  it('CRY-1 digests', () => {
    const cases = readCases<{ hash: HashName; message: string; digest: string }>('hashes.json')
    for (const c of cases) expect(toHex(digest(crypto, c.hash, hex(c.message)))).toBe(c.digest)
    expect(cases).toHaveLength(42)
  })

  it('CRY-3 MACs', () => {
    const cases = readCases<{ hash: HashName; key: string; message: string; mac: string }>('hmac.json')
    for (const c of cases) expect(toHex(hmac(crypto, c.hash, hex(c.key), hex(c.message)))).toBe(c.mac)
    expect(cases).toHaveLength(48)
  })

  it('CRY-20 CRY-21 CRY-22 CRY-23 key derivation', () => {
    interface Case {
      kind: 'hkdf' | 'label' | 'tls12' | 'tls1'
      hash: HashName
      length: number
      output: string
      ikm: string
      salt: string
      info: string
      secret: string
      prefix: string
      label: string
      context: string
      seed: string
    }
    const cases = readCases<Case>('kdf.json')
    const derive = (c: Case): Uint8Array => {
      switch (c.kind) {
        case 'hkdf':
          return hkdfExpand(crypto, c.hash, hkdfExtract(crypto, c.hash, hex(c.salt), hex(c.ikm)), hex(c.info), c.length)
        case 'label':
          return expandLabel(crypto, c.hash, hex(c.secret), c.prefix, c.label, hex(c.context), c.length)
        case 'tls12':
          return tls12Prf(crypto, c.hash, hex(c.secret), c.label, hex(c.seed), c.length)
        case 'tls1':
          return tls1Prf(crypto, hex(c.secret), hex(c.seed), c.length)
      }
    }
    for (const c of cases) expect(toHex(derive(c))).toBe(c.output)
    expect(cases).toHaveLength(17)
  })

  it('CRY-27 CRY-32 AEADs both ways', () => {
    interface Case {
      algorithm: AeadAlgorithm
      key: string
      nonce: string
      aad: string
      plaintext: string
      ciphertext: string
      tag: string
    }
    const cases = readCases<Case>('aead.json')
    for (const c of cases) {
      const aad = hex(c.aad)
      const plaintext = hex(c.plaintext)
      const aead = crypto.createAead(c.algorithm, hex(c.key))
      const buffer = concat(aad, plaintext, new Uint8Array(16))
      const tagOffset = aad.length + plaintext.length
      aead.seal(buffer, 0, aad.length, aad.length, plaintext.length, tagOffset, hex(c.nonce))
      expect(toHex(buffer)).toBe(c.aad + c.ciphertext + c.tag)
      expect(aead.open(buffer, 0, aad.length, aad.length, plaintext.length, tagOffset, hex(c.nonce))).toBe(true)
      expect(toHex(buffer)).toBe(c.aad + c.plaintext + c.tag)
    }
    expect(cases).toHaveLength(45)
  })

  it('CRY-26 CRY-30 CRY-31 block cipher modes both ways', () => {
    interface Case {
      mode: CbcAlgorithm | 'CTR'
      key: string
      iv: string
      plaintext: string
      ciphertext: string
    }
    const cases = readCases<Case>('modes.json')
    let offered = 0
    for (const c of cases) {
      const buffer = hex(c.plaintext)
      if (c.mode === 'CTR') {
        const ctr = crypto.createCtr(hex(c.key))
        ctr.apply(buffer, 0, buffer.length, hex(c.iv))
        expect(toHex(buffer)).toBe(c.ciphertext)
        ctr.apply(buffer, 0, buffer.length, hex(c.iv))
      } else {
        const cbc = crypto.createCbc(c.mode, hex(c.key))
        if (cbc === undefined) continue
        cbc.encrypt(buffer, 0, buffer.length, hex(c.iv), 0)
        expect(toHex(buffer)).toBe(c.ciphertext)
        cbc.decrypt(buffer, 0, buffer.length, hex(c.iv), 0)
      }
      expect(toHex(buffer)).toBe(c.plaintext)
      offered++
    }
    expect(cases).toHaveLength(16)
    expect(offered).toBe(crypto.name === 'noble' ? 15 : 16)
  })

  it('CRY-7 CRY-12 CRY-18 signatures, made and verified', () => {
    interface Case {
      type: 'ecdsa' | 'ed25519' | 'rsa-pkcs1'
      curve: CurveName
      hash: HashName
      secret: string
      public: string
      key: string
      message: string
      signature: string
    }
    const cases = readCases<Case>('signatures.json')
    for (const c of cases) {
      const algorithm: SignatureAlgorithm = c.type === 'ed25519' ? { type: 'ed25519' } : { type: c.type, hash: c.hash }
      const key = (() => {
        if (c.type === 'rsa-pkcs1') return fixedKey(c.key)
        const secret = hex(c.secret)
        if (c.type === 'ed25519') {
          const half = crypto.derivePublicKey('ed25519', secret)
          expect(half).toEqual({ type: 'ed25519', key: hex(c.public) })
          return { type: 'ed25519', secret, public: half } as const
        }
        return { type: 'ec', curve: c.curve, secret, public: crypto.derivePublicKey(c.curve, secret) } as const
      })()
      expect(toHex(crypto.sign(algorithm, key, hex(c.message), noRandom))).toBe(c.signature)
      expect(crypto.verify(algorithm, key.public, hex(c.message), hex(c.signature))).toBe(true)
      expect(crypto.verify(algorithm, key.public, hex(c.message + '00'), hex(c.signature))).toBe(false)
    }
    expect(cases).toHaveLength(33)
  })

  it('CRY-8 CRY-11 CRY-12 CRY-13 CRY-14 CRY-18 CRY-19 signatures and keys that are wrong', () => {
    interface Case {
      type: SignatureAlgorithm['type']
      why: string
      curve: CurveName
      hash: HashName
      saltLength: number
      point: string
      key: string
      n?: string
      e?: string
      pssOnly?: boolean
      bound?: { hash: HashName; saltLength: number }
      message: string
      signature: string
      valid: boolean
    }
    const publicKey = (c: Case): PublicKey => {
      if (c.type === 'ecdsa') return { type: 'ec', curve: c.curve, point: hex(c.point) }
      if (c.type === 'ed25519') return { type: 'ed25519', key: hex(c.key) }
      const { n, e } = rsaKey(c.key)
      const key = c.n === undefined ? ({ type: 'rsa', n, e, pssOnly: false } as const) : rsaPublicKey(c.n, c.e ?? '')
      return {
        ...key,
        pssOnly: c.pssOnly ?? false,
        ...(c.bound === undefined ? {} : { pssParameters: c.bound }),
      } as PublicKey
    }
    const cases = readCases<Case>('verify.json')
    const wrong: string[] = []
    let valid = 0
    for (const c of cases) {
      const algorithm = { type: c.type, hash: c.hash, saltLength: c.saltLength } as SignatureAlgorithm
      const answer = crypto.verify(algorithm, publicKey(c), hex(c.message), hex(c.signature))
      if (answer !== c.valid) wrong.push(`${c.type} ${c.curve} ${c.key}: ${c.why}`)
      if (c.valid) valid++
    }
    expect(wrong).toEqual([])
    expect({ cases: cases.length, valid }).toEqual({ cases: 387, valid: 30 })
  })

  it('CRY-4 CRY-5 CRY-6 key agreement, with shares that must be refused', () => {
    interface Case {
      group: GroupName
      why: string
      random: string
      share?: string
      peer: string
      secret?: string
    }
    const cases = readCases<Case>('groups.json')
    let refused = 0
    for (const c of cases) {
      const draws: number[] = []
      const random = (length: number): Uint8Array => {
        draws.push(length)
        return hex(c.random)
      }
      const share = crypto.createKeyShare(c.group, random)
      if (c.share !== undefined) expect(toHex(share.share)).toBe(c.share)
      const secret = share.agree(hex(c.peer))
      expect(secret === undefined ? undefined : toHex(secret), `${c.group} ${c.why}`).toBe(c.secret)
      const response = crypto.respondKeyShare(c.group, hex(c.peer), random)
      expect(response === undefined ? undefined : toHex(response.secret), `${c.group} ${c.why}`).toBe(c.secret)
      expect(draws).toEqual([c.random.length / 2, c.random.length / 2])
      if (secret === undefined) refused++
    }
    expect({ cases: cases.length, refused }).toEqual({ cases: 86, refused: 65 })
  })
})
