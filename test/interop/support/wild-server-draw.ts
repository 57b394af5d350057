/**
 * Server configurations drawn from a seed, as administrators write them, with the clients that fit them.
 *
 * A draw is data: the server's text, the files that it names, the users, and for each client its release, its text and what
 * must become of it. The same file is meant for `ovpn serve` and for the reference, which is asked what it would push.
 */
import { SeededRandom } from '../../support/random.ts'
import { PORT } from './configs.ts'
import type { KeyKind } from './pki.ts'
import type { Release } from './reference.ts'
import { drawHousekeeping, drawPush } from './wild-server-extras.ts'
import {
  block,
  type Drawing,
  drawAddresses,
  drawClientFiles,
  drawCredentials,
  drawData,
  drawFrames,
  drawLife,
  drawLogin,
  drawTls,
  drawWrap,
  transportLines,
  Text,
} from './wild-server-lines.ts'

/** Keys and certificates that draws take from. */
export interface WildMaterial {
  /** Certificates of one key kind, by name; the CA's; revocation lists. */
  authority(kind: KeyKind): {
    readonly ca: string
    readonly server: { readonly certificate: string; readonly key: string }
    client(name: string): { readonly certificate: string; readonly key: string }
    crl(...revoked: readonly string[]): string
    fingerprint(name: string): string
  }
  /** A static key; and a tls-crypt-v2 server key with a client key of it. */
  readonly staticKey: string
  readonly v2Server: string
  readonly v2Client: string
}

/** What must become of a client. */
export type WildFate = 'in' | 'refused'

/** One client. */
export interface WildClient {
  readonly name: string
  readonly release: Release
  readonly config: string
  readonly fate: WildFate
  /** What it does when all are in: restart itself, be killed and come back, or nothing. */
  readonly upset: 'none' | 'restart' | 'kill'
  /** The address that its file gives it. */
  readonly fixedAddress?: string
}

/** One server and its clients. */
export interface WildDraw {
  readonly seed: string
  readonly server: string
  /** Contents by path, relative to the server's folder. */
  readonly files: Readonly<Record<string, string>>
  readonly users: string | undefined
  /** `ovpn serve` gets the users as a list of its own, in place of the profile's program. */
  readonly usesList: boolean
  readonly clients: readonly WildClient[]
  readonly outside: 4 | 6
  readonly device: 'tun' | 'tap'
  /** The server's own addresses inside. */
  readonly inside: readonly string[]
  readonly clientToClient: boolean
  /** Bytes of a ping that passes the tunnel's frames. */
  readonly pingSize: number
  /** Seconds between renegotiations; 0: none. */
  readonly renegotiates: number
  readonly saysGoodbye: boolean
  /** The release that is asked what it would push, if it takes such a file. */
  readonly oracle: Release
}

