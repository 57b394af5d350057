/**
 * One TLS connection as a value: bytes in; bytes, plaintext and news out.
 *
 * The connection owns the record layer and the handshake state, feeds one to the other and drains both before it returns.
 * Here is the one border where a peer's fault ends: whatever the floors below throw becomes an alert to the peer and a
 * `closed` output, once and last (TLS-2). It never throws for what a peer sent, never calls back, and holds a bounded amount of
 * memory.
 */
import { ConfigError, EMPTY, Queue, UsageError, plainBytes } from '../bytes/index.ts'
import { type AlertName, AlertError, alertName, demand } from './alerts.ts'
import { startClient } from './client-start.ts'
import { atRest, resolveConfig, type TlsConfig, type TlsEnvironment } from './config.ts'
import type { Context } from './context.ts'
import { isWaiting, messageLimit, onChangeCipherSpec, onMessage, onSignature, type State } from './handshake.ts'
import { MAX_HELD_INPUT } from './limits.ts'
import { KeyLog } from './key-log.ts'
import { beforeData12, export12, type Open12 } from './open12.ts'
import { beforeData13, export13, type Open13, sendKeyUpdate } from './open13.ts'
import type { TlsAgreement, TlsCloseReason, TlsInfo, TlsOutput } from './output.ts'
import { type Incoming, RecordLayer } from './record-layer.ts'
import { infoOf, resumeSnapshot, takeSnapshot, type TlsSnapshot } from './snapshot.ts'

function isOpen(state: State): state is Open12 | Open13 {
  return state.type === 'open-12' || state.type === 'open-13'
}

/**
 * A TLS 1.2 or 1.3 connection, client or server.
 *
 * @example
 * const client = new TlsConnection({ role: 'client', verifier }, { unixTime, random, crypto: noble })
 * client.start()
 * for (let output = client.poll(); output !== undefined; output = client.poll()) handle(output)
 */
export class TlsConnection {
  readonly #context: Context
  readonly #records: RecordLayer
  readonly #outputs = new Queue<TlsOutput>()
  #state: State
  #started = false
  #writeEnded = false

