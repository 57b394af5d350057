/**
 * Where things stand in the ladder: every sending, arrival and note has a height of its own, in order of time, with long
 * silences cut short.
 */
import type { Datagram } from './link.ts'
import type { Note } from './world.ts'

/** Where things stand, in pixels. */
export interface Layout {
  readonly height: number
  readonly rungs: readonly {
    readonly datagram: Datagram
    readonly from: number
    /** Undefined: it is still under way, or lost. */
    readonly to: number | undefined
  }[]
  readonly notes: readonly { readonly note: Note; readonly y: number }[]
}

const ROW = 15
const PIXELS_PER_MS = 0.35
/** Longer silences are drawn as long as this. */
const LONGEST_GAP = 40
/** Only the newest are drawn. */
const MOST = 250

/** Gives every sending, arrival and note a height of its own, in order of time. */
export function layOut(datagrams: readonly Datagram[], notes: readonly Note[], now: number): Layout {
  const recent = datagrams.slice(-MOST)
  const since = recent[0]?.sentAt ?? 0
  const shownNotes = notes.filter(({ at }) => at >= since)
  const arrived = recent.filter((datagram) => datagram.arrivesAt !== undefined && datagram.arrivesAt <= now)
  const events = [
    ...arrived.map((item) => ({
      at: item.arrivesAt ?? 0,
      // What takes no time arrives below where it left.
      order: item.arrivesAt === item.sentAt ? 3 : 0,
      room: 4,
      item,
      kind: 'to' as const,
    })),
    ...recent.map((item) => ({ at: item.sentAt, order: 2, room: ROW, item, kind: 'from' as const })),
    ...shownNotes.map((item) => ({ at: item.at, order: 1, room: ROW, item, kind: 'note' as const })),
  ].sort((a, b) => a.at - b.at || a.order - b.order)
  const from = new Map<number, number>()
  const to = new Map<number, number>()
  const noteHeights = new Map<Note, number>()
  let y = 24
  let last = since
  for (const event of events) {
    y += Math.min(LONGEST_GAP, (event.at - last) * PIXELS_PER_MS) + event.room
    last = event.at
    if (event.kind === 'from') from.set(event.item.number, y)
    else if (event.kind === 'to') to.set(event.item.number, y)
    else noteHeights.set(event.item, y)
  }
  return {
    height: y + 40,
    rungs: recent.map((datagram) => ({
      datagram,
      from: from.get(datagram.number) ?? 0,
      to: to.get(datagram.number),
    })),
    notes: shownNotes.map((note) => ({ note, y: noteHeights.get(note) ?? 0 })),
  }
}
