/**
 * The system's network settings through its own programs: `ip` of iproute2 (questions as JSON, commands one by one).
 *
 * Commands run to their end before anything else happens, so a device is set up before the first packet. Nothing goes
 * through a shell, and nothing a server said becomes a word that a program could take for an option: plan.ts writes the
 * words, out of parsed addresses and numbers.
 */
import { spawnSync } from 'node:child_process'
import { isIP } from 'node:net'
import type { Gateway, Surroundings } from './plan.ts'

/** What became of a command. */
export interface CommandResult {
  readonly ok: boolean
  /** The first line it complained with. */
  readonly complaint: string
  readonly output: string
}

/** Runs a program with arguments; the text goes to its standard input. */
export type RunCommand = (command: readonly string[], input?: string) => CommandResult

/** Longest a command may take, in ms. */
const PATIENCE = 10_000

/** Runs it on this machine. */
export const runCommand: RunCommand = ([program = '', ...args], input = '') => {
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin` }
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    input,
    env,
    encoding: 'utf8',
    timeout: PATIENCE,
  })
  const said = error === undefined ? stderr : error.message
  return { ok: status === 0, complaint: said.trim().split('\n')[0] ?? '', output: stdout }
}

/** One row of `ip -j route`; what is used of it. */
interface RouteRow {
  readonly dst?: string
  readonly gateway?: string
  readonly dev?: string
  readonly type?: string
  readonly protocol?: string
  readonly metric?: number
  readonly prefsrc?: string
  readonly scope?: string
}

function query(run: RunCommand, args: readonly string[]): readonly RouteRow[] {
  const { ok, output } = run(['ip', '-j', ...args])
  if (!ok) return []
  try {
    const rows: unknown = JSON.parse(output)
    return Array.isArray(rows) ? (rows as readonly RouteRow[]) : []
  } catch {
    return []
  }
}

/**
 * How the system reaches things, tunnel aside.
 *
 * @param remote - address of the server, or of the proxy in front of it.
 */
export function lookAround(run: RunCommand, remote: string | undefined): Surroundings {
  const default4 = defaultRoute(run, '-4')
  const local4 =
    default4 === undefined
      ? []
      : query(run, ['-4', 'route', 'show', 'dev', default4.device, 'scope', 'link'])
          .map(({ dst = '' }) => dst)
          .filter((network) => /^[\d.]+\/\d+$/.test(network))
  return {
    default4,
    default6: defaultRoute(run, '-6'),
    remote: remote === undefined ? undefined : { address: remote, way: wayTo(run, remote) },
    local4,
  }
}

/** How an address is reached now; undefined: on this machine, or not at all. */
export function wayTo(run: RunCommand, address: string): Gateway | undefined {
  if (isIP(address) === 0) return undefined
  const [row] = query(run, [isIP(address) === 6 ? '-6' : '-4', 'route', 'get', address])
  if (row?.dev === undefined || row.dev === 'lo' || row.type === 'local') return undefined
  return { via: row.gateway, device: row.dev }
}

/** The default route of the smallest metric, with the words that put it back. */
function defaultRoute(run: RunCommand, family: '-4' | '-6'): Surroundings['default4'] {
  const rows = query(run, [family, 'route', 'show', 'default']).filter(({ dev }) => dev !== undefined)
  const [best] = [...rows].sort((a, b) => (a.metric ?? 0) - (b.metric ?? 0))
  if (best?.dev === undefined) return undefined
  const { gateway, dev, metric, prefsrc, protocol, scope } = best
  const words = [
    'default',
    ...(gateway === undefined ? [] : ['via', gateway]),
    ...['dev', dev],
    ...(protocol === undefined || protocol === 'boot' ? [] : ['proto', protocol]),
    ...(scope === undefined ? [] : ['scope', scope]),
    ...(prefsrc === undefined ? [] : ['src', prefsrc]),
    ...(metric === undefined ? [] : ['metric', `${metric}`]),
  ]
  return { via: gateway, device: dev, words }
}
