/**
 * Names of hash functions as configuration texts spell them.
 *
 * The reference hands `--auth` and `--tls-crypt` style names to OpenSSL, which knows each digest under several spellings
 * and ignores case. Digests that this library does not have (BLAKE2, SHA-3, RIPEMD, SM3) have no name here.
 */
import type { HashName } from './provider.ts'

const NAMES: ReadonlyMap<string, HashName> = new Map<string, HashName>([
  ['MD5', 'MD5'],
  ['SSL3-MD5', 'MD5'],
  ['RSA-MD5', 'MD5'],
  ['MD5WITHRSAENCRYPTION', 'MD5'],
  ['SHA1', 'SHA1'],
  ['SHA-1', 'SHA1'],
  ['SSL3-SHA1', 'SHA1'],
  ['RSA-SHA1', 'SHA1'],
  ['RSA-SHA1-2', 'SHA1'],
  ['SHA1WITHRSAENCRYPTION', 'SHA1'],
  // Numbers of objects, which OpenSSL 3 takes, too.
  ['1.2.840.113549.2.5', 'MD5'],
  ['1.3.14.3.2.26', 'SHA1'],
  ['2.16.840.1.101.3.4.2.1', 'SHA256'],
  ['2.16.840.1.101.3.4.2.2', 'SHA384'],
  ['2.16.840.1.101.3.4.2.3', 'SHA512'],
  ['2.16.840.1.101.3.4.2.4', 'SHA224'],
  ...([224, 256, 384, 512] as const).flatMap((bits): [string, HashName][] => [
    [`SHA${bits}`, `SHA${bits}`],
    [`SHA-${bits}`, `SHA${bits}`],
    [`SHA2-${bits}`, `SHA${bits}`],
    [`RSA-SHA${bits}`, `SHA${bits}`],
    [`SHA${bits}WITHRSAENCRYPTION`, `SHA${bits}`],
  ]),
])

/** The hash of a name in any of OpenSSL's spellings, any case; `undefined` for `none` and for unknown names. CRY-1 */
export function hashByName(text: string): HashName | undefined {
  return NAMES.get(text.toUpperCase())
}
