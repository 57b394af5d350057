/** CBC records of TLS 1.2: both orders of MAC and cipher, and that nothing can be told from how they fail. */
import { describe, expect, it } from 'vitest'
import { concat } from '../../../src/bytes/index.ts'
import { type CryptoProvider, type HashName, type Hmac, noble } from '../../../src/crypto/index.ts'
import { type CbcKeys, CbcOpener, CbcSealer } from '../../../src/tls/cbc-protection.ts'
import { HEADER_MARGIN } from '../../../src/tls/record-reader.ts'
import { SeededRandom } from '../../support/random.ts'
import { config, Host, pair, Puppet, talk, text } from './support.ts'
import { editHello, record, setExtension } from './edit.ts'

const MAC_LENGTH = { SHA1: 20, SHA256: 32, SHA384: 48 } as const

function keys(mac: keyof typeof MAC_LENGTH, encryptThenMac: boolean): CbcKeys {
  const random = new SeededRandom(`cbc/${mac}`)
  return { algorithm: 'AES-128-CBC', mac, key: random.bytes(16), macKey: random.bytes(MAC_LENGTH[mac]), encryptThenMac }
}

function open(opener: CbcOpener, sealed: Uint8Array): Uint8Array | undefined {
  const buffer = concat(new Uint8Array(HEADER_MARGIN), sealed)
  return opener.open(buffer, HEADER_MARGIN, sealed.length - 5)?.fragment
}

const MACS = ['SHA1', 'SHA256', 'SHA384'] as const
const MODES = MACS.flatMap((mac) => [false, true].map((etm) => [mac, etm] as const))

describe.each(MODES)('%s, encrypt-then-MAC %s', (mac, encryptThenMac) => {
  const own = keys(mac, encryptThenMac)

  it('TLS12-15 TLS12-16 opens what it sealed, of every length', () => {
    const sealer = new CbcSealer(noble, own, new SeededRandom('iv').source)
    const opener = new CbcOpener(noble, own)
    for (let length = 0; length < 70; length++) {
      const content = new SeededRandom(`content/${length}`).bytes(length)
      expect(open(opener, sealer.seal(23, content))).toEqual(content)
    }
  })

  it('TLS-4 every changed bit is noticed', () => {
    const sealed = new CbcSealer(noble, own, new SeededRandom('iv').source).seal(23, text('attack at dawn'))
    let accepted = 0
    for (let bit = 5 * 8; bit < sealed.length * 8; bit++) {
      const forged = sealed.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
      if (open(new CbcOpener(noble, own), forged) !== undefined) accepted++
    }
    const header = [23 ^ 1, 3, 3] as const
    for (const [i, byte] of header.entries()) {
      const forged = sealed.map((own, at) => (at === i ? (i === 0 ? byte : own) : own))
      if (i === 0 && open(new CbcOpener(noble, own), forged) !== undefined) accepted++
    }
    expect(accepted).toBe(0)
  })

  it('TLS-4 cut, extended, replayed and swapped records', () => {
    const sealer = new CbcSealer(noble, own, new SeededRandom('iv').source)
    const first = sealer.seal(23, text('first'))
    const second = sealer.seal(23, text('second'))
    for (let length = 5; length < first.length; length++) {
      expect(open(new CbcOpener(noble, own), first.subarray(0, length))).toBeUndefined()
    }
    expect(open(new CbcOpener(noble, own), concat(first, new Uint8Array(16)))).toBeUndefined()
    expect(open(new CbcOpener(noble, own), second)).toBeUndefined()
    const opener = new CbcOpener(noble, own)
    expect(open(opener, first)).toBeDefined()
    expect(open(opener, first)).toBeUndefined()
    expect(open(opener, second)).toEqual(text('second'))
  })
})

/** A provider whose MACs count the hash blocks they work through. */
function counting(counter: { blocks: number }): CryptoProvider {
  const blockLength = (hash: HashName) => (hash === 'SHA384' || hash === 'SHA512' ? 128 : 64)
  return {
    ...noble,
    createHmac(hash, key) {
      const inner = noble.createHmac(hash, key)
      let length = 0
      const count = () => {
        const block = blockLength(hash)
        counter.blocks += Math.ceil((length + (block === 128 ? 17 : 9)) / block)
        length = 0
      }
      const wrapped: Hmac = {
        length: inner.length,
        update(data, start = 0, end = data.length) {
          length += end - start
          inner.update(data, start, end)
          return wrapped
        },
        finishInto(out, offset) {
          count()
          inner.finishInto(out, offset)
        },
        finish() {
          count()
          return inner.finish()
        },
      }
      return wrapped
    },
  }
}

