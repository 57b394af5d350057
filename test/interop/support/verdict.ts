/**
 * Does a release of the reference take a configuration: it is started with it in a laboratory and watched for a moment.
 *
 * `accepts` means that it came as far as its sockets; `refuses` that it ended before. Lines on the command line behind the
 * configuration make it talk even where the configuration silences it; they do not change what it takes.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from './lab.ts'
import { program, type Release } from './reference.ts'

/** What a release did with a configuration. */
export interface ReferenceVerdict {
  readonly accepts: boolean
  /** The line that decided it. */
  readonly because: string
}

/** Printed once the options are good, keys are loaded and the device is open. */
const STARTED =
  /(UDP|TCP)(v[46])?(_CLIENT|_SERVER)? link (local|remote)|Listening for incoming TCP|Attempting to establish TCP|Initialization Sequence Completed|Need hold release|Restart pause/

/** Printed once the pools are there, too, or nothing goes on by itself. */
const SERVES = /Initialization Sequence Completed|Need hold release|Restart pause/

/** Starts `release` with a configuration that lies in the laboratory's folder under `name`. */
export async function referenceVerdict(lab: Lab, release: Release, name: string): Promise<ReferenceVerdict> {
  const start = program(release)
  // A server makes its pools behind its sockets, and ends where they can't be.
  const isServer = /^\s*["']?(server|server-bridge|server-ipv6|ifconfig-pool)\b/m.test(
    readFileSync(join(lab.folder, name), 'latin1'),
  )
  const talk = ['--verb', '3', '--mute', '0']
  const running = lab.start(name, [...start.command, '--config', join(lab.folder, name), ...talk], start.env)
  try {
    await running.seen(isServer ? SERVES : STARTED, 4)
    return { accepts: true, because: 'started' }
  } catch (error) {
    // Still running and silent: it waits for somebody, so it started.
    const ended = error instanceof Error && / ended with /.test(error.message)
    return ended ? { accepts: false, because: decisiveLine(running.output()) } : { accepts: true, because: 'waits' }
  } finally {
    running.kill('SIGKILL')
    await running.ended(5).catch(() => undefined)
  }
}

/** The line that says why, without time stamps and paths. */
function decisiveLine(output: string): string {
  const lines = output.split('\n').map((line) => line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /, '').trim())
  const said = lines.filter((line) => line !== '' && !/^(Note|WARNING|DEPRECATED|--cipher|Use --help)/.test(line))
  const telling = said.find((line) => /Options error|ERROR:|Cannot|failed|fatal|error/i.test(line))
  return telling ?? said.at(-1) ?? 'nothing was printed'
}
