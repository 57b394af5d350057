/**
 * The TLS 1.2 client after the ServerHello.
 */
import { AlertError } from './alerts.ts'
import type { SentHello } from './client-start.ts'
import type { Context } from './context.ts'
import type { HandshakeMessage } from './handshake-stream.ts'
import type { ServerHello } from './server-hello.ts'

export type Client12State = never

export function startClient12(_c: Context, _s: SentHello, _h: ServerHello, _m: HandshakeMessage): Client12State {
  throw new AlertError('protocol-version', 'TLS 1.2 is not spoken')
}
