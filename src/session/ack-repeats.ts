/**
 * Acks said again: what a client does lest its server wait for one that was lost.
 *
 * A server takes nothing under a key before its key message is acknowledged, and says that message again after two seconds, then
 * four, then eight. Where the ack is lost, everything that the client sends under the new key is dropped meanwhile. So the TLS
 * client, which has its keys first, says its last acks a few times more unasked. To a peer that had them they are nothing
 * new: an ack of what is not in flight changes nothing. Over TCP none is lost (spec/rekeying.md, REKEY-19 and REKEY-20).
 */
import { EMPTY } from '../bytes/index.ts'
import { Opcode } from '../wire/index.ts'
import type { OutgoingMessage } from './key-events.ts'

/** When acks are said again, in ms from the moment at which the key is active. */
const REPEATS = [300, 700, 1500, 3000] as const

/** Who speaks, and over what. */
interface End {
  readonly role: 'client' | 'server'
  readonly transport: 'udp' | 'tcp'
}

/** When the acks of one key are said again. */
export class AckRepeats {
  #since: number
  #said = 0

  private constructor(now: number) {
    this.#since = now
  }

  /** For a key that is active at `now`; undefined where no ack is missed. REKEY-19 */
  static begin({ role, transport }: End, now: number): AckRepeats | undefined {
    return role === 'client' && transport === 'udp' ? new AckRepeats(now) : undefined
  }

  /** When they are due next; `Infinity`: never. */
  get at(): number {
    return this.#since + (REPEATS[this.#said] ?? Infinity)
  }

  /** True when they are due, and counted as said; late, once stands for all. */
  take(now: number): boolean {
    const due = now >= this.at
    while (now >= this.at) this.#said++
    return due
  }

  /** The peer lacks no ack, or the key is given up. REKEY-20 */
  end(): void {
    this.#since = Infinity
  }
}

/** A packet of nothing but acks. */
export function ackPacket(acks: readonly number[]): OutgoingMessage {
  return { opcode: Opcode.ACK_V1, acks, packetId: undefined, payload: EMPTY, repeated: false }
}
