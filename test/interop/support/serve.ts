/**
 * `ovpn serve` in a laboratory, with as many clients of the reference as a test wants: configurations, certificates, and the
 * namespaces that keep their tun devices apart.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { journalDirectory } from '../../../src/node/tun/journal.ts'
import { PORT, type TransportName, wrapLines, type WrapName } from './configs.ts'
import type { Lab, Running } from './lab.ts'
import { pingFrom } from './ping.ts'
import { KEY_ARGUMENTS, type KeyKind, type PemPair } from './pki.ts'
import { program, type Release } from './reference.ts'

const OVPN = fileURLToPath(new URL('../../../bin/ovpn.mjs', import.meta.url))

/** A CA that issues client certificates by name and revokes them. */
export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), 'ovpn-ca-'))
  readonly ca: string
  readonly server: PemPair
  readonly #kind: KeyKind
  readonly #issued = new Map<string, PemPair>()

  constructor(kind: KeyKind = 'P-256') {
    this.#kind = kind
    const extensions = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign']
    this.#openssl('genpkey', ...KEY_ARGUMENTS[kind], '-out', 'ca.key')
    this.#openssl(
      'req',
      '-x509',
      '-new',
      '-key',
      'ca.key',
      '-out',
      'ca.crt',
      '-days',
      '9',
      '-subj',
      '/CN=CA',
      ...extensions,
    )
    writeFileSync(join(this.folder, 'index.txt'), '')
    writeFileSync(
      join(this.folder, 'ca.conf'),
      '[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\ndefault_crl_days=9\n',
    )
    writeFileSync(join(this.folder, 'crlnumber'), '01\n')
    this.ca = this.#read('ca.crt')
    this.server = this.#issue('server', 'serverAuth')
  }

  /** The certificate of that name, made when first asked for. */
  client(name: string): PemPair {
    let pair = this.#issued.get(name)
    if (pair === undefined) {
      pair = this.#issue(name, 'clientAuth')
      this.#issued.set(name, pair)
    }
    return pair
  }

  /** The SHA-256 fingerprint of the certificate of that name. */
  fingerprint(name: string): string {
    this.client(name)
    const print = ['x509', '-in', `${name}.crt`, '-noout', '-fingerprint', '-sha256']
    return execFileSync('openssl', print, { cwd: this.folder, encoding: 'utf8' }).trim().replace(/^.*=/, '')
  }

  /** A list that revokes those names. */
  crl(...revoked: readonly string[]): string {
    writeFileSync(join(this.folder, 'index.txt'), '')
    const ca = ['ca', '-config', 'ca.conf', '-cert', 'ca.crt', '-keyfile', 'ca.key']
    for (const name of revoked) {
      this.client(name)
      this.#openssl(...ca, '-revoke', `${name}.crt`)
    }
    this.#openssl(...ca, '-gencrl', '-out', 'crl.pem')
    return this.#read('crl.pem')
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #issue(name: string, usage: 'serverAuth' | 'clientAuth'): PemPair {
    this.#openssl('genpkey', ...KEY_ARGUMENTS[this.#kind], '-out', `${name}.key`)
    this.#openssl('req', '-new', '-key', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    writeFileSync(
      join(this.folder, 'ext'),
      `basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=${usage}\n`,
    )
    const sign = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '9', '-extfile', 'ext']
    this.#openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.crt`, ...sign)
    return { certificate: this.#read(`${name}.crt`), key: this.#read(`${name}.key`) }
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] })
  }

  #read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8')
  }
}

const block = (name: string, text: string): string => `<${name}>\n${text.trim()}\n</${name}>\n`

/** What server and clients share. */
export interface Served {
  readonly authority: Authority
  readonly transport?: TransportName
  readonly wrap?: WrapName
  readonly key?: string
  /** Lines of the server; a `server` line among them. */
  readonly lines?: readonly string[]
}

/** A server profile. */
export function serveConfig(served: Served): string {
  const { authority, key = '', lines = ['server 10.9.0.0 255.255.255.0'], transport = 'udp', wrap = 'none' } = served
  return [
    transport === 'udp' ? 'proto udp4' : 'proto tcp4-server',
    `port ${PORT}`,
    'dev tun',
    'dh none',
    'remote-cert-tls client',
    'data-ciphers AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305',
    'keepalive 10 60',
    ...lines,
    block('ca', authority.ca) + block('cert', authority.server.certificate) + block('key', authority.server.key),
    wrapLines(wrap, key, 'server'),
  ].join('\n')
}

/** Starts `ovpn serve`; resolves when it listens. */
export async function startServe(lab: Lab, config: string, ...args: readonly string[]): Promise<Running> {
  const file = lab.file('serve.conf', config)
  const running = lab.start('ovpn serve', [process.execPath, OVPN, 'serve', file, '--json', ...args])
  await running.seen(/"listening"/)
  return running
}

