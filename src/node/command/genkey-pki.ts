/**
 * A toy PKI on disk: a CA, a server's and clients' certificates, control channel keys, and profiles with all of it inline.
 *
 * For tests and first steps. The profiles work with this library and with the reference.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { invariant } from '../../bytes/index.ts'
import type { PrivateKey, RandomSource } from '../../crypto/index.ts'
import {
  createTlsCryptV2Wrapper,
  generateStaticKey,
  generateTlsCryptV2ClientKey,
  generateTlsCryptV2ServerKey,
  writeStaticKey,
  writeTlsCryptV2ClientKey,
  writeTlsCryptV2ServerKey,
} from '../../wire/index.ts'
import {
  type Certificate,
  type CertificateKind,
  type GeneratedKeyType,
  generatePrivateKey,
  issueCertificate,
  parseCertificate,
  writePem,
  writePkcs8,
} from '../../x509/index.ts'
import { nodeCrypto } from '../crypto/index.ts'
import { writePrivate } from './files.ts'

/** Kinds of keys. */
export const PKI_KEY_TYPES: readonly GeneratedKeyType[] = ['P-256', 'P-384', 'P-521', 'ed25519']
/** Control channel wraps of the profiles. */
export const PKI_WRAPS = ['tls-crypt', 'tls-crypt-v2', 'tls-auth', 'none'] as const

/** What is wanted. */
export interface PkiRequest {
  readonly folder: string
  readonly type: GeneratedKeyType
  readonly wrap: (typeof PKI_WRAPS)[number]
  readonly proto: 'udp' | 'tcp'
  readonly host: string
  readonly port: number
  readonly days: number
  readonly clients: number
  readonly force: boolean
}

interface Identity {
  readonly certificate: string
  readonly key: string
}

const DAY = 86_400_000
/** Clocks of test machines differ. */
const BACKDATE = DAY

/** Writes the folder; returns the names of its files. */
export function writePkiFolder(request: PkiRequest, unixTime: number, random: RandomSource): readonly string[] {
  const authority = new Authority(request, unixTime, random)
  const server = authority.issue('server', 'server')
  const names = Array.from({ length: request.clients }, (_, index) => `client${index + 1}`)
  const wrap = wrapBlocks(request.wrap, names, unixTime, random)
  const files = new Map<string, string>([
    ['ca.crt', authority.certificate],
    ['ca.key', authority.key],
    ['server.crt', server.certificate],
    ['server.key', server.key],
    ['server.ovpn', serverProfile(request) + identityBlocks(authority.certificate, server) + wrap.server],
    ...wrap.files,
  ])
  for (const name of names) {
    const client = authority.issue('client', name)
    files.set(`${name}.crt`, client.certificate)
    files.set(`${name}.key`, client.key)
    const profile = clientProfile(request) + identityBlocks(authority.certificate, client)
    files.set(`${name}.ovpn`, profile + (wrap.clients.get(name) ?? ''))
  }
  mkdirSync(request.folder, { recursive: true, mode: 0o700 })
  for (const [name, text] of files) writePrivate(join(request.folder, name), text, request.force)
  return [...files.keys()]
}

/** The toy CA. */
class Authority {
  readonly certificate: string
  readonly key: string
  readonly #type: GeneratedKeyType
  readonly #random: RandomSource
  readonly #validity: { readonly notBefore: number; readonly notAfter: number }
  readonly #signingKey: PrivateKey
  readonly #issuer: Certificate

