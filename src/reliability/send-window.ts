/**
 * The sending half of the control channel's reliability: numbered messages, kept until acknowledged, sent again with
 * growing pauses (spec/reliability.md, REL-1 to REL-8).
 *
 * The host of this class pushes messages while there is room, takes what is due, sends it (with fresh acks and a fresh
 * wrap each time), and reports the acks it receives. Ids run from `firstId` upwards, one window per key state. The window
 * is a distance, not a count: the next id may lie at most `size` above the lowest id in flight, so one hole blocks.
 *
 * Nothing here fails on what a peer sends: acks of ids that are not in flight change nothing, and an ack counts once.
 */
import { invariant } from '../bytes/index.ts'

/** Messages in flight that 2.6 and later allow. */
export const SEND_WINDOW = 6
/** Messages in flight that suit peers up to 2.5, which keep eight out-of-order packets at most. */
export const SEND_WINDOW_LEGACY = 4
/** First pause before a message is sent again. */
export const RETRANSMIT_TIMEOUT = 2000
/** Longest pause unless configured. */
export const RETRANSMIT_TIMEOUT_CAP = 4000
/** Acks of later messages after which a message is sent again at once. */
export const EARLY_RESEND_ACKS = 3

/** How a {@link SendWindow} behaves. */
export interface SendWindowOptions {
  /** Messages in flight; {@link SEND_WINDOW} by default. */
  readonly size?: number
  /** First pause in ms; {@link RETRANSMIT_TIMEOUT} by default. */
  readonly timeout?: number
  /** Longest pause in ms; {@link RETRANSMIT_TIMEOUT_CAP} by default, `Infinity` for the reference's endless doubling. */
  readonly timeoutCap?: number
  /** Id of the first message; 0 by default, 1 behind a stateless hard reset. */
  readonly firstId?: number
  /** True holds everything back until `rescheduleNow`: a TCP server waits for the client's first packet. */
  readonly hold?: boolean
}

/** A window as plain data. */
export interface SendWindowSnapshot<T> {
  readonly nextId: number
  /** In flight, lowest id first. */
  readonly messages: readonly { readonly packetId: number; readonly message: T; readonly sends: number }[]
}

/** A message on its way. */
export interface SendEntry<T> {
  readonly packetId: number
  readonly message: T
  /** How often it was sent, this time included. */
  readonly sends: number
}

interface Slot<T> {
  readonly packetId: number
  readonly message: T
  sends: number
  /** When it is sent next. */
  due: number
  /** The pause after the next send. */
  pause: number
  /** Acks of later messages since the last send. */
  laterAcks: number
}

/** Numbered messages in flight. */
export class SendWindow<T> {
  readonly size: number
  readonly #timeout: number
  readonly #timeoutCap: number
  #nextId: number
  #held: boolean
  /** In order of their ids. */
  #slots: Slot<T>[] = []

  constructor(options: SendWindowOptions = {}) {
    this.size = options.size ?? SEND_WINDOW
    this.#timeout = options.timeout ?? RETRANSMIT_TIMEOUT
    this.#timeoutCap = Math.max(options.timeoutCap ?? RETRANSMIT_TIMEOUT_CAP, this.#timeout)
    this.#nextId = options.firstId ?? 0
    this.#held = options.hold ?? false
  }

  /** Id that the next pushed message gets. */
  get nextId(): number {
    return this.#nextId
  }

  /** Messages not yet acknowledged. */
  get inFlight(): number {
    return this.#slots.length
  }

  /** Lowest id not yet acknowledged; `nextId` when there is none. */
  get lowestUnacknowledged(): number {
    return this.#slots[0]?.packetId ?? this.#nextId
  }

  /** How many messages can be pushed now. */
  get room(): number {
    return this.size - (this.#nextId - this.lowestUnacknowledged) // REL-2
  }

  /** The messages in flight, lowest id first. */
  *messages(): Generator<T> {
    for (const slot of this.#slots) yield slot.message
  }

  /** The window as data, to be moved elsewhere. */
  snapshot(): SendWindowSnapshot<T> {
    const messages = this.#slots.map(({ packetId, message, sends }) => ({ packetId, message, sends }))
    return { nextId: this.#nextId, messages }
  }

  /** The window of a snapshot; what is in flight is due at once. REL-60 */
  static restore<T>(snapshot: SendWindowSnapshot<T>, options: SendWindowOptions): SendWindow<T> {
    const window = new SendWindow<T>({ ...options, firstId: snapshot.nextId })
    const fresh = { due: -Infinity, pause: window.#timeout, laterAcks: 0 }
    for (const message of snapshot.messages) window.#slots.push({ ...message, ...fresh })
    return window
  }

  /** Takes a message in; it is due at once. Returns its id. There must be room. */
  push(message: T): number {
    invariant(this.room > 0, 'REL-2')
    const packetId = this.#nextId++ // REL-1
    this.#slots.push({ packetId, message, sends: 0, due: -Infinity, pause: this.#timeout, laterAcks: 0 })
    return packetId
  }

  /** Notes the peer's ack of `packetId`. True when that message was in flight. */
  acknowledge(packetId: number): boolean {
    const at = this.#slots.findIndex((slot) => slot.packetId === packetId)
    if (at < 0 || this.#slots[at]?.sends === 0) return false // REL-5
    this.#slots.splice(at, 1)
    for (let i = 0; i < at; i++) {
      const slot = this.#slots[i] as Slot<T>
      slot.laterAcks++
      if (slot.laterAcks >= EARLY_RESEND_ACKS) slot.due = -Infinity // REL-4
    }
    return true
  }

  /**
   * The message with the lowest id that is due, counted as sent at `now`; `undefined` when none is. Call until then.
   */
  takeDue(now: number): SendEntry<T> | undefined {
    if (this.#held) return undefined // REL-7
    const slot = this.#slots.find((candidate) => candidate.due <= now) // REL-8
    if (slot === undefined) return undefined
    slot.sends++
    slot.laterAcks = 0
    slot.due = now + slot.pause
    slot.pause = Math.min(slot.pause * 2, this.#timeoutCap) // REL-3
    return { packetId: slot.packetId, message: slot.message, sends: slot.sends }
  }

  /** When `takeDue` next has something: -Infinity for at once, Infinity for never. */
  nextDeadline(): number {
    if (this.#held) return Infinity
    let deadline = Infinity
    for (const slot of this.#slots) if (slot.due < deadline) deadline = slot.due
    return deadline
  }

  /** Makes everything in flight due at once with the first pause, and ends a hold: the peer was heard for the first time. */
  rescheduleNow(): void {
    this.#held = false
    for (const slot of this.#slots) {
      slot.due = -Infinity // REL-6
      slot.pause = this.#timeout
    }
  }
}
