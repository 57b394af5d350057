/**
 * From a server's configuration to the session of one client.
 *
 * Every session asks about its login, whatever the server's own admission is, because addresses are given at that moment.
 * The verifier is the server's, with an ear on its verdict: it knows which field of a certificate is the name.
 */
import {
  type Environment,
  type ResumedReset,
  Session,
  type SessionConfig,
  type SessionSnapshot,
  type WrapConfig,
} from '../session/index.ts'
import type { ChainVerifier } from '../tls/index.ts'
import type { ServerClient } from './client.ts'
import type { ServerConfig } from './config.ts'

/** Until a login is judged. */
const NO_PUSH = { options: [] } as const

/** What differs between clients. */
export interface SessionStart {
  readonly transport: 'udp' | 'tcp'
  readonly wrap: WrapConfig
  readonly resume?: ResumedReset | undefined
  /** A session of another server that goes on here. */
  readonly from?: SessionSnapshot | undefined
  /** Learns its certificate's name. */
  readonly owner?: ServerClient
}

/**
 * A session for one client.
 * @throws ConfigError for a configuration no session can work with.
 */
export function createSessionFor(config: ServerConfig, environment: Environment, start: SessionStart): Session {
  const { from, owner, resume, transport, wrap } = start
  const { verifier } = config.tls
  const session: SessionConfig = {
    ...config.session,
    role: 'server',
    mode: 'client-server',
    transport,
    device: config.device ?? 'tun',
    wrap,
    tls:
      verifier === undefined || owner === undefined
        ? config.tls
        : { ...config.tls, verifier: new ListeningVerifier(verifier, owner) },
    admission: 'ask',
    push: NO_PUSH,
    ...(resume === undefined ? {} : { resume }),
  }
  return new Session(session, owner === undefined ? environment : { ...environment, path: owner }, from)
}

/** The server's verifier for one client, who is told its certificate's name. */
class ListeningVerifier implements ChainVerifier {
  readonly #verifier: ChainVerifier
  readonly #owner: ServerClient

  constructor(verifier: ChainVerifier, owner: ServerClient) {
    this.#verifier = verifier
    this.#owner = owner
  }

  verify(...call: Parameters<ChainVerifier['verify']>): ReturnType<ChainVerifier['verify']> {
    const verdict = this.#verifier.verify(...call)
    const [[leaf]] = call
    if (verdict.type === 'verified' && leaf !== undefined) this.#owner.noteName(leaf, verdict.username)
    return verdict
  }
}
