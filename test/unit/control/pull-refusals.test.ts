import { describe, expect, it } from 'vitest'
import { type PullFilter, type PullPolicy, pullOptions, tunnelDigest } from '../../../src/control/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import { options, pull, reasons } from '../../support/pull.ts'

describe('what is not taken', () => {
  it('PUSH-15 variables are named UV_ or OPENVPN_ and hold no shell syntax', () => {
    expect(options('setenv UV_A b,setenv-safe X "y z",setenv opt route-metric 5')).toMatchObject({
      variables: [
        { name: 'UV_A', value: 'b' },
        { name: 'OPENVPN_X', value: 'y z' },
      ],
      routeMetric: 5,
    })
    expect(reasons('setenv PATH /tmp,setenv LD_PRELOAD x,setenv __proto__ x')).toEqual(Array(3).fill('not-pullable'))
    expect(reasons('setenv UV_A $(x),setenv-safe A=B x,setenv-safe A `x`,setenv UV_A é')).toEqual(
      Array(4).fill('bad-value'),
    )
  })

  it('PUSH-4 PUSH-5 options outside the table are refused with the right reason', () => {
    const forbidden =
      'up /bin/sh,script-security 2,plugin x,config x,management 127.0.0.1 1,ca x,key x,tls-auth x,log x,auth-user-pass x,' +
      'remote evil.example,tls-cipher NULL,auth none,reneg-sec 0,setenv PATH x,iroute 0.0.0.0,vlan-pvid 3,fragment 100'
    expect(reasons(forbidden)).toEqual(Array(18).fill('not-pullable'))
    expect(reasons('frobnicate,__proto__ x,constructor,toString 1,hasOwnProperty')).toEqual(
      Array(5).fill('unknown-option'),
    )
    expect(reasons('verb 3,comp-noadapt,persist-key,tun-ipv6,ignore-unknown-option x')).toEqual(
      Array(5).fill('no-effect'),
    )
    expect(reasons('echo "x,ping')).toEqual(['bad-quoting', 'wrong-argument-count'])
    expect(reasons(`echo ${'x'.repeat(300)}`)).toEqual(['too-long'])
    expect(reasons(`echo ${'x '.repeat(17)}`)).toEqual(['too-many-words'])
    expect(reasons('block-ipv6 x')).toEqual(['wrong-argument-count'])
  })

  it('PUSH-7 a token is kept apart and never shown', () => {
    const result = pull('auth-token SESS_ID_AT_secret,auth-token-user dXNlcg==')
    expect(result.token?.login('old')).toEqual({ username: 'user', password: 'SESS_ID_AT_secret' })
    expect(pull('auth-token SESS_ID_AT_secret').token?.login('old').username).toBe('old')
    expect(JSON.stringify(result)).not.toContain('secret')
    const bad = pull(
      `auth-token secret more,auth-token "secret,auth-token secret${'x'.repeat(300)},auth-token,auth-token-user ?`,
    )
    expect(bad.refused.map((refusal) => refusal.text)).toEqual([
      'auth-token',
      'auth-token',
      'auth-token',
      'auth-token',
      'auth-token-user',
    ])
    expect(JSON.stringify(bad)).not.toContain('secret')
    expect(bad.token).toBeUndefined()
  })

  it('PUSH-16 the first rule of pull-filter decides', () => {
    const filter: PullFilter = {
      rules: [
        { action: 'accept', prefix: 'route 10.1.' },
        { action: 'ignore', prefix: 'route ' },
        { action: 'reject', prefix: 'ifconfig 192.168.' },
      ],
    }
    const result = pull('route 10.1.0.0, route 10.2.0.0,route-gateway 10.8.0.1', { device: 'tun', filter })
    expect(result.options.routes.map((route) => route.network)).toEqual(['10.1.0.0'])
    expect(result.options.routeGateway).toBe('10.8.0.1')
    expect(result.refused).toMatchObject([{ option: 'route', reason: 'filtered' }])
    expect(pullOptions(['ping 1', 'ifconfig 192.168.0.2 192.168.0.1'], { device: 'tun', filter })).toEqual({
      type: 'rejected',
      by: 'pull-filter',
      option: 'ifconfig',
    })
  })

  it('PUSH-16 route-nopull takes routes and name resolution away', () => {
    const policy: PullPolicy = { device: 'tun', filter: { rules: [], routeNopull: true } }
    const list =
      'route 10.0.0.0,route-ipv6 fd00::/8,redirect-gateway def1,redirect-private,block-ipv6,block-outside-dns,' +
      'dns server 1 address 1.1.1.1,dhcp-option DNS 1.1.1.1,client-nat snat 1.1.1.1 255.0.0.0 2.2.2.2,register-dns,' +
      'route-gateway 10.8.0.1,ifconfig 10.8.0.2 10.8.0.1,ping 5'
    const result = pull(list, policy)
    expect(result.refused.map((refusal) => refusal.reason)).toEqual(Array(10).fill('route-nopull'))
    expect(result.options).toMatchObject({
      routes: [],
      routes6: [],
      routeGateway: '10.8.0.1',
      protocol: { ping: 5000 },
    })
    expect(result.options.redirectGateway).toBeUndefined()
  })

  it('PUSH-19 the digest follows the tunnel and nothing else', () => {
    const digest = (list: string) => tunnelDigest(noble, pull(list).options)
    const base = 'ifconfig 10.8.0.2 255.255.255.0,route 10.0.0.0 255.0.0.0,peer-id 1,ping 5'
    expect(digest(base)).toMatch(/^[0-9a-f]{64}$/)
    expect(digest(`${base},peer-id 9,cipher AES-128-GCM,auth-token x,echo y,setenv UV_A 1,ping 9`)).toBe(digest(base))
    for (const change of [
      'route 11.0.0.0',
      'ifconfig 10.8.0.3 255.255.255.0',
      'tun-mtu 1400',
      'block-ipv6',
      'dhcp-option DNS 1.1.1.1',
    ])
      expect(digest(`${base},${change}`)).not.toBe(digest(base))
  })
})
