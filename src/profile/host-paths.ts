/**
 * Programs, directories and files that only the host touches, and that a release of the reference looks for at its start.
 *
 * This library never opens them. A host that can look says which of them are not there, and `lint` then knows what a release
 * would say (PROF-61).
 */
import type { Entry } from './entry.ts'
import { splitLine } from './lexer.ts'
import type { Profile } from './profile.ts'
import type { DirectiveName } from './table.ts'

/**
 * What must be there. `program`: it can be run. `directory`: names in it can be looked up. `place`: the directory that the
 * name stands in can be written to. `file`: it can be read.
 */
export type HostPathKind = 'program' | 'directory' | 'place' | 'file'

/** A name and what it must be. */
export interface HostPath {
  /** As in {@link FileReference}: relative to where the profile's other names are. */
  readonly path: string
  readonly kind: HostPathKind
  readonly entry: Entry
}

/** The directives, and which of their words is the name. */
const LOOKED_FOR: readonly (readonly [DirectiveName, HostPathKind, word?: number])[] = [
  ...(
    [
      'auth-user-pass-verify',
      'client-connect',
      'client-crresponse',
      'client-disconnect',
      'dns-updown',
      'down',
      'ipchange',
      'learn-address',
      'route-pre-down',
      'route-up',
      'tls-verify',
      'up',
    ] as const
  ).map((name) => [name, 'program'] as const),
  ['capath', 'directory'],
  ['chroot', 'directory'],
  ['client-config-dir', 'directory'],
  ['tls-export-cert', 'directory'],
  ['tmp-dir', 'directory'],
  ['management', 'file', 2],
  ['replay-persist', 'place'],
  ['status', 'place'],
  ['writepid', 'place'],
]

/** What a profile's release looks for at its start, beside the files that this library reads. */
export function hostPaths(profile: Profile): readonly HostPath[] {
  return LOOKED_FOR.flatMap(([name, kind, index = 0]) => {
    const entry = profile.entry(name)
    const word = entry?.words[index]
    if (entry === undefined || word === undefined || entry.content !== undefined) return []
    // Its own words in place of a command.
    if (name === 'dns-updown' && /^(disable|force)$/.test(word)) return []
    // A command has words of its own, spelled as a profile spells them.
    const named = kind === 'program' ? splitLine(word, false).words[0]?.text : word
    return named === undefined || named === '' ? [] : [{ path: profile.resolve(entry, named), kind, entry }]
  })
}
