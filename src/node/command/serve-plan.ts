/**
 * From a server profile on disk to what `ovpn serve` needs: the server's configuration, its sockets, its own addresses, and
 * the files that are looked at while it runs. What the profile means is decided in its own floor; here lie only files.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ConfigError } from '../../bytes/index.ts'
import type { TunnelOptions } from '../../control/index.ts'
import type { CryptoProvider } from '../../crypto/index.ts'
import {
  describeProblem,
  inspectProfile,
  isFatal,
  listenAddresses,
  type Profile,
  ProfileError,
  toGrant,
  toServerConfig,
} from '../../profile/index.ts'
import type { Grant, Lease, ServerConfig } from '../../server/index.ts'
import { inspectProfileFile } from '../profile-files.ts'
import type { ListenTarget, ServerDriverOptions } from '../server-driver.ts'
import { localOptions } from '../tun/index.ts'
import { notStarted } from './plan.ts'
import { readVerifyProgram, type VerifyProgram } from './serve-logins.ts'

/** A server profile ready to be driven. */
export interface ServePlan {
  readonly config: ServerConfig
  readonly listen: readonly ListenTarget[]
  readonly driver: ServerDriverOptions
  readonly device: 'tun' | 'tap'
  /** `dev tun5`: the device's whole name. */
  readonly deviceName: string | undefined
  /** Addresses and routes of the profile's own lines. */
  readonly inside: TunnelOptions
  /** The server's own addresses inside the tunnel. */
  readonly addresses: readonly string[]
  /** `client-config-dir`. */
  readonly clientConfig: ClientFiles | undefined
  /** `auth-user-pass-verify`, where no list of users stands in its place. */
  readonly verify: VerifyProgram | undefined
  /** `ifconfig-pool-persist`. */
  readonly leaseFile: string | undefined
  /** `crl-verify`: a file of lists or a directory of serial numbers, which may change while the server runs. */
  readonly revocations: { readonly path: string; readonly isDirectory: boolean } | undefined
  readonly warnings: readonly string[]
}

/**
 * Reads and checks the server profile at `path`.
 *
 * @param hasUsers - a list of names and passwords stands in place of what the profile has for judging logins.
 * @throws ConfigError when it can't work; nothing was opened then.
 */
export function loadServePlan(
  path: string,
  crypto: CryptoProvider,
  random: (length: number) => Uint8Array,
  hasUsers = false,
): ServePlan {
  const { profile, problems } = inspectProfileFile(path)
  if (problems.some(isFatal)) throw new ProfileError(problems)
  if (profile.role !== 'server') {
    throw new ConfigError('server', 'not a server profile; add `server NETWORK NETMASK`', { file: path })
  }
  const leaseFile = fileOf(profile, 'ifconfig-pool-persist')
  const directory = fileOf(profile, 'client-config-dir')
  const revocations = fileOf(profile, 'crl-verify')
  const verify = readVerifyProgram(profile, hasUsers)
  const config: ServerConfig = {
    ...toServerConfig(profile, { crypto, authTokenKey: random(128) }),
    ...(leaseFile === undefined ? {} : { leases: readLeases(leaseFile) }),
    admission: directory !== undefined || verify !== undefined || hasUsers ? 'ask' : 'automatic',
  }
  const name = profile.value('dev')?.[0] ?? ''
  const own = [config.addresses.ipv4?.server, config.addresses.ipv6?.server]
  const queueLimit = profile.value('tcp-queue-limit')?.[0]
  return {
    config,
    device: config.device ?? 'tun',
    deviceName: /^(tun|tap)\d+$/.test(name) ? name : undefined,
    inside: localOptions(profile, config.device ?? 'tun'),
    addresses: own.filter((address) => address !== undefined),
    listen: readListen(profile),
    driver: queueLimit === undefined ? {} : { tcpQueueLimit: queueLimit },
    clientConfig: directory === undefined ? undefined : new ClientFiles(directory, profile.has('ccd-exclusive')),
    verify,
    leaseFile,
    revocations:
      revocations === undefined
        ? undefined
        : { path: revocations, isDirectory: profile.value('crl-verify')?.[1] === 'dir' },
    warnings: [
      ...problems.filter(({ severity }) => severity === 'warning').map(describeProblem),
      ...notStarted(profile, 'of a profile’s programs only that of auth-user-pass-verify is'),
    ],
  }
}

/** A socket for an IPv4 address can't be one for both versions. */
function readListen(profile: Profile): readonly ListenTarget[] {
  return listenAddresses(profile).map(({ address, port, protocol, family }) => {
    const version = family ?? (address?.includes(':') === false ? 4 : undefined)
    return {
      protocol,
      port,
      ...(address === undefined ? {} : { host: address }),
      ...(version === undefined ? {} : { family: version }),
    }
  })
}

/** The file or directory that a directive names. */
function fileOf(profile: Profile, name: Parameters<Profile['entry']>[0]): string | undefined {
  const entry = profile.entry(name)
  const path = entry === undefined ? undefined : profile.pathOf(entry)
  return path === undefined ? undefined : resolve(path)
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

/** The text of a file that may have become unreadable while the server runs. */
function readable(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** `name,ipv4[,ipv6]` lines of an earlier run; none when the file is not there. */
function readLeases(path: string): readonly Lease[] {
  if (!exists(path)) return []
  const lines = readFileSync(path, 'utf8').split(/\r?\n/)
  return lines
    .map((line) => line.split(','))
    .filter(([commonName]) => commonName !== undefined && commonName !== '' && !commonName.startsWith('#'))
    .map(([commonName = '', ipv4 = '', ipv6 = '']) => ({
      commonName,
      ...(ipv4 === '' ? {} : { ipv4 }),
      ...(ipv6 === '' ? {} : { ipv6 }),
    }))
}

/** Writes the leases in the reference's form, but those of names that would be read as something else. */
export function writeLeases(path: string, leases: readonly Lease[]): void {
  const writable = leases.filter(({ commonName }) => !/[,\p{Cc}]|^#/u.test(commonName))
  const lines = writable.map(({ commonName, ipv4 = '', ipv6 = '' }) => `${commonName},${ipv4},${ipv6}\n`)
  writeFileSync(path, lines.join(''))
}

/** The files of a `client-config-dir`. */
export class ClientFiles {
  readonly #directory: string
  readonly #exclusive: boolean

  constructor(directory: string, exclusive: boolean) {
    this.#directory = directory
    this.#exclusive = exclusive
  }

  /** What the client's file, or `DEFAULT`, grants; a sentence when it keeps the client out. */
  grantFor(name: string | undefined): Grant | string {
    const file = name === undefined ? undefined : fileNameOf(name)
    const own = file === undefined ? undefined : join(this.#directory, file)
    const path = [own, join(this.#directory, 'DEFAULT')].find((file) => file !== undefined && exists(file))
    if (path === undefined) return this.#exclusive ? 'there is no file for this client' : {}
    const text = readable(path)
    if (text === undefined) return `${path} cannot be read`
    const { problems, profile } = inspectProfile(text, undefined, { file: path, context: 'per-client' })
    const fault = problems.find(isFatal)
    if (fault !== undefined) return describeProblem(fault)
    return toGrant(profile) ?? 'this client is disabled'
  }
}

/** The file of a name: itself, but for what no file's name may hold; undefined for a name that is a folder's. */
function fileNameOf(name: string): string | undefined {
  const file = name.replace(/[/\p{Cc}]/gu, '_')
  return file === '' || file === '.' || file === '..' ? undefined : file
}
