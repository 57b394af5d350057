/**
 * The releases a configuration can be judged against.
 *
 * `2.4` to `2.7` are the reference's release lines; `openvpn3` is the client core of the mobile and Connect apps, which
 * reads the same language with its own list of what it takes.
 */

/** Release lines of the reference this floor knows, oldest first. */
export const RELEASES = ['2.4', '2.5', '2.6', '2.7'] as const

/** A release line of the reference. */
export type Release = (typeof RELEASES)[number]

/** What {@link lint} can be asked about. */
export type LintPeer = Release | 'openvpn3'

/** Every {@link LintPeer}, in the order a help text lists them. */
export const LINT_PEERS: readonly LintPeer[] = [...RELEASES, 'openvpn3']

/** The release that `text` names, or `undefined`. */
export function parseLintPeer(text: string): LintPeer | undefined {
  return LINT_PEERS.find((peer) => peer === text)
}

/** True when `release` is `first` or later. */
export function isAtLeast(release: Release, first: Release): boolean {
  return RELEASES.indexOf(release) >= RELEASES.indexOf(first)
}

/** True when what `compat-mode` says, such as `2.4.0`, is older than a release. PROF-59 */
export function reachesBefore(stated: string | undefined, limit: Release): boolean {
  if (stated === undefined) return false
  const [major = 0, minor = 0] = stated.split('.').map(Number)
  const [limitMajor = 0, limitMinor = 0] = limit.split('.').map(Number)
  return major < limitMajor || (major === limitMajor && minor < limitMinor)
}
