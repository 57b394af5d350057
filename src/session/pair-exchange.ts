/**
 * Two equal ends: nothing is pushed, both compute the same from what each told the other (spec/session.md, "Pair"). SESS-120.
 */
import {
  type ClientKeyMessage,
  type ControlMessage,
  emptyOptions,
  parsePeerInfo,
  type PeerInfo,
  type ServerKeyMessage,
} from '../control/index.ts'
import { agreeAsPair, isReason } from './agreement.ts'
import type { SessionContext } from './context.ts'
import { closing, type Exchange, NOTHING, tellDifferences, type Verdict } from './exchange.ts'
import type { KeyState } from './key-state.ts'

/** Computes. */
export class PairExchange implements Exchange {
  readonly #context: SessionContext
  #peerInfo: PeerInfo = parsePeerInfo('')
  #peerOptions = ''

  constructor(context: SessionContext) {
    this.#context = context
  }

  /** What the peer told about itself. */
  get peerInfo(): PeerInfo {
    return this.#peerInfo
  }

  peerKey(key: KeyState, message: ClientKeyMessage | ServerKeyMessage): Verdict {
    if (key.keyId > 0) return NOTHING
    this.#peerInfo = parsePeerInfo(message.peerInfo)
    this.#peerOptions = message.options
    tellDifferences(this.#context, message.options, this.#peerInfo.ciphers !== undefined)
    return NOTHING
  }

  active(key: KeyState): Verdict {
    if (key.keyId > 0) return { type: 'admitted', key }
    const info = key.tlsInfo
    if (info === undefined) return NOTHING
    const { config } = this.#context
    const agreement = agreeAsPair(config, key, info, this.#peerInfo, this.#peerOptions)
    if (isReason(agreement)) return closing(agreement)
    return { type: 'agreed', agreement, options: emptyOptions(config.device), replies: [] }
  }

  message(message: ControlMessage): Verdict {
    if (message.type === 'info') this.#context.outbox.event({ type: 'info', message: message.text })
    return NOTHING
  }

  fire(): Verdict {
    return NOTHING
  }
}
