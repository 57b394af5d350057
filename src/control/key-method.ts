/**
 * Key method 2: the first message each side sends inside TLS. It carries the random material of the OpenVPN PRF, the
 * options string, and in the client's case the login and the peer info (spec/key-method.md).
 *
 * Layout: four zero bytes, the method byte, the randoms (the client's with a pre-master secret in front), then strings.
 * A string is a 16-bit length that counts a trailing NUL, then the bytes; the empty string is length 0 with no NUL.
 * Senders differ in how many strings they write, so the message may end after any of them.
 *
 * Parsing keeps three kinds of fault apart. A message whose frame is broken is refused with a reason. A login that is
 * too long or not text is no login: the record says why, and the server can still answer AUTH_FAILED. Bytes behind the
 * last string are ignored.
 */
import { Reader, utf8DecodeStrict, utf8Encode, UsageError, Writer } from '../bytes/index.ts'
import { printableText } from './text.ts'

/** Length of each random of a key source, in bytes. */
export const KEY_RANDOM_LENGTH = 32
/** Length of the client's pre-master secret, in bytes. */
export const PRE_MASTER_LENGTH = 48
/** Longest options string, in bytes with its NUL. */
export const MAX_OPTIONS_STRING = 512
/** Longest username or password, in bytes with its NUL. */
export const MAX_LOGIN_STRING = 128
/** Longest username or password where a peer allows tokens from hardware, in bytes with its NUL. */
export const MAX_LONG_LOGIN_STRING = 4096
/** Longest key method message a writer makes: the reference reads it in one piece of this size. */
export const MAX_KEY_MESSAGE = 2048

/** A username and password. The password may be an auth-token or the encoding of a challenge response. */
export interface Login {
  readonly username: string
  readonly password: string
}

/** What a client (or the TLS client of a peer-to-peer pair) says. Secret: `preMaster` and `login.password`. */
export interface ClientKeyMessage {
  /** 48 bytes. */
  readonly preMaster: Uint8Array
  /** 32 bytes, for the master secret. */
  readonly random1: Uint8Array
  /** 32 bytes, for the key expansion. */
  readonly random2: Uint8Array
  /** The options string, without its NUL. */
  readonly options: string
  /** Username and password, or `undefined` when one of them is empty or absent. */
  readonly login: Login | undefined
  /** Why a login was sent but cannot be used. */
  readonly loginProblem: LoginProblem | undefined
  /** Peer info text; empty when absent. Raw: read it with `parsePeerInfo`. */
  readonly peerInfo: string
}

/** What a server says. */
export interface ServerKeyMessage {
  readonly random1: Uint8Array
  readonly random2: Uint8Array
  readonly options: string
  /** Login of a peer-to-peer TLS server; `undefined` from an ordinary server. */
  readonly login: Login | undefined
  readonly loginProblem: LoginProblem | undefined
  /** Peer info of a peer-to-peer pair, or of a server with an asymmetric peer-id; else empty. */
  readonly peerInfo: string
}

/** Why a key method message is refused: its frame cannot be trusted. */
export type KeyMethodProblem =
  /** Shorter than its fixed fields. */
  | 'key-method-too-short'
  /** The four leading bytes are not zero. */
  | 'key-method-bad-lead'
  /** The method is not 2 (method 1 ended with release 2.4). */
  | 'key-method-unsupported'
  /** A string runs past the end of the message. */
  | 'key-method-string-cut'
  /** A string does not end with its NUL, or holds one inside. */
  | 'key-method-string-malformed'
  /** The options string is longer than the protocol allows. */
  | 'key-method-options-too-long'

/** Why a login that was sent cannot be used. */
export type LoginProblem = 'login-too-long' | 'login-malformed'

/** What {@link writeClientKeyMessage} needs. */
export interface ClientKeyMessageInput {
  readonly preMaster: Uint8Array
  readonly random1: Uint8Array
  readonly random2: Uint8Array
  readonly options: string
  readonly login?: Login | undefined
  readonly peerInfo?: string | undefined
}

/** What {@link writeServerKeyMessage} needs. */
export interface ServerKeyMessageInput {
  readonly random1: Uint8Array
  readonly random2: Uint8Array
  readonly options: string
  readonly login?: Login | undefined
  readonly peerInfo?: string | undefined
}

/**
 * The client's message. Send it as one TLS record.
 *
 * @throws UsageError when a random has the wrong length, a string exceeds its limit or the whole exceeds
 * {@link MAX_KEY_MESSAGE}.
 */
export function writeClientKeyMessage(message: ClientKeyMessageInput): Uint8Array {
  if (message.preMaster.length !== PRE_MASTER_LENGTH) throw new UsageError('the pre-master secret has 48 bytes')
  const writer = new Writer(512).u32(0).u8(2).bytes(message.preMaster)
  return finish(writer, message)
}

/**
 * The server's message: no pre-master secret. Send it as one TLS record.
 *
 * @throws UsageError as {@link writeClientKeyMessage}.
 */
export function writeServerKeyMessage(message: ServerKeyMessageInput): Uint8Array {
  return finish(new Writer(512).u32(0).u8(2), message)
}

