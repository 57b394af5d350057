import { execFileSync } from 'node:child_process'
import { describe, expect, it, vi } from 'vitest'
import { toHex } from '../../../src/bytes/index.ts'
import {
  type CryptoProvider,
  digest,
  expandLabel,
  HASH_LENGTH,
  type HashName,
  noble,
  type SignatureAlgorithm,
  tls1Prf,
} from '../../../src/crypto/index.ts'
import { SeededRandom } from '../../support/random.ts'
import { fixedKey, providers } from './providers.ts'

/** Runs one of everything from one random source and writes down all that comes out. */
function transcript(crypto: CryptoProvider, seed: string): string[] {
  const random = new SeededRandom(seed)
  const out: string[] = []
  const draw = (length: number): Uint8Array => {
    out.push(`draw ${length}`)
    return random.bytes(length)
  }
  const data = random.fork('data')
  for (const hash of Object.keys(HASH_LENGTH) as HashName[]) {
    out.push(toHex(digest(crypto, hash, data.bytes(77))))
    out.push(toHex(crypto.createHmac(hash, data.bytes(30)).update(data.bytes(99)).finish()))
  }
  out.push(toHex(tls1Prf(crypto, data.bytes(48), data.bytes(80), 256)))
  out.push(toHex(expandLabel(crypto, 'SHA384', data.bytes(48), 'ovpn ', 'data key', data.bytes(0), 44)))
  for (const length of [10, 320, 321, 700, 900, 1400]) {
    for (const [algorithm, keyLength] of [
      ['AES-128-GCM', 16],
      ['AES-192-GCM', 24],
      ['AES-256-GCM', 32],
      ['CHACHA20-POLY1305', 32],
    ] as const) {
      const bytes = data.bytes(length + 40)
      crypto.createAead(algorithm, data.bytes(keyLength)).seal(bytes, 0, 8, 24, length, 8, data.bytes(12))
      out.push(toHex(bytes))
    }
    const bytes = data.bytes(1408)
    crypto.createCbc('AES-256-CBC', data.bytes(32))?.encrypt(bytes, 0, (length >> 4) << 4, data.bytes(16), 0)
    crypto.createCtr(data.bytes(32)).apply(bytes, 0, length, data.bytes(16))
    out.push(toHex(bytes))
  }
  for (const group of ['x25519', 'secp256r1', 'secp384r1', 'secp521r1', 'X25519MLKEM768'] as const) {
    const share = crypto.createKeyShare(group, draw)
    const response = crypto.respondKeyShare(group, share.share, draw)
    out.push(toHex(share.share), toHex(response!.share), toHex(response!.secret))
  }
  const signatures: [string, SignatureAlgorithm][] = [
    ['P-256', { type: 'ecdsa', hash: 'SHA256' }],
    ['P-384', { type: 'ecdsa', hash: 'SHA384' }],
    ['P-521', { type: 'ecdsa', hash: 'SHA512' }],
    ['ed25519', { type: 'ed25519' }],
    ['rsa-2048', { type: 'rsa-pss', hash: 'SHA256', saltLength: 32 }],
    ['rsa-2048', { type: 'rsa-pkcs1', hash: 'SHA384' }],
  ]
  for (const [name, algorithm] of signatures) {
    out.push(toHex(crypto.sign(algorithm, fixedKey(name), data.bytes(64), draw)))
  }
  return out
}

describe('determinism', () => {
  it('CRY-35 the same randomness gives the same bytes in every provider, drawn in the same order', () => {
    for (const seed of ['one', 'two']) {
      const [expected, ...others] = providers.map((crypto) => transcript(crypto, seed))
      expect(expected!.length).toBe(80)
      expect(others.length).toBeGreaterThan(0)
      for (const other of others) expect(other).toEqual(expected)
      expect(transcript(noble, seed)).toEqual(expected)
    }
    expect(transcript(noble, 'one')).not.toEqual(transcript(noble, 'two'))
  })

  it('CRY-2 the portable provider never asks the host for randomness', () => {
    const spy = vi.spyOn(globalThis.crypto, 'getRandomValues')
    transcript(noble, 'spied')
    expect(spy).not.toHaveBeenCalled()
    spy.mockRestore()
  })

  it('CRY-2 nor does importing it', () => {
    const script = `
      let calls = 0
      globalThis.crypto.getRandomValues = (array) => { calls++; return array }
      const { noble } = await import(${JSON.stringify(new URL('../../../src/crypto/index.ts', import.meta.url).href)})
      noble.createKeyShare('secp256r1', (length) => new Uint8Array(length).fill(1))
      console.log(calls)
    `
    const output = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      encoding: 'utf8',
    })
    expect(output).toBe('0\n')
  })
})
