import { describe, expect, it } from 'vitest'
import { tunnelGateways } from '../../../src/control/index.ts'
import { options, pull, reasons, refusals } from '../../support/pull.ts'

describe('pushed options', () => {
  it('a usual reply becomes typed options', () => {
    const list =
      'route 10.9.0.0 255.255.0.0,route-gateway 10.8.0.1,topology subnet,ping 10,ping-restart 60,' +
      'ifconfig-ipv6 fd00::1000/64 fd00::1,ifconfig 10.8.0.2 255.255.255.0,peer-id 3,cipher AES-256-GCM,' +
      'protocol-flags cc-exit tls-ekm dyn-tls-crypt,tun-mtu 1500'
    expect(options(list)).toEqual({
      device: 'tun',
      topology: 'subnet',
      ipv4: { address: '10.8.0.2', prefix: 24 },
      ipv6: { address: 'fd00::1000', prefix: 64, peer: 'fd00::1' },
      mtu: 1500,
      routes: [{ network: '10.9.0.0', prefix: 16 }],
      routes6: [],
      routeGateway: '10.8.0.1',
      blockIpv6: false,
      blockOutsideDns: false,
      dns: { servers: [], searchDomains: [] },
      dhcp: {
        dns: [],
        searchDomains: [],
        wins: [],
        nbdd: [],
        ntp: [],
        disableNetbios: false,
        proxyBypass: [],
      },
      registerDns: false,
      clientNat: [],
      persistTun: false,
      persistRemoteIp: false,
      persistLocalIp: false,
      echo: [],
      variables: [],
      protocol: {
        cipher: 'AES-256-GCM',
        peerId: 3,
        protocolFlags: ['cc-exit', 'tls-ekm', 'dyn-tls-crypt'],
        ping: 10_000,
        pingRestart: 60_000,
        pingTimerRemote: false,
        tcpNoDelay: false,
      },
    })
  })

  it('PUSH-8 the second word of ifconfig depends on topology and device', () => {
    expect(options('ifconfig 10.8.0.6 10.8.0.5,topology net30').ipv4).toEqual({
      address: '10.8.0.6',
      prefix: 32,
      peer: '10.8.0.5',
    })
    expect(options('ifconfig 10.8.0.6 10.8.0.5').ipv4?.peer).toBe('10.8.0.5')
    expect(options('ifconfig 10.8.0.2 255.255.255.0').ipv4).toEqual({ address: '10.8.0.2', prefix: 24 })
    expect(options('ifconfig 10.8.0.2 255.255.0.0', { device: 'tap' }).ipv4).toEqual({
      address: '10.8.0.2',
      prefix: 16,
    })
    expect(reasons('topology subnet,ifconfig 10.8.0.6 10.8.0.5')).toEqual(['bad-value'])
    expect(reasons('ifconfig 10.8.0.6 0.0.0.0', { device: 'tap' })).toEqual(['bad-value'])
    expect(reasons('ifconfig 10.8.0.6 255.0.255.0')).toEqual(['bad-value'])
    expect(options('ifconfig 10.8.0.2 255.255.255.0,ifconfig 10.8.0.3 255.255.255.0').ipv4?.address).toBe('10.8.0.3')
  })

  it('finds the gateways', () => {
    expect(tunnelGateways(options('ifconfig 10.8.0.6 10.8.0.5'))).toEqual({ ipv4: '10.8.0.5', ipv6: undefined })
    expect(tunnelGateways(options('route-gateway 10.8.0.1,ifconfig-ipv6 fd00::2/64 fd00::1'))).toEqual({
      ipv4: '10.8.0.1',
      ipv6: 'fd00::1',
    })
    expect(tunnelGateways(options('route-gateway dhcp', { device: 'tap' })).ipv4).toBeUndefined()
  })

  it('PUSH-9 routes have defaults, keywords and cleared host bits', () => {
    const { routes, routes6 } = options(
      'route 10.1.2.3,route 10.1.2.3 255.255.0.0 10.8.0.9 20,route 10.2.0.0 255.255.0.0 default 7,' +
        'route remote_host 255.255.255.255 net_gateway,route 1.1.1.1 default vpn_gateway default,' +
        'route-ipv6 2001:db8::5/32,route-ipv6 ::/0 fd00::1 3,route-ipv6 fd01::/16 default 9,' +
        'route-ipv6 fd02::/16 vpn_gateway default,route-ipv6 fd03::/16 net_gateway',
      { device: 'tun', own: true },
    )
    expect(routes).toEqual([
      { network: '10.1.2.3', prefix: 32 },
      { network: '10.1.0.0', prefix: 16, gateway: '10.8.0.9', metric: 20 },
      { network: '10.2.0.0', prefix: 16, metric: 7 },
      { network: 'remote_host', prefix: 32, gateway: 'net_gateway' },
      { network: '1.1.1.1', prefix: 32, gateway: 'vpn_gateway' },
    ])
    expect(routes6).toEqual([
      { network: '2001:db8::', prefix: 32 },
      { network: '::', prefix: 0, gateway: 'fd00::1', metric: 3 },
      { network: 'fd01::', prefix: 16, metric: 9 },
      { network: 'fd02::', prefix: 16, gateway: 'vpn_gateway' },
      { network: 'fd03::', prefix: 16, gateway: 'net_gateway' },
    ])
    const ownOnly =
      'route 10.2.0.0 255.255.0.0 default 7,route 10.2.0.0 default default 7,route 10.2.0.0 default,' +
      'route-ipv6 fd01::/16 default 9,route-ipv6 fd01::/16 default'
    expect(reasons(ownOnly)).toEqual(Array(5).fill('bad-value'))
    expect(pull(ownOnly).options.routes).toEqual([])
    const pushed = options(
      'route 10.2.0.0 255.255.0.0 vpn_gateway default,route-ipv6 fd02::/16 vpn_gateway default,' +
        'route-ipv6 fd03::/16 net_gateway 5',
    )
    expect(pushed.routes).toHaveLength(1)
    expect(pushed.routes6).toHaveLength(2)
    const bad =
      'route host.example,route 010.0.0.0,route 10.0.0.0 255.0.255.0,route 10.0.0.0 255.0.0.0 gw.example,' +
      'route 10.0.0.0 255.0.0.0 10.0.0.1 -1,route-ipv6 fd00::/129,route-ipv6 fd00::/64 10.0.0.1'
    expect(reasons(bad)).toEqual(Array(7).fill('bad-value'))
    expect(reasons('route,route a b c d e')).toEqual(Array(2).fill('wrong-argument-count'))
  })

  it('PUSH-11 redirect-gateway lines add up, and an unknown flag does not stop them', () => {
    const all = 'local autolocal def1 bypass-dhcp bypass-dns block-local ipv6 !ipv4'
    expect(options(`redirect-gateway ${all}`).redirectGateway).toEqual({
      ipv4: false,
      ipv6: true,
      def1: true,
      local: true,
      autoLocal: true,
      bypassDhcp: true,
      bypassDns: true,
      blockLocal: true,
    })
    expect(options('redirect-gateway def1,redirect-gateway ipv6').redirectGateway).toMatchObject({
      ipv4: true,
      ipv6: true,
      def1: true,
    })
    const { options: taken, refused } = pull('redirect-gateway def1 future')
    expect(taken.redirectGateway?.def1).toBe(true)
    expect(refused).toEqual([
      { option: 'redirect-gateway', text: 'redirect-gateway def1 future', reason: 'unknown-flag', detail: 'future' },
    ])
    expect(options('redirect-private').redirectPrivate?.ipv4).toBe(true)
  })

  it('PUSH-13 reads dns servers, sorted by priority', () => {
    const { dns } = options(
      'dns search-domains a.example b.example,dns server 2 address 9.9.9.9:853 [2620:fe::fe]:853,' +
        'dns server 2 transport DoT,dns server 2 sni dns.quad9.net,dns server 2 dnssec optional,' +
        'dns server -1 address fd00::53,dns server -1 resolve-domains corp.example',
      { device: 'tun', own: true },
    )
    expect(dns).toEqual({
      servers: [
        { priority: -1, addresses: [{ address: 'fd00::53' }], resolveDomains: ['corp.example'] },
        {
          priority: 2,
          addresses: [
            { address: '9.9.9.9', port: 853 },
            { address: '2620:fe::fe', port: 853 },
          ],
          resolveDomains: [],
          dnssec: 'optional',
          transport: 'DoT',
          sni: 'dns.quad9.net',
        },
      ],
      searchDomains: ['a.example', 'b.example'],
    })
    expect(options('dns server 0 address [fd00::1]').dns.servers[0]?.addresses).toEqual([{ address: 'fd00::1' }])
    expect(refusals('dns server 5 transport DoH')).toEqual([
      { option: 'dns', text: 'dns server 5', reason: 'incomplete', detail: 'a name server needs an address' },
    ])
    const bad =
      'dns server 128 address 1.1.1.1,dns server x address 1.1.1.1,dns server 1 address 1.1.1.1:0,' +
      'dns server 1 address [::1,dns server 1 address ::1]:53,dns server 1 transport doh,dns server 1 dnssec maybe,' +
      'dns server 1 sni a b,dns server 1 exclude-domains x,dns other 1,dns search-domains -x,dns server -129 address ::'
    expect(reasons(bad)).toEqual(Array(12).fill('bad-value'))
    expect(reasons(bad, { device: 'tun', own: true })).toEqual(Array(12).fill('bad-value'))
    expect(reasons('dns server -1 address ::1')).toEqual(['bad-value'])
    expect(reasons('dns server 1,dns server 1 address')).toEqual(Array(2).fill('wrong-argument-count'))
    const nine = Array.from({ length: 9 }, (_, i) => `10.0.0.${i}`).join(' ')
    expect(reasons(`dns server 1 address ${nine},dns server 1 address 1.1.1.1`)).toEqual(['too-many'])
  })

  it('PUSH-14 reads dhcp-option and lets dns lines win', () => {
    const old =
      'dhcp-option DNS 10.8.0.1,dhcp-option DNS6 fd00::1,dhcp-option DNS fd00::2,dhcp-option DOMAIN a.example,' +
      'dhcp-option DOMAIN-SEARCH b.example,dhcp-option ADAPTER_DOMAIN_SUFFIX c.example,dhcp-option WINS 10.0.0.1,' +
      'dhcp-option NBDD 10.0.0.2,dhcp-option NTP 10.0.0.3,dhcp-option NBT 8,dhcp-option NBS scope,' +
      'dhcp-option DISABLE-NBT,dhcp-option PROXY_HTTP proxy.example 3128,dhcp-option PROXY_HTTPS 10.0.0.4 443,' +
      'dhcp-option PROXY_AUTO_CONFIG_URL http://a.example/p.pac,dhcp-option PROXY_BYPASS x.example *.y.example'
    const taken = options(old)
    expect(taken.dhcp).toEqual({
      dns: ['10.8.0.1', 'fd00::1', 'fd00::2'],
      domain: 'a.example',
      adapterDomainSuffix: 'c.example',
      searchDomains: ['b.example'],
      wins: ['10.0.0.1'],
      nbdd: ['10.0.0.2'],
      ntp: ['10.0.0.3'],
      netbiosNodeType: 8,
      netbiosScope: 'scope',
      disableNetbios: true,
      httpProxy: { host: 'proxy.example', port: 3128 },
      httpsProxy: { host: '10.0.0.4', port: 443 },
      proxyAutoConfigUrl: 'http://a.example/p.pac',
      proxyBypass: ['x.example', '*.y.example'],
    })
    expect(taken.dns).toEqual({
      servers: [
        {
          priority: 0,
          addresses: [{ address: '10.8.0.1' }, { address: 'fd00::1' }, { address: 'fd00::2' }],
          resolveDomains: [],
        },
      ],
      searchDomains: ['a.example', 'b.example'],
    })
    const both = options(`${old},dns server 1 address 9.9.9.9,dns search-domains z.example`)
    expect(both.dns.servers.map((server) => server.priority)).toEqual([1])
    expect(both.dns.searchDomains).toEqual(['z.example'])
    const bad =
      'dhcp-option DNS,dhcp-option DNS x,dhcp-option DNS6 1.1.1.1,dhcp-option NBT 3,dhcp-option PROXY_HTTP a,' +
      'dhcp-option PROXY_AUTO_CONFIG_URL file:///x,dhcp-option __proto__ x,dhcp-option dns 1.1.1.1,' +
      'dhcp-option PROXY_BYPASS,dhcp-option WINS fd00::1'
    expect(reasons(bad)).toEqual(Array(10).fill('bad-value'))
    expect(reasons('dhcp-option DISABLE-NBT x')).toEqual(['wrong-argument-count'])
  })

  it('PUSH-12 names hold nothing that a shell or a resolver could stumble over', () => {
    const hostile = [
      '$(reboot)',
      'a;b',
      'a b',
      'a`b`',
      '-a',
      'a..b',
      '.a',
      'a{b',
      'x'.repeat(64),
      'a.'.repeat(127),
      'é',
    ]
    let accepted = 0
    for (const name of hostile) {
      for (const kind of ['DOMAIN', 'DOMAIN-SEARCH', 'ADAPTER_DOMAIN_SUFFIX'])
        if (pull(`dhcp-option ${kind} "${name}"`).refused.length === 0) accepted++
      if (pull(`dns search-domains "${name}"`).refused.length === 0) accepted++
    }
    expect(accepted).toBe(0)
    expect(options(`dns search-domains _x._tcp.example. ${'x'.repeat(63)}.y`).dns.searchDomains.length).toBe(2)
  })

  it('PUSH-10 timers become milliseconds, at most a day', () => {
    const { protocol } = options(
      'ping 0,ping-restart 86400,ping-exit 7,ping-timer-rem,session-timeout 3600,inactive 60 1000000000000,' +
        'explicit-exit-notify',
    )
    expect(protocol).toMatchObject({
      ping: 0,
      pingRestart: 86_400_000,
      pingExit: 7_000,
      pingTimerRemote: true,
      sessionTimeout: 3_600_000,
      inactive: { time: 60_000, bytes: 1e12 },
      explicitExitNotify: 1,
    })
    expect(options('keepalive 10 60').protocol).toMatchObject({ ping: 10_000, pingRestart: 60_000 })
    const bad =
      'ping 86401,ping -1,ping 1e1,ping 0x1,ping 4294967296,keepalive 10 19,inactive x,inactive 1 1e3,' +
      'explicit-exit-notify 256,session-timeout 2147483648'
    expect(reasons(bad)).toEqual(Array(10).fill('bad-value'))
  })

  it('reads the other protocol options', () => {
    expect(
      options('sndbuf 65536,rcvbuf 0,socket-flags TCP_NODELAY,shaper 1000,key-derivation tls-ekm,comp-lzo').protocol,
    ).toMatchObject({
      sendBuffer: 65_536,
      receiveBuffer: 0,
      tcpNoDelay: true,
      shaper: 1000,
      keyDerivation: 'tls-ekm',
      compression: 'comp-lzo',
    })
    const framings = {
      'comp-lzo no': 'comp-lzo',
      compress: 'stub',
      'compress stub-v2': 'stub-v2',
      'compress lzo': 'lzo',
      'compress lz4': 'lz4',
      'compress lz4-v2': 'lz4-v2',
    }
    for (const [text, framing] of Object.entries(framings)) expect(options(text).protocol.compression).toBe(framing)
    expect(options('peer-id 16777215').protocol.peerId).toBe(0xffffff)
    const bad =
      'peer-id 16777216,peer-id -1,cipher AES_256,comp-lzo maybe,compress zip,key-derivation prf,shaper 99,tun-mtu 67,' +
      'tun-mtu 1,tun-mtu 65536,topology ring,lladdr 01:00:00:00:00:00,lladdr x,route-gateway x,route-metric -1,' +
      'route-ipv6-gateway 10.0.0.1,route-delay x,client-nat x 1.1.1.1 255.0.0.0 2.2.2.2,ifconfig-ipv6 fd00::1/0,' +
      'ifconfig-ipv6 fd00::1/64 10.0.0.1,ifconfig x y'
    expect(reasons(bad)).toEqual(Array(21).fill('bad-value'))
    expect(reasons('socket-flags TCP_NODELAY MARK,protocol-flags cc-exit future')).toEqual([
      'unknown-flag',
      'unknown-flag',
    ])
  })

  it('reads the other tunnel options', () => {
    expect(
      options(
        'route-metric 50,route-delay 5 60,route-ipv6-gateway fd00::9,block-ipv6,block-outside-dns,register-dns,' +
          'persist-tun,persist-remote-ip,persist-local-ip,client-nat snat 10.1.2.3 255.255.0.0 10.2.0.0,' +
          'lladdr 02:AA:bb:cc:dd:ee,echo hello "big  world",parameter x,tun-mtu 65535',
        { device: 'tap' },
      ),
    ).toMatchObject({
      device: 'tap',
      routeMetric: 50,
      routeDelay: { delay: 5000, window: 60_000 },
      route6Gateway: 'fd00::9',
      blockIpv6: true,
      blockOutsideDns: true,
      registerDns: true,
      persistTun: true,
      persistRemoteIp: true,
      persistLocalIp: true,
      clientNat: [{ type: 'snat', network: '10.1.0.0', prefix: 16, foreign: '10.2.0.0' }],
      linkAddress: '02:aa:bb:cc:dd:ee',
      echo: ['hello big  world', 'x'],
      mtu: 65_535,
    })
  })
})