/** The draw of a seed. */
export function drawWildServer(seed: number | string, material: WildMaterial, releases: readonly Release[]): WildDraw {
  const random = new SeededRandom(seed)
  const drawing: Drawing = {
    random,
    material,
    server: new Text(),
    client: new Text(),
    files: {},
    releases: [...releases],
  }
  const { server, client } = drawing
  const udp = random.chance(0.7)
  const outside = random.chance(0.2) ? 6 : 4
  server.add(...transportLines(random, udp, outside))
  const device = random.chance(0.15) ? 'tap' : 'tun'
  const deviceLine = random.chance(0.3) ? `dev ${device}0` : `dev ${device}`
  server.add(deviceLine)
  client.add('client', `dev ${device}`, 'nobind', 'verb 4', 'connect-retry 1 2', 'remote-cert-tls server')
  client.add(
    `remote ${outside === 4 ? '172.16.NUMBER.1' : 'fd16:NUMBER::1'} ${PORT} ${udp ? `udp${outside}` : `tcp${outside}-client`}`,
  )
  const addresses = drawAddresses(drawing, device)
  const kind = random.pick<KeyKind>(['P-256', 'P-256', 'P-384', 'RSA-2048', 'Ed25519'])
  drawWrap(drawing, udp)
  const login = drawLogin(random, server)
  const restrictions = drawTls(drawing, kind)
  drawData(drawing, device)
  const pingSize = drawFrames(drawing, udp)
  const life = drawLife(drawing, udp)
  drawHousekeeping(drawing)
  drawPush(drawing, device)
  const count = random.int(1, 3)
  const clientToClient = random.chance(0.5)
  if (clientToClient) server.add('client-to-client')
  const duplicates = random.chance(0.12)
  if (duplicates) server.add('duplicate-cn')
  const names = Array.from({ length: count }, (_, i) => (duplicates ? 'shared' : `c${i + 1}`))
  const outsider =
    !duplicates && random.chance(0.35)
      ? random.pick(['revoked', 'disabled', 'password', 'exclusive'] as const)
      : undefined
  const people = outsider === undefined ? names : [...names, 'stranger']
  const authority = material.authority(kind)
  drawCredentials(drawing, kind, people, outsider, restrictions.fingerprints)
  const fixed = drawClientFiles(drawing, device, addresses, names, outsider)
  if (outsider === 'password' && login.users === undefined) login.require(server)
  if (random.chance(0.3)) server.add(`max-clients ${count + 1}`)
  const fallsBack = server.lines.includes('data-ciphers-fallback AES-256-CBC')
  const clients: WildClient[] = people.map((name, i) => {
    const release = random.pick(drawing.releases)
    const text = [...client.lines]
    const certificate = login.certificates === 'none' || (login.certificates === 'optional' && random.chance(0.5))
    const { certificate: own, key } = authority.client(name)
    if (!certificate) text.push(block('cert', own), block('key', key))
    const password = name === 'stranger' && outsider === 'password' ? 'wrong' : `secret-${name}`
    if (login.users !== undefined) text.push(block('auth-user-pass', `${name}\n${password}`))
    if (login.users !== undefined && release === '2.5') {
      text.splice(text.indexOf(block('auth-user-pass', `${name}\n${password}`)), 1, `auth-user-pass login-${name}`)
      drawing.files[`login-${name}`] = `${name}\n${password}\n`
    }
    if (release === '2.5' && fallsBack && random.chance(0.5)) text.push('ncp-disable', 'cipher AES-256-CBC')
    const fate: WildFate = name === 'stranger' ? 'refused' : 'in'
    const upset = fate === 'in' ? random.pick(['none', 'none', 'restart', 'kill'] as const) : 'none'
    const address = fixed.get(name)
    const config = `${text.join('\n')}\n`.replaceAll('NUMBER', String(i + 1))
    return { name, release, config, fate, upset, ...(address === undefined ? {} : { fixedAddress: address }) }
  })
  const users = login.users === undefined ? undefined : people.map((name) => `${name}:secret-${name}\n`).join('')
  if (users !== undefined) drawing.files['users'] = users
  const lines = random.chance(0.5) ? random.shuffle(server.lines) : server.lines
  return {
    seed: random.seed,
    server: dress(random, lines),
    files: drawing.files,
    users,
    usesList: users !== undefined && random.chance(0.4),
    clients,
    outside,
    device,
    inside: addresses.inside,
    clientToClient: clientToClient && addresses.mutual,
    pingSize,
    renegotiates: life.renegotiates,
    saysGoodbye: life.saysGoodbye || !udp,
    oracle: addresses.defaultTopology || !drawing.releases.includes('2.6') ? '2.7' : random.pick(['2.6', '2.7']),
  }
}

/** Comments, blank lines, tabs: as files look that people keep for years. */
function dress(random: SeededRandom, lines: readonly string[]): string {
  const out: string[] = []
  for (const line of lines) {
    if (random.chance(0.1)) out.push(random.pick(['', '# a comment', '; another one', '   ']))
    const plain = !line.includes('\n') && !line.includes('"')
    const dressed = [line.replace(' ', random.pick(['\t', '   '])), `${line} # why`, `  ${line}  `]
    out.push(plain && random.chance(0.2) ? random.pick(dressed) : line)
  }
  return `${out.join('\n')}\n`
}
