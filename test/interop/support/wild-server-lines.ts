/**
 * The parts of a drawn server configuration: transport, addresses, wraps, logins, TLS, data, frames, timers, pushes, files of
 * clients; and what of it clients must have alike. Each part adds its lines to the drawing.
 */
import type { SeededRandom } from '../../support/random.ts'
import { PORT, type WrapName } from './configs.ts'
import type { KeyKind } from './pki.ts'
import type { Release } from './reference.ts'
import type { WildMaterial } from './wild-server-draw.ts'

/** An inline file. */
export const block = (name: string, text: string): string => `<${name}>\n${text.trim()}\n</${name}>`

/** A text that grows line by line. */
export class Text {
  readonly lines: string[] = []
  add(...lines: readonly string[]): void {
    this.lines.push(...lines)
  }
}

/** A draw under way. */
export interface Drawing {
  readonly random: SeededRandom
  readonly material: WildMaterial
  readonly server: Text
  /** Lines that every client has. */
  readonly client: Text
  readonly files: Record<string, string>
  releases: Release[]
}

/** Protocol, port, local address. */
export function transportLines(random: SeededRandom, udp: boolean, outside: 4 | 6): string[] {
  const words = udp
    ? outside === 4
      ? ['udp', 'udp4', 'udp6']
      : ['udp6']
    : outside === 4
      ? ['tcp', 'tcp-server', 'tcp4-server', 'tcp6-server', 'tcp4']
      : ['tcp6-server', 'tcp6']
  const word = random.pick(words)
  const lines = [`proto ${word}`, random.pick([`port ${PORT}`, `lport ${PORT}`])]
  // Not every address family answers on `udp` alone; the reference's own default is both.
  if (outside === 4 && /4/.test(word) && random.chance(0.3)) lines.push('local 0.0.0.0')
  if (udp && random.chance(0.15)) lines.push('multihome')
  return lines
}

interface Addresses {
  readonly inside: readonly string[]
  /** Fixed IPv4 addresses that lie outside the pool, with the second word of `ifconfig-push`. */
  readonly fixed: readonly (readonly [string, string])[]
  readonly needsFixed: boolean
  readonly mutual: boolean
  readonly defaultTopology: boolean
}

/** Addresses inside, by each of the ways to write them. */
export function drawAddresses({ random, server }: Drawing, device: 'tun' | 'tap'): Addresses {
  const six = random.chance(0.45)
  const six6 = random.pick(['fd00:8::/64', 'fd00:8::/112', '2001:db8:0:123::/64', 'fd00:8::/120'])
  const server6 = six6.replace(/::\/.*/, '::1')
  if (six) server.add(`server-ipv6 ${six6}`)
  const inside6 = six ? [server6] : []
  if (device === 'tap') {
    const bridged = random.chance(0.3)
    server.add(bridged ? 'server-bridge 10.8.0.1 255.255.255.0 10.8.0.50 10.8.0.100' : 'server 10.8.0.0 255.255.255.0')
    const fixed = ['10.8.0.200', '10.8.0.201'].map((address) => [address, '255.255.255.0'] as const)
    return { inside: ['10.8.0.1', ...inside6], fixed, needsFixed: false, mutual: true, defaultTopology: false }
  }
  if (six && random.chance(0.15)) {
    server.add('topology subnet')
    return { inside: inside6, fixed: [], needsFixed: false, mutual: true, defaultTopology: false }
  }
  const topology = random.pick(['subnet', 'subnet', 'net30', 'p2p', undefined] as const)
  if (topology !== undefined) server.add(`topology ${topology}`)
  const masks = ['255.255.255.0', '255.255.0.0', '255.255.255.192', '255.255.255.224']
  const mask = random.pick(masks)
  const spelledOut = topology !== undefined && random.chance(0.25)
  const nopool = !six && !spelledOut && topology === 'subnet' && random.chance(0.1)
  const subnet = topology === 'subnet' || topology === undefined
  const fixed = subnet
    ? ['10.8.0.20', '10.8.0.21', '10.8.0.22', '10.8.0.23'].map((address) => [address, mask] as const)
    : topology === 'net30'
      ? ([
          ['10.8.0.18', '10.8.0.17'],
          ['10.8.0.22', '10.8.0.21'],
        ] as const)
      : ([
          ['10.8.0.18', '10.8.0.1'],
          ['10.8.0.19', '10.8.0.1'],
        ] as const)
  const rest = { fixed, needsFixed: nopool, mutual: true, defaultTopology: topology === undefined }
  if (!spelledOut) {
    server.add(`server 10.8.0.0 ${mask}${nopool ? ' nopool' : ''}`)
    return { inside: ['10.8.0.1', ...inside6], ...rest }
  }
  server.add('mode server', 'tls-server', 'push "topology ' + topology + '"')
  if (subnet) {
    server.add(`ifconfig 10.8.0.1 ${mask}`, 'push "route-gateway 10.8.0.1"')
    server.add(`ifconfig-pool 10.8.0.4 10.8.0.19${random.chance(0.5) ? ` ${mask}` : ''}`)
  } else {
    server.add('ifconfig 10.8.0.1 10.8.0.2', 'route 10.8.0.0 255.255.255.0', 'push "route 10.8.0.0 255.255.255.0"')
    server.add(topology === 'net30' ? 'ifconfig-pool 10.8.0.4 10.8.0.15' : 'ifconfig-pool 10.8.0.4 10.8.0.16')
  }
  return { inside: ['10.8.0.1', ...inside6], ...rest }
}

