/**
 * From a profile on disk to what a command needs: remotes with their sockets and session configurations.
 */
import { ConfigError } from '../../bytes/index.ts'
import { parseIpv4Bytes, parseIpv6Bytes } from '../../control/index.ts'
import {
  type Connection,
  describeProblem,
  type Inspection,
  isFatal,
  type Profile,
  ProfileError,
  toSessionConfig,
} from '../../profile/index.ts'
import type { SessionConfig } from '../../session/index.ts'
import { nodeCrypto } from '../crypto/index.ts'
import { inspectProfileFile } from '../profile-files.ts'
import type { TransportTarget } from '../transport.ts'

/** One remote of a profile. */
export interface ProbeRemote {
  readonly target: TransportTarget
  readonly config: SessionConfig
}

/** A profile ready to be driven. */
export interface ProbePlan {
  readonly remotes: readonly ProbeRemote[]
  readonly device: 'tun' | 'tap'
  /** Addresses that the profile itself gives the tunnel, for ends that are not pushed any. */
  readonly addresses: {
    readonly ipv4?: string
    readonly peer4?: string
    readonly ipv6?: string
    readonly peer6?: string
  }
  /** What is dubious about the profile, a line each. */
  readonly warnings: readonly string[]
}

/**
 * Reads and checks the profile at `path`.
 * @throws ConfigError when it can't work; nothing was opened then.
 */
export function loadPlan(path: string): ProbePlan {
  const { profile, problems } = read(path)
  if (problems.some(isFatal)) throw new ProfileError(problems)
  if (profile.role === 'server') {
    throw new ConfigError('server', 'a server profile cannot be probed; give the profile of one of its clients', {
      file: path,
    })
  }
  const remotes = profile.connections.map((connection) => remoteOf(profile, connection))
  const warnings = problems.filter(({ severity }) => severity === 'warning').map(describeProblem)
  return { remotes, device: remotes[0]?.config.device ?? 'tun', addresses: ownAddresses(profile), warnings }
}

function read(path: string): Inspection {
  try {
    return inspectProfileFile(path)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(
      'config',
      `the profile cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      {
        file: path,
      },
    )
  }
}

function remoteOf(profile: Profile, connection: Connection): ProbeRemote {
  const { host, port, protocol, family, localPort } = connection
  if (host === undefined) {
    throw new ConfigError('remote', 'the profile names no remote; add `remote HOST PORT`', { file: profile.file })
  }
  const config = toSessionConfig(profile, { connection, crypto: nodeCrypto })
  return { target: { host, port, protocol, ...(family === undefined ? {} : { family }), localPort }, config }
}

function ownAddresses(profile: Profile): ProbePlan['addresses'] {
  const [ipv4, second] = profile.value('ifconfig') ?? []
  const [ipv6, peer6] = profile.value('ifconfig-ipv6') ?? []
  const isMask = second?.startsWith('255.') === true
  return {
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(second === undefined || isMask ? {} : { peer4: second }),
    ...(ipv6 === undefined ? {} : { ipv6: ipv6.address }),
    ...(peer6 === undefined ? {} : { peer6 }),
  }
}

/** The 4 or 16 bytes of an address in text form; `undefined` when it is none. */
export function addressBytes(text: string): Uint8Array | undefined {
  return parseIpv4Bytes(text) ?? parseIpv6Bytes(text)
}
