/**
 * The support matrix: the directive table as Markdown, for spec/directives.md.
 */
import type { Argument } from './argument.ts'
import type { Directive, DirectiveStatus } from './directive.ts'
import { DIRECTIVE_GROUPS } from './table.ts'

const STATUS_WORDS: Readonly<Record<DirectiveStatus, string>> = {
  supported: 'yes',
  host: 'host',
  ignored: 'ignored',
  refused: 'no',
}

/** How many directives have each status. */
export function countByStatus(): Readonly<Record<DirectiveStatus, number>> {
  const counts: Record<DirectiveStatus, number> = { supported: 0, host: 0, ignored: 0, refused: 0 }
  for (const [, rows] of DIRECTIVE_GROUPS) for (const row of Object.values(rows)) counts[row.status]++
  return counts
}

/** The table of every directive, by subject, as Markdown. */
export function supportMatrix(): string {
  const { supported, host, ignored, refused } = countByStatus()
  const total = supported + host + ignored + refused
  const parts = [
    `${total} directives: ${supported} supported (yes), ${host} handed to the host as data (host), ` +
      `${ignored} taken without effect (ignored), ${refused} refused (no).`,
  ]
  for (const [title, rows] of DIRECTIVE_GROUPS) {
    parts.push(
      `### ${title}`,
      [
        '| directive | here | releases | ends | what for |',
        '| --- | --- | --- | --- | --- |',
        ...Object.entries(rows).map(rowLine),
      ].join('\n'),
    )
  }
  return `${parts.join('\n\n')}\n`
}

function rowLine([name, row]: readonly [string, Directive]): string {
  const words = [name, ...row.arguments.map(argumentWord)].join(' ')
  const marks = [
    row.pushable === undefined ? '' : ' Pushable.',
    row.deprecated === undefined ? '' : ' Deprecated.',
  ].join('')
  const cells = [
    `\`${words}\``,
    STATUS_WORDS[row.status],
    releasesOf(row),
    (row.roles ?? ['any']).join(', '),
    row.does + marks,
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function argumentWord(argument: Argument): string {
  if (argument.need === 'required') return argument.name
  return argument.need === 'optional' ? `[${argument.name}]` : `[${argument.name} ...]`
}

function releasesOf({ since, until }: Directive): string {
  if (since === undefined) return until === undefined ? 'all' : `to ${until}`
  return until === undefined ? `${since} on` : `${since} to ${until}`
}
