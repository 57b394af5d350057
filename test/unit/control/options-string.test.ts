import { describe, expect, it } from 'vitest'
import {
  compareOptionsStrings,
  expectedOptionsString,
  linkMtu,
  optionsStringCipher,
  optionsStringHasCompression,
  type OptionsStringInput,
  writeOptionsString,
} from '../../../src/control/index.ts'

const pull: OptionsStringInput = {
  role: 'client',
  pointToPoint: false,
  device: 'tun',
  transport: 'udp',
  tunMtu: 1500,
  cipher: undefined,
  dataCiphers: ['AES-256-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305'],
  auth: 'SHA1',
}

describe('options string', () => {
  it('NEG-21 a current client without a configured cipher speaks of BF-CBC without naming it', () => {
    expect(writeOptionsString(pull)).toBe(
      'V4,dev-type tun,link-mtu 1541,tun-mtu 1500,proto UDPv4,auth SHA1,keysize 128,key-method 2,tls-client',
    )
  })

  it('NEG-21 every part has its place', () => {
    expect(
      writeOptionsString({
        ...pull,
        pointToPoint: true,
        transport: 'tcp',
        role: 'server',
        cipher: 'AES-256-CBC',
        auth: 'SHA512',
        framing: 'v1',
        fragment: true,
        tlsAuth: true,
        keyDirection: 0,
        ifconfig: ['10.8.0.1', '10.8.0.2'],
        ifconfigIpv6: true,
      }),
    ).toBe(
      'V4,dev-type tun,link-mtu 1608,tun-mtu 1500,proto TCPv4_SERVER,tun-ipv6,ifconfig 10.8.0.2 10.8.0.1,comp-lzo,' +
        'mtu-dynamic,keydir 0,cipher AES-256-CBC,auth SHA512,keysize 256,tls-auth,key-method 2,tls-server',
    )
  })

  it('NEG-21 a subnet is named by its network', () => {
    const ifconfig = ['10.8.77.2', '255.255.240.0'] as const
    const input = { ...pull, pointToPoint: true, ifconfig }
    expect(writeOptionsString(input)).toContain('ifconfig 10.8.64.0 255.255.240.0')
    expect(expectedOptionsString(input)).toContain('ifconfig 10.8.64.0 255.255.240.0')
  })

  it('NEG-22 two matching ends expect each other', () => {
    const client: OptionsStringInput = {
      ...pull,
      pointToPoint: true,
      transport: 'tcp',
      cipher: 'AES-128-GCM',
      tlsAuth: true,
      keyDirection: 1,
      ifconfig: ['10.8.0.2', '10.8.0.1'],
    }
    const server: OptionsStringInput = {
      ...client,
      role: 'server',
      keyDirection: 0,
      ifconfig: ['10.8.0.1', '10.8.0.2'],
    }
    expect(expectedOptionsString(client)).toBe(writeOptionsString(server))
    expect(expectedOptionsString(server)).toBe(writeOptionsString(client))
    expect(compareOptionsStrings(expectedOptionsString(client), writeOptionsString(server), true)).toEqual([])
  })

  it.each<[number, Partial<OptionsStringInput>]>([
    [1541, {}],
    [1549, { cipher: 'AES-256-GCM' }],
    [1534, { cipher: 'CHACHA20-POLY1305' }],
    [1557, { cipher: 'AES-256-CBC' }],
    [1537, { cipher: 'AES-256-CBC', auth: 'none' }],
    [1573, { device: 'tap' }],
    [1543, { transport: 'tcp' }],
    [1542, { framing: 'v1' }],
    [1541, { framing: 'v2' }],
    [1545, { fragment: true }],
    [1551, { socks: true }],
    [1543, { socks: true, transport: 'tcp' }],
  ])('NEG-23 link-mtu %i', (size, change) => {
    expect(linkMtu({ ...pull, ...change })).toBe(size)
  })

  it('NEG-24 differences are data with a weight', () => {
    const ours = expectedOptionsString({ ...pull, cipher: 'AES-256-GCM' })
    const theirs = writeOptionsString({
      ...pull,
      role: 'server',
      cipher: 'AES-128-GCM',
      device: 'tap',
      framing: 'v1',
    })
    expect(compareOptionsStrings(ours, theirs, true)).toEqual([
      { option: 'dev-type', expected: 'dev-type tun', actual: 'dev-type tap', weight: 'breaks' },
      { option: 'link-mtu', expected: 'link-mtu 1549', actual: 'link-mtu 1582', weight: 'harmless' },
      { option: 'cipher', expected: 'cipher AES-256-GCM', actual: 'cipher AES-128-GCM', weight: 'harmless' },
      { option: 'keysize', expected: 'keysize 256', actual: 'keysize 128', weight: 'harmless' },
      { option: 'comp-lzo', expected: undefined, actual: 'comp-lzo', weight: 'breaks' },
    ])
    const unnegotiated = compareOptionsStrings(ours, theirs, false)
    expect(unnegotiated.filter((difference) => difference.weight === 'breaks').map((d) => d.option)).toEqual([
      'dev-type',
      'cipher',
      'keysize',
      'comp-lzo',
    ])
  })

  it('NEG-24 a hostile string is compared within bounds', () => {
    const many = Array.from({ length: 500 }, (_, i) => `o${i}`).join(',')
    expect(compareOptionsStrings('V4', many, true).length).toBe(65)
    expect(compareOptionsStrings('V4', '', true)).toEqual([
      { option: 'V4', expected: 'V4', actual: undefined, weight: 'harmless' },
    ])
    expect(compareOptionsStrings('V4', 'V4,__proto__ x,constructor', true).length).toBe(2)
  })

  it('NEG-13 shows the cipher of peers that do not negotiate', () => {
    expect(optionsStringCipher('V4,cipher bf-cbc,auth SHA1')).toBe('BF-CBC')
    expect(optionsStringCipher('V4,cipher CAST5-CBC')).toBe('CAST5-CBC')
    expect(optionsStringCipher('V4,cipher [null-cipher]')).toBeUndefined()
    expect(optionsStringCipher('V4,cipher')).toBeUndefined()
    expect(optionsStringCipher('V4')).toBeUndefined()
    expect(optionsStringHasCompression('V4,comp-lzo,x')).toBe(true)
    expect(optionsStringHasCompression('V4,comp-lzox')).toBe(false)
  })
})

