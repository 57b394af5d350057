/**
 * What a tunnel device is to whoever moves its packets, however it came to be.
 */

/** A tunnel device. */
export interface TunDevice {
  /** Its name in the system, such as `tun0`. */
  readonly name: string
  readonly kind: 'tun' | 'tap'
  /** True: it was opened by somebody else and stays when this end closes it. */
  readonly inherited: boolean
  /** Calls back when there is something to read; read until there is nothing, or until the next call. */
  start(readable: () => void): void
  /** Reads a packet to `buffer[offset, offset + room)`; its length, or 0 when there is none now. */
  read(buffer: Uint8Array, offset: number, room: number): number
  /** Hands `buffer[offset, offset + length)` to the host; false when it was not taken. */
  write(buffer: Uint8Array, offset: number, length: number): boolean
  close(): void
}