/** How control packets are protected. */
export function drawWrap(drawing: Drawing, udp: boolean): void {
  const { random, server, client, files, material } = drawing
  const wrap = random.pick<WrapName>(['none', 'tls-auth', 'tls-crypt', 'tls-crypt-v2'])
  const inFile = random.chance(0.5)
  files['keys/ta.key'] = material.staticKey
  if (wrap === 'tls-auth') {
    const directed = random.chance(0.8)
    if (inFile) server.add(`tls-auth keys/ta.key${directed ? ' 0' : ''}`)
    else server.add(block('tls-auth', material.staticKey), ...(directed ? ['key-direction 0'] : []))
    client.add(block('tls-auth', material.staticKey), ...(directed ? ['key-direction 1'] : []))
  } else if (wrap === 'tls-crypt') {
    server.add(inFile ? 'tls-crypt keys/ta.key' : block('tls-crypt', material.staticKey))
    client.add(block('tls-crypt', material.staticKey))
  } else if (wrap === 'tls-crypt-v2') {
    files['keys/v2.key'] = material.v2Server
    const mode = random.pick(['', '', ' force-cookie', ' allow-noncookie'])
    server.add(inFile || mode !== '' ? `tls-crypt-v2 keys/v2.key${mode}` : block('tls-crypt-v2', material.v2Server))
    client.add(block('tls-crypt-v2', material.v2Client))
    if (mode === ' force-cookie' && udp) drawing.releases = drawing.releases.filter((release) => release !== '2.5')
  }
}

interface WildLogin {
  users: true | undefined
  certificates: 'require' | 'optional' | 'none'
  require(server: Text): void
}

/** Names and passwords, and whether certificates are wanted beside them. */
export function drawLogin(random: SeededRandom, server: Text): WildLogin {
  const login: WildLogin = {
    users: undefined,
    certificates: 'require',
    require(text: Text) {
      login.users = true
      text.add('script-security 2', 'auth-user-pass-verify ./verify.sh via-file')
    },
  }
  if (!random.chance(0.3)) return login
  login.require(server)
  if (random.chance(0.4)) {
    login.certificates = random.pick(['none', 'optional'] as const)
    server.add(`verify-client-cert ${login.certificates}`)
    server.add('username-as-common-name')
  } else if (random.chance(0.3)) server.add('username-as-common-name')
  if (random.chance(0.4)) server.add(random.pick(['auth-gen-token', 'auth-gen-token 3600', 'auth-gen-token 3600 120']))
  return login
}

