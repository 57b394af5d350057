/**
 * What a negotiation needs from the moment that either side speaks inside it, made no earlier.
 *
 * A server has key states of peers that proved their address and then say nothing; those cost a few windows, and neither a
 * TLS connection nor randoms (spec/session.md, SESS-29).
 */
import { TlsConnection } from '../tls/index.ts'
import type { KeyTemplate } from './key-options.ts'
import { KeySource } from './key-source.ts'
import type { KeyStateSnapshot } from './snapshot.ts'

/** The talk of one negotiation: TLS, and our half of the key messages in it. */
export interface KeyTalk {
  readonly tls: TlsConnection
  readonly source: KeySource
}

/**
 * Begins a talk at `now`, or goes on with that of `from`.
 * @throws ConfigError for a TLS configuration that cannot work.
 */
export function beginTalk(template: KeyTemplate, now: number, from?: KeyStateSnapshot): KeyTalk {
  const { crypto, random, role, timeOrigin, tls } = template
  return {
    tls: new TlsConnection(tls, { unixTime: timeOrigin + now, random, crypto }, from?.tls),
    source: new KeySource(role, random),
  }
}
