/**
 * Counters of a server: plain numbers in one object of fixed shape.
 */
import { DROP_REASONS, type DropReason } from '../session/index.ts'
import {
  IMPORT_PROBLEMS,
  type ImportProblem,
  SERVER_DROP_REASONS,
  type ServerDropReason,
  type ServerStats,
} from './output.ts'

/** The same as {@link ServerStats}, writable: the server's own. */
export type ServerCounters = {
  -readonly [K in keyof ServerStats]: ServerStats[K] extends number
    ? number
    : { -readonly [N in keyof ServerStats[K]]: number }
}

/** All zero. */
export function createServerCounters(): ServerCounters {
  return {
    datagramsReceived: 0,
    resetsAnswered: 0,
    clientsBegun: 0,
    clientsConnected: 0,
    clientsClosed: 0,
    clientsExported: 0,
    clientsImported: 0,
    importsRefused: zeros<ImportProblem>(IMPORT_PROBLEMS),
    handshakeWork: 0,
    floats: 0,
    relayed: 0,
    dropped: zeros<ServerDropReason | DropReason>({ ...DROP_REASONS, ...SERVER_DROP_REASONS }),
  }
}

function zeros<Name extends string>(names: Readonly<Record<Name, unknown>>): Record<Name, number> {
  return Object.fromEntries(Object.keys(names).map((name) => [name, 0])) as Record<Name, number>
}
