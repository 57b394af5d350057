/**
 * The recording's form: a header line, then a line for each draw of randomness, each input and each batch of outputs
 * (spec/record.md, REC-5 to REC-8).
 *
 *     {"ovpn-recording":1,"machine":"client","crypto":"node","fastAes":true,"now":12.5,"timeOrigin":1.7e12,"config":{…}}
 *     ["r","base64"]                    randomness, in the order in which it was drawn
 *     ["i","receive",[…]]               an input and its arguments; "session.seal" is one of a client's session
 *     ["o",3,true,"0123456789abcdef"]   outputs taken since, whether there were no more, the digest of all outputs so far
 *
 * It holds everything that the machine was told, keys and passwords included.
 */
import { concat, toHex, utf8Encode } from '../bytes/index.ts'
import { type CryptoProvider, digest } from '../crypto/index.ts'
import { canonicalText } from './codec.ts'

/** Which machine a recording is of. */
export type MachineName = 'session' | 'client' | 'server'

/** The first line. */
export interface RecordingHeader {
  readonly 'ovpn-recording': 1
  readonly machine: MachineName
  /** Name of the crypto provider; any other gives the same bytes. */
  readonly crypto: string
  readonly fastAes: boolean
  readonly now: number
  readonly timeOrigin: number
  readonly config: unknown
}

/** Methods that only look: not inputs. */
export const VIEWS: ReadonlySet<string> = new Set(['poll', 'pollTimeout', 'digest', 'clients', 'client', 'leases'])

/** Methods that work in place on a buffer: its bytes, offset, length, room behind. */
export const LANES: ReadonlySet<string> = new Set(['seal', 'sealNext', 'open'])

/** Digest of a machine's outputs, one after the other. REC-7 */
export class OutputDigest {
  readonly #crypto: CryptoProvider
  #state: Uint8Array = new Uint8Array(32)

  constructor(crypto: CryptoProvider) {
    this.#crypto = crypto
  }

  add(output: unknown): void {
    this.#state = digest(this.#crypto, 'SHA256', concat(this.#state, utf8Encode(canonicalText(output))))
  }

  /** 16 hex digits. */
  get text(): string {
    return toHex(this.#state.subarray(0, 8))
  }
}
