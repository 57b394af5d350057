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
function transcript(crypto: CryptoProvider, seed: string, wrap = (bytes: Uint8Array) => bytes): string[] {
  const random = new SeededRandom(seed)
  const out: string[] = []
  const draw = (length: number): Uint8Array => {
    out.push(`draw ${length}`)
    return give(random.bytes(length))
  }
  const given: [Uint8Array, string][] = []
  const give = (bytes: Uint8Array): Uint8Array => {
    const wrapped = wrap(bytes)
    given.push([wrapped, toHex(bytes)])
    return wrapped
  }
  const fork = random.fork('data')
  const data = { bytes: (length: number) => give(fork.bytes(length)) }
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
      const bytes = wrap(fork.bytes(length + 40))
      crypto.createAead(algorithm, data.bytes(keyLength)).seal(bytes, 0, 8, 24, length, 8, data.bytes(12))
      out.push(toHex(bytes))
    }
    const bytes = wrap(fork.bytes(1408))
    crypto.createCbc('AES-256-CBC', data.bytes(32))?.encrypt(bytes, 0, (length >> 4) << 4, data.bytes(16), 0)
    crypto.createCtr(data.bytes(32)).apply(bytes, 0, length, data.bytes(16))
    out.push(toHex(bytes))
  }
  for (const group of ['x25519', 'secp256r1', 'secp384r1', 'secp521r1', 'X25519MLKEM768'] as const) {
    const share = crypto.createKeyShare(group, draw)
    const response = crypto.respondKeyShare(group, give(share.share), draw)
    expect(share.agree(give(response!.share))).toEqual(response!.secret)
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
    const message = data.bytes(64)
    const signature = crypto.sign(algorithm, fixedKey(name), message, draw)
    expect(crypto.verify(algorithm, fixedKey(name).public, message, give(signature))).toBe(true)
    out.push(toHex(signature))
  }
  expect(given.filter(([bytes, before]) => toHex(bytes) !== before)).toEqual([])
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

  it.each(providers)('$name takes Node buffers for bytes, and changes no input', (crypto) => {
    const pool = Buffer.alloc(64_000)
    let used = 0
    const wrap = (bytes: Uint8Array): Uint8Array => {
      const buffer = pool.subarray(used, (used += bytes.length))
      buffer.set(bytes)
      return buffer
    }
    expect(transcript(crypto, 'one', wrap)).toEqual(transcript(crypto, 'one'))
    const secret = wrap(new Uint8Array(32).fill(7))
    const half = crypto.derivePublicKey('ed25519', secret)
    expect(half).toEqual(crypto.derivePublicKey('ed25519', new Uint8Array(32).fill(7)))
    const key = wrap((half as { key: Uint8Array }).key)
    const before = toHex(key)
    const signature = crypto.sign(
      { type: 'ed25519' },
      { type: 'ed25519', secret, public: half },
      key,
      (n) => new Uint8Array(n),
    )
    expect(crypto.verify({ type: 'ed25519' }, { type: 'ed25519', key }, key, wrap(signature))).toBe(true)
    expect([toHex(key), toHex(secret)]).toEqual([before, '07'.repeat(32)])
    const mac = crypto.createHmac('SHA256', secret)
    mac.finish()
    mac.finish()
    expect(toHex(secret)).toBe('07'.repeat(32))
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
