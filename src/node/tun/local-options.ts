/**
 * What a profile itself says about addresses, routes and names, in the same shape as what a server pushes, and the sum of
 * both: lists are joined, of single values the pushed one counts.
 */
import { pullOptions, quoteOptionWord, type TunnelOptions } from '../../control/index.ts'
import type { DirectiveName, Profile } from '../../profile/index.ts'

/** Directives that mean the same in a profile and pushed. */
const SHARED: readonly DirectiveName[] = [
  'topology',
  'route-gateway',
  'route-ipv6-gateway',
  'route-metric',
  'ifconfig',
  'ifconfig-ipv6',
  'route',
  'route-ipv6',
  'redirect-gateway',
  'redirect-private',
  'dhcp-option',
  'dns',
  'block-ipv6',
  'lladdr',
]

/** The options of the profile's own lines. */
export function localOptions(profile: Profile, device: 'tun' | 'tap'): TunnelOptions {
  const lines = SHARED.flatMap((name) =>
    profile.entriesOf(name).map((entry) => [name, ...entry.words].map((word) => quoteOptionWord(word)).join(' ')),
  )
  const pulled = pullOptions(lines, { device, own: true })
  if (pulled.type === 'rejected') throw new Error('there is no filter that rejects')
  return pulled.options
}

/** Both together. */
export function joinOptions(local: TunnelOptions, pushed: TunnelOptions): TunnelOptions {
  return {
    ...local,
    ...pushed,
    routes: [...local.routes, ...pushed.routes],
    routes6: [...local.routes6, ...pushed.routes6],
    dns: {
      servers: [...pushed.dns.servers, ...local.dns.servers].sort((a, b) => a.priority - b.priority),
      searchDomains: [...new Set([...pushed.dns.searchDomains, ...local.dns.searchDomains])],
    },
    blockIpv6: local.blockIpv6 || pushed.blockIpv6,
  }
}
