/**
 * The real OpenVPN 3: its command line client, whose path `OVPN_OPENVPN3` names. It is built by whoever wants these tests;
 * nothing here knows how. It prints what happens as `EVENT: NAME words`.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PORT, wrapLines } from './configs.ts'
import type { Lab, Running } from './lab.ts'
import { CAN_NAMESPACE } from './reference.ts'
import type { ClientPlace, Served } from './serve.ts'

const DESK = fileURLToPath(new URL('./desk.child.ts', import.meta.url))

/** The program; `undefined`, with a line that says why, where the tests cannot run. */
export function openvpn3Program(): string | undefined {
  const path = process.env['OVPN_OPENVPN3']
  const why =
    path === undefined || path === ''
      ? 'OVPN_OPENVPN3 does not name its command line client'
      : !existsSync(path)
        ? `there is no ${path}`
        : CAN_NAMESPACE
          ? undefined
          : 'needs root and /dev/net/tun'
  if (why !== undefined) console.warn(`interop with OpenVPN 3 skipped: ${why}`)
  return why === undefined ? path : undefined
}

/** The line by which the client says that its tunnel is up. */
export const UP = /EVENT: CONNECTED/

/** What a client is started with. */
export interface Openvpn3Options {
  /** More lines of its profile. */
  readonly lines?: readonly string[]
  /** Options of the program. */
  readonly args?: readonly string[]
  /** The client's own wrap key, where it is not the server's. */
  readonly wrapKey?: string
  /** Without a certificate of its own. */
  readonly bare?: boolean
  /** Instead of the address of the laboratory. */
  readonly remote?: string
  /** Another authority than the server's. */
  readonly ca?: string
}

/** The client's profile. */
export function openvpn3Profile(name: string, served: Served, remote: string, options: Openvpn3Options = {}): string {
  const { authority, key = '', transport = 'udp', wrap = 'none' } = served
  const pair = authority.client(name)
  return [
    'client',
    'dev tun',
    transport === 'udp' ? 'proto udp4' : 'proto tcp4-client',
    `remote ${remote} ${PORT}`,
    'nobind',
    'remote-cert-tls server',
    ...(options.lines ?? []),
    `<ca>\n${(options.ca ?? authority.ca).trim()}\n</ca>`,
    ...(options.bare === true
      ? []
      : [`<cert>\n${pair.certificate.trim()}\n</cert>`, `<key>\n${pair.key.trim()}\n</key>`]),
    wrapLines(wrap, options.wrapKey ?? key, 'client'),
  ].join('\n')
}

/** Starts a client in a place. Its standard input is open. */
export function startOpenvpn3(
  lab: Lab,
  place: ClientPlace,
  name: string,
  served: Served,
  options: Openvpn3Options = {},
): Running {
  const profile = lab.file(
    `${place.namespace}-${name}.ovpn`,
    openvpn3Profile(name, served, options.remote ?? place.server, options),
  )
  const program = process.env['OVPN_OPENVPN3'] ?? ''
  const command = ['ip', 'netns', 'exec', place.namespace, program, ...(options.args ?? []), profile]
  return lab.start(`OpenVPN 3 ${name}`, command, {}, 'pipe')
}

/** A server that does what it is told. */
export interface Desk {
  readonly running: Running
  /** Calls a method of the server; the time is added. */
  call(method: string, ...args: readonly unknown[]): void
}

/** Starts a server that is told what to do. */
export async function startDesk(
  lab: Lab,
  config: string,
  admission: 'automatic' | 'ask',
  recording?: string,
): Promise<Desk> {
  const file = lab.file('desk.conf', config)
  const command = [process.execPath, '--import', import.meta.resolve('tsx'), DESK, file, admission]
  const running = lab.start('server', recording === undefined ? command : [...command, recording], {}, 'pipe')
  await running.seen(/"listening"/)
  return {
    running,
    call: (method, ...args) => {
      running.process.stdin?.write(`${JSON.stringify([method, ...args])}\n`)
    },
  }
}
