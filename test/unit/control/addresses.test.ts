import { isIPv4, isIPv6 } from 'node:net'
import { describe, expect, it } from 'vitest'
import {
  formatIpv6,
  formatNetmask,
  networkOf4,
  networkOf6,
  parseIpv4,
  parseIpv6,
  parseIpv6Bytes,
  parseIpv6Prefix,
  parseNetmask,
} from '../../../src/control/index.ts'
import { SeededRandom } from '../../support/random.ts'

describe('addresses', () => {
  it('PUSH-6 takes four plain decimal numbers and nothing else', () => {
    for (const text of ['0.0.0.0', '10.8.0.1', '255.255.255.255']) expect(parseIpv4(text)).toBe(text)
    let accepted = 0
    const bad =
      '010.0.0.1 10.0.0 10.0.0.1.2 256.1.1.1 1.1.1.-1 0x0a.0.0.1 1e1.0.0.0 10..0.1 .1.1.1 1.1.1. ١.1.1.1 167772161'
    for (const text of [...bad.split(' '), '', ' 1.1.1.1', '1.1.1.1 ', '1.1.1.1\n', '+1.1.1.1', '00.0.0.0'])
      if (parseIpv4(text) !== undefined) accepted++
    expect(accepted).toBe(0)
  })

  it.each([
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0000:0000:0000:0000:0002:0001', '2001:db8::2:1'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['::ffff:1.2.3.4', '::ffff:102:304'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ])('PUSH-6 reads %s as %s', (text, canonical) => {
    expect(parseIpv6(text)).toBe(canonical)
  })

  it('PUSH-6 refuses malformed IPv6', () => {
    let accepted = 0
    const bad =
      ': ::: 1:2 1::2::3 1:2:3:4:5:6:7:8:9 12345:: g:: fe80::1%eth0 ::1.2.3 1.2.3.4:: 1:2:3:4:5:6:7:1.2.3.4 ::01.2.3.4 [::1] 1:2:3:4:5:6:7:8:: ::1/64'
    for (const text of [...bad.split(' '), '', ' ::1', ':1:2:3:4:5:6:7', '1:2:3:4:5:6:7:'])
      if (parseIpv6(text) !== undefined) accepted++
    expect(accepted).toBe(0)
  })

  it('PUSH-6 agrees with the system on generated texts', () => {
    const random = new SeededRandom('addresses')
    let valid = 0
    for (let i = 0; i < 20_000; i++) {
      const length = random.int(2, 24)
      let text = ''
      for (let k = 0; k < length; k++) text += random.pick(['1', 'a', '0', ':', ':', '::', '.', 'ff', '25'])
      const six = parseIpv6Bytes(text)
      expect(six !== undefined).toBe(isIPv6(text))
      expect(parseIpv4(text) !== undefined).toBe(isIPv4(text))
      if (six !== undefined) {
        valid++
        expect(parseIpv6Bytes(formatIpv6(six))).toEqual(six)
      }
    }
    expect(valid).toBeGreaterThan(20)
    for (let i = 0; i < 2_000; i++) {
      const bytes = random.bytes(16).map((byte) => (random.chance(0.7) ? 0 : byte))
      const text = formatIpv6(bytes)
      expect(parseIpv6Bytes(text)).toEqual(bytes)
      expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`)
    }
  })

  it('PUSH-6 netmasks have their ones on the left', () => {
    for (let prefix = 0; prefix <= 32; prefix++) expect(parseNetmask(formatNetmask(prefix))).toBe(prefix)
    for (const text of ['255.0.255.0', '0.0.0.1', '254.255.0.0', '255.255.255.253', 'x'])
      expect(parseNetmask(text)).toBeUndefined()
  })

  it('clears host bits', () => {
    expect(networkOf4('10.8.5.77', 20)).toBe('10.8.0.0')
    expect(networkOf4('10.8.5.77', 32)).toBe('10.8.5.77')
    expect(networkOf4('10.8.5.77', 0)).toBe('0.0.0.0')
    expect(networkOf6('2001:db8:ffff::1', 33)).toBe('2001:db8:8000::')
    expect(networkOf6('2001:db8::1', 0)).toBe('::')
    expect(networkOf4('x', 8)).toBeUndefined()
    expect(networkOf6('x', 8)).toBeUndefined()
  })

  it('reads prefixes', () => {
    expect(parseIpv6Prefix('fd00::1/64')).toEqual({ address: 'fd00::1', prefix: 64 })
    expect(parseIpv6Prefix('fd00::1')).toEqual({ address: 'fd00::1', prefix: 128 })
    for (const text of ['fd00::1/129', 'fd00::1/', 'fd00::1/-1', 'fd00::1/064', 'x/64', 'fd00::1/64/64'])
      expect(parseIpv6Prefix(text)).toBeUndefined()
  })
})
