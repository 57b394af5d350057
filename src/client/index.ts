/**
 * One tunnel kept up: `Client`, its remotes, proxies, pauses and logins.
 *
 * @module
 */
export * from './client.ts'
export * from './config.ts'
export type { ProxyLogin } from './http-digest.ts'
export { HttpProxy, type HttpProxyOptions, type ProxyOutput, type ProxyProblem } from './http-proxy.ts'
export * from './output.ts'
export { type LinkRequest, Path, type PathFailure, type PathOutput } from './path.ts'
export { type AfterSession, afterSession, type LoginChange, type PolicyInput } from './policy.ts'
export * from './remote-list.ts'
export * from './socks.ts'
