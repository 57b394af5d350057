/**
 * From the configured remotes to the list that chooses among them.
 */
import { toHex } from '../bytes/index.ts'
import type { RandomSource } from '../crypto/index.ts'
import { type Environment, Session, type SessionConfig } from '../session/index.ts'
import type { ClientConfig, Remote, RetryConfig } from './config.ts'
import { RemoteList } from './remote-list.ts'

/** The list over a client's remotes. */
export function createRemoteList(config: ClientConfig, retry: RetryConfig, random: RandomSource): RemoteList {
  const entries = config.remotes.map((remote) => ({
    host: remote.host,
    family: remote.family,
    // A proxy resolves the names of TCP servers; the header of relayed datagrams needs an address.
    byName: remote.proxy !== undefined && remote.session.transport === 'tcp',
    retry: retry.retry,
    maxRetry: retry.maxRetry,
  }))
  const options = {
    shuffle: config.remoteRandom ?? false,
    maxTurns: retry.maxTurns,
    resolveRetry: retry.resolveRetry,
    persistAddress: config.persistRemoteIp ?? false,
  }
  return new RemoteList(entries, options, random)
}

/**
 * Tries every remote's session configuration, so that what cannot work throws before anything is asked of the host.
 * Remotes that share their TLS settings are checked in full only once, because that makes keys. CLIENT-1
 *
 * These sessions never send a byte, so their randomness is nobody's secret, and the environment's is left to the client: its
 * run is the same whether remotes share an object or hold equal ones, as they do when a recording is replayed (REC-6).
 *
 * @throws ConfigError
 */
export function validateSessions(remotes: readonly Remote[], environment: Environment): void {
  const seen = new Set<object>()
  for (const { session } of remotes) {
    const full = session.tls !== undefined && !seen.has(session.tls)
    if (full) seen.add(session.tls)
    const login: SessionConfig['login'] = full ? ANY_LOGIN : { type: 'ask' }
    new Session(session.tls === undefined ? session : { ...session, login }, { ...environment, random: ones })
  }
}

const ones: RandomSource = (length) => new Uint8Array(length).fill(1)

/** Stands for the login of a session that never sends a byte. */
const ANY_LOGIN = { type: 'password', username: 'u', password: 'p', response: 'r' } as const

/** The name with a random label in front. CLIENT-8 */
export function randomizedHost(host: string, random: RandomSource): string {
  return `${toHex(random(6))}.${host}`
}