function finish(writer: Writer, message: ServerKeyMessageInput): Uint8Array {
  if (message.random1.length !== KEY_RANDOM_LENGTH || message.random2.length !== KEY_RANDOM_LENGTH)
    throw new UsageError('the randoms of a key source have 32 bytes each')
  writer.bytes(message.random1).bytes(message.random2)
  writeString(writer, message.options, MAX_OPTIONS_STRING, 'options string')
  writeString(writer, message.login?.username ?? '', MAX_LONG_LOGIN_STRING, 'username')
  writeString(writer, message.login?.password ?? '', MAX_LONG_LOGIN_STRING, 'password')
  writeString(writer, message.peerInfo ?? '', MAX_KEY_MESSAGE, 'peer info')
  // KM2-8
  if (writer.length > MAX_KEY_MESSAGE) throw new UsageError('a key method message has at most 2048 bytes')
  return writer.finish()
}

/** KM2-2: the length counts a NUL, except that an empty string is length 0 and nothing more. */
function writeString(writer: Writer, text: string, limit: number, what: string): void {
  if (text === '') {
    writer.u16(0)
    return
  }
  const bytes = utf8Encode(text)
  if (bytes.length + 1 > limit) throw new UsageError(`the ${what} is longer than ${limit - 1} bytes`)
  if (bytes.includes(0)) throw new UsageError(`the ${what} holds a NUL`)
  writer
    .u16(bytes.length + 1)
    .bytes(bytes)
    .u8(0)
}

/** How a parser judges a login. */
export interface KeyMessageLimits {
  /** Longest username or password in bytes with the NUL; default {@link MAX_LOGIN_STRING}. */
  readonly maxLogin?: number
}

/** Reads a client's message. The randoms are copies. */
export function parseClientKeyMessage(
  bytes: Uint8Array,
  limits: KeyMessageLimits = {},
): ClientKeyMessage | KeyMethodProblem {
  const reader = new Reader(bytes)
  const lead = readLead(reader)
  if (lead !== undefined) return lead
  const preMaster = reader.copy(PRE_MASTER_LENGTH)
  const rest = readRest(reader, limits)
  return typeof rest === 'string' ? rest : { preMaster, ...rest }
}

/** Reads a server's message. The randoms are copies. */
export function parseServerKeyMessage(
  bytes: Uint8Array,
  limits: KeyMessageLimits = {},
): ServerKeyMessage | KeyMethodProblem {
  const reader = new Reader(bytes)
  return readLead(reader) ?? readRest(reader, limits)
}

function readLead(reader: Reader): KeyMethodProblem | undefined {
  const zero = reader.u32()
  const method = reader.u8()
  if (reader.failed) return 'key-method-too-short'
  if (zero !== 0) return 'key-method-bad-lead' // KM2-1
  return (method & 15) === 2 ? undefined : 'key-method-unsupported' // KM2-1
}

function readRest(reader: Reader, limits: KeyMessageLimits): ServerKeyMessage | KeyMethodProblem {
  const random1 = reader.copy(KEY_RANDOM_LENGTH)
  const random2 = reader.copy(KEY_RANDOM_LENGTH)
  if (reader.failed) return 'key-method-too-short'
  const options = readString(reader)
  if (typeof options === 'string') return options
  if (options.length + 1 > MAX_OPTIONS_STRING) return 'key-method-options-too-long' // KM2-3
  if (options.includes(0)) return 'key-method-string-malformed'

  // KM2-5: any of the following strings may be missing.
  const username = readString(reader)
  if (typeof username === 'string') return username
  const password = readString(reader)
  if (typeof password === 'string') return password
  const peerInfo = readString(reader)
  if (typeof peerInfo === 'string') return peerInfo
  if (peerInfo.includes(0)) return 'key-method-string-malformed'

  const login = judgeLogin(username, password, limits.maxLogin ?? MAX_LOGIN_STRING)
  return {
    random1,
    random2,
    options: printableText(options),
    login: typeof login === 'string' ? undefined : login,
    loginProblem: typeof login === 'string' ? login : undefined,
    peerInfo: peerInfoText(peerInfo),
  }
}

/** The bytes of the next string without its NUL. KM2-4: the cursor always moves by the declared length. */
function readString(reader: Reader): Uint8Array | KeyMethodProblem {
  if (reader.remaining === 0) return reader.bytes.subarray(0, 0)
  const length = reader.u16()
  const bytes = reader.take(length)
  if (reader.failed) return 'key-method-string-cut'
  if (length === 0) return bytes
  if (bytes[length - 1] !== 0) return 'key-method-string-malformed'
  return bytes.subarray(0, length - 1)
}

/** KM2-6: a login too long or not text is no login, and the message goes on. KM2-7: it takes both halves to be one. */
function judgeLogin(username: Uint8Array, password: Uint8Array, limit: number): Login | LoginProblem | undefined {
  if (username.length === 0 || password.length === 0) return undefined
  if (username.length + 1 > limit || password.length + 1 > limit) return 'login-too-long'
  if (username.includes(0) || password.includes(0)) return 'login-malformed'
  const user = utf8DecodeStrict(username)
  const pass = utf8DecodeStrict(password)
  return user === undefined || pass === undefined ? 'login-malformed' : { username: user, password: pass }
}

/** Peer info keeps its line ends, which `parsePeerInfo` splits at; every line is made safe to show. */
function peerInfoText(bytes: Uint8Array): string {
  const lines: string[] = []
  let start = 0
  for (let i = 0; i <= bytes.length; i++) {
    if (i < bytes.length && bytes[i] !== 10) continue
    const end = i > start && bytes[i - 1] === 13 ? i - 1 : i
    lines.push(printableText(bytes.subarray(start, end)))
    start = i + 1
  }
  return lines.join('\n')
}
