/**
 * What is said in one negotiation: control packets of both ends in any order in, TLS messages and OpenVPN's own messages out
 * (spec/decode.md, DEC-50 to DEC-55).
 *
 * Packets are put in the order of their ids, what was sent again is passed over. The bytes go to a TLS observer; what it opens
 * is a key method message first and control messages after. Waiting packets are bounded: behind too large a hole the
 * direction stays silent.
 */
import { toHex } from '../bytes/index.ts'
import {
  type ClientKeyMessage,
  parseClientKeyMessage,
  parseServerKeyMessage,
  printable,
  type ServerKeyMessage,
  splitControlText,
} from '../control/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import { type ObservedItem, TlsObserver, type TlsSecrets, type TlsSide } from '../tls/index.ts'
import { type ControlPacket, isHardReset, Opcode, parseResetSettings } from '../wire/index.ts'
import { nameText, parseCertificate } from '../x509/index.ts'
import type { Said } from './packet.ts'

/** What a negotiation needs to be read. */
export interface NegotiationSurroundings {
  readonly crypto: CryptoProvider
  readonly secretsOf: (clientRandom: Uint8Array) => TlsSecrets | undefined
  /** Whether passwords, tokens, answers and randoms are shown. */
  readonly reveal: boolean
}

/** Packets that may wait for an earlier one: more than a receive window. */
const MAX_WAITING = 64
const HIDDEN = '(hidden)'

/** One end's packets. */
class Ordered {
  next: number | undefined
  readonly waiting = new Map<number, ControlPacket>()

  /** Packets whose turn has come; undefined for one that was seen before. */
  take(packet: ControlPacket, id: number): readonly ControlPacket[] | undefined {
    this.next ??= id
    if (id < this.next || this.waiting.has(id)) return undefined
    if (id > this.next) {
      // DEC-51
      if (this.waiting.size < MAX_WAITING) this.waiting.set(id, packet)
      return []
    }
    const ready = [packet]
    this.next++
    for (let held = this.waiting.get(this.next); held !== undefined; held = this.waiting.get(this.next)) {
      this.waiting.delete(this.next)
      ready.push(held)
      this.next++
    }
    return ready
  }
}

/** One negotiation of one session. */
export class Negotiation {
  readonly #surroundings: NegotiationSurroundings
  readonly #sides: Readonly<Record<TlsSide, Ordered>> = { client: new Ordered(), server: new Ordered() }
  #observer: TlsObserver | undefined

  constructor(surroundings: NegotiationSurroundings) {
    this.#surroundings = surroundings
  }

  /** Takes a packet; gives what was said with it, and whether it was seen before. */
  receive(from: TlsSide, packet: ControlPacket): { readonly said: readonly Said[]; readonly repeated: boolean } {
    const { packetId } = packet
    if (packetId === undefined) return { said: [], repeated: false }
    const ready = this.#sides[from].take(packet, packetId)
    if (ready === undefined) return { said: [], repeated: true } // DEC-50
    return { said: ready.flatMap((next) => this.#payload(from, next)), repeated: false }
  }

  #payload(from: TlsSide, { opcode, payload }: ControlPacket): readonly Said[] {
    if (isHardReset(opcode)) return payload.length === 0 ? [] : [resetSettings(payload)]
    if (opcode === Opcode.CONTROL_SOFT_RESET_V1 || payload.length === 0) return []
    const { crypto, secretsOf } = this.#surroundings
    this.#observer ??= new TlsObserver(crypto, secretsOf)
    return joinSealed(this.#observer.receive(from, payload).flatMap((item) => this.#item(from, item)))
  }

  #item(from: TlsSide, item: ObservedItem): readonly Said[] {
    switch (item.type) {
      case 'handshake': {
        const subjects = item.certificates.map(subjectOf)
        const fields = subjects.length === 0 ? item.fields : { ...item.fields, certificates: subjects.join('; ') }
        return [{ type: 'tls', name: item.name, protected: item.protected, fields }]
      }
      case 'change-cipher-spec':
        return [{ type: 'tls', name: 'ChangeCipherSpec', protected: false, fields: {} }]
      case 'alert':
        return [{ type: 'tls', name: `alert ${item.level} ${item.name}`, protected: item.protected, fields: {} }]
      case 'sealed':
        return [{ type: 'tls-sealed', records: 1, bytes: item.length }]
      case 'unreadable':
        return [{ type: 'tls', name: `unreadable: ${item.detail}`, protected: false, fields: {} }]
      case 'data':
        return this.#plaintext(from, item.data)
    }
  }

  /** DEC-53 */
  #plaintext(from: TlsSide, data: Uint8Array): readonly Said[] {
    const { reveal } = this.#surroundings
    if (data.length >= 5 && data[0] === 0) {
      const message = from === 'client' ? parseClientKeyMessage(data) : parseServerKeyMessage(data)
      if (typeof message !== 'string') return [{ type: 'key-method', fields: keyMethodFields(message, reveal) }]
    }
    const { messages, ignored } = splitControlText(data)
    return [
      ...messages.map((text) => ({ type: 'message' as const, text: reveal ? text : hideSecrets(text) })),
      ...ignored.map((problem) => ({ type: 'message' as const, text: `(${problem})` })),
    ]
  }
}

function resetSettings(payload: Uint8Array): Said {
  const settings = parseResetSettings(payload)
  const text = typeof settings === 'string' ? settings : `resend-wrapped-key ${String(settings.resendWrappedKey)}`
  return { type: 'message', text: `reset settings: ${text}` }
}

/** Sealed records one after another are told once. */
function joinSealed(said: readonly Said[]): readonly Said[] {
  const joined: Said[] = []
  for (const item of said) {
    const last = joined.at(-1)
    if (item.type === 'tls-sealed' && last?.type === 'tls-sealed') {
      joined[joined.length - 1] = {
        type: 'tls-sealed',
        records: last.records + item.records,
        bytes: last.bytes + item.bytes,
      }
    } else joined.push(item)
  }
  return joined
}

function subjectOf(der: Uint8Array): string {
  const certificate = parseCertificate(der)
  return typeof certificate === 'string' ? `(${certificate})` : printable(nameText(certificate.subject))
}

/** DEC-54 */
function keyMethodFields(
  message: ClientKeyMessage | ServerKeyMessage,
  reveal: boolean,
): Readonly<Record<string, string>> {
  const { login, loginProblem, options, peerInfo, random1, random2 } = message
  const bytes = (secret: Uint8Array) => (reveal ? toHex(secret) : HIDDEN)
  return {
    options,
    ...(login === undefined ? {} : { username: login.username, password: reveal ? login.password : HIDDEN }),
    ...(loginProblem === undefined ? {} : { loginProblem }),
    ...(peerInfo === '' ? {} : { peerInfo: peerInfo.split('\n').join(' ').trim() }),
    ...('preMaster' in message ? { preMaster: bytes(message.preMaster) } : {}),
    random1: bytes(random1),
    random2: bytes(random2),
  }
}

/** Tokens and answers. DEC-55 */
function hideSecrets(text: string): string {
  return text
    .replaceAll(/(^|,)(auth-token(?:-user)?) [^,]*/g, `$1$2 ${HIDDEN}`)
    .replace(/^CR_RESPONSE,.*$/s, `CR_RESPONSE,${HIDDEN}`)
}
