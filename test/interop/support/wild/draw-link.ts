/**
 * Transport, control channel wraps and TLS settings of a drawn pair.
 */
import { generate, generateStaticKey, PORT } from '../configs.ts'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { program, type Release } from '../reference.ts'
import { type Plan, NOBODY, SERVER4, SERVER6 } from './draw.ts'
import { fileLine, line } from './spelling.ts'

/** Sockets of both ends. */
export function drawTransport(plan: Plan): void {
  const { random } = plan
  plan.transport = plan.pick('transport', ['udp', 'udp', 'tcp'])
  const { transport } = plan
  const family = plan.pick('family', ['4', '4', '6'])
  const host = family === '4' ? SERVER4 : SERVER6
  const port = plan.pick('port', [`${PORT}`, '443', '5000'])
  plan.port = Number(port)
  // Without a family a server listens on the first address the resolver gives, which is IPv4.
  const any = family === '4' && plan.chance('any-family', 0.3)
  plan.onServer(`proto ${transport}${any ? '' : family}${transport === 'tcp' ? '-server' : ''}`)
  if (!any && random.chance(0.5)) plan.onServer(`local ${host}`)
  plan.onServer(`${random.pick(['port', 'lport'])} ${port}`)
  const protos =
    transport === 'udp' ? ['udp', `udp${family}`] : ['tcp', 'tcp-client', `tcp${family}`, `tcp${family}-client`]
  // A family of its own in the profile is a must for nobody: addresses are literal.
  const proto = plan.pick('proto', protos)
  switch (plan.pick('remote', ['lines', 'full', 'default-port', 'block', 'blocks', 'two'])) {
    case 'lines':
      plan.onClient(`proto ${proto}`, `remote ${host} ${port}`)
      break
    case 'full':
      plan.onClient(`remote ${host} ${port} ${proto}`)
      break
    case 'default-port':
      plan.onClient(`proto ${proto}`, `remote ${host}`, port === `${PORT}` ? 'resolv-retry infinite' : `rport ${port}`)
      break
    case 'block':
      plan.client.push({ block: 'connection', lines: [line(`remote ${host} ${port} ${proto}`)] })
      break
    case 'blocks':
      plan.onClient('connect-timeout 2')
      plan.client.push({ block: 'connection', lines: [line(`remote ${NOBODY} ${port}`), line(`proto ${proto}`)] })
      plan.client.push({ block: 'connection', lines: [line(`remote ${host} ${port}`), line(`proto ${proto}`)] })
      break
    case 'two':
      plan.onClient('server-poll-timeout 2', `remote ${host} 9 ${transport}`, `remote ${host} ${port} ${proto}`)
  }
  const bind = plan.pick('bind', ['nobind', 'nobind', 'lport 0', 'lport 40000', 'bind', ''])
  if (bind !== '') plan.onClient(bind)
  if (plan.chance('float', 0.2)) plan.both('float')
  if (transport === 'tcp' && plan.chance('tcp-nodelay', 0.3)) plan.onServer('tcp-nodelay')
  if (transport === 'tcp' && plan.chance('socket-flags', 0.2)) plan.onClient('socket-flags TCP_NODELAY')
  if (plan.chance('buffers', 0.2)) plan.onClient('sndbuf 393216', 'rcvbuf 393216')
  if (transport === 'udp' && any && plan.chance('multihome', 0.3)) plan.onServer('multihome')
  if (plan.chance('passtos', 0.1)) plan.both('passtos')
  if (transport === 'udp' && plan.chance('fast-io', 0.1)) plan.onClient('fast-io')
}

const keys = new Map<string, string>()

function once(name: string, make: () => string): string {
  const key = keys.get(name) ?? make()
  keys.set(name, key)
  return key
}

