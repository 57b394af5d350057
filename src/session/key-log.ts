/**
 * A session's own secrets as lines of a key log file, beside those of TLS: the data keys of each key id and the control key
 * of renegotiations. Told only when the configuration asks for it (SESS-180); `ovpn decode` reads them.
 *
 *     OPENVPN_DATA_KEYS client-session-id server-session-id key-id cipher digest format key
 *     OPENVPN_CONTROL_KEY client-session-id server-session-id key
 *
 * Session ids and keys are in hex; a key is 256 bytes as both ends derived them. The digest is `none` and of no account with
 * an AEAD; the format is `aead`, `epoch` or `cbc`.
 */
import { toHex } from '../bytes/index.ts'
import { isAead } from '../data/index.ts'
import type { StaticKey } from '../wire/index.ts'
import type { Agreement } from './agreed.ts'
import type { SessionContext } from './context.ts'
import { SecretText } from './output.ts'

/** The TLS client's session id, then the server's. */
type SessionIds = readonly [Uint8Array, Uint8Array]

/** Tells one line. */
export function logLine({ outbox }: SessionContext, line: string): void {
  outbox.event({ type: 'key-log', line: new SecretText(line) })
}

/** The keys of one key id, before they are split by role. */
export function logDataKeys(
  context: SessionContext,
  [client, server]: SessionIds,
  keyId: number,
  { auth, cipher, epoch }: Agreement,
  material: Uint8Array,
): void {
  const aead = isAead(cipher)
  const words = [toHex(client), toHex(server), keyId, cipher, aead ? 'none' : auth]
  logLine(context, `OPENVPN_DATA_KEYS ${words.join(' ')} ${epoch ? 'epoch' : aead ? 'aead' : 'cbc'} ${toHex(material)}`)
}

/** The tls-crypt key that wraps renegotiations. */
export function logControlKey(context: SessionContext, [client, server]: SessionIds, key: StaticKey): void {
  logLine(context, `OPENVPN_CONTROL_KEY ${toHex(client)} ${toHex(server)} ${toHex(key.exportBytes())}`)
}
