#!/usr/bin/env node
/**
 * The engine behind BoringSSL's TLS test runner (ssl/test/PORTING.md there): one connection to the runner's port, the shim
 * id, then TLS as client or server, application bytes sent back XOR 0xff; then as many more as the flags say, each with the
 * session that the one before left.
 *
 * Exit 0: the connections went as the flags say; 1: one failed, the reason is on stderr; 89: a flag this shim does not
 * know, or a feature the engine does not have on purpose (early data, …), which the runner counts as skipped.
 */
import { createConnection, type Socket } from 'node:net'
import { type Flags, parseFlags, unimplemented } from './flags.ts'
import { missingFeature } from './out-of-scope.ts'
import { checkExpectations } from './expectations.ts'
import { buildConfig } from './setup.ts'
import { noble } from '../../src/crypto/index.ts'
import { randomBytes } from 'node:crypto'
import { concat, ConfigError, EMPTY } from '../../src/bytes/index.ts'
import { parseKeyLogLine, type TlsCloseReason, TlsConnection, type TlsInfo } from '../../src/tls/index.ts'

const args = process.argv.slice(2)
if (args[0] === '-is-handshaker-supported') {
  console.log('No')
  process.exit(0)
}

function createEngine(flags: Flags, session: Uint8Array | undefined): TlsConnection {
  const random = (length: number) => new Uint8Array(randomBytes(length))
  try {
    return new TlsConnection(buildConfig(flags, session), { unixTime: Date.now(), random, crypto: noble })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(`bad configuration: ${error.message}`)
    process.exit(1)
  }
}

/** Drives one connection over one socket. */
class Exchange {
  readonly #socket: Socket
  readonly #flags: Flags
  readonly #connection: number
  readonly #engine: TlsConnection
  #session: Uint8Array | undefined
  #info: TlsInfo | undefined
  #done = false
  #input: Uint8Array = new Uint8Array(0)
  /** What a transport that stalls has not taken yet; `undefined` while it does not stall. */
  #unsent: Uint8Array | undefined
  readonly #secrets = new Map<string, Uint8Array>()

  constructor(socket: Socket, flags: Flags, connection: number, session: Uint8Array | undefined) {
    this.#socket = socket
    this.#flags = flags
    this.#connection = connection
    this.#engine = createEngine(flags, session)
    this.#session = session
    socket.setNoDelay(true)
    socket.on('data', (bytes) => {
      if (this.#info === undefined) this.#input = concat(this.#input, bytes)
      this.#engine.receive(bytes, Date.now())
      this.#drain()
    })
    socket.on('end', () => this.#onEnd())
    socket.on('error', (error) => {
      if (!this.#done) this.#finish(`socket: ${error.message}`)
    })
    this.#engine.start()
    this.#drain()
  }

  #drain(): void {
    for (let output = this.#engine.poll(); output !== undefined; output = this.#engine.poll()) {
      if (output.type === 'transmit') this.#transmit(output.data)
      else if (output.type === 'connected') this.#onConnected(output.info)
      else if (output.type === 'key-log') this.#onSecret(output.line)
      else if (output.type === 'data') this.#onData(output.data)
      else if (output.type === 'session') this.#session = output.session
      else if (output.type === 'signature-needed') this.#engine.abort(this.#flags.refuseWith ?? 'internal-error')
      else this.#onClosed(output.reason)
    }
  }

  #transmit(bytes: Uint8Array): void {
    if (this.#unsent === undefined) this.#socket.write(bytes)
    else this.#unsent = concat(this.#unsent, bytes)
  }

  /** The transport takes one byte of the first write, and the rest when something was read. */
  #stall(): void {
    this.#engine.write(new TextEncoder().encode('hello'))
    const output = this.#engine.poll()
    if (output?.type !== 'transmit') throw new Error('nothing was written')
    this.#socket.write(output.data.subarray(0, 1))
    this.#unsent = output.data.slice(1)
  }

  #onSecret(line: string): void {
    const parsed = parseKeyLogLine(line)
    if (parsed !== undefined) this.#secrets.set(parsed.label, parsed.secret)
  }