/** A client key of tls-crypt-v2, with its maker's time or a text of its own as metadata. */
function clientKey(release: Release, serverKey: string, metadata: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ovpn-v2-'))
  try {
    const [server, client] = [join(folder, 'server.key'), join(folder, 'client.key')]
    writeFileSync(server, serverKey)
    const start = program(release)
    const [path, ...args] = [...start.command, '--tls-crypt-v2', server, '--genkey', 'tls-crypt-v2-client', client]
    const text = metadata === '' ? [] : [Buffer.from(metadata).toString('base64')]
    execFileSync(path, [...args, ...text], { env: { ...process.env, ...start.env }, stdio: 'pipe' })
    return readFileSync(client, 'utf8')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What protects the control channel. */
export function drawWrap(plan: Plan): void {
  const { random, release } = plan
  const wrap = plan.pick('wrap', ['none', 'tls-auth', 'tls-auth', 'tls-crypt', 'tls-crypt-v2', 'tls-crypt-v2'])
  if (wrap === 'none') return
  if (wrap === 'tls-crypt-v2') {
    const key = once(`v2-server`, () => generate('2.6', 'tls-crypt-v2-server'))
    const options =
      release === '2.5'
        ? []
        : plan
            .pick('cookie', ['', 'force-cookie', 'allow-noncookie'])
            .split(' ')
            .filter((word) => word !== '')
    plan.server.push({ words: [wrap, ...options], content: key })
    plan.keys = { tlsCryptV2: [key] }
    const metadata = { none: '', short: 'a client', long: 'm'.repeat(500) }[
      plan.pick('metadata', ['none', 'short', 'long'])
    ]
    const client = once(`v2-client-${release}-${metadata}`, () => clientKey(release, key, metadata))
    plan.client.push(fileLine(wrap, client))
    return
  }
  const key = once('static', () => generateStaticKey())
  plan.keys = wrap === 'tls-crypt' ? { tlsCrypt: [key] } : { tlsAuth: [{ text: key }] }
  if (wrap === 'tls-crypt') {
    plan.server.push(fileLine(wrap, key))
    plan.client.push(fileLine(wrap, key))
    return
  }
  const direction = plan.pick('direction', ['no', '0-1', '1-0'])
  const [ours, theirs] = direction === 'no' ? [[], []] : direction === '0-1' ? [['1'], ['0']] : [['0'], ['1']]
  plan.server.push(fileLine(wrap, key, ...theirs))
  plan.client.push(fileLine(wrap, key, ...ours))
  if (random.chance(0.4)) {
    plan.digest = plan.pick('auth', ['SHA1', 'SHA224', 'SHA256', 'SHA384', 'SHA512', 'MD5'])
    plan.both(`auth ${plan.digest}`)
  }
}

/** TLS versions, groups, suites. */
export function drawTls(plan: Plan): void {
  const { random, release } = plan
  const version = plan.pick('tls', ['', '', '', 'server-1.2', 'client-1.2', 'min-1.2', 'min-1.3'])
  if (version === 'server-1.2') plan.onServer('tls-version-max 1.2')
  if (version === 'client-1.2') plan.onClient('tls-version-max 1.2')
  if (version === 'min-1.2') plan.both('tls-version-min 1.2')
  if (version === 'min-1.3') plan.either('tls-version-min 1.3')
  const groups = ['X25519', 'secp256r1', 'secp384r1', 'secp521r1'] as const
  // In TLS 1.2 the groups also say whose certificates are taken: there they are left alone.
  const free = !version.endsWith('1.2')
  if (free && release === '2.5' && plan.chance('ecdh-curve', 0.05)) {
    plan.onServer('ecdh-curve secp384r1')
  } else if (free && plan.chance('server-groups', 0.2)) {
    plan.onServer(`tls-groups ${plan.pick('groups', ['X25519', 'secp384r1:X25519', 'secp521r1', 'prime256v1'])}`)
  } else if (free && plan.chance('client-groups', 0.2)) {
    plan.onClient(`tls-groups ${random.shuffle(groups).slice(0, random.int(1, 4)).join(':')}`)
  }
  if (plan.chance('ciphersuites', 0.15)) {
    const suite = plan.pick('suite', [
      'TLS_AES_128_GCM_SHA256',
      'TLS_CHACHA20_POLY1305_SHA256',
      'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256',
    ])
    plan.either(`tls-ciphersuites ${suite}`)
  }
  if (version.endsWith('1.2') && plan.chance('tls-cipher', 0.4)) {
    const list = plan.pick('cipher-list', [
      'TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256:TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384',
      'TLS-ECDHE-ECDSA-WITH-CHACHA20-POLY1305-SHA256:TLS-ECDHE-RSA-WITH-CHACHA20-POLY1305-SHA256',
      'DEFAULT:!EXP:!LOW:!MEDIUM',
    ])
    plan.either(`tls-cipher ${list}`)
  }
}
