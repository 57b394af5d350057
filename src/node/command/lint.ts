/**
 * `ovpn lint`: everything that is wrong with a profile, and whether a given release takes it.
 */
import { parseArgs } from 'node:util'
import {
  describeProblem,
  inspectContents,
  isFatal,
  lint,
  LINT_PEERS,
  parseLintPeer,
  type ProfileProblem,
} from '../../profile/index.ts'
import { nodeCrypto } from '../crypto/index.ts'
import { absentPaths, inspectProfileFile } from '../profile-files.ts'
import { type CommandIo, CommandLineError, counted, EXIT } from './io.ts'

const HELP = `ovpn lint: say everything that is wrong with a profile

usage: ovpn lint FILE [options]

  --peer RELEASE   ask on behalf of ${LINT_PEERS.join(', ')} instead of this library
  --quiet          errors only
  --json           one JSON object a line instead of text

A finding has its place (FILE:LINE:COLUMN, or FILE alone for what the profile lacks), what is wrong, what would be right, and
in brackets the release that was asked about, or since which one that holds.
Files that the profile names are looked for in the profile's own folder, or where its "cd" leads.

Exit codes:
  0  it can work: no errors, whatever else was found
  2  it can't work, the file can't be read, or the command line is wrong`

/** Runs `ovpn lint`. */
export function runLint(args: readonly string[], io: CommandIo): number {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      peer: { type: 'string' },
      quiet: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    io.out(HELP)
    return EXIT.ok
  }
  const [path, ...more] = positionals
  if (path === undefined || more.length > 0) throw new CommandLineError('exactly one profile is wanted')
  const peer = values.peer === undefined ? undefined : parseLintPeer(values.peer)
  if (values.peer !== undefined && peer === undefined) {
    throw new CommandLineError(`--peer wants one of ${LINT_PEERS.join(', ')}, not "${values.peer}"`)
  }
  const { profile, problems } = inspect(path)
  const judged = peer === undefined ? problems : lint(profile, { peer, absent: absentPaths(path, profile) })
  const found =
    problems.some(isFatal) || judged.some(isFatal) ? judged : [...judged, ...inspectContents(profile, nodeCrypto)]
  const shown = values.quiet ? found.filter(isFatal) : found
  for (const problem of shown)
    io.out(values.json ? JSON.stringify({ event: 'problem', ...problem }) : describeProblem(problem))
  const verdict = summary(found)
  io.out(
    values.json
      ? JSON.stringify({ event: 'verdict', peer: peer ?? 'ovpn-core', ...verdict })
      : describeVerdict(verdict),
  )
  return verdict.works ? EXIT.ok : EXIT.usage
}

function inspect(path: string): ReturnType<typeof inspectProfileFile> {
  try {
    return inspectProfileFile(path)
  } catch (error) {
    throw new CommandLineError(`can't read ${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

interface Verdict {
  readonly works: boolean
  readonly errors: number
  readonly warnings: number
  readonly notes: number
}

function summary(found: readonly ProfileProblem[]): Verdict {
  const count = (severity: ProfileProblem['severity']): number =>
    found.filter((problem) => problem.severity === severity).length
  const errors = count('error')
  return { works: errors === 0, errors, warnings: count('warning'), notes: count('note') }
}

function describeVerdict({ works, errors, warnings, notes }: Verdict): string {
  const counts = [counted(errors, 'error'), counted(warnings, 'warning'), counted(notes, 'note')]
  return `${works ? 'can work' : 'can not work'}: ${counts.join(', ')}`
}
