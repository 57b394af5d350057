/**
 * The control-channel key of renegotiations, mixed from TLS and the shared key (spec/wrapping.md, WRAP-50, WRAP-51).
 *
 * 256 bytes that both ends export from the first TLS session are XORed with the static key in use, if any; the result is a
 * tls-crypt key for every packet with a key id above 0.
 */
import { invariant } from '../bytes/index.ts'
import { STATIC_KEY_LENGTH, StaticKey } from './static-key.ts'

/** Label under which the TLS session exports its share of the key (WRAP-51). */
export const DYNAMIC_KEY_LABEL = 'EXPORTER-OpenVPN-dynamic-tls-crypt'

/**
 * The dynamic tls-crypt key.
 *
 * @param exported - 256 bytes of the exporter, left as they are.
 * @param base - key of tls-auth, tls-crypt or the tls-crypt-v2 client; `undefined` without a wrap. A missing second half
 * counts as zeros.
 */
export function mixDynamicKey(exported: Uint8Array, base: StaticKey | undefined): StaticKey {
  invariant(exported.length === STATIC_KEY_LENGTH, 'WRAP-50')
  const mixed = exported.slice()
  const bytes = base?.exportBytes()
  if (bytes !== undefined) for (let i = 0; i < bytes.length; i++) mixed[i] = (mixed[i] as number) ^ (bytes[i] as number) // WRAP-50
  return new StaticKey(mixed, 'tls-crypt')
}