/** TLS versions, suites, groups, checks of names. */
export function drawTls(drawing: Drawing, kind: KeyKind): { readonly fingerprints: boolean } {
  const { random, server, client, files } = drawing
  const least = random.pick(['', '', '1.2', '1.3'])
  const only12 = least !== '1.3' && random.chance(0.2)
  if (least !== '') server.add(`tls-version-min ${least}`)
  if (only12) (random.chance(0.5) ? server : client).add('tls-version-max 1.2')
  if (random.chance(0.2)) server.add('tls-groups X25519:secp256r1:secp384r1')
  if (random.chance(0.2)) server.add('tls-ciphersuites TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256')
  if (random.chance(0.15)) {
    const family = kind === 'RSA-2048' ? 'RSA' : 'ECDSA'
    server.add(`tls-cipher TLS-ECDHE-${family}-WITH-AES-256-GCM-SHA384:TLS-ECDHE-${family}-WITH-AES-128-GCM-SHA256`)
  }
  if (random.chance(0.2)) server.add(`tls-cert-profile ${random.pick(['legacy', 'preferred'])}`)
  if (random.chance(0.3)) server.add('remote-cert-tls client')
  if (random.chance(0.15)) client.add('verify-x509-name server name')
  if (random.chance(0.15)) server.add('verify-x509-name c name-prefix')
  files['keys/dh.pem'] = DH
  server.add(random.pick(['dh none', 'dh keys/dh.pem', block('dh', DH)]))
  return { fingerprints: random.chance(0.1) }
}

/** Certificates and revocations, as files or inline. */
export function drawCredentials(
  drawing: Drawing,
  kind: KeyKind,
  people: readonly string[],
  outsider: string | undefined,
  fingerprints: boolean,
): void {
  const { random, server, client, files, material } = drawing
  const authority = material.authority(kind)
  Object.assign(files, {
    'keys/ca.crt': authority.ca,
    'keys/server.crt': authority.server.certificate,
    'keys/server.key': authority.server.key,
  })
  client.add(block('ca', authority.ca))
  const prefixed = server.lines.some((line) => line.startsWith('verify-x509-name'))
  if (prefixed && people.some((name) => !name.startsWith('c'))) {
    server.lines.splice(server.lines.indexOf('verify-x509-name c name-prefix'), 1)
  }
  if (fingerprints && outsider !== 'revoked' && !server.lines.some((line) => line.startsWith('verify-client-cert'))) {
    server.add(block('peer-fingerprint', [...new Set(people)].map((name) => authority.fingerprint(name)).join('\n')))
  } else if (random.chance(0.5)) server.add('ca keys/ca.crt')
  else server.add(block('ca', authority.ca))
  if (random.chance(0.5))
    server.add('cert keys/server.crt', random.pick(['key keys/server.key', 'key "keys/server.key"']))
  else server.add(block('cert', authority.server.certificate), block('key', authority.server.key))
  if (outsider === 'revoked' || (random.chance(0.15) && !fingerprints)) {
    files['keys/crl.pem'] = authority.crl(...(outsider === 'revoked' ? ['stranger'] : ['nobody']))
    server.add(random.chance(0.7) ? 'crl-verify keys/crl.pem' : block('crl-verify', files['keys/crl.pem']))
  }
}

/** Data ciphers and compression framing. */
export function drawData(drawing: Drawing, device: 'tun' | 'tap'): void {
  const { random, server, client } = drawing
  switch (random.below(7)) {
    case 0:
      server.add('data-ciphers AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305')
      break
    case 1:
      server.add('data-ciphers AES-128-GCM', 'cipher AES-256-CBC')
      break
    case 2:
      server.add('data-ciphers ?CHACHA20-POLY1305:AES-256-GCM')
      break
    case 3:
      server.add('data-ciphers AES-256-CBC:AES-128-CBC', `auth ${random.pick(['SHA256', 'SHA512', 'SHA1'])}`)
      client.add('data-ciphers AES-128-CBC:AES-256-CBC', server.lines.at(-1) as string)
      break
    case 4:
      // A peer that negotiates nothing names its cipher all the same: the list must have it.
      server.add('data-ciphers AES-256-GCM:AES-256-CBC', 'data-ciphers-fallback AES-256-CBC', 'auth SHA256')
      client.add('auth SHA256')
      break
    case 5:
      server.add('data-ciphers CHACHA20-POLY1305:AES-256-GCM')
      client.add('data-ciphers AES-256-GCM')
      break
    default:
  }
  switch (random.below(9)) {
    case 0:
      server.add('comp-lzo no')
      client.add('comp-lzo no')
      break
    case 1:
      server.add('compress')
      client.add('compress')
      break
    case 2:
      server.add('compress stub-v2', 'push "compress stub-v2"')
      break
    case 3:
      if (device === 'tun') server.add('compress migrate')
      if (device === 'tun' && random.chance(0.6))
        client.add(random.pick(['comp-lzo no', 'compress', 'compress stub-v2']))
      break
    default:
  }
}

