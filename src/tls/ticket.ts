/**
 * Tickets: a server's sessions, sealed and handed to its clients, so that it keeps nothing itself (RFC 5077 section 4).
 *
 *     salt (32)  ciphertext  tag (16)
 *
 * Each is sealed with ChaCha20-Poly1305 under a key of its own, made of the host's key and the salt by HKDF-SHA256, so that
 * any number of servers may share one key and none of them counts nonces. Nothing in the clear says whose ticket it is.
 * A ticket that does not open is no fault: the client gets a full handshake (TLS-49).
 */
import { concat, EMPTY, Reader, utf8Encode, wipe, Writer } from '../bytes/index.ts'
import {
  type Aead,
  AEAD_NONCE_LENGTH,
  AEAD_TAG_LENGTH,
  type CryptoProvider,
  hkdfExpand,
  hkdfExtract,
} from '../crypto/index.ts'
import { demand } from './alerts.ts'
import type { Context } from './context.ts'
import { decodeExtension, demandComplete, readExtensions } from './extensions.ts'
import { handshakeMessage } from './handshake-stream.ts'
import { MAX_TICKET } from './limits.ts'
import { ExtensionType, HandshakeType } from './registry.ts'
import { readSession, type Session, writeSession } from './resumption.ts'
import { NO_STAPLES } from './staples.ts'

const SALT_LENGTH = 32
const INFO = utf8Encode('ovpn-core tls ticket')

/** Seals a session under the host's first key; `undefined` without a key or for a ticket longer than clients should carry. */
export function sealTicket(context: Context, session: Session): Uint8Array | undefined {
  const key = context.config.resumption?.ticketKeys[0]
  if (key === undefined) return undefined
  const plain = writeSession({ ...session, staples: NO_STAPLES, ticket: EMPTY })
  if (SALT_LENGTH + plain.length + AEAD_TAG_LENGTH > MAX_TICKET) return undefined
  const salt = context.random(SALT_LENGTH)
  const out = concat(salt, plain, new Uint8Array(AEAD_TAG_LENGTH))
  wipe(plain)
  const end = out.length - AEAD_TAG_LENGTH
  const aead = aeadOf(context.crypto, key, salt)
  aead.seal(out, 0, SALT_LENGTH, SALT_LENGTH, end - SALT_LENGTH, end, new Uint8Array(AEAD_NONCE_LENGTH))
  return out
}

/** The session in a ticket that one of the host's keys sealed; `undefined` for anything else. TLS-48 */
export function openTicket(context: Context, ticket: Uint8Array): Session | undefined {
  const end = ticket.length - AEAD_TAG_LENGTH
  if (end <= SALT_LENGTH || ticket.length > MAX_TICKET) return undefined
  for (const key of context.config.resumption?.ticketKeys ?? []) {
    const buffer = ticket.slice()
    const aead = aeadOf(context.crypto, key, ticket.subarray(0, SALT_LENGTH))
    const nonce = new Uint8Array(AEAD_NONCE_LENGTH)
    if (!aead.open(buffer, 0, SALT_LENGTH, SALT_LENGTH, end - SALT_LENGTH, end, nonce)) continue
    const session = readSession(buffer.subarray(SALT_LENGTH, end))
    wipe(buffer)
    return session
  }
  return undefined
}

function aeadOf(crypto: CryptoProvider, key: Uint8Array, salt: Uint8Array): Aead {
  const secret = hkdfExpand(crypto, 'SHA256', hkdfExtract(crypto, 'SHA256', salt, key), INFO, 32)
  const aead = crypto.createAead('CHACHA20-POLY1305', secret)
  wipe(secret)
  return aead
}

/** A NewSessionTicket of TLS 1.3. */
export interface NewSessionTicket {
  /** Seconds. */
  readonly lifetime: number
  readonly ageAdd: number
  readonly nonce: Uint8Array
  readonly ticket: Uint8Array
}

/** Reads the body of a 1.3 NewSessionTicket. @throws AlertError TLS13-23 */
export function readTicket13(body: Uint8Array): NewSessionTicket {
  const reader = new Reader(body)
  const lifetime = reader.u32()
  const ageAdd = reader.u32()
  const nonce = reader.copy(reader.u8())
  const ticket = reader.copy(reader.u16())
  const extensions = readExtensions(reader)
  demandComplete(reader, 'the NewSessionTicket')
  decodeExtension(extensions, ExtensionType.earlyData, 'early_data', (r) => r.u32())
  demand(ticket.length > 0, 'decode-error', 'an empty ticket')
  return { lifetime, ageAdd, nonce, ticket }
}

/** A 1.3 NewSessionTicket message. It invites no early data. */
export function writeTicket13({ lifetime, ageAdd, nonce, ticket }: NewSessionTicket): Uint8Array {
  const writer = new Writer(ticket.length + 32)
  writer.u32(lifetime).u32(ageAdd).vector(1, nonce).vector(2, ticket).u16(0)
  return handshakeMessage(HandshakeType.newSessionTicket, writer.finish())
}

/** Reads the body of a 1.2 NewSessionTicket; an empty ticket is a server that changed its mind. @throws AlertError */
export function readTicket12(body: Uint8Array): Pick<NewSessionTicket, 'lifetime' | 'ticket'> {
  const reader = new Reader(body)
  const lifetime = reader.u32()
  const ticket = reader.copy(reader.u16())
  demandComplete(reader, 'the NewSessionTicket')
  return { lifetime, ticket }
}

/** A 1.2 NewSessionTicket message. */
export function writeTicket12(lifetime: number, ticket: Uint8Array): Uint8Array {
  const body = new Writer(ticket.length + 8).u32(lifetime).vector(2, ticket).finish()
  return handshakeMessage(HandshakeType.newSessionTicket, body)
}
