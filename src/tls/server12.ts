/**
 * The TLS 1.2 server from the ServerHello on.
 */
import { AlertError } from './alerts.ts'
import type { ClientHello } from './client-hello.ts'
import type { Context } from './context.ts'
import type { HandshakeMessage } from './handshake-stream.ts'

export type Server12State = never

export function startServer12(_c: Context, _h: ClientHello, _m: HandshakeMessage): Server12State {
  throw new AlertError('protocol-version', 'TLS 1.2 is not spoken')
}
