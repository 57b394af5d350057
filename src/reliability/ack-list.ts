/**
 * Which packet ids the peer is owed an ack for, and which acks are repeated (spec/reliability.md, REL-20 to REL-24).
 *
 * Owed ids leave with the next packet, oldest first, as many as its ack field takes. The eight ids acknowledged most
 * recently are remembered and fill what room is left, so that a lost ack heals with the next packet of any kind, and so that
 * every packet of a client proves that it has seen the server's stateless answer.
 */

/** Most ids in an ACK_V1 (REL-24). */
export const ACKS_PER_ACK_PACKET = 8
/** Most ids in any other control packet, and in every packet to peers that choke on more. */
export const ACKS_PER_CONTROL_PACKET = 4
/** Ids remembered for repetition. */
export const RECENT_ACKS = 8
/** Ids owed at most: a full receive window. */
export const OWED_ACKS = 12

/** A list as plain data. */
export interface AckListSnapshot {
  readonly owed: readonly number[]
  /** Most recently acknowledged first. */
  readonly recent: readonly number[]
}

/** Acks owed and acks given. */
export class AckList {
  #owed: number[]
  /** Most recently acknowledged first. */
  #recent: number[]

  /** @param from - the list this one goes on for. REL-60 */
  constructor(from?: AckListSnapshot) {
    this.#owed = from?.owed.slice() ?? []
    this.#recent = from?.recent.slice() ?? []
  }

  /** The list as data, to be moved elsewhere. */
  snapshot(): AckListSnapshot {
    return { owed: this.#owed.slice(), recent: this.#recent.slice() }
  }

  /** Ids that no packet has acknowledged yet. */
  get owed(): number {
    return this.#owed.length
  }

  /** Ids in the packet that `take(limit)` would fill. */
  available(limit: number): number {
    let repeated = this.#recent.length
    for (const id of this.#owed) if (this.#recent.includes(id)) repeated--
    return Math.min(limit, this.#owed.length + repeated)
  }

  /** Owes the peer an ack of `packetId`. False when too many are owed already: the peer will ask again. */
  add(packetId: number): boolean {
    if (this.#owed.includes(packetId)) return true
    if (this.#owed.length >= OWED_ACKS) return false // REL-22
    this.#owed.push(packetId)
    return true
  }

  /**
   * The ids for the ack field of one packet, at most `limit`: owed ones first, then repeated ones (REL-20, REL-21). What it
   * returns counts as sent.
   */
  take(limit: number): number[] {
    const fresh = this.#owed.splice(0, limit) // REL-20
    const older = this.#recent.filter((id) => !fresh.includes(id))
    const out = [...fresh, ...older.slice(0, limit - fresh.length)] // REL-21
    this.#recent = [...fresh.slice().reverse(), ...older].slice(0, RECENT_ACKS) // REL-23
    return out
  }
}