/** A namespace of one client, joined to the laboratory by a cable of its own. */
export class ClientPlace {
  readonly namespace: string
  /** The server's address as seen from here. */
  readonly server: string
  readonly #lab: Lab
  readonly #number: number

  constructor(lab: Lab, number: number) {
    this.#lab = lab
    this.#number = number
    this.namespace = `${lab.namespace}-${number}`
    this.server = `172.16.${number}.1`
    const ip = (...args: readonly string[]): void => {
      execFileSync('ip', args)
    }
    const [outer, inner] = [`v${number}`, 'eth0']
    ip('netns', 'add', this.namespace)
    ip('-n', this.namespace, 'link', 'set', 'lo', 'up')
    // New IPv6 addresses work at once, without looking for duplicates first.
    this.run(['sysctl', '-qw', 'net.ipv6.conf.default.accept_dad=0', 'net.ipv6.conf.all.accept_dad=0'])
    ip('-n', lab.namespace, 'link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', this.namespace)
    ip('-n', lab.namespace, 'addr', 'add', `${this.server}/24`, 'dev', outer)
    ip('-n', lab.namespace, 'link', 'set', outer, 'up')
    ip('-n', this.namespace, 'addr', 'add', `172.16.${number}.2/24`, 'dev', inner)
    ip('-n', this.namespace, 'link', 'set', inner, 'up')
    ip('-n', this.namespace, 'route', 'add', 'default', 'via', this.server)
  }

  /** Starts a client of the reference here. */
  openvpn(
    release: Release,
    name: string,
    served: Served,
    lines: readonly string[] = [],
    wrapKey?: string,
    remote = this.server,
  ): Running {
    const { authority, key = '', transport = 'udp', wrap = 'none' } = served
    const pair = authority.client(name)
    const config = [
      'client',
      'dev tun',
      transport === 'udp' ? 'proto udp4' : 'proto tcp4-client',
      `remote ${remote} ${PORT}`,
      'nobind',
      'remote-cert-tls server',
      'connect-retry 1',
      'verb 4',
      ...lines,
      block('ca', authority.ca) + block('cert', pair.certificate) + block('key', pair.key),
      wrapLines(wrap, wrapKey ?? key, 'client'),
    ].join('\n')
    const start = program(release)
    const path = this.#lab.file(`client-${this.#number}-${name}.conf`, config)
    const command = ['ip', 'netns', 'exec', this.namespace, ...start.command, '--config', path]
    return this.#lab.start(`client ${name} (openvpn ${start.version})`, command, start.env)
  }

  /** Replies to the system's ping from here. */
  ping(target: string, count = 5, ...args: readonly string[]): number {
    return pingFrom(this.namespace, target, count, ...args)
  }

  /** Runs a program here. */
  run(command: readonly string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.namespace, ...command], { encoding: 'utf8', stdio: 'pipe' })
  }

  close(): void {
    try {
      this.#forgetJournals()
      execFileSync('ip', ['netns', 'del', this.namespace], { stdio: 'ignore' })
    } catch {
      // Removed before.
    }
  }

  /** What a killed `ovpn connect` left to be undone here: the kernel may give this namespace's number to another one. */
  #forgetJournals(): void {
    const directory = journalDirectory()
    const number = /\d+/.exec(this.run(['readlink', '/proc/self/ns/net']))?.[0] ?? ''
    if (!existsSync(directory)) return
    for (const name of readdirSync(directory)) if (name.startsWith(`${number}-`)) rmSync(join(directory, name))
  }
}

/** Runs a body with client namespaces that are removed whatever happens. */
export async function withPlaces<T>(
  lab: Lab,
  count: number,
  body: (places: readonly ClientPlace[]) => Promise<T>,
): Promise<T> {
  const places: ClientPlace[] = []
  try {
    for (let number = 1; number <= count; number++) places.push(new ClientPlace(lab, number))
    return await body(places)
  } finally {
    for (const place of places) place.close()
  }
}

/**
 * Resolves once that event of a server was printed so often. What a client says may be read before what the server said, so no
 * event is looked for without it.
 */
export async function events(server: Running, kind: string, count: number, seconds?: number): Promise<void> {
  // Each stretch ends where the next event begins, so that a search that fails does so at once.
  const event = `"event":"${kind}"`
  await server.seen(new RegExp(`(?:${event}(?:(?!${event})[^])*){${count}}`), seconds)
}

/** Events that the server printed, of one kind. */
export function eventsOf(running: Running, kind: string): readonly Readonly<Record<string, unknown>>[] {
  return running
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    .filter(({ event }) => event === kind)
}
