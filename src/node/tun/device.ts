/**
 * A tun or tap device: packets of the host's network stack in and out.
 *
 * The device is opened here (root or CAP_NET_ADMIN), or comes as an open descriptor from whoever started this process, who
 * then needs the privileges and this process none. Either way one read is one IP packet or Ethernet frame, without a
 * header before it (IFF_NO_PI). Without koffi only an inherited descriptor works, more slowly (inherited.ts).
 *
 * Refuses what is no tunnel device: its kind and name are read off the descriptor itself. Spec: node.md, "Device".
 */
import { readFileSync } from 'node:fs'
import { UsageError } from '../../bytes/index.ts'
import { InheritedDevice } from './inherited.ts'
import type { TunDevice } from './tun-device.ts'
import { ERRNO, type Libc, loadLibc, type Watch } from './libc.ts'

/** Which device to open. */
export interface TunRequest {
  readonly kind: 'tun' | 'tap'
  /** A whole name (`tun5`); absent: the next free one of the kind. */
  readonly name?: string | undefined
  /** An open descriptor of a device instead. */
  readonly fd?: number | undefined
  /** The koffi module, for hosts that bundle it. */
  readonly koffi?: unknown
}

const O_RDWR = 2
const O_NONBLOCK = 0o4000
const O_CLOEXEC = 0o2000000
const F_GETFL = 3
const F_SETFL = 4
const TUNSETIFF = 0x400454ca
const IFF = { tun: 0x0001, tap: 0x0002 } as const
const IFF_NO_PI = 0x1000
/** `struct ifreq`: 16 bytes of name, then flags. */
const IFREQ_LENGTH = 40
const NAME_LENGTH = 15

/**
 * Opens a tunnel device.
 *
 * @throws UsageError saying what is missing: privileges, koffi, or a device behind the descriptor. NODE-1, NODE-2
 */
export function openTun(request: TunRequest): TunDevice {
  const { fd, kind, koffi } = request
  if (fd === undefined) return create(loadLibc(koffi), kind, request.name)
  const name = nameBehind(fd, kind)
  const libc = tryLoad(koffi)
  if (libc === undefined) return new InheritedDevice(fd, name, kind)
  const flags = libc.fcntl(fd, F_GETFL, 'int', 0)
  if (flags < 0 || libc.fcntl(fd, F_SETFL, 'int', flags | O_NONBLOCK) < 0) {
    throw new UsageError(`descriptor ${fd} cannot be used`)
  }
  return new KernelDevice(libc, fd, name, kind, true)
}

function tryLoad(koffi: unknown): Libc | undefined {
  try {
    return loadLibc(koffi)
  } catch {
    return undefined
  }
}

function create(libc: Libc, kind: 'tun' | 'tap', name: string | undefined): TunDevice {
  if (name !== undefined && !/^[^\s/%:]{1,15}$/.test(name)) throw new UsageError(`no device can be called "${name}"`)
  const fd = libc.open('/dev/net/tun', O_RDWR | O_NONBLOCK | O_CLOEXEC)
  if (fd < 0) {
    const denied = libc.errno() === ERRNO.EACCES || libc.errno() === ERRNO.EPERM
    throw new UsageError(
      denied ? NEEDS_RIGHTS : `/dev/net/tun cannot be opened (errno ${libc.errno()}): is the kernel module tun there?`,
    )
  }
  const request = new Uint8Array(IFREQ_LENGTH)
  request.set(new TextEncoder().encode(name ?? `${kind}%d`).subarray(0, NAME_LENGTH))
  new DataView(request.buffer).setUint16(16, IFF[kind] | IFF_NO_PI, true)
  if (libc.ioctl(fd, TUNSETIFF, 'void *', request) < 0) {
    const error = libc.errno()
    libc.close(fd)
    if (error === ERRNO.EPERM) throw new UsageError(NEEDS_RIGHTS)
    if (error === ERRNO.EBUSY) throw new UsageError(`the device ${name ?? kind} is in use by another program`)
    throw new UsageError(`the device ${name ?? kind} cannot be made (errno ${error})`)
  }
  const end = request.indexOf(0)
  return new KernelDevice(libc, fd, new TextDecoder().decode(request.subarray(0, end)), kind, false)
}

const NEEDS_RIGHTS =
  'a tunnel device needs root or CAP_NET_ADMIN; or start with an open one (--tun-fd), or without any (--socks)'

/** NODE-2: the kernel says which device a descriptor belongs to. */
function nameBehind(fd: number, kind: 'tun' | 'tap'): string {
  const info = read(`/proc/self/fdinfo/${fd}`)
  if (info === '') throw new UsageError(`there is no open descriptor ${fd}`)
  const name = /^iff:\t(\S+)$/m.exec(info)?.[1]
  if (name === undefined) throw new UsageError(`descriptor ${fd} is no tunnel device`)
  const flags = Number.parseInt(read(`/sys/class/net/${name}/tun_flags`), 16)
  if (Number.isNaN(flags)) return name
  if ((flags & (IFF.tun | IFF.tap)) !== IFF[kind])
    throw new UsageError(`descriptor ${fd} (${name}) is no ${kind} device`)
  if ((flags & IFF_NO_PI) === 0) throw new UsageError(`descriptor ${fd} (${name}) must be opened with IFF_NO_PI`)
  return name
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** A device read and written without blocking, watched by the event loop. */
class KernelDevice implements TunDevice {
  readonly name: string
  readonly kind: 'tun' | 'tap'
  readonly inherited: boolean
  readonly #libc: Libc
  #fd: number
  #watch: Watch | undefined

  constructor(libc: Libc, fd: number, name: string, kind: 'tun' | 'tap', inherited: boolean) {
    this.#libc = libc
    this.#fd = fd
    this.name = name
    this.kind = kind
    this.inherited = inherited
  }

  start(readable: () => void): void {
    this.#watch?.close()
    this.#watch = this.#libc.watch(this.#fd, readable)
  }

  read(buffer: Uint8Array, offset: number, room: number): number {
    const length = this.#libc.read(this.#fd, buffer.subarray(offset, offset + room), room)
    return length > 0 ? length : 0
  }

  write(buffer: Uint8Array, offset: number, length: number): boolean {
    return this.#libc.write(this.#fd, buffer.subarray(offset, offset + length), length) === length
  }

  close(): void {
    if (this.#fd < 0) return
    this.#watch?.close()
    this.#libc.close(this.#fd)
    this.#fd = -1
  }
}
