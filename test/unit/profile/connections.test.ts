/**
 * Typed values, roles and connections of a profile.
 */
import { describe, expect, it } from 'vitest'
import { inspectProfile, type Profile } from '../../../src/profile/index.ts'

const read = (text: string): Profile => inspectProfile(text).profile

describe('values', () => {
  it('have the types of the table, and the last line counts', () => {
    const profile = read(
      'keepalive 5 20\nkeepalive 10 60\nreneg-sec 100 50\nmssfix\nremote-cert-ku a0 88\nresolv-retry infinite\n',
    )
    const keepalive: readonly [number, number] | undefined = profile.value('keepalive')
    expect(keepalive).toEqual([10, 60])
    expect(profile.value('reneg-sec')).toEqual([100, 50])
    expect(profile.value('mssfix')).toEqual([undefined, undefined])
    expect(profile.value('remote-cert-ku')).toEqual([[0xa0, 0x88]])
    expect(profile.value('resolv-retry')).toEqual(['infinite'])
    expect(profile.value('ping')).toBeUndefined()
    expect(profile.values('keepalive')).toHaveLength(2)
  })

  it('are absent where a word is wrong', () => {
    const profile = read('keepalive 10 x\nping-exit\nremote-cert-ku zz a0\n')
    expect(profile.value('keepalive')).toBeUndefined()
    expect(profile.value('ping-exit')).toBeUndefined()
    expect(profile.has('ping-exit')).toBe(true)
    expect(profile.value('remote-cert-ku')).toEqual([[0xa0]])
  })

  it('are found under the name that an alias stands for', () => {
    const profile = read('ncp-ciphers AES-128-GCM\nserver-poll-timeout 7\n')
    expect(profile.value('data-ciphers')).toEqual(['AES-128-GCM'])
    expect(profile.value('connect-timeout')).toEqual([7])
  })
})

describe('roles', () => {
  it.each([
    ['client\n', 'client'],
    ['tls-client\npull\n', 'client'],
    ['server 10.8.0.0 255.255.255.0\n', 'server'],
    ['mode server\ntls-server\n', 'server'],
    ['server-bridge\n', 'server'],
    ['server-ipv6 fd00::/64\n', 'server'],
    ['tls-server\n', 'peer'],
    ['secret k\n', 'peer'],
  ])('%j is a %s', (text, role) => {
    expect(read(text).role).toBe(role)
  })
})

describe('connections', () => {
  const list = (text: string): readonly unknown[] =>
    read(text).connections.map(({ host, port, protocol, family, localPort }) => [
      host,
      port,
      protocol,
      family,
      localPort,
    ])

  it('PROF-13 come from remotes, whose own words win', () => {
    expect(list('client\nproto tcp6-client\nport 443\nremote a\nremote b 53 udp4\n')).toEqual([
      ['a', 443, 'tcp', 6, 443],
      ['b', 53, 'udp', 4, 443],
    ])
    expect(list('client\nremote a\n')).toEqual([['a', 1194, 'udp', undefined, 0]])
    expect(list('server 10.8.0.0 255.255.255.0\n')).toEqual([])
  })

  it('PROF-13 in blocks start from what stands above', () => {
    const text =
      'client\nproto tcp-client\n<connection>\nremote a 1 udp\n</connection>\nport 2\n<connection>\nremote b\nproto udp\n</connection>\nremote lost\n'
    expect(list(text)).toEqual([
      ['a', 1, 'udp', undefined, 0],
      ['b', 2, 'udp', undefined, 2],
    ])
  })

  it('PROF-13 take control keys from outside unless they bring one', () => {
    const text =
      'client\n<connection>\nremote a\n</connection>\n<connection>\nremote b\n<tls-crypt>\nx\n</tls-crypt>\n</connection>\n<tls-auth>\ny\n</tls-auth>\n'
    const wraps = read(text).connections.map((connection) => [
      connection.entry('tls-auth') !== undefined,
      connection.entry('tls-crypt') !== undefined,
    ])
    expect(wraps).toEqual([
      [true, false],
      [false, true],
    ])
  })

  it('know the local end', () => {
    const [bound] = read('client\nremote a\nlport 5000\nlocal 10.0.0.1\n').connections
    expect([bound?.localPort, bound?.localAddress]).toEqual([5000, '10.0.0.1'])
    expect(read('client\nremote a\nnobind\nport 7\n').connections[0]?.localPort).toBe(0)
    expect(read('tls-client\nremote a\n').connections[0]?.localPort).toBe(1194)
    expect(read('client\nremote a\nlocal *\n').connections[0]?.localAddress).toBeUndefined()
  })
})
