/**
 * The ladder: one slanted line a datagram, from when it left to when it came; lost ones end halfway. Time runs down.
 */
import { layOut, type Layout } from './layout.ts'
import type { Datagram, Side } from './link.ts'
import type { Note } from './world.ts'

/** What the ladder shows. */
export interface LadderInput {
  readonly datagrams: readonly Datagram[]
  readonly notes: readonly Note[]
  readonly now: number
  readonly label: (datagram: Datagram) => string
  readonly selected: number | undefined
}

const WIDTH = 760
const X: Readonly<Record<Side, number>> = { client: 90, server: 670 }

const SVG = 'http://www.w3.org/2000/svg'

function shape(name: string, attributes: Readonly<Record<string, string | number>>, text?: string): SVGElement {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  if (text !== undefined) element.textContent = text
  return element
}

/** Draws the ladder anew into `svg`; `choose` hears which rung was clicked. */
export function drawLadder(svg: SVGSVGElement, input: LadderInput, choose: (datagram: Datagram) => void): void {
  const { height, notes, rungs } = layOut(input.datagrams, input.notes, input.now)
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${height}`)
  svg.setAttribute('width', String(WIDTH))
  svg.setAttribute('height', String(height))
  svg.replaceChildren()
  for (const side of ['client', 'server'] as const) {
    svg.append(shape('line', { class: 'side', x1: X[side], x2: X[side], y1: 20, y2: height }))
    svg.append(shape('text', { class: 'heading', x: X[side], y: 14, 'text-anchor': 'middle' }, side))
  }
  for (const rung of rungs) svg.append(drawRung(rung, input, choose))
  for (const { note, y } of notes) {
    const left = note.side === 'client'
    svg.append(shape('circle', { class: 'note', cx: X[note.side], cy: y - 4, r: 4 }))
    const anchor = left ? 'start' : 'end'
    svg.append(
      shape('text', { class: 'note', x: X[note.side] + (left ? 10 : -10), y, 'text-anchor': anchor }, note.text),
    )
  }
}

function drawRung(
  { datagram, from, to }: Layout['rungs'][number],
  { label, now, selected }: LadderInput,
  choose: (datagram: Datagram) => void,
): SVGElement {
  const start = X[datagram.from]
  const end = X[datagram.from === 'client' ? 'server' : 'client']
  const lost = datagram.arrivesAt === undefined
  const flying = !lost && datagram.arrivesAt > now
  const progress = lost ? 0.5 : flying ? (now - datagram.sentAt) / (datagram.arrivesAt - datagram.sentAt) : 1
  const state = lost ? 'lost' : flying ? 'flying' : 'arrived'
  const group = shape('g', {
    class: `rung ${state}${datagram.number === selected ? ' selected' : ''}`,
    'data-number': datagram.number,
  })
  const x2 = start + (end - start) * progress
  const y2 = to ?? from + 10 * progress
  group.append(shape('line', { class: 'hit', x1: start, y1: from, x2, y2 }))
  group.append(shape('line', { class: 'wire', x1: start, y1: from, x2, y2 }))
  group.append(
    lost
      ? shape('path', { class: 'cross', d: `M${x2 - 4} ${y2 - 4}l8 8m0-8l-8 8` })
      : shape('circle', { class: 'head', cx: x2, cy: y2, r: 3 }),
  )
  const left = datagram.from === 'client'
  const where = { x: start + (left ? 12 : -12), y: from - 3, 'text-anchor': left ? 'start' : 'end' }
  group.append(shape('text', where, label(datagram)))
  group.append(
    shape(
      'text',
      { class: 'time', x: start + (left ? -8 : 8), y: from, 'text-anchor': left ? 'end' : 'start' },
      datagram.sentAt.toFixed(1),
    ),
  )
  group.addEventListener('click', () => {
    choose(datagram)
  })
  return group
}
