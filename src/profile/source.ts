/**
 * What the host supplies beside the text: the files that a profile names.
 */
import { utf8DecodeStrict, utf8Encode } from '../bytes/index.ts'

/**
 * Contents by file name. Names are those of the profile after `resolvePath`: relative to the directory of the profile's
 * own name, so for a profile called `client.ovpn` the line `ca keys/ca.crt` is found under `keys/ca.crt`, and for one
 * called `/etc/openvpn/client.conf` under `/etc/openvpn/keys/ca.crt`.
 */
export type ProfileFiles = ReadonlyMap<string, string | Uint8Array>

/** Text of a file; `undefined` when its bytes are not UTF-8. */
export function sourceText(source: string | Uint8Array): string | undefined {
  return typeof source === 'string' ? source : utf8DecodeStrict(source)
}

/** Bytes of a file. */
export function sourceBytes(source: string | Uint8Array): Uint8Array {
  return typeof source === 'string' ? utf8Encode(source) : source
}
