/**
 * The few functions of Linux's C library that Node has no way to: a tun device's ioctl, descriptors that do not block, and
 * many datagrams in one call. Through koffi, loaded when first needed (NODE-1).
 *
 * Watching a descriptor happens inside Node's own event loop, so no thread waits. Addresses of memory are numbers of C's;
 * what a call may write to is either a `Uint8Array`, for as long as the call runs, or an {@link Arena}, which stays.
 */
import { UsageError } from '../../bytes/index.ts'
import { requireKoffi } from '../native/library.ts'

/** Ends the watching of a descriptor. */
export interface Watch {
  close(): void
}

interface PollHandle {
  stop(): void
  close(): void
}

interface Koffi {
  load(path: string | null): { func(name: string, result: string, parameters: readonly string[]): unknown }
  alloc(type: string, length: number): bigint
  free(memory: bigint): void
  view(memory: bigint, length: number): ArrayBuffer
  errno(): number
  readonly node: {
    poll(fd: number, events: { readable: boolean }, callback: (status: number) => void): PollHandle
  }
}

/** Functions named as in C; a negative result is an error, its number is {@link Libc.errno}. */
interface Functions {
  readonly open: (path: string, flags: number) => number
  readonly close: (fd: number) => number
  readonly read: (fd: number, memory: Uint8Array, length: number) => number
  readonly write: (fd: number, memory: Uint8Array, length: number) => number
  readonly ioctl: (fd: number, request: number, type: 'void *', memory: Uint8Array) => number
  readonly fcntl: (fd: number, command: number, type: 'int', value: number) => number
  readonly socket: (family: number, type: number, protocol: number) => number
  readonly bind: (fd: number, address: Uint8Array, length: number) => number
  readonly connect: (fd: number, address: Uint8Array, length: number) => number
  readonly setsockopt: (fd: number, level: number, name: number, value: Uint8Array, length: number) => number
  readonly recvmmsg: (fd: number, messages: bigint, count: number, flags: number, timeout: null) => number
  readonly sendmmsg: (fd: number, messages: bigint, count: number, flags: number) => number
}

const SIGNATURES: Readonly<Record<keyof Functions, readonly [result: string, ...parameters: readonly string[]]>> = {
  open: ['int', 'const char *', 'int'],
  close: ['int', 'int'],
  read: ['intptr_t', 'int', 'void *', 'size_t'],
  write: ['intptr_t', 'int', 'const void *', 'size_t'],
  ioctl: ['int', 'int', 'unsigned long', '...'],
  fcntl: ['int', 'int', 'int', '...'],
  socket: ['int', 'int', 'int', 'int'],
  bind: ['int', 'int', 'const void *', 'uint32_t'],
  connect: ['int', 'int', 'const void *', 'uint32_t'],
  setsockopt: ['int', 'int', 'int', 'int', 'const void *', 'uint32_t'],
  recvmmsg: ['int', 'int', 'void *', 'unsigned int', 'int', 'void *'],
  sendmmsg: ['int', 'int', 'void *', 'unsigned int', 'int'],
}

/** Memory outside the reach of the garbage collector, whose address C may keep. */
export interface Arena {
  readonly address: bigint
  readonly bytes: Uint8Array
}

/** The C library. */
export interface Libc extends Functions {
  /** Number of the last error. */
  errno(): number
  /** Zeroed memory. It lives as long as the process. */
  arena(length: number): Arena
  /** Calls back, from the event loop, whenever the descriptor can be read. The descriptor may not block. */
  watch(fd: number, readable: () => void): Watch
}

/** Errors that say "nothing now, later perhaps". */
export const ERRNO = { EPERM: 1, EINTR: 4, EAGAIN: 11, EACCES: 13, EBUSY: 16 } as const

/**
 * The C library of this Linux.
 *
 * @throws UsageError saying what is missing, where this is no Linux or koffi is not installed. NODE-1
 */
export function loadLibc(koffi?: unknown): Libc {
  if (process.platform !== 'linux') throw new UsageError(`tunnel devices are for Linux, not ${process.platform}`)
  const ffi = (koffi ?? requireKoffi(undefined, 'a tunnel device')) as Koffi
  const library = ffi.load(null)
  const functions = Object.entries(SIGNATURES).map(([name, [result, ...parameters]]) => {
    return [name, library.func(name, result, parameters)]
  })
  return {
    ...(Object.fromEntries(functions) as Functions),
    errno: () => ffi.errno(),
    arena: (length) => {
      const address = ffi.alloc('uint8_t', length)
      const bytes = new Uint8Array(ffi.view(address, length))
      bytes.fill(0)
      return { address, bytes }
    },
    watch: (fd, readable) => {
      const handle = ffi.node.poll(fd, { readable: true }, readable)
      return {
        close: () => {
          handle.stop()
          handle.close()
        },
      }
    },
  }
}
