/**
 * One tunnel to one peer: the `Session`, its configuration, outputs, reasons and counters.
 *
 * @module
 */
export * from './config.ts'
export { KEY_MOVES, type KeyInput, type KeyStateName, type KeyStateView } from './key-moves.ts'
export * from './output.ts'
export { PacketPath } from './packet-path.ts'
export * from './reasons.ts'
export { SESSION_MOVES, type SessionInput, type SessionState } from './session-moves.ts'
export { Session } from './session.ts'
export type { SessionSnapshot } from './snapshot.ts'
export type { Stats } from './stats.ts'
export { LaneCode } from './tunnel.ts'
