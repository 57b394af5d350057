/**
 * The lines of a PUSH_REPLY.
 */
import { writePushParts } from '../control/index.ts'
import type { PushConfig } from './config.ts'

/** SESS-112: in the reference's order, configured options first. */
export function pushLines(push: PushConfig, negotiated: readonly string[]): readonly string[] {
  const { options, ifconfig, ifconfigIpv6, authToken } = push
  const lines = [...options]
  if (ifconfigIpv6 !== undefined) lines.push(`ifconfig-ipv6 ${ifconfigIpv6}`)
  if (ifconfig !== undefined) lines.push(`ifconfig ${ifconfig}`)
  if (authToken !== undefined) lines.push(`auth-token ${authToken}`)
  return [...lines, ...negotiated]
}

/**
 * Options that cannot be pushed show before they are needed.
 * @throws UsageError
 */
export function checkPush(push: PushConfig): void {
  writePushParts('PUSH_REPLY', pushLines(push, []))
}
