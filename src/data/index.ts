/**
 * IP packets to P_DATA datagrams and back: key derivation, packet formats, limits, and the layers inside.
 *
 * @module
 */
export * from './channel.ts'
export * from './counters.ts'
export * from './codes.ts'
export * from './compression.ts'
export * from './create.ts'
export * from './data-format.ts'
export * from './epoch-channel.ts'
export * from './epoch-keys.ts'
export * from './ethernet.ts'
export * from './fragment.ts'
export * from './icmp.ts'
export * from './ip.ts'
export * from './keepalive.ts'
export * from './keys.ts'
export * from './limits.ts'
export * from './lz4.ts'
export * from './lzo.ts'
export * from './mss.ts'
export * from './occ.ts'
export * from './pipeline.ts'
export * from './snapshot.ts'
