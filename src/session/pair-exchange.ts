/**
 * Two equal ends: nothing is pushed, both compute the same from what each told the other (spec/session.md, "Pair"). SESS-120.
 */
import {
  type ClientKeyMessage,
  compareOptionsStrings,
  type ControlMessage,
  emptyOptions,
  expectedOptionsString,
  parsePeerInfo,
  type PeerInfo,
  type ServerKeyMessage,
} from '../control/index.ts'
import { agreeAsPair, isReason, optionsInput } from './agreement.ts'
import type { SessionContext } from './context.ts'
import { closing, type Exchange, NOTHING, type Verdict } from './exchange.ts'
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
    const { config, outbox } = this.#context
    this.#peerInfo = parsePeerInfo(message.peerInfo)
    this.#peerOptions = message.options
    const expected = expectedOptionsString(optionsInput(config))
    const differences = compareOptionsStrings(expected, message.options, this.#peerInfo.ciphers !== undefined)
    if (differences.length > 0) outbox.event({ type: 'options-differ', differences })
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
