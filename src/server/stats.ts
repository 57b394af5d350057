/**
 * Counters of a server: plain numbers in one object of fixed shape.
 */
import { DROP_REASONS, type DropReason } from '../session/index.ts'
import { SERVER_DROP_REASONS, type ServerDropReason, type ServerStats } from './output.ts'

/** The same as {@link ServerStats}, writable: the server's own. */
export type ServerCounters = {
  -readonly [K in keyof ServerStats]: ServerStats[K] extends number
    ? number
    : Record<ServerDropReason | DropReason, number>
}

/** All zero. */
export function createServerCounters(): ServerCounters {
  const names = [...Object.keys(DROP_REASONS), ...Object.keys(SERVER_DROP_REASONS)]
  return {
    datagramsReceived: 0,
    resetsAnswered: 0,
    clientsBegun: 0,
    clientsConnected: 0,
    clientsClosed: 0,
    floats: 0,
    relayed: 0,
    dropped: Object.fromEntries(names.map((name) => [name, 0])) as ServerCounters['dropped'],
  }
}
