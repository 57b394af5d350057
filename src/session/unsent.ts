/**
 * What the tunnel side is told of a packet that could not be sent, where it asked for that (spec/session.md, SESS-78).
 */
import { DataCode, ipv6UnreachableAnswer, packetTooBigAnswer } from '../data/index.ts'
import type { ResolvedConfig } from './resolved-config.ts'

/**
 * The ICMP answer to `packet`, which could not be sealed; undefined where there is none to give. SESS-78
 *
 * @param code - the `DataCode` or `LaneCode` of the attempt.
 * @param mtu - the largest packet that fits.
 */
export function answerUnsent(
  { answerTooLarge, device }: ResolvedConfig,
  code: number,
  packet: Uint8Array,
  mtu: number,
): Uint8Array | undefined {
  if (device === 'tap') return undefined
  if (code === DataCode.IPV6_BLOCKED) return ipv6UnreachableAnswer(packet)
  return code === DataCode.TOO_LONG && answerTooLarge ? packetTooBigAnswer(packet, mtu) : undefined
}
