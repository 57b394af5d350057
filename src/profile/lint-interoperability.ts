/**
 * What two ends may disagree about when the other one is of a certain release.
 *
 * The profile may be fine for the release to read and still not connect to it: ciphers it lacks, control wraps it does
 * not speak, compression it gave up. These are warnings, for only the other end's configuration could tell for sure.
 */
import type { ProfileProblem } from './problem.ts'
import { startOf } from './profile.ts'
import { isAtLeast, type Release } from './release.ts'
import type { RuleView } from './rules/rule.ts'
import type { DirectiveName } from './table.ts'

interface Concern {
  readonly directive: DirectiveName
  readonly applies: (view: RuleView, release: Release) => boolean
  readonly message: string
  readonly remedy: string
}

const GCM = /^(AES-(128|256)-GCM)$/i

/** The data ciphers that a profile offers, without marks. */
function offered(view: RuleView): readonly string[] {
  const list = view.value('data-ciphers')?.[0] ?? 'DEFAULT'
  return list
    .replace('DEFAULT', 'AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305')
    .split(':')
    .map((name) => name.replace(/^\?/, ''))
}

const CONCERNS: readonly Concern[] = [
  {
    directive: 'tls-crypt-v2',
    applies: (view, release) => !isAtLeast(release, '2.5') && view.has('tls-crypt-v2'),
    message: 'a peer of this release can not unwrap a key per client',
    remedy: 'use "tls-crypt" or "tls-auth" with it',
  },
  {
    directive: 'data-ciphers',
    applies: (view, release) =>
      !isAtLeast(release, '2.6') && view.has('data-ciphers') && !offered(view).some((name) => GCM.test(name)),
    message: 'a peer of this release offers AES-256-GCM and AES-128-GCM by itself, and none of them is in the list',
    remedy: 'add AES-256-GCM',
  },
  {
    directive: 'secret',
    applies: (view, release) => isAtLeast(release, '2.7') && view.has('secret'),
    message: 'a peer of this release needs permission for a tunnel without TLS',
    remedy: 'use certificates or "peer-fingerprint" on both ends',
  },
  {
    directive: 'compress',
    applies: (view, release) => isAtLeast(release, '2.6') && compresses(view),
    message: 'a peer of this release takes no compressed packets unless told so, and never sends any since 2.7',
    remedy: 'take compression out on both ends',
  },
  {
    directive: 'tls-version-max',
    applies: (view, release) => isAtLeast(release, '2.6') && /^1\.[01]$/.test(view.value('tls-version-max')?.[0] ?? ''),
    message: 'a peer of this release speaks TLS 1.2 or newer unless told otherwise',
    remedy: 'take it out',
  },
  {
    directive: 'data-ciphers-fallback',
    applies: (view, release) =>
      isAtLeast(release, '2.6') && /^BF-CBC$/i.test(view.value('data-ciphers-fallback')?.[0] ?? ''),
    message: 'a peer of this release may have no Blowfish: OpenSSL 3 moved it into its legacy provider',
    remedy: 'take it out; such peers negotiate',
  },
]

function compresses(view: RuleView): boolean {
  const lzo = view.entry('comp-lzo')?.words[0]
  const algorithm = view.entry('compress')?.words[0]
  return (
    (view.has('comp-lzo') && lzo !== 'no') || (algorithm !== undefined && !/^(stub|stub-v2|migrate)$/.test(algorithm))
  )
}

/** Warnings about a far end of this release. */
export function lintInteroperability(view: RuleView, release: Release): ProfileProblem[] {
  return CONCERNS.filter((concern) => concern.applies(view, release)).map(({ directive, message, remedy }) => {
    const blamed = view.entry(directive) ?? (directive === 'compress' ? view.entry('comp-lzo') : undefined)
    const { file, line, column } = blamed?.place ?? startOf(view.profile)
    return {
      code: 'interoperability',
      severity: 'warning',
      file,
      line,
      column,
      directive: blamed?.name ?? directive,
      message,
      remedy,
      since: release,
      ...(blamed === undefined ? { ofWhole: true as const } : {}),
    }
  })
}