  /**
   * @param from - an open connection that this one goes on for (TLS-60); no output says that it is connected.
   * @throws ConfigError for a configuration that cannot work, TLS-36, or a snapshot with a suite that is not known here.
   */
  constructor(config: TlsConfig, environment: TlsEnvironment, from?: TlsSnapshot) {
    const resolved = resolveConfig(config, environment.crypto)
    this.#records = new RecordLayer(resolved.maxFragment)
    this.#records.limitMessages((type) => messageLimit(this.#context.config, this.#state, type))
    this.#context = {
      config: resolved,
      crypto: environment.crypto,
      random: environment.random,
      records: this.#records,
      emit: (output) => this.#emit(output),
      keyLog: resolved.keyLog ? new KeyLog(this.#outputs) : undefined,
      unixTime: environment.unixTime,
    }
    if (from === undefined) {
      this.#state = resolved.role === 'client' ? { type: 'client-idle' } : { type: 'expect-client-hello' }
      return
    }
    const open = resumeSnapshot(this.#context, from)
    if (open === undefined) throw new ConfigError('tls-cipher', 'the state is of a connection not possible here')
    this.#started = true
    this.#context.config = atRest(resolved)
    this.#state = open
  }

  /** The open connection as plain data; this one must not be used again. Undefined unless open and at rest. TLS-60 */
  snapshot(): TlsSnapshot | undefined {
    if (!isOpen(this.#state) || this.#writeEnded || this.#outputs.length > 0) return undefined
    const records = this.#records.snapshot()
    return records === undefined ? undefined : takeSnapshot(this.#state, records)
  }

  /** What was agreed on; `undefined` before `connected` and after `closed`. */
  get info(): TlsInfo | undefined {
    return isOpen(this.#state) ? infoOf(this.#state) : undefined
  }

  /** {@link info} without the certificate's contents: as it is kept, at no cost. */
  get agreement(): TlsAgreement | undefined {
    return isOpen(this.#state) ? this.#state.info : undefined
  }

  /** What the connection awaits, for logs. */
  get stateName(): string {
    return this.#state.type
  }

  /** Client: sends the ClientHello. Server: nothing. A second call is nothing. */
  start(): void {
    if (this.#started || this.#state.type === 'closed') return
    this.#started = true
    if (this.#state.type === 'client-idle') this.#state = startClient(this.#context)
    this.#emitRecords()
  }

  /**
   * Takes bytes of the record stream, cut anywhere; borrowed until the call returns.
   * @param unixTime - now, in ms, for the validity of certificates.
   */
  receive(bytes: Uint8Array, unixTime: number): void {
    if (this.#state.type === 'closed') return
    this.#context.unixTime = unixTime
    this.#records.receive(plainBytes(bytes))
    this.#run()
  }

  /** Sends application data; false, and nothing is sent, when the connection is not open. */
  write(plaintext: Uint8Array): boolean {
    const state = this.#state
    if (!isOpen(state) || this.#writeEnded) return false
    return this.#guard(() => {
      this.#state = state.type === 'open-13' ? beforeData13(this.#context, state) : beforeData12(this.#context, state)
      this.#records.sendData(plaintext)
      this.#emitRecords()
    })
  }

  /** TLS 1.3: replaces this side's keys, and asks the peer to replace its own. False when not open under 1.3. */
  updateKeys(requestPeer: boolean): boolean {
    if (this.#state.type !== 'open-13' || this.#writeEnded) return false
    this.#state = sendKeyUpdate(this.#context, this.#state, requestPeer)
    this.#emitRecords()
    return true
  }

  /** Says close_notify and ends at once; what the peer still says is not heard. */
  close(): void {
    if (this.#state.type === 'closed') return
    this.#sayCloseNotify()
    this.#end({ type: 'close-notify', by: 'us' })
  }

  /** Says close_notify and goes on receiving; `closed` follows the peer's own close_notify. Nothing unless open. TLS-29 */
  endWrite(): void {
    if (!isOpen(this.#state)) return
    this.#sayCloseNotify()
    this.#emitRecords()
  }

  #sayCloseNotify(): void {
    if (this.#writeEnded || this.#state.type === 'client-idle') return
    this.#writeEnded = true
    this.#records.sendAlert('warning', 'close-notify')
  }

  /** Ends with a fatal alert of the host's choice, for example after a decision that the peer is not welcome. */
  abort(alert: AlertName): void {
    if (this.#state.type === 'closed') return
    this.#fail(new AlertError(alert, 'the host ended the connection'))
  }

  /**
   * Answers a `signature-needed` output. TLS-32
   * @throws UsageError when none is awaited, or when it is not a signature of the certificate's key over the message.
   */
  provideSignature(signature: Uint8Array): void {
    if (this.#state.type === 'closed') return
    if (!isWaiting(this.#state)) throw new UsageError('provideSignature: no signature is awaited')
    this.#state = onSignature(this.#context, this.#state, signature)
    this.#run()
  }

  /** The next output, or `undefined`. */
  poll(): TlsOutput | undefined {
    return this.#outputs.shift()
  }

  /**
   * Keying material of the connection (RFC 8446 section 7.5, RFC 5705). TLS-34
   * @param context - in 1.2 an absent context differs from an empty one.
   * @throws UsageError when the connection is not open.
   */
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Uint8Array {
    const state = this.#state
    if (!isOpen(state)) throw new UsageError('exportKeyingMaterial: the connection is not open')
    return state.type === 'open-13'
      ? export13(this.#context, state, label, context ?? EMPTY, length)
      : export12(this.#context, state, label, context, length)
  }

  #run(): void {
    this.#guard(() => {
      while (this.#state.type !== 'closed' && !isWaiting(this.#state)) {
        const incoming = this.#records.next()
        if (incoming === undefined) break
        this.#take(incoming)
      }
      if (isWaiting(this.#state)) {
        demand(this.#records.held <= MAX_HELD_INPUT, 'internal-error', 'too much input while a signature is awaited')
      }
      this.#emitRecords()
    })
  }

  /** The border: below it faults are thrown, above it there are none. False when there was one. */
  #guard(work: () => void): boolean {
    try {
      work()
      return true
    } catch (error) {
      if (!(error instanceof AlertError)) throw error
      this.#fail(error)
      return false
    }
  }

  #take(incoming: Incoming): void {
    switch (incoming.type) {
      case 'handshake':
        this.#state = onMessage(this.#context, this.#state, incoming.message)
        return
      case 'change-cipher-spec':
        this.#state = onChangeCipherSpec(this.#context, this.#state)
        return
      case 'alert':
        return this.#onAlert(incoming.level, incoming.code)
      case 'data':
        return this.#onData(incoming.data)
    }
  }

  #onData(data: Uint8Array): void {
    const state = this.#state
    demand(isOpen(state), 'unexpected-message', 'application data before the handshake is done') // TLS-26
    if (data.length === 0) return
    if (state.type === 'open-13' && state.idleMessages > 0) this.#state = { ...state, idleMessages: 0 }
    this.#emit({ type: 'data', data })
  }

  /** TLS-27, TLS-28 */
  #onAlert(level: number, code: number): void {
    const name = alertName(code)
    if (name === 'close-notify') {
      this.#sayCloseNotify()
      this.#end({ type: 'close-notify', by: 'peer' })
      return
    }
    demand(level === 1 || level === 2, 'illegal-parameter', `alert level ${level}`)
    if (level === 1) {
      const tolerated = this.#records.version !== 'TLSv1.3' || name === 'user-canceled'
      demand(tolerated, 'decode-error', `the alert ${name ?? code} as a warning, which TLS 1.3 does not have`)
      return
    }
    this.#end({ type: 'alert-received', alert: name ?? 'unknown', code })
  }

  #fail(error: AlertError): void {
    this.#records.sendAlert('fatal', error.alert)
    const { alert, refusal, message: detail } = error
    this.#end(
      refusal === undefined
        ? { type: 'alert-sent', alert, detail }
        : { type: 'certificate', alert, problem: refusal.problem, subject: refusal.subject, detail },
    )
  }

  #end(reason: TlsCloseReason): void {
    this.#state = { type: 'closed' }
    this.#emit({ type: 'closed', reason })
    this.#records.clear()
  }

  #emit(output: TlsOutput): void {
    this.#emitRecords()
    this.#outputs.push(output)
    if (output.type === 'connected') this.#context.config = atRest(this.#context.config)
  }

  #emitRecords(): void {
    const data = this.#records.takeOutput()
    if (data.length > 0) this.#outputs.push({ type: 'transmit', data })
  }
}