describe('MAC-then-encrypt', () => {
  it('TLS12-16 the hash blocks worked through depend on the length alone, whatever the padding says', () => {
    let compared = 0
    for (const mac of MACS) {
      const own = keys(mac, false)
      const cbc = noble.createCbc('AES-128-CBC', own.key)!
      for (const length of [64, 256, 320, 512]) {
        const works = new Set<number>()
        for (let padding = 0; padding < 256; padding += 5) {
          for (const consistent of [true, false]) {
            const sealed = record(23, new Uint8Array(16 + length))
            if (consistent) sealed.fill(padding, Math.max(21, sealed.length - padding - 1))
            sealed[sealed.length - 1] = padding
            cbc.encrypt(sealed, 21, length, sealed, 5)
            const counter = { blocks: 0 }
            expect(open(new CbcOpener(counting(counter), own), sealed)).toBeUndefined()
            works.add(counter.blocks)
            compared++
          }
        }
        expect([mac, length, works.size]).toEqual([mac, length, 1])
      }
    }
    expect(compared).toBe(3 * 4 * 52 * 2)
  })

  it('TLS12-16 padding of any legal length is taken, and none that lies', () => {
    const own = keys('SHA256', false)
    const cbc = noble.createCbc('AES-128-CBC', own.key)!
    const content = text('0123456789')
    let taken = 0
    for (let extra = 0; extra < 16; extra++) {
      for (const lie of [false, true]) {
        const padding = 16 * extra + 16 - ((content.length + 32) % 16)
        const sealed = record(23, new Uint8Array(16 + content.length + 32 + padding))
        sealed.set(content, 21)
        const hmac = noble.createHmac('SHA256', own.macKey)
        hmac
          .update(new Uint8Array(8))
          .update(Uint8Array.of(23, 3, 3, 0, content.length))
          .update(content)
        hmac.finishInto(sealed, 21 + content.length)
        sealed.fill(padding - 1, 21 + content.length + 32)
        if (lie && padding > 1) sealed[21 + content.length + 32]! ^= 1
        cbc.encrypt(sealed, 21, sealed.length - 21, sealed, 5)
        const opened = open(new CbcOpener(noble, own), sealed)
        if (opened !== undefined) taken++
        expect(opened).toEqual(lie && padding > 1 ? undefined : content)
      }
    }
    expect(taken).toBe(16)
  })
})

describe('in a connection', () => {
  const suites = ['TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384'] as const
  const over = { maxVersion: 'TLSv1.2', cipherSuites: suites } as const

  it('TLS12-15 encrypt-then-MAC is agreed on where both know it', () => {
    const { client, server } = pair(config('client', over), config('server', over))
    client.connection.write(text('cbc'))
    talk(client, server)
    expect(server.text).toBe('cbc')
    const puppet = new Puppet(config('client', over))
    const host = new Host(config('server', over), 'etm')
    talk(puppet, host)
    expect(host.info?.cipherSuite).toBe(suites[0])
  })

  it('TLS12-4 TLS12-15 encrypt-then-MAC with a suite that has no MAC to encrypt is refused', () => {
    const both = [...suites, 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] as const
    const host = new Host(config('client', { ...over, cipherSuites: both }), 'etm')
    const aead = config('server', { ...over, cipherSuites: [both[1]] })
    const puppet = new Puppet(
      aead,
      editHello((hello) => setExtension(hello, 22, new Uint8Array(0))),
    )
    for (const flight of host.drain()) puppet.receive(flight)
    for (const flight of puppet.drain()) host.receive(flight)
    host.drain()
    expect(host.alertSent).toBe('illegal-parameter')
  })

  it('TLS12-14 CBC is neither offered nor taken unless named', () => {
    const { server } = pair(config('client', { maxVersion: 'TLSv1.2' }), config('server', over))
    expect(server.alertSent).toBe('handshake-failure')
  })

  it('TLS-4 TLS12-16 a wrong MAC and wrong padding earn the same alert', () => {
    const alerts = new Set<string | undefined>()
    for (const at of [-1, -20, -40]) {
      const puppet = new Puppet(config('client', over))
      const host = new Host(config('server', over), 'oracle')
      talk(puppet, host)
      const sealed = puppet.records.seal(23, text('some content that spans several blocks'))
      sealed[sealed.length + at]! ^= 1
      host.receive(sealed)
      host.drain()
      alerts.add(host.alertSent)
      expect(host.data).toEqual([])
    }
    expect([...alerts]).toEqual(['bad-record-mac'])
  })
})
