/** What every test of a client begins with: remotes, servers that send back what they get, and a world of both. */
import { expect } from 'vitest'
import type { ClientConfig, Remote } from '../../src/client/index.ts'
import type { SessionConfig } from '../../src/session/index.ts'
import { ClientWorld, type Listener } from './client-world.ts'
import { ipPacket, pairConfigs, type PairOptions } from './pair.ts'

export function remote(host: string, more: Partial<Remote> = {}, options: PairOptions = {}): Remote {
  const [session] = pairConfigs(options)
  return { host, port: 1194, session, ...more }
}

export function server(change: Partial<SessionConfig> = {}, transport: 'udp' | 'tcp' = 'udp'): Listener {
  return { server: () => pairConfigs({ transport, server: change })[1] }
}

export function world(
  config: ClientConfig,
  listeners: Readonly<Record<string, Listener>>,
  dns: Readonly<Record<string, readonly string[]>> = {},
): ClientWorld {
  return new ClientWorld(config, listeners, dns)
}

/** Sends a packet through the tunnel; the servers of this world send every packet back. */
export function echoes(at: ClientWorld): boolean {
  const before = at.packets.length
  at.input((client, now) => {
    expect(client.send(ipPacket(before + 1), now)).toBe(true)
  })
  return at.run(at.now + 1_000, () => at.packets.length > before)
}
