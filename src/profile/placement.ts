/**
 * Where a directive may stand: in a profile, in a connection block of one, or in a server's file for one client.
 */
import type { Directive } from './directive.ts'

/** What the text is: a whole profile, a server's file for one client, or a command line. */
export type ProfileContext = 'profile' | 'per-client' | 'command-line'

/** Directives that a server's file for one client may hold beside those marked in the table. */
const PER_CLIENT_TOO: ReadonlySet<string> = new Set(['config', 'echo', 'parameter'])

/** Why a directive may not stand where it stands, and what to do; `undefined` when it may. PROF-13, PROF-39 */
export function misplaced(
  name: string,
  row: Directive,
  context: ProfileContext,
  inConnection: boolean,
): { readonly message: string; readonly remedy: string } | undefined {
  if (inConnection && row.connection !== true) {
    return { message: 'this directive may not stand in a connection block', remedy: 'move it out of the block' }
  }
  if (context === 'per-client') {
    if (row.perClient !== undefined || PER_CLIENT_TOO.has(name)) return undefined
    return {
      message: 'this directive may not stand in a file for one client',
      remedy: 'move it to the server’s configuration',
    }
  }
  if (row.pushedOnly === true) return { message: 'it comes from a server', remedy: 'take it out' }
  if (row.perClient !== 'only') return undefined
  return { message: 'it belongs into a server’s file for one client', remedy: 'take it out' }
}
