/**
 * An inherited tunnel device without koffi: one read at a time through Node's thread pool.
 *
 * Works with a descriptor that blocks (the read waits in its thread) and one that does not (the read is tried again a
 * moment later). Slower than the event loop's own watching; and a read that blocks holds the process until the device's
 * next packet, so whoever hands a descriptor over should set O_NONBLOCK on it.
 */
import { read as readFd, writeSync } from 'node:fs'
import type { TunDevice } from './tun-device.ts'

/** Pause before an empty descriptor is read again, in ms. */
const PAUSE = 2
/** The largest packet. */
const ROOM = 65_536

/** A device behind a descriptor of somebody else's. */
export class InheritedDevice implements TunDevice {
  readonly name: string
  readonly kind: 'tun' | 'tap'
  readonly inherited = true
  readonly #fd: number
  readonly #buffer = new Uint8Array(ROOM)
  #waiting = 0
  #closed = false

  constructor(fd: number, name: string, kind: 'tun' | 'tap') {
    this.#fd = fd
    this.name = name
    this.kind = kind
  }

  start(readable: () => void): void {
    const next = (): void => {
      if (this.#closed) return
      readFd(this.#fd, this.#buffer, 0, ROOM, null, (error, length) => {
        if (this.#closed) return
        if (error !== null && error.code !== 'EAGAIN') return
        this.#waiting = error === null ? length : 0
        if (this.#waiting > 0) readable()
        if (error === null) next()
        else setTimeout(next, PAUSE)
      })
    }
    next()
  }

  read(buffer: Uint8Array, offset: number, room: number): number {
    const length = Math.min(this.#waiting, room)
    buffer.set(this.#buffer.subarray(0, length), offset)
    this.#waiting = 0
    return length
  }

  write(buffer: Uint8Array, offset: number, length: number): boolean {
    try {
      return writeSync(this.#fd, buffer, offset, length) === length
    } catch {
      return false
    }
  }

  close(): void {
    this.#closed = true
  }
}
