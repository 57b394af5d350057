/**
 * The client's half of the push exchange: asking, waiting, taking (spec/session.md, "Client").
 *
 * PUSH_REQUEST goes out a second after the keys are exchanged and every five seconds from then, until the reply is
 * complete; many servers reply unasked. A server that needs time for the login says so and gets it. What is pushed passes
 * through the control floor's filter; the session learns of it as typed options, of every refusal as data.
 */
import {
  type ControlMessage,
  encodeResponse,
  type PulledOptions,
  pullOptions,
  type PullResult,
  PushAssembler,
  type ServerKeyMessage,
  updateOptions,
  writeControlMessage,
} from '../control/index.ts'
import { agreeAsClient, isReason } from './agreement.ts'
import type { SessionContext } from './context.ts'
import { closing, type Exchange, type ExchangeTimer, NOTHING, tellDifferences, type Verdict } from './exchange.ts'
import type { KeyState } from './key-state.ts'
import type { ClientLogin } from './login.ts'
import type { CloseReason } from './reasons.ts'

/** Pulls. */
export class ClientExchange implements Exchange {
  readonly #context: SessionContext
  readonly #login: ClientLogin
  readonly #replies = new PushAssembler()
  readonly #updates = new PushAssembler()
  #peerOptions = ''
  #deadline = Infinity
  #pending = false
  #asked = false
  #pulled: PulledOptions | undefined

  constructor(context: SessionContext, login: ClientLogin) {
    this.#context = context
    this.#login = login
  }

  peerKey(key: KeyState, message: ServerKeyMessage): Verdict {
    if (key.keyId === 0) this.#peerOptions = message.options
    return NOTHING
  }

  active(key: KeyState, now: number): Verdict {
    if (key.keyId > 0) return { type: 'admitted', key }
    const { timers } = this.#context.config
    this.#deadline = now + timers.handWindow
    this.#context.timers.set('push-request', now + Math.min(timers.pushRequestFirst, timers.handWindow)) // SESS-100
    return NOTHING
  }

  message(message: ControlMessage, key: KeyState, now: number): Verdict {
    switch (message.type) {
      case 'push-reply':
        return this.#reply(message.options, key)
      case 'push-update':
        return this.#update(message.options)
      case 'auth-failed':
        return closing({ type: 'auth-failed', failure: message.failure })
      case 'auth-pending':
        return this.#wait(message.timeoutSeconds, now)
      case 'info-pre':
        this.#asked = message.request.type === 'text'
        this.#context.outbox.event({ type: 'login-request', request: message.request })
        return NOTHING
      case 'info':
        this.#context.outbox.event({ type: 'info', message: message.text })
        return NOTHING
      case 'restart': {
        const { advance, keepCredentials, text } = message
        return closing({ type: 'peer-restart', message: text, advance, keepCredentials }) // SESS-107
      }
      case 'halt':
        return closing({ type: 'peer-halt', message: message.text })
      default:
        return NOTHING
    }
  }

  fire(_timer: ExchangeTimer, key: KeyState, now: number): Verdict {
    const silent = now >= key.heardAt + this.#context.config.timers.handWindow
    if (now >= this.#deadline || silent) return closing(this.#overdue()) // SESS-102
    key.writeText('PUSH_REQUEST')
    const next = now + this.#context.config.timers.pushRequestInterval
    this.#context.timers.set('push-request', Math.min(next, this.#deadline)) // SESS-101
    return NOTHING
  }

  /** Sends the answer to a text request; false when none was asked for. */
  respond(response: string, key: KeyState): boolean {
    if (!this.#asked) return false
    this.#asked = false
    key.writeText(writeControlMessage({ type: 'cr-response', response: encodeResponse(response) }))
    return true
  }

  #overdue(): CloseReason {
    return this.#pending
      ? { type: 'timed-out', timer: 'auth-pending', detail: 'the server did not decide about the login in time' }
      : { type: 'timed-out', timer: 'push-request', detail: 'the server never answered PUSH_REQUEST' }
  }

  /** SESS-103: a pending login is waited for, within limits of our own. */
  #wait(timeoutSeconds: number | undefined, now: number): Verdict {
    if (this.#pulled !== undefined) return NOTHING
    const { handWindow, renegotiateAfter } = this.#context.config.timers
    const longest = Math.max(renegotiateAfter / 2, handWindow)
    const timeout = Math.min(timeoutSeconds === undefined ? handWindow : timeoutSeconds * 1000, longest)
    this.#pending = true
    this.#deadline = now + timeout
    this.#context.outbox.event({ type: 'auth-pending', timeout })
    return NOTHING
  }

  #reply(list: string, key: KeyState): Verdict {
    const part = this.#replies.add(list)
    if (part.type === 'too-large') return closing(tooLarge('PUSH_REPLY'))
    if (part.type === 'more') return NOTHING
    const { config, outbox } = this.#context
    const pulled = pullOptions(part.options, { device: config.device, filter: config.pullFilter })
    if (this.#pulled !== undefined) {
      // SESS-104: after the first reply only a renewed token counts.
      if (pulled.type === 'pulled' && pulled.token !== undefined) this.#login.take(pulled.token)
      return NOTHING
    }
    outbox.event({ type: 'push-received', options: shown(part.options), update: false })
    if (pulled.type === 'rejected') return closing(rejected(pulled))
    if (pulled.refused.length > 0) outbox.event({ type: 'push-refused', refused: pulled.refused })
    if (pulled.token !== undefined) this.#login.take(pulled.token)
    this.#pulled = pulled.state
    this.#context.timers.clear('push-request')
    tellDifferences(this.#context, this.#peerOptions, pulled.options.protocol.cipher !== undefined)
    const info = key.tlsInfo
    if (info === undefined) return NOTHING
    const agreement = agreeAsClient(config, info, pulled.options, this.#peerOptions)
    if (isReason(agreement)) return closing(agreement)
    return { type: 'agreed', agreement, options: pulled.options, replies: [] }
  }

  /** SESS-105 */
  #update(list: string): Verdict {
    const part = this.#updates.add(list)
    if (part.type === 'too-large') return closing(tooLarge('PUSH_UPDATE'))
    if (part.type === 'more') return NOTHING
    const { config, outbox } = this.#context
    const before = this.#pulled ?? { device: config.device, lines: [] }
    const updated = updateOptions(before, part.options, { device: config.device, filter: config.pullFilter })
    outbox.event({ type: 'push-received', options: shown(part.options), update: true })
    if (updated.type === 'rejected') return closing(rejected(updated))
    if (updated.refused.length > 0) outbox.event({ type: 'push-refused', refused: updated.refused })
    this.#pulled = updated.state
    return { type: 'updated', options: updated.options }
  }
}

function rejected(result: Extract<PullResult, { type: 'rejected' }>): CloseReason {
  return { type: 'push-rejected', option: result.option, by: result.by }
}

function tooLarge(what: string): CloseReason {
  return { type: 'malformed', what, detail: 'larger than any server pushes' }
}

/** SESS-106: tokens never show. */
function shown(options: readonly string[]): readonly string[] {
  return options.map((option) => (option.startsWith('auth-token') ? 'auth-token […]' : option))
}
