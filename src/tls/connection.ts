/**
 * One TLS connection as a value: bytes in, bytes and news out.
 */
import type { TlsConfig, TlsEnvironment } from './config.ts'
import type { TlsInfo, TlsOutput } from './output.ts'

/** The face of a connection; `TlsConnection` is the class behind it. */
export interface TlsConnectionFace {
  /** Client: sends the ClientHello. Server: nothing. */
  start(): void
  /** Takes bytes of the record stream, cut anywhere. They are borrowed until the call returns. */
  receive(bytes: Uint8Array, unixTime: number): void
  /** Sends application data; false when there is no open connection. */
  write(plaintext: Uint8Array): boolean
  /** Sends close_notify and ends. */
  close(): void
  /** Answers a `signature-needed` output. */
  provideSignature(signature: Uint8Array): void
  poll(): TlsOutput | undefined
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Uint8Array
  readonly info: TlsInfo | undefined
}

/** Builds a connection. */
export type TlsConnectionConstructor = new (config: TlsConfig, environment: TlsEnvironment) => TlsConnectionFace
