/**
 * `ovpn connect`: brings a profile's tunnel up on this machine and keeps it up until told to stop.
 */
import { parseArgs } from 'node:util'
import { UsageError } from '../../bytes/index.ts'
import type { CryptoProvider } from '../../crypto/index.ts'
import { nodeCrypto } from '../crypto/index.ts'
import { nodeEnvironment } from '../driver.ts'
import { createNativeCrypto } from '../native/index.ts'
import { cleanLeftovers } from '../tun/index.ts'
import { loadConnectPlan } from './connect-plan.ts'
import { Connection, type ConnectRequest } from './connect-run.ts'
import { SocksSide } from './connect-socks.ts'
import { SystemSide } from './connect-system.ts'
import { appendPrivate, createRecording } from './files.ts'
import { type CommandIo, CommandLineError, EXIT, integerOption } from './io.ts'
import { Prompter } from './prompt.ts'

const HELP = `ovpn connect: bring a profile's tunnel up on this machine and keep it up

usage: ovpn connect FILE [options]

  --tun-fd N       use the open tun or tap device behind descriptor N instead of making one
  --socks PORT     no device and no privilege: a SOCKS5 and HTTP CONNECT proxy on 127.0.0.1 whose connections go through
                   the tunnel (TCP over a small TCP/IP of this program's own: for trying things, not for speed)
  --no-addresses   leave the device's addresses and its MTU to you (as ifconfig-noexec)
  --no-routes      leave routes to you (as route-noexec)
  --no-dns         leave name servers to you; they are shown
  --crypto WHICH   native (libcrypto through koffi), node (node:crypto), or auto (default: native where it is there)
  --keylog FILE    add the session's secrets to FILE, for ovpn decode and Wireshark: whoever has them and a capture
                   reads everything; keep the file to yourself and delete it
  --record FILE    write everything that the client is told to FILE, for ovpn replay and decode: a bug report in one file.
                   It holds the profile's keys and passwords too
  --verb N         0 errors only, 1 what happens (default), 3 also pushed options and settings, 4 also control packets
  --json           one JSON object a line instead of text

Making a device needs root or CAP_NET_ADMIN, and the package koffi. Addresses and routes are set with ip (iproute2), name
servers with systemd-resolved or resolvconf where one of them is there; otherwise they are shown. All of it is taken back at
the end; what a killed run leaves behind, the next one takes back first. Programs that the profile names (up, down,
route-up, plugin and the like) are never started, and it is said.

Files that the profile names are looked for in the profile's own folder, or where its "cd" leads. A name, a password or an
answer that it lacks is asked for at the terminal; from a pipe, its lines are the answers in that order.

Ctrl-C or SIGTERM says goodbye and ends, a second one ends at once; SIGUSR1 reconnects; SIGUSR2 prints the counters.
Exit codes: 0 ended by you; 1 no connection, or the tunnel ended for good; 2 the command line or the profile cannot work.`

/** Runs `ovpn connect` until it is told to stop. */
export async function runConnect(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'tun-fd': { type: 'string' },
      socks: { type: 'string' },
      'no-addresses': { type: 'boolean', default: false },
      'no-routes': { type: 'boolean', default: false },
      'no-dns': { type: 'boolean', default: false },
      crypto: { type: 'string', default: 'auto' },
      keylog: { type: 'string' },
      record: { type: 'string' },
      verb: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    io.out(HELP)
    return EXIT.ok
  }
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0) throw new CommandLineError('exactly one profile is wanted')
  const verb = integerOption('verb', values.verb, 1)
  const crypto = chooseCrypto(values.crypto)
  const prompter = new Prompter()
  const plan = await loadConnectPlan(file, crypto, () => prompter.ask('Passphrase of the private key: ', false))
  const socks = values.socks === undefined ? undefined : integerOption('socks', values.socks, 0)
  if (socks !== undefined && (socks > 65_535 || values['tun-fd'] !== undefined)) {
    throw new CommandLineError('--socks wants a port, and no --tun-fd beside it')
  }
  const left = socks === undefined ? cleanLeftovers() : 0
  const keyLog = values.keylog === undefined ? undefined : appendPrivate(values.keylog)
  const record = values.record === undefined ? undefined : createRecording(values.record)
  const request: ConnectRequest = { verb, json: values.json, crypto, prompter, left, keyLog, record }
  const connection = new Connection(plan, request, io, (news) =>
    orUsage(() => {
      if (socks !== undefined) return new SocksSide(plan, socks, nodeEnvironment().random, news)
      const fd = values['tun-fd'] === undefined ? undefined : integerOption('tun-fd', values['tun-fd'], 0)
      const settings = {
        addresses: plan.addresses && !values['no-addresses'],
        routes: plan.routes && !values['no-routes'],
        names: !values['no-dns'],
      }
      return new SystemSide(plan, fd, settings, verb, news.tell)
    }),
  )
  return await connection.run()
}

/** What this machine lacks is said as a mistake of the command line: nothing was sent. */
function orUsage<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof UsageError) throw new CommandLineError(error.message)
    throw error
  }
}

function chooseCrypto(which: string): CryptoProvider {
  if (which === 'node') return nodeCrypto
  if (which === 'native') return orUsage(() => createNativeCrypto())
  if (which !== 'auto') throw new CommandLineError(`--crypto is native, node or auto, not "${which}"`)
  try {
    return createNativeCrypto()
  } catch {
    return nodeCrypto
  }
}
