/**
 * The parts of the page beside the ladder: one datagram's fields with its bytes, key states as a picture, findings in a
 * profile.
 */
import {
  describeProblem,
  inspectContents,
  inspectProfile,
  isFatal,
  lint,
  LINT_PEERS,
  type Profile,
} from 'ovpn-core/profile'
import type { Datagram } from './link.ts'
import type { Field } from './inspect.ts'

/** An element with a class and text. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  className: string,
  ...content: readonly (string | Node)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name)
  made.className = className
  made.append(...content)
  return made
}

/** The fields of a datagram beside its bytes; pointing at a field marks its bytes. */
export function drawFields(into: HTMLElement, datagram: Datagram, fields: readonly Field[]): void {
  const bytes = element('code', 'bytes')
  const cells = Array.from(datagram.bytes, (byte) => element('span', 'byte', byte.toString(16).padStart(2, '0')))
  bytes.append(...cells)
  const mark = (field: Field | undefined): void => {
    const [from, to] = field?.bytes ?? [0, 0]
    cells.forEach((cell, index) => cell.classList.toggle('marked', index >= from && index < to))
  }
  const rows = fields.map((field) => {
    const place = field.bytes === undefined ? '' : `${field.bytes[0]}–${field.bytes[1] - 1}`
    const row = element(
      'tr',
      'field',
      element('th', '', field.name),
      element('td', 'place', place),
      element('td', '', field.value),
    )
    row.addEventListener('pointerenter', () => {
      mark(field)
    })
    row.addEventListener('pointerleave', () => {
      mark(undefined)
    })
    return row
  })
  const fate = datagram.arrivesAt === undefined ? 'lost' : `arrives at ${datagram.arrivesAt.toFixed(1)} ms`
  into.replaceChildren(
    element('h3', '', `Datagram ${datagram.number}, ${datagram.bytes.length} bytes from the ${datagram.from}`),
    element('p', '', `left at ${datagram.sentAt.toFixed(1)} ms, ${fate}`),
    element('table', 'fields', ...rows),
    bytes,
  )
}

/** Whether something of the profile lies in files, which a page does not have. */
function namesFiles({ entries }: Profile): boolean {
  return entries.some(({ content, row, words }) =>
    row.arguments.some(({ file }, index) => content === undefined && file !== undefined && words[index] !== undefined),
  )
}

/** Everything that is wrong with a profile, on behalf of this library and of each release. */
export function drawLint(into: HTMLElement, name: string, text: Uint8Array): void {
  const { profile, problems } = inspectProfile(text, undefined, { file: name })
  const verdicts = [
    {
      peer: 'ovpn-core',
      found: problems.some(isFatal) || namesFiles(profile) ? problems : [...problems, ...inspectContents(profile)],
    },
    ...LINT_PEERS.map((peer) => ({ peer, found: lint(profile, { peer }) })),
  ]
  const rows = verdicts.map(({ peer, found }) => {
    const works = !found.some(isFatal)
    const lines = found.map((problem) => element('li', problem.severity, describeProblem(problem)))
    const summary = `${peer}: ${works ? 'can work' : 'can not work'}, ${found.length} finding(s)`
    return element('details', works ? 'works' : 'fails', element('summary', '', summary), element('ul', '', ...lines))
  })
  into.replaceChildren(element('h3', '', name), ...rows)
}
