/**
 * One tunnel to one peer: the `Session`, its configuration, outputs, reasons and counters.
 *
 * @module
 */
export * from './config.ts'
export * from './output.ts'
export * from './reasons.ts'
export type { Stats } from './stats.ts'
