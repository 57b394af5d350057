/**
 * Many tunnels behind one socket: the `Server`, its configuration, grants and outputs.
 *
 * @module
 */
export * from './config.ts'
export * from './output.ts'
export { type AddressDirectives, planAddresses } from './plan.ts'
export { type ClientStatus, Server } from './server.ts'
