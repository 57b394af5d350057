/**
 * The real OpenVPN: which releases are on this machine and how each is started.
 *
 * 2.6 is the installed program; 2.5 and 2.7 are root file systems under `.reference/` whose programs run through their
 * own loader, so that they see this machine's files, devices and namespaces.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** The releases that the tests name. */
export const RELEASES = ['2.5', '2.6', '2.7'] as const
export type Release = (typeof RELEASES)[number]

/** A reference program ready to start. */
export interface Reference {
  readonly release: Release
  /** Full version text, such as `2.6.14`. */
  readonly version: string
  /** Program and leading arguments. */
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

function unpacked(release: Release): Pick<Reference, 'command' | 'env'> | undefined {
  const root = join(ROOT, '.reference', release)
  const libraries = [join(root, 'lib/x86_64-linux-gnu'), join(root, 'usr/lib/x86_64-linux-gnu')]
  const program = join(root, 'usr/sbin/openvpn')
  if (!existsSync(program)) return undefined
  const loader = libraries
    .filter((directory) => existsSync(directory))
    .flatMap((directory) => readdirSync(directory).map((name) => join(directory, name)))
    .find((path) => /\/ld-(linux-x86-64\.so\.2|2\.\d+\.so)$/.test(path) && existsSync(path))
  if (loader === undefined) return undefined
  return {
    command: [loader, '--library-path', libraries.join(':'), program],
    env: { OPENSSL_CONF: join(root, 'etc/ssl/openssl.cnf') },
  }
}

function installed(): Pick<Reference, 'command' | 'env'> | undefined {
  const path = ['/usr/sbin/openvpn', '/usr/local/sbin/openvpn', '/usr/bin/openvpn'].find((name) => existsSync(name))
  return path === undefined ? undefined : { command: [path], env: {} }
}

function versionOf(start: Pick<Reference, 'command' | 'env'>): string {
  try {
    const [program, ...args] = start.command
    // The reference exits with 1 after --version in some releases.
    return execFileSync('sh', ['-c', '"$@" || true', 'sh', program!, ...args, '--version'], {
      encoding: 'utf8',
      env: { ...process.env, ...start.env },
    })
  } catch {
    return ''
  }
}

function find(release: Release): Reference | undefined {
  for (const start of [unpacked(release), installed()]) {
    if (start === undefined) continue
    const version = /^OpenVPN (\d+\.\d+\.?\S*)/.exec(versionOf(start))?.[1]
    if (version?.startsWith(release)) return { release, version, ...start }
  }
  return undefined
}

const found = new Map<Release, Reference | undefined>()

/** The program of a release, or `undefined` where it is not installed. */
export function reference(release: Release): Reference | undefined {
  if (!found.has(release)) found.set(release, find(release))
  return found.get(release)
}

/** True when a missing reference or missing root must fail the run instead of skipping its tests. */
export const INTEROP_REQUIRED = process.env['OVPN_INTEROP'] === 'required'

/** True when this process may make network namespaces and tun devices. */
export const CAN_NAMESPACE = process.getuid?.() === 0 && existsSync('/dev/net/tun')

/** Why interop tests with `release` cannot run here; `undefined` when they can. */
export function missing(release: Release): string | undefined {
  if (!CAN_NAMESPACE) return 'needs root and /dev/net/tun'
  if (reference(release) === undefined) return `OpenVPN ${release} is not here (npm run reference)`
  return undefined
}

/**
 * The releases that tests run against. With `OVPN_INTEROP=required` it is all of them, and a missing one fails in
 * {@link program}; otherwise the missing ones are left out with a line that says why.
 */
export function releasesToTest(wanted: readonly Release[] = RELEASES): readonly Release[] {
  if (INTEROP_REQUIRED) return wanted
  return wanted.filter((release) => {
    const why = missing(release)
    if (why !== undefined) console.warn(`interop with ${release} skipped: ${why}`)
    return why === undefined
  })
}

/** The program of a release; throws where it is missing. */
export function program(release: Release): Reference {
  const why = missing(release)
  const start = reference(release)
  if (why !== undefined || start === undefined) throw new Error(why ?? `OpenVPN ${release} is missing`)
  return start
}
