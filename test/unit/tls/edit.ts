/**
 * Taking hello messages apart and putting them together changed.
 */
import { Reader, Writer } from '../../../src/bytes/index.ts'
import { handshakeMessage } from '../../../src/tls/handshake-stream.ts'
import type { Tamper } from './support.ts'

/** An extension: type and value. */
export type RawExtension = readonly [type: number, value: Uint8Array]

/** A ClientHello or ServerHello in parts. */
export interface RawHello {
  readonly type: 1 | 2
  version: number
  random: Uint8Array
  sessionId: Uint8Array
  /** ClientHello: all offered; ServerHello: the one chosen. */
  suites: number[]
  compression: number[]
  /** `undefined`: no block at all. */
  extensions: RawExtension[] | undefined
}

/** Takes a hello message apart. */
export function readHello(message: Uint8Array): RawHello {
  const type = message[0] as 1 | 2
  const reader = new Reader(message, 4)
  const version = reader.u16()
  const random = reader.copy(32)
  const sessionId = reader.vector(1).slice()
  const suiteBytes = type === 1 ? reader.sub(2) : new Reader(reader.take(2))
  const suites: number[] = []
  while (suiteBytes.remaining > 0) suites.push(suiteBytes.u16())
  const compression = type === 1 ? [...reader.vector(1)] : [reader.u8()]
  const hello: RawHello = { type, version, random, sessionId, suites, compression, extensions: undefined }
  if (reader.remaining > 0) {
    const block = reader.sub(2)
    hello.extensions = []
    while (block.remaining > 0) hello.extensions.push([block.u16(), block.vector(2).slice()])
  }
  return hello
}

/** Puts a hello message together. */
export function writeHello(hello: RawHello): Uint8Array {
  const writer = new Writer(512).u16(hello.version).bytes(hello.random).vector(1, hello.sessionId)
  const putSuites = (w: Writer) => {
    for (const suite of hello.suites) w.u16(suite)
  }
  if (hello.type === 1) {
    writer.block(2, putSuites)
    writer.vector(1, Uint8Array.from(hello.compression))
  } else {
    putSuites(writer)
    writer.u8(hello.compression[0] ?? 0)
  }
  const { extensions } = hello
  if (extensions !== undefined) {
    writer.block(2, (w) => {
      for (const [type, value] of extensions) w.u16(type).vector(2, value)
    })
  }
  return handshakeMessage(hello.type, writer.finish())
}

/** Changes a hello message. */
export function edit(message: Uint8Array, change: (hello: RawHello) => void): Uint8Array {
  const hello = readHello(message)
  change(hello)
  return writeHello(hello)
}

/** A tamper that changes the hello that is message number `index` of its sender. */
export function editHello(change: (hello: RawHello) => void, index = 0): Tamper {
  return (message, at) => [at === index ? edit(message, change) : message]
}

/** A tamper that replaces the messages of one handshake type. */
export function replace(type: number, change: (message: Uint8Array) => readonly Uint8Array[]): Tamper {
  return (message) => (message[0] === type ? change(message) : [message])
}

/** Sets an extension's value, in place or at the end; `undefined` takes it away. */
export function setExtension(hello: RawHello, type: number, value: Uint8Array | undefined): void {
  const extensions = hello.extensions ?? []
  const at = extensions.findIndex(([own]) => own === type)
  if (value === undefined) hello.extensions = extensions.filter(([own]) => own !== type)
  else if (at < 0) hello.extensions = [...extensions, [type, value]]
  else hello.extensions = extensions.map((own, i) => (i === at ? [type, value] : own))
}

/** An extension's value. */
export function extension(hello: RawHello, type: number): Uint8Array | undefined {
  return hello.extensions?.find(([own]) => own === type)?.[1]
}

/** Bytes from numbers. */
export function bytes(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values)
}

/** One plaintext record. */
export function record(type: number, content: Uint8Array, version = 0x0303): Uint8Array {
  return new Writer(5 + content.length).u8(type).u16(version).vector(2, content).finish()
}
