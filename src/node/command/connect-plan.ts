/**
 * What `ovpn connect` takes out of a profile: the client's configuration, the device, what the profile itself says about
 * addresses and routes, and which of its wishes are not granted.
 */
import { ConfigError } from '../../bytes/index.ts'
import type { ClientConfig } from '../../client/index.ts'
import type { TunnelOptions } from '../../control/index.ts'
import type { CryptoProvider } from '../../crypto/index.ts'
import { type Profile, toClientConfig } from '../../profile/index.ts'
import { localOptions, type TunRequest } from '../tun/index.ts'
import { notStarted, readProfile } from './plan.ts'

/** A profile ready to be connected. */
export interface ConnectPlan {
  readonly client: ClientConfig
  readonly device: TunRequest
  /** Addresses, routes and names of the profile itself. */
  readonly local: TunnelOptions
  readonly mtu: number | undefined
  readonly txQueueLength: number | undefined
  /** `ifconfig-noexec` and `route-noexec`, the other way round. */
  readonly addresses: boolean
  readonly routes: boolean
  /** New keys after so many ms; 0: never by time. */
  readonly renegotiateAfter: number
  readonly warnings: readonly string[]
}

/** The reference's default of `reneg-sec`. */
const RENEGOTIATE_AFTER = 3_600_000

/**
 * Reads and checks the profile at `path`.
 *
 * @param passphrase - asks for the private key's passphrase; only called where one is needed and none is given.
 * @throws ConfigError when it can't work; nothing was opened then.
 */
export async function loadConnectPlan(
  path: string,
  crypto: CryptoProvider,
  passphrase: () => Promise<string | undefined>,
): Promise<ConnectPlan> {
  const { profile, warnings } = readProfile(path)
  if (profile.role === 'server') {
    throw new ConfigError('server', 'a server profile cannot be connected (ovpn serve runs it)', { file: path })
  }
  const secret = hasLockedKey(profile) ? await passphrase() : undefined
  const client = toClientConfig(profile, { crypto, ...(secret === undefined ? {} : { passphrase: secret }) })
  const session = client.remotes[0]?.session
  const kind = session?.device ?? 'tun'
  const named = profile.value('dev')?.[0]
  return {
    client: withTrace(client),
    device: { kind, name: named === undefined || named === 'tun' || named === 'tap' ? undefined : named },
    local: localOptions(profile, kind),
    mtu: session?.tunMtu,
    txQueueLength: profile.value('txqueuelen')?.[0],
    addresses: !profile.has('ifconfig-noexec'),
    routes: !profile.has('route-noexec'),
    renegotiateAfter: session?.timers?.renegotiateAfter ?? RENEGOTIATE_AFTER,
    warnings: [...warnings, ...notStarted(profile, 'no program of a profile ever is')],
  }
}

/** The control packets' own acknowledgements tell the round trip. */
function withTrace(client: ClientConfig): ClientConfig {
  return {
    ...client,
    remotes: client.remotes.map((remote) => ({ ...remote, session: { ...remote.session, trace: true } })),
  }
}

/** The key is locked, and the profile names no file with the passphrase. */
function hasLockedKey(profile: Profile): boolean {
  if (profile.entry('askpass')?.words[0] !== undefined) return false
  const key = profile.entry('key')
  if (key === undefined) return profile.has('pkcs12') && profile.has('askpass')
  return /ENCRYPTED/.test(profile.textOf(key))
}
