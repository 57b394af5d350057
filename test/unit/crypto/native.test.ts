import { describe, expect, it } from 'vitest'
import { equalBytes, UsageError } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import { createNativeCrypto } from '../../../src/node/native/index.ts'
import { loadLibcrypto, requireKoffi } from '../../../src/node/native/library.ts'
import { SeededRandom } from '../../support/random.ts'
import { providers } from './providers.ts'

const native = providers.find((crypto) => crypto.name === 'native')

describe('the native provider', () => {
  it('CRY-36 says what to install where koffi is missing', () => {
    const missing = (name: string): unknown => {
      throw new Error(`Cannot find module '${name}'\nRequire stack: …`)
    }
    expect(() => requireKoffi(missing)).toThrow(UsageError)
    expect(() => requireKoffi(missing)).toThrow(/npm install koffi \(Cannot find module 'koffi'\)$/)
  })

  it('CRY-36 says what to install where libcrypto is missing', () => {
    const koffi = {
      load: (path: string | null) => {
        throw new Error(`no ${path ?? 'symbols'}`)
      },
    }
    expect(() => createNativeCrypto({ koffi })).toThrow(UsageError)
    expect(() => loadLibcrypto(koffi)).toThrow(/install OpenSSL 3.*this process: no symbols.*libcrypto\.so\.3/)
    expect(() => loadLibcrypto(koffi, '/nowhere')).toThrow(/\/nowhere: no \/nowhere\)$/)
  })

  it('CRY-36 an algorithm that libcrypto lacks is named', () => {
    const koffi = { load: () => ({ func: () => () => null }) }
    expect(() => createNativeCrypto({ koffi }).createAead('AES-128-GCM', new Uint8Array(16))).toThrow(
      /has no id-aes128-GCM/,
    )
    expect(() => createNativeCrypto({ koffi }).createHmac('SHA256', new Uint8Array(1))).toThrow(/has no SHA256/)
  })

  it.skipIf(native === undefined)(
    'keys and messages of many objects do not mix (skipped where koffi is missing)',
    () => {
      const random = new SeededRandom('many')
      const items = Array.from({ length: 50 }, () => {
        const key = random.bytes(32)
        return { key, mac: native!.createHmac('SHA256', key), aead: native!.createAead('AES-256-GCM', key) }
      })
      for (let round = 0; round < 300; round++) {
        const { key, mac, aead } = random.pick(items)
        const data = random.bytes(random.int(40, 3000))
        expect(equalBytes(mac.update(data).finish(), noble.createHmac('SHA256', key).update(data).finish())).toBe(true)
        const nonce = random.bytes(12)
        const expected = data.slice()
        noble.createAead('AES-256-GCM', key).seal(expected, 0, 8, 24, data.length - 24, 8, nonce)
        aead.seal(data, 0, 8, 24, data.length - 24, 8, nonce)
        expect(equalBytes(data, expected)).toBe(true)
        if (random.chance(0.3)) {
          data[30]! ^= 1
          expect(aead.open(data, 0, 8, 24, data.length - 24, 8, nonce)).toBe(false)
          data[30]! ^= 1
        }
        expect(aead.open(data, 0, 8, 24, data.length - 24, 8, nonce)).toBe(true)
      }
    },
  )
})
