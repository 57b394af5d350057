/**
 * The pre_shared_key extension of a ClientHello (RFC 8446 section 4.2.11): tickets, their ages, and a binder for each.
 *
 * A binder is a MAC over the hello up to the binders themselves, so the extension stands last and the binders stand last in
 * it. On the way out they are written as zeros first and filled in when the rest of the message is known.
 */
import { Reader, type Writer } from '../bytes/index.ts'
import { demand } from './alerts.ts'
import { demandComplete, writeExtension } from './extensions.ts'
import { ExtensionType } from './registry.ts'

/** psk_dhe_ke of psk_key_exchange_modes: the only mode here, for without it there is no forward secrecy. */
export const PSK_DHE_KE = 1
/** Shortest binder: of SHA-256. */
const LEAST_BINDER = 32

/** One ticket as offered. */
export interface PskIdentity {
  readonly ticket: Uint8Array
  /** Age in ms plus the ticket's `ageAdd`, modulo 2^32. */
  readonly obfuscatedAge: number
}

/** A decoded pre_shared_key of a ClientHello. */
export interface PreSharedKeys {
  readonly identities: readonly PskIdentity[]
  /** As many as identities. */
  readonly binders: readonly Uint8Array[]
  /** Bytes that the binders take up at the end of the message, their length prefix included. */
  readonly bindersLength: number
}

/** Reads the extension's value. @throws AlertError TLS13-30 */
export function readPreSharedKeys(value: Uint8Array): PreSharedKeys {
  const reader = new Reader(value)
  const identityList = reader.sub(2)
  const identities: PskIdentity[] = []
  while (!identityList.failed && identityList.remaining > 0) {
    const ticket = identityList.vector(2)
    if (ticket.length === 0) identityList.failed = true
    identities.push({ ticket, obfuscatedAge: identityList.u32() })
  }
  const bindersLength = reader.remaining
  const binderList = reader.sub(2)
  const binders: Uint8Array[] = []
  while (!binderList.failed && binderList.remaining > 0) {
    const binder = binderList.vector(1)
    if (binder.length < LEAST_BINDER) binderList.failed = true
    binders.push(binder)
  }
  const wellFormed = !identityList.failed && !binderList.failed && identities.length > 0
  demand(wellFormed, 'decode-error', 'pre_shared_key is malformed')
  demandComplete(reader, 'pre_shared_key')
  demand(binders.length === identities.length, 'illegal-parameter', 'as many binders as identities are due')
  return { identities, binders, bindersLength }
}

/** Writes the extension for one ticket, with zeros for a binder of that length. */
export function writePreSharedKey(writer: Writer, { ticket, obfuscatedAge }: PskIdentity, binderLength: number): void {
  writeExtension(writer, ExtensionType.preSharedKey, (w) =>
    w
      .block(2, (x) => x.vector(2, ticket).u32(obfuscatedAge))
      .block(2, (x) => x.vector(1, new Uint8Array(binderLength))),
  )
}

/** Bytes that one binder takes up at the end of a ClientHello. */
export function binderSpace(binderLength: number): number {
  return 2 + 1 + binderLength
}