  constructor({ days, type }: PkiRequest, unixTime: number, random: RandomSource) {
    this.#type = type
    this.#random = random
    this.#validity = { notBefore: unixTime - BACKDATE, notAfter: unixTime + days * DAY }
    this.#signingKey = generatePrivateKey(type, nodeCrypto, random)
    const { public: publicKey } = this.#signingKey
    const subject = [['CN', 'toy CA, for tests only']] as const
    const request = { kind: 'ca', subject, publicKey, signingKey: this.#signingKey, ...this.#validity } as const
    const der = issueCertificate(request, nodeCrypto, random)
    const issuer = parseCertificate(der)
    invariant(typeof issuer !== 'string', 'X509-1')
    this.#issuer = issuer
    this.certificate = writePem('CERTIFICATE', der)
    this.key = writePem('PRIVATE KEY', writePkcs8(this.#signingKey))
  }

  issue(kind: CertificateKind, name: string): Identity {
    const key = generatePrivateKey(this.#type, nodeCrypto, this.#random)
    const der = issueCertificate(
      {
        kind,
        subject: [['CN', name]],
        publicKey: key.public,
        signingKey: this.#signingKey,
        issuer: this.#issuer,
        ...this.#validity,
      },
      nodeCrypto,
      this.#random,
    )
    return { certificate: writePem('CERTIFICATE', der), key: writePem('PRIVATE KEY', writePkcs8(key)) }
  }
}

const block = (name: string, text: string): string => `<${name}>\n${text.trim()}\n</${name}>\n`

function identityBlocks(ca: string, { certificate, key }: Identity): string {
  return block('ca', ca) + block('cert', certificate) + block('key', key)
}

interface WrapBlocks {
  readonly files: readonly (readonly [string, string])[]
  readonly server: string
  readonly clients: ReadonlyMap<string, string>
}

function wrapBlocks(
  wrap: PkiRequest['wrap'],
  names: readonly string[],
  unixTime: number,
  random: RandomSource,
): WrapBlocks {
  const same = (text: string): ReadonlyMap<string, string> => new Map(names.map((name) => [name, text]))
  switch (wrap) {
    case 'none':
      return { files: [], server: '', clients: new Map() }
    case 'tls-auth':
    case 'tls-crypt': {
      const key = writeStaticKey(generateStaticKey(random))
      const direction = (side: 0 | 1): string => (wrap === 'tls-auth' ? `key-direction ${side}\n` : '')
      const files = [[`${wrap}.key`, key]] as const
      return { files, server: direction(0) + block(wrap, key), clients: same(direction(1) + block(wrap, key)) }
    }
    case 'tls-crypt-v2': {
      const serverKey = generateTlsCryptV2ServerKey(random)
      const wrapper = createTlsCryptV2Wrapper(nodeCrypto, serverKey)
      const metadata = { type: 'timestamp', unixSeconds: Math.floor(unixTime / 1000) } as const
      const keys = names.map((name) => {
        const key = generateTlsCryptV2ClientKey(wrapper, random, metadata)
        return [name, writeTlsCryptV2ClientKey(key)] as const
      })
      const text = writeTlsCryptV2ServerKey(serverKey)
      return {
        files: [['tls-crypt-v2-server.key', text], ...keys.map(([name, key]) => [`${name}-v2.key`, key] as const)],
        server: block('tls-crypt-v2', text),
        clients: new Map(keys.map(([name, key]) => [name, block('tls-crypt-v2', key)])),
      }
    }
  }
}

function serverProfile({ port, proto }: PkiRequest): string {
  const lines = [
    '# A server for tests.',
    'dev tun',
    `proto ${proto === 'udp' ? 'udp' : 'tcp-server'}`,
    `port ${port}`,
    'topology subnet',
    'server 10.8.0.0 255.255.255.0',
    'dh none',
    'keepalive 10 60',
    'persist-key',
    'persist-tun',
    'verb 3',
  ]
  return `${lines.join('\n')}\n`
}

function clientProfile({ host, port, proto }: PkiRequest): string {
  const lines = [
    '# A client for tests.',
    'client',
    'dev tun',
    `proto ${proto === 'udp' ? 'udp' : 'tcp-client'}`,
    `remote ${host} ${port}`,
    'nobind',
    'remote-cert-tls server',
    'verb 3',
  ]
  return `${lines.join('\n')}\n`
}
