/**
 * The parts of pages that are drawn from code and data: each lies between two marks and is replaced as a whole.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { countByStatus, supportMatrix } from '../../src/profile/index.ts'
import { KEY_MOVES } from '../../src/session/key-moves.ts'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** A page as it should be. */
export interface Drawing {
  readonly file: string
  readonly text: string
}

/** Every page that holds drawn parts, drawn afresh. */
export function drawings(): readonly Drawing[] {
  return [
    page('README.md', {
      'table:interop': interopTable(),
      'table:capabilities': capabilityTable(),
      'table:directives': directiveSummary(),
    }),
    page('spec/directives.md', { 'table:directives': supportMatrix().trim() }),
    page('spec/rekeying.md', { 'drawing:key-state': mermaid(KEY_MOVES, 'initial') }),
  ]
}

function page(file: string, parts: Readonly<Record<string, string>>): Drawing {
  let text = readFileSync(ROOT + file, 'utf8')
  for (const [name, content] of Object.entries(parts)) {
    const open = `<!-- ${name} -->`
    const close = `<!-- /${name} -->`
    const start = text.indexOf(open)
    const end = text.indexOf(close)
    if (start < 0 || end < start) throw new Error(`${file} has no place for ${name}`)
    text = `${text.slice(0, start + open.length)}\n\n${content}\n\n${text.slice(end)}`
  }
  return { file, text }
}

/** How many directives are treated in which way. */
function directiveSummary(): string {
  const { supported, host, ignored, refused } = countByStatus()
  return [
    '| of the directives of OpenVPN 2.4 to 2.7 | |',
    '|---|---|',
    `| supported | ${supported} |`,
    `| handed to the host as data | ${host} |`,
    `| taken without effect, with the reason | ${ignored} |`,
    `| refused, with the reason | ${refused} |`,
  ].join('\n')
}

/** A table of moves (state, input, next state) as a Mermaid state diagram. */
export function mermaid(moves: Readonly<Record<string, Readonly<Record<string, string>>>>, start: string): string {
  const lines = Object.entries(moves).flatMap(([state, row]) =>
    Object.entries(row).map(([input, next]) => `  ${id(state)} --> ${id(next)}: ${input}`),
  )
  return ['```mermaid', 'stateDiagram-v2', `  [*] --> ${id(start)}`, ...lines, '```'].join('\n')
}

const id = (state: string): string => state.replaceAll('-', '_')

interface Matrix {
  readonly release: string
  readonly program: string
  readonly ciphers: readonly string[]
  readonly pings: number
  readonly rows: readonly { transport: string; wrap: string; replies: Readonly<Record<string, number>> }[]
}

function interopTable(): string {
  const matrices = ['2.5', '2.6', '2.7']
    .map((release) => `${ROOT}spec/interop/matrix-${release}.json`)
    .filter((path) => existsSync(path))
    .map((path) => JSON.parse(readFileSync(path, 'utf8')) as Matrix)
  const [first] = matrices
  if (first === undefined) return 'No run is recorded yet.'
  const kinds = Object.keys(first.rows[0]?.replies ?? {})
  const lines = [
    `| server | transport | wrap | ${kinds.join(' | ')} |`,
    `|---|---|---|${kinds.map(() => '---|').join('')}`,
  ]
  for (const { program, ciphers, pings, rows } of matrices) {
    const all = ciphers.length * pings
    for (const { transport, wrap, replies } of rows) {
      const cells = kinds.map((kind) => `${replies[kind] ?? 0}/${all}`)
      lines.push(`| ${program} | ${transport} | ${wrap} | ${cells.join(' | ')} |`)
    }
  }
  return lines.join('\n')
}

interface Capability {
  readonly id: string
  readonly standing: string
}

const GROUPS: Readonly<Record<string, string>> = {
  T: 'Transport and framing',
  O: 'Opcodes',
  R: 'Reliability',
  S: 'Session start',
  W: 'Control wrapping',
  L: 'TLS and certificates',
  K: 'Key exchange',
  N: 'Negotiation',
  D: 'Data formats',
  P: 'Packet ids and replay',
  G: 'Renegotiation',
  A: 'Keepalive',
  E: 'Exit',
  F: 'Fragment, MTU',
  Z: 'Compression framing',
  U: 'Push and pull',
  C: 'Control messages',
  H: 'Login',
  M: 'Point to point',
  V: 'Multi-client server',
  Y: 'Remotes and reconnection',
  X: 'Device and routes',
  B: 'Configuration language',
  I: 'Structure',
}

function capabilityTable(): string {
  const file = JSON.parse(readFileSync(`${ROOT}spec/capabilities.json`, 'utf8')) as {
    capabilities: readonly Capability[]
  }
  const lines = ['| group | works | handed to the host | not yet | declined |', '|---|---|---|---|---|']
  for (const [letter, name] of Object.entries(GROUPS)) {
    const rows = file.capabilities.filter((row) => row.id.startsWith(letter))
    const ids = (standing: string): string =>
      rows
        .filter((row) => row.standing === standing)
        .map((row) => row.id)
        .join(' ')
    const cells = ['works', 'handed-to-host', 'not-yet', 'declined'].map(ids)
    lines.push(`| ${name} | ${cells.join(' | ')} |`)
  }
  return lines.join('\n')
}
