/**
 * The directive table: one row per directive of the reference, 2.4 to 2.7.
 *
 * The rows stand in `directives/`, by subject; here they become one map and one type. Lookup goes through a `Map`, so that
 * a directive called `__proto__` or `constructor` is an unknown name like any other (PROF-9).
 */
import type { Directive, DirectiveValues } from './directive.ts'
import { clientDirectives } from './directives/client.ts'
import { cryptoDirectives } from './directives/crypto.ts'
import { generalDirectives } from './directives/general.ts'
import { linkDirectives } from './directives/link.ts'
import { scriptDirectives } from './directives/scripts.ts'
import { serverDirectives } from './directives/server.ts'
import { tlsDirectives } from './directives/tls.ts'
import { toolDirectives } from './directives/tools.ts'
import { tunnelDirectives } from './directives/tunnel.ts'
import { windowsDirectives } from './directives/windows.ts'

type Rows = typeof generalDirectives &
  typeof linkDirectives &
  typeof tunnelDirectives &
  typeof clientDirectives &
  typeof serverDirectives &
  typeof tlsDirectives &
  typeof cryptoDirectives &
  typeof scriptDirectives &
  typeof windowsDirectives &
  typeof toolDirectives

/** Every directive's name. */
export type DirectiveName = keyof Rows

/** The typed values of a directive, in the order of its arguments. */
export type ValuesFor<N extends DirectiveName> = DirectiveValues<Rows[N]>

/** The table by subject, for documentation. */
export const DIRECTIVE_GROUPS: readonly (readonly [title: string, rows: Readonly<Record<string, Directive>>])[] = [
  ['Link', linkDirectives],
  ['Tunnel', tunnelDirectives],
  ['Client', clientDirectives],
  ['Server', serverDirectives],
  ['TLS and control channel', tlsDirectives],
  ['Data channel', cryptoDirectives],
  ['Process and logging', generalDirectives],
  ['Scripts, management, hardware keys', scriptDirectives],
  ['Windows', windowsDirectives],
  ['Commands', toolDirectives],
]

const table: ReadonlyMap<string, Directive> = new Map(DIRECTIVE_GROUPS.flatMap(([, rows]) => Object.entries(rows)))

/** Every name of the table, in its order. */
export const DIRECTIVE_NAMES: readonly DirectiveName[] = [...table.keys()] as DirectiveName[]

/** The row of a directive, or `undefined` when no release knows the name. */
export function directiveRow(name: string): Directive | undefined {
  return table.get(name)
}

/** True for names in the table. */
export function isDirectiveName(name: string): name is DirectiveName {
  return table.has(name)
}