  /** Their length, little-endian, the secret that reads and the one that writes. */
  #trafficSecrets(): Uint8Array {
    const client = this.#secrets.get('CLIENT_TRAFFIC_SECRET_0') ?? EMPTY
    const server = this.#secrets.get('SERVER_TRAFFIC_SECRET_0') ?? EMPTY
    const length = Uint8Array.of(client.length, 0)
    return this.#flags.server ? concat(length, client, server) : concat(length, server, client)
  }

  #onConnected(info: TlsInfo): void {
    this.#info = info
    const fault = checkExpectations(this.#flags, info, this.#connection)
    if (fault !== undefined) {
      console.error(fault)
      this.#engine.abort('internal-error')
      return
    }
    const { exportLength, exportLabel, exportContext, useExportContext } = this.#flags
    if (exportLength > 0) {
      const context = useExportContext ? exportContext : undefined
      this.#engine.write(this.#engine.exportKeyingMaterial(exportLabel, context, exportLength))
    }
    if (this.#flags.exportTrafficSecrets) this.#engine.write(this.#trafficSecrets())
    if (this.#flags.tlsUnique && info.tlsUnique !== undefined) this.#engine.write(info.tlsUnique)
    if (this.#flags.sendAlert) this.#engine.abort('decompression-failure')
    if (this.#flags.readWithUnfinishedWrite) this.#stall()
    else if (this.#flags.shimWritesFirst) this.#engine.write(new TextEncoder().encode('hello'))
    if (!this.#flags.shimShutsDown) return
    if (this.#flags.checkCloseNotify) this.#engine.endWrite()
    else this.#engine.close()
  }

  #onData(data: Uint8Array): void {
    if (this.#unsent !== undefined) {
      this.#socket.write(this.#unsent)
      this.#unsent = undefined
    }
    if (this.#flags.keyUpdate) this.#engine.updateKeys(false)
    this.#engine.write(data.map((byte) => byte ^ 0xff))
  }

  #onClosed(reason: TlsCloseReason): void {
    const missing = this.#info === undefined ? missingFeature(this.#flags, reason, this.#input) : undefined
    if (missing !== undefined) unimplemented(missing)
    const renegotiates = reason.type === 'close-notify' || reason.type === 'alert-received'
    if (this.#flags.renegotiations > 0 && renegotiates) unimplemented('renegotiation')
    const wanted = reason.type === 'close-notify' || (this.#flags.sendAlert && reason.type === 'alert-sent')
    this.#finish(wanted && this.#info !== undefined ? undefined : JSON.stringify(reason))
  }

  /** The runner's TCP end without close_notify: tolerated once connected, unless the flags insist. */
  #onEnd(): void {
    if (this.#done) return
    if (this.#info === undefined) this.#finish('the connection ended during the handshake')
    else this.#finish(this.#flags.shimShutsDown && this.#flags.checkCloseNotify ? 'no close_notify' : undefined)
  }

  #finish(fault: string | undefined): void {
    this.#done = true
    if (fault !== undefined) console.error(fault)
    process.exitCode = fault === undefined ? 0 : 1
    // Half-close and read on, so that the runner sees everything that was written.
    this.#socket.end()
    this.#socket.resume()
    if (fault === undefined && this.#connection < this.#flags.resumeCount) connect(this.#connection + 1, this.#session)
  }
}

/** Makes the connection with this number, and with it those that follow. */
function connect(connection: number, session: Uint8Array | undefined): void {
  const flags = parseFlags(args, connection)
  const options = { port: flags.port, host: flags.ipv6 ? '::1' : '127.0.0.1', allowHalfOpen: true }
  const socket = createConnection(options, () => {
    const id = new Uint8Array(8)
    new DataView(id.buffer).setBigUint64(0, flags.shimId, true)
    socket.write(id)
    new Exchange(socket, flags, connection, session)
  })
}

connect(0, undefined)
