/**
 * IP packets to P_DATA datagrams and back: key derivation, packet formats, limits, and the layers inside.
 *
 * @module
 */
export * from './channel.ts'
export * from './codes.ts'
export * from './create.ts'
export * from './data-format.ts'
export * from './epoch-channel.ts'
export * from './epoch-keys.ts'
export * from './keys.ts'
export * from './limits.ts'
