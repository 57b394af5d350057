/**
 * What makes the control channel reliable and every channel replay-proof: send and receive windows, acks, replay windows,
 * packet id counters and named timers.
 *
 * @module
 */
export * from './ack-list.ts'
export * from './packet-id-counter.ts'
export * from './receive-window.ts'
export * from './replay-window.ts'
export * from './send-window.ts'
export * from './timers.ts'
