/**
 * Configuration texts for both ends, as an administrator would write them.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestPki } from './pki.ts'
import { program, type Release } from './reference.ts'

export const TRANSPORTS = ['udp', 'tcp'] as const
export type TransportName = (typeof TRANSPORTS)[number]

export const WRAPS = ['none', 'tls-auth', 'tls-crypt'] as const
export type WrapName = (typeof WRAPS)[number] | 'tls-crypt-v2'

/** The port every laboratory uses: each has a network of its own. */
export const PORT = 1194

const inline = (name: string, text: string): string => `<${name}>\n${text.trim()}\n</${name}>\n`

/** A fresh static key made by the reference program. */
export function generateStaticKey(release: Release = '2.6'): string {
  return generate(release, 'secret')
}

/** What `openvpn --genkey TYPE` writes. `input` lines become further arguments. */
export function generate(release: Release, type: string, ...input: readonly string[]): string {
  const start = program(release)
  const folder = mkdtempSync(join(tmpdir(), 'ovpn-genkey-'))
  try {
    const [path, ...args] = [...start.command, ...input, '--genkey', type, join(folder, 'key')]
    execFileSync(path, args, { env: { ...process.env, ...start.env }, stdio: 'pipe' })
    return readFileSync(join(folder, 'key'), 'utf8')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The lines that protect the control channel. */
export function wrapLines(wrap: WrapName, key: string, side: 'server' | 'client'): string {
  if (wrap === 'none') return ''
  if (wrap === 'tls-auth') return `key-direction ${side === 'server' ? 0 : 1}\n${inline('tls-auth', key)}`
  return inline(wrap, key)
}

/** What both ends of one tunnel share. */
export interface Tunnel {
  readonly transport: TransportName
  readonly wrap: WrapName
  /** The server's key; with tls-crypt-v2 it is not the client's. */
  readonly key: string
  readonly clientKey?: string
  readonly pki: TestPki
  /** More lines for the server. */
  readonly server?: string
  /** More lines for the client. */
  readonly client?: string
}

/** A server configuration for the reference program. */
export function serverConfig(tunnel: Tunnel): string {
  const { transport, wrap, key, pki } = tunnel
  return [
    transport === 'udp' ? 'proto udp4' : 'proto tcp4-server',
    'local 127.0.0.1',
    `port ${PORT}`,
    'dev tun0',
    'dev-type tun',
    'topology subnet',
    'server 10.8.0.0 255.255.255.0',
    'dh none',
    'data-ciphers AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305',
    'keepalive 10 60',
    'verb 4',
    tunnel.server ?? '',
    inline('ca', pki.ca) + inline('cert', pki.server.certificate) + inline('key', pki.server.key),
    wrapLines(wrap, key, 'server'),
  ].join('\n')
}

/** A client profile, for either implementation. */
export function clientConfig(tunnel: Tunnel): string {
  const { transport, wrap, pki } = tunnel
  return [
    'client',
    'dev tun',
    transport === 'udp' ? 'proto udp' : 'proto tcp-client',
    `remote 127.0.0.1 ${PORT}`,
    'nobind',
    'remote-cert-tls server',
    tunnel.client ?? '',
    inline('ca', pki.ca) + inline('cert', pki.client.certificate) + inline('key', pki.client.key),
    wrapLines(wrap, tunnel.clientKey ?? tunnel.key, 'client'),
  ].join('\n')
}

/** The line by which the reference says that it serves. */
export const SERVER_READY = /Initialization Sequence Completed/
