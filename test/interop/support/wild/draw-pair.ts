/**
 * Two equal ends: TLS without pull, or a static key.
 */
import { generateStaticKey, PORT } from '../configs.ts'
import { SERVER4, type Plan } from './draw.ts'
import { leaf, root } from './keys.ts'
import { fileLine, line } from './spelling.ts'

/** Draws both ends whole. */
export function drawPair(plan: Plan): void {
  const { random, release } = plan
  const transport = plan.pick('transport', ['udp', 'udp', 'tcp'])
  plan.transport = transport
  plan.onServer(
    'verb 4',
    'dev tun0',
    'dev-type tun',
    `port ${PORT}`,
    `proto ${transport === 'udp' ? 'udp4' : 'tcp4-server'}`,
  )
  plan.onClient('dev tun', `proto ${transport === 'udp' ? 'udp' : 'tcp-client'}`, `remote ${SERVER4} ${PORT}`, 'nobind')
  plan.onServer('ifconfig 10.8.0.1 10.8.0.2', 'ping 5')
  plan.onClient('ifconfig 10.8.0.2 10.8.0.1', 'ping 5')
  if (plan.chance('ipv6', 0.3)) {
    plan.onServer('ifconfig-ipv6 fd00:8::1/64 fd00:8::2')
    plan.onClient('ifconfig-ipv6 fd00:8::2/64 fd00:8::1')
  }
  // The reference opens its device a second or two after the handshake: the first pings meet nobody.
  plan.args.push('--count', '30', '--interval', '150', '--require', '8')
  if (plan.chance('fragment', 0.2) && transport === 'udp') plan.both('fragment 1000')
  if (plan.chance('comp-lzo', 0.2)) plan.both('comp-lzo no')
  if (plan.chance('static', 0.5)) {
    const key = generateStaticKey()
    const [ours, theirs] = plan.chance('direction', 0.6) ? [['1'], ['0']] : [[], []]
    plan.server.push(fileLine('secret', key, ...theirs))
    plan.client.push(fileLine('secret', key, ...ours))
    plan.both(`cipher ${plan.pick('cipher', ['AES-256-CBC', 'AES-128-CBC', 'AES-192-CBC'])}`)
    plan.both(`auth ${plan.pick('auth', ['SHA1', 'SHA256', 'SHA512'])}`)
    if (release === '2.7') plan.both('allow-deprecated-insecure-static-crypto')
    return
  }
  const kind = plan.pick('ca', ['P-256', 'RSA-2048', 'Ed25519'])
  const server = leaf(kind, 'root', kind, 'serverAuth', 'server')
  const client = leaf(kind, 'root', kind, 'clientAuth', 'client')
  plan.server.push(
    fileLine('ca', root(kind).certificate),
    fileLine('cert', server.certificate),
    fileLine('key', server.key),
  )
  plan.client.push(
    fileLine('ca', root(kind).certificate),
    fileLine('cert', client.certificate),
    fileLine('key', client.key),
  )
  plan.server.push(line('tls-server'), line('dh none'))
  plan.client.push(line('tls-client'), line('remote-cert-tls server'))
  if (random.chance(0.4)) {
    const key = generateStaticKey()
    const wrap = plan.pick('wrap', ['tls-auth', 'tls-crypt'])
    plan.server.push(fileLine(wrap, key))
    plan.client.push(fileLine(wrap, key))
  }
  // 2.5 negotiates no cipher between equal ends.
  if (release === '2.5' || plan.chance('old-cipher', 0.3))
    plan.both(`cipher ${plan.pick('cipher', ['AES-256-GCM', 'AES-128-CBC'])}`)
  else if (plan.chance('lists', 0.5)) plan.both('data-ciphers AES-128-GCM:AES-256-GCM')
}