/** Sizes of packets; the payload of a ping that must pass. */
export function drawFrames({ random, server, client }: Drawing, udp: boolean): number {
  let size = 56
  if (udp && random.chance(0.15)) {
    const fragment = random.pick([1200, 1000, 600])
    server.add(`fragment ${fragment}`, ...(random.chance(0.5) ? ['mssfix'] : []))
    client.add(`fragment ${fragment}`)
    size = 1400
  } else if (random.chance(0.3))
    server.add(random.pick(['mssfix 1300', 'mssfix 1400 mtu', 'mssfix 0', 'mssfix 1360 fixed']))
  if (random.chance(0.15)) {
    server.add('tun-mtu 1400')
    client.add('tun-mtu 1400')
    size = Math.min(size, 1372)
  }
  return size
}

/** Timers, renegotiations, farewells. */
export function drawLife(
  { random, server, client }: Drawing,
  udp: boolean,
): { renegotiates: number; saysGoodbye: boolean } {
  if (random.chance(0.85)) server.add(`keepalive ${random.pick(['10 60', '2 12', '1 10'])}`)
  else server.add('ping 5', 'ping-restart 60', 'push "ping 5"', 'push "ping-restart 60"')
  const renegotiates = random.chance(0.4) ? 3 : 0
  if (renegotiates > 0) (random.chance(0.5) ? server : client).add(`reneg-sec ${renegotiates}`)
  if (random.chance(0.1)) server.add('reneg-bytes 50000')
  if (random.chance(0.1)) server.add('tran-window 60', 'hand-window 40')
  const exits = udp && random.chance(0.4)
  if (exits) server.add(random.pick(['explicit-exit-notify 1', 'push "explicit-exit-notify 2"']))
  const notify = udp && random.chance(0.4)
  if (notify) client.add('explicit-exit-notify 1')
  if (udp && random.chance(0.1)) server.add('connect-freq 50 10')
  if (random.chance(0.1)) server.add('push "inactive 3600"')
  return { renegotiates, saysGoodbye: notify }
}

/** Files for single clients; their fixed addresses by name. */
export function drawClientFiles(
  drawing: Drawing,
  device: 'tun' | 'tap',
  addresses: Addresses,
  names: readonly string[],
  outsider: string | undefined,
): ReadonlyMap<string, string> {
  const { random, server, files } = drawing
  const fixed = new Map<string, string>()
  const needed = addresses.needsFixed || outsider === 'disabled' || outsider === 'exclusive'
  const duplicates = new Set(names).size < names.length
  if (addresses.needsFixed && duplicates)
    server.lines.splice(
      server.lines.findIndex((line) => line.endsWith(' nopool')),
      1,
      'server 10.8.0.0 255.255.255.0',
    )
  if (duplicates || (!needed && !random.chance(0.4))) return fixed
  server.add('client-config-dir ccd')
  if (outsider === 'exclusive') server.add('ccd-exclusive')
  for (const [i, name] of names.entries()) {
    const lines: string[] = []
    const [address, second] = addresses.fixed[i] ?? []
    if (address !== undefined && (addresses.needsFixed || random.chance(0.5))) {
      lines.push(`ifconfig-push ${address} ${second}`)
      fixed.set(name, address)
    }
    if (device === 'tun' && addresses.fixed.length > 0 && random.chance(0.3)) {
      lines.push(`iroute 192.168.${150 + i}.0 255.255.255.0`)
      if (random.chance(0.5)) server.add(`push "route 192.168.${150 + i}.0 255.255.255.0"`)
    }
    if (random.chance(0.3)) lines.push(`push "route 192.168.${160 + i}.0 255.255.255.0"`)
    if (random.chance(0.2)) lines.push('push-remove "dhcp-option DNS"')
    if (random.chance(0.2)) lines.push(`push "echo for ${name}"`, '# a comment')
    if (lines.length > 0 || outsider === 'exclusive') files[`ccd/${name}`] = `${lines.join('\n')}\n`
  }
  if (outsider === 'disabled') files['ccd/stranger'] = 'disable\n'
  if (outsider !== 'exclusive' && random.chance(0.3)) files['ccd/DEFAULT'] = 'push "echo default"\n'
  if (!Object.keys(files).some((name) => name.startsWith('ccd/'))) files['ccd/unused'] = '\n'
  return fixed
}

/** A group that is in every TLS library, as `openssl dhparam` writes it. */
const DH = `-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----`
