/**
 * The sender's side of packet ids: which id the next packet gets (spec/reliability.md, REL-50 to REL-52).
 *
 * Short ids run from 1 to 2^32 - 1 and then stop: a key never sees one twice. Long ids carry the time at which they began;
 * when they run out they begin again under a later time.
 */
import { invariant } from '../bytes/index.ts'

const MAX_ID = 0xffffffff

/** Long ids of one wrapper: an id that counts and a time that stands still until the ids run out. */
export class LongPacketIdCounter {
  /** The id given out last. */
  id: number
  /** Its time, Unix seconds as a u32; 0 before the first. */
  time = 0

  /** @param last - the id before the first one to give out. */
  constructor(last = 0) {
    this.id = last
  }

  /**
   * Moves on to the next id, readable in `id` and `time`.
   *
   * @param unixSeconds - the present time, read when ids begin or begin again.
   */
  advance(unixSeconds: number): void {
    if (this.time === 0) this.time = Math.max(1, Math.floor(unixSeconds)) >>> 0 // REL-51
    if (this.id >= MAX_ID) {
      this.time = Math.max(Math.floor(unixSeconds) >>> 0, this.time + 1) // REL-52
      this.id = 0
    }
    invariant(this.time <= MAX_ID, 'REL-52')
    this.id++
  }
}

/** Short ids of one key. */
export class ShortPacketIdCounter {
  /** The id given out last. */
  id = 0

  /** The next id, or 0 when all are used: the key must not send any more (REL-50). */
  next(): number {
    if (this.id >= MAX_ID) return 0
    this.id++
    return this.id
  }
}
