/**
 * What one client is pushed: the common lines, what its grant adds and takes away, its addresses (SRV-43, SRV-44).
 */
import { formatNetmask } from '../control/index.ts'
import type { PushConfig } from '../session/index.ts'
import type { LeasedAddresses } from './address-pool.ts'
import type { AddressPlan, Grant, ServerConfig } from './config.ts'
import { ipv4Text, readU32 } from './numbers.ts'

/** A network of 4 or 16 bytes. */
export interface Network {
  readonly network: Uint8Array
  readonly prefix: number
}

/** Addresses as a grant or the pool gives them. */
export type GivenAddresses = Pick<LeasedAddresses, 'ipv4'> & {
  readonly ipv6?: { readonly address: string; readonly prefix: number; readonly remote?: string | undefined }
}

/** The push of a client. The lines of the address plan stay whatever the grant resets: no tunnel works without them. */
export function pushFor(
  config: ServerConfig,
  grant: Grant,
  given: GivenAddresses,
  routes: readonly Network[],
  peerId: number,
  authToken: string | undefined,
): PushConfig {
  const { addresses } = config
  const common = [...addresses.push, ...(grant.pushReset === true ? [] : (config.push ?? []))]
  const removed = grant.pushRemove ?? []
  const own = new Set(routes.map(({ network, prefix }) => routeLine(network, prefix)))
  const options = common
    .filter((line) => !removed.some((start) => line.startsWith(start)) && !own.has(line)) // SRV-43, SRV-44
    .concat(grant.push ?? [])
  return {
    options,
    peerId,
    ...(grant.dataCiphers === undefined ? {} : { dataCiphers: grant.dataCiphers }),
    ...(given.ipv4 === undefined ? {} : { ifconfig: `${given.ipv4.local} ${given.ipv4.remoteOrNetmask}` }),
    ...(given.ipv6 === undefined ? {} : { ifconfigIpv6: ipv6Words(given.ipv6, addresses) }),
    ...(authToken === undefined ? {} : { authToken }),
  }
}

function ipv6Words(given: NonNullable<GivenAddresses['ipv6']>, plan: AddressPlan): string {
  const remote = given.remote ?? plan.ipv6?.server
  const words = `${given.address}/${given.prefix}`
  return remote === undefined ? words : `${words} ${remote}`
}

/** The pushed line that would lead to a client's own network. */
function routeLine(network: Uint8Array, prefix: number): string {
  return `route ${ipv4Text(readU32(network, 0))} ${formatNetmask(Math.min(prefix, 32))}`
}