describe('the options string of static-key mode', () => {
  const common = {
    role: 'client',
    pointToPoint: true,
    device: 'tun',
    transport: 'udp',
    tunMtu: 1500,
    cipher: 'AES-256-CBC',
    dataCiphers: [],
    auth: 'SHA256',
    staticKey: true,
  } as const

  it('NEG-25 is what 2.6 writes', () => {
    const ifconfig = ['10.8.0.1', '10.8.0.2'] as const
    expect(writeOptionsString({ ...common, ifconfig, keyDirection: 0 })).toBe(
      'V4,dev-type tun,link-mtu 1572,tun-mtu 1500,proto UDPv4,ifconfig 10.8.0.2 10.8.0.1,keydir 0,cipher AES-256-CBC,auth SHA256,keysize 256,secret',
    )
    expect(expectedOptionsString({ ...common, ifconfig, keyDirection: 0 })).toBe(
      'V4,dev-type tun,link-mtu 1572,tun-mtu 1500,proto UDPv4,ifconfig 10.8.0.1 10.8.0.2,keydir 1,cipher AES-256-CBC,auth SHA256,keysize 256,secret',
    )
    const tap = { device: 'tap', transport: 'tcp', role: 'server', cipher: 'AES-128-CBC', auth: 'SHA1' } as const
    expect(writeOptionsString({ ...common, ...tap, framing: 'v1' })).toBe(
      'V4,dev-type tap,link-mtu 1595,tun-mtu 1500,proto TCPv4_SERVER,comp-lzo,cipher AES-128-CBC,auth SHA1,keysize 128,secret',
    )
    expect(writeOptionsString({ ...common, cipher: 'none', auth: 'none', fragment: true })).toBe(
      'V4,dev-type tun,link-mtu 1512,tun-mtu 1500,proto UDPv4,mtu-dynamic,cipher [null-cipher],auth [null-digest],keysize 0,secret',
    )
  })
})
