/**
 * What a handshake state gets besides itself and the message: the configuration, the record layer, the primitives, and
 * where outputs go.
 */
import type { CryptoProvider, RandomSource } from '../crypto/index.ts'
import type { ResolvedConfig } from './config.ts'
import type { KeyLog } from './key-log.ts'
import type { TlsOutput } from './output.ts'
import type { RecordLayer } from './record-layer.ts'

/** Queues a handshake message and adds it to the transcript. */
export function send(
  context: Context,
  transcript: { readonly add: (message: Uint8Array) => void },
  message: Uint8Array,
): void {
  transcript.add(message)
  context.records.sendHandshake(message)
}

/** The surroundings of one handshake. */
export interface Context {
  /** Once connected, without what only handshakes need. */
  config: ResolvedConfig
  readonly crypto: CryptoProvider
  readonly random: RandomSource
  readonly records: RecordLayer
  /** Queues an output behind the records sent so far. */
  readonly emit: (output: TlsOutput) => void
  /** Where secrets are told, when the host asked for them. */
  readonly keyLog: KeyLog | undefined
  /** Unix time of the current input in ms. */
  unixTime: number
}
