/**
 * The system's `ping`, counted so that a slow answer isn't taken for a lost one. With `-c` alone iputils waits only two
 * round trips for the last reply, which a busy machine exceeds; with a deadline it goes on until as many replies came as
 * were asked for, and sends further requests for those that are missing. Counted are therefore the sequence numbers of the
 * first `count` requests.
 */
import { execFileSync } from 'node:child_process'

/** Seconds after which a reply that has not come is lost. */
const DEADLINE = 6

/** How many of the first `count` requests sent to `target` from a namespace were answered. */
export function pingFrom(namespace: string, target: string, count: number, ...args: readonly string[]): number {
  const command = ['ping', '-c', `${count}`, '-i', '0.02', '-w', `${DEADLINE}`, ...args, target]
  const answered = new Set<number>()
  for (const [, sequence] of output(namespace, command).matchAll(/^\d+ bytes from .*icmp_seq=(\d+) /gm)) {
    if (Number(sequence) <= count) answered.add(Number(sequence))
  }
  return answered.size
}

/** What was printed, also when not every request was answered, which ping reports by its exit code. */
function output(namespace: string, command: readonly string[]): string {
  try {
    return execFileSync('ip', ['netns', 'exec', namespace, ...command], { encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    return (error as { readonly stdout?: string }).stdout ?? ''
  }
}
