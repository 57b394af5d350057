/**
 * A data channel as plain data, so that a tunnel can be handed from one process to another without a new negotiation.
 *
 * A snapshot holds the keys in the open and every counter: whoever restores it goes on with the very next packet id. The
 * channel it was taken of must not seal again, and a snapshot must not be restored twice, or packet ids repeat under one
 * key. Neither can be seen from here; the server that moves clients sees to both. Epoch channels hand over the secrets their
 * chains stand at and no earlier one, so moving does not undo their forward secrecy.
 *
 * Spec: data.md, "Moving a key".
 */
import type { ReplayWindowSnapshot } from '../reliability/index.ts'
import type { CounterStart, RenegotiationReason } from './counters.ts'
import type { DataKeys } from './keys.ts'

/** One direction's chain of epoch secrets. */
export interface ChainSnapshot {
  readonly epoch: number
  readonly secret: Uint8Array
}

/** One epoch's receive key. */
export interface ReceiveEpochSnapshot {
  readonly epoch: number
  readonly key: Uint8Array
  readonly iv: Uint8Array
  readonly usage: number
  readonly failed: number
  readonly replay: ReplayWindowSnapshot
}

/** A channel whose keys stay the same. */
export interface StaticSnapshot {
  readonly type: 'keys'
  readonly keys: DataKeys
  readonly counters: CounterStart
  readonly replay: ReplayWindowSnapshot
  readonly renegotiation: RenegotiationReason | undefined
}

/** A channel with epoch keys. */
export interface EpochSnapshot {
  readonly type: 'epoch'
  readonly send: ChainSnapshot
  readonly sent: readonly [counter: number, usage: number]
  readonly receive: ChainSnapshot
  readonly current: ReceiveEpochSnapshot
  readonly retiring: ReceiveEpochSnapshot | undefined
  /** Epochs after the present one that packets named, in order. */
  readonly future: readonly ReceiveEpochSnapshot[]
  readonly failed: number
  readonly renegotiation: RenegotiationReason | undefined
}

/** A channel as plain data. Secret. */
export type DataChannelSnapshot = StaticSnapshot | EpochSnapshot
