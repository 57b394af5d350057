/**
 * From a profile on disk to what a command needs: the client's configuration, and the tunnel addresses the profile gives.
 */
import { ConfigError } from '../../bytes/index.ts'
import type { ClientConfig } from '../../client/index.ts'
import { parseIpv4Bytes, parseIpv6Bytes } from '../../control/index.ts'
import {
  describeProblem,
  type Inspection,
  isFatal,
  type Profile,
  ProfileError,
  toClientConfig,
} from '../../profile/index.ts'
import { nodeCrypto } from '../crypto/index.ts'
import { inspectProfileFile } from '../profile-files.ts'

/** A profile ready to be driven. */
export interface ProbePlan {
  /** Its remotes and what follows when one fails. */
  readonly client: ClientConfig
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
  const { profile, warnings } = readProfile(path)
  if (profile.role === 'server') {
    throw new ConfigError('server', 'a server profile cannot be probed; give the profile of one of its clients', {
      file: path,
    })
  }
  const client = toClientConfig(profile, { crypto: nodeCrypto })
  return { client, device: client.remotes[0]?.session.device ?? 'tun', addresses: ownAddresses(profile), warnings }
}

/**
 * The profile at `path`, with a line for each thing that is dubious about it.
 * @throws ConfigError when it can't be read or can't work.
 */
export function readProfile(path: string): { readonly profile: Profile; readonly warnings: readonly string[] } {
  const { profile, problems } = read(path)
  if (problems.some(isFatal)) throw new ProfileError(problems)
  return { profile, warnings: problems.filter(({ severity }) => severity === 'warning').map(describeProblem) }
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

/** A line for each program that a profile names and that is not started. */
export function notStarted(profile: Profile, why: string): readonly string[] {
  const named = profile.entries.filter(({ row }) => row.program === true)
  return named.map(({ name, place }) => `${place.file}:${place.line}: ${name}: not started; ${why}`)
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

/** The configuration with the key log of its sessions switched on. */
export function withKeyLog(config: ClientConfig): ClientConfig {
  const remotes = config.remotes.map((remote) => ({ ...remote, session: { ...remote.session, keyLog: true } }))
  return { ...config, remotes }
}
