/**
 * The stack in a device's place: what a tun device is to the system's network, this is to the stack.
 */
import { performance } from 'node:perf_hooks'
import type { RandomSource } from '../../crypto/index.ts'
import type { TunDevice } from '../tun/index.ts'
import { Stack } from './stack.ts'

/** Packets that wait to be read; more are dropped, as a device's queue would. */
const QUEUE = 4096

/** A device whose packets a stack makes. */
export class StackDevice implements TunDevice {
  readonly name = 'user space'
  readonly kind = 'tun'
  readonly inherited = false
  readonly stack: Stack
  readonly #queue: Uint8Array[] = []
  #readable: () => void = () => undefined
  #woken = false
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(random: RandomSource) {
    this.stack = new Stack(random, (packet) => {
      if (this.#queue.length < QUEUE) this.#queue.push(packet)
      this.#wake()
    })
  }

  start(readable: () => void): void {
    this.#readable = readable
  }

  read(buffer: Uint8Array, offset: number, room: number): number {
    const packet = this.#queue.shift()
    if (packet === undefined || packet.length > room) return 0
    buffer.set(packet, offset)
    return packet.length
  }

  write(buffer: Uint8Array, offset: number, length: number): boolean {
    this.stack.receive(buffer.subarray(offset, offset + length), performance.now())
    this.arm()
    return true
  }

  /** Sets the stack's timer anew. */
  arm(): void {
    clearTimeout(this.#timer)
    const deadline = this.stack.pollTimeout()
    if (deadline === Infinity || this.#closed) return
    this.#timer = setTimeout(
      () => {
        this.stack.handleTimeout(performance.now())
        this.arm()
      },
      Math.max(Math.ceil(deadline - performance.now()), 0),
    )
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /** Later, so that packets made together leave together. */
  #wake(): void {
    if (this.#woken) return
    this.#woken = true
    setImmediate(() => {
      this.#woken = false
      this.#readable()
      if (this.#queue.length > 0 && !this.#closed) this.#wake()
    })
  }
}
