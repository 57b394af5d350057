/**
 * Key states as a picture: the table of moves that the library itself runs on, one row of boxes a key, the state it
 * is in filled.
 */
import { KEY_MOVES, type KeyStateName } from 'ovpn-core'
import type { World } from './world.ts'

const STATES = Object.keys(KEY_MOVES).filter((state) => state !== 'error') as readonly KeyStateName[]
const SVG = 'http://www.w3.org/2000/svg'
const BOX = { width: 92, height: 24, gap: 10 }

/** One row of the picture. */
export interface KeyRow {
  readonly title: string
  readonly state: KeyStateName
}

/** The negotiations that the client has, oldest first. */
export function keyRows({ client }: World): readonly KeyRow[] {
  return (client.session?.keyStates ?? []).map(({ keyId, state }) => ({ title: `client, key ${keyId}`, state }))
}

/** Draws the rows. */
export function drawKeys(into: HTMLElement, rows: readonly KeyRow[]): void {
  const width = STATES.length * (BOX.width + BOX.gap)
  const pictures = rows.map(({ state, title }) => {
    const svg = document.createElementNS(SVG, 'svg')
    svg.setAttribute('viewBox', `0 0 ${width} ${BOX.height + 2}`)
    svg.setAttribute('role', 'img')
    svg.setAttribute('aria-label', `${title}: ${state}`)
    STATES.forEach((name, index) => {
      const x = index * (BOX.width + BOX.gap) + 1
      const current = name === state ? ' current' : ''
      svg.insertAdjacentHTML(
        'beforeend',
        `<g class="state${current}"><rect x="${x}" y="1" width="${BOX.width}" height="${BOX.height}" rx="5"/>` +
          `<text x="${x + BOX.width / 2}" y="${BOX.height / 2 + 5}" text-anchor="middle">${name}</text></g>`,
      )
    })
    const figure = document.createElement('figure')
    const caption = document.createElement('figcaption')
    caption.textContent = `${title}: ${state}`
    figure.append(caption, svg)
    return figure
  })
  into.replaceChildren(...pictures)
}
