/**
 * What the crypto tests share: the providers under test and the fixed keys of vectors/crypto/keys.json.
 */
import { readFileSync } from 'node:fs'
import { fromHex } from '../../../src/bytes/index.ts'
import {
  type CryptoProvider,
  type CurveName,
  noble,
  type PrivateKey,
  type PublicKey,
} from '../../../src/crypto/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { createNativeCrypto } from '../../../src/node/native/index.ts'

/** The native provider, where koffi is installed. */
function nativeCrypto(): CryptoProvider | undefined {
  try {
    return createNativeCrypto()
  } catch {
    return undefined
  }
}

const native = nativeCrypto()
/** Every provider that can run here: the portable one first. */
export const providers: readonly CryptoProvider[] = [noble, nodeCrypto, ...(native === undefined ? [] : [native])]

/** Bytes of hex digits. */
export function hex(text: string): Uint8Array {
  const bytes = fromHex(text)
  if (bytes === undefined) throw new Error(`not hex: ${text}`)
  return bytes
}

/** The cases of a file under vectors/crypto. */
export function readCases<T>(name: string): T[] {
  const url = new URL(`../../../vectors/crypto/${name}`, import.meta.url)
  return (JSON.parse(readFileSync(url, 'utf8')) as { cases: T[] }).cases
}

type StoredKey =
  | ({ name: string; type: 'rsa' } & Record<'n' | 'e' | 'd' | 'p' | 'q' | 'dp' | 'dq' | 'qi', string>)
  | { name: string; type: 'ec'; curve: CurveName; secret: string; point: string }
  | { name: string; type: 'ed25519'; secret: string; public: string }

const stored = readCases<StoredKey>('keys.json')

function load(key: StoredKey): PrivateKey {
  switch (key.type) {
    case 'ec':
      return {
        type: 'ec',
        curve: key.curve,
        secret: hex(key.secret),
        public: { type: 'ec', curve: key.curve, point: hex(key.point) },
      }
    case 'ed25519':
      return { type: 'ed25519', secret: hex(key.secret), public: { type: 'ed25519', key: hex(key.public) } }
    case 'rsa': {
      const n = hex(key.n)
      const e = hex(key.e)
      return {
        type: 'rsa',
        n,
        e,
        d: hex(key.d),
        p: hex(key.p),
        q: hex(key.q),
        dp: hex(key.dp),
        dq: hex(key.dq),
        qi: hex(key.qi),
        public: { type: 'rsa', n, e, pssOnly: false },
      }
    }
  }
}

const keys = new Map(stored.map((key) => [key.name, load(key)]))

/** A fixed private key by its name in keys.json: `rsa-2048`, `P-256`, `ed25519`, … */
export function fixedKey(name: string): PrivateKey {
  const key = keys.get(name)
  if (key === undefined) throw new Error(`no key ${name}`)
  return key
}

/** A fixed RSA private key. */
export function rsaKey(name: string): Extract<PrivateKey, { type: 'rsa' }> {
  const key = fixedKey(name)
  if (key.type !== 'rsa') throw new Error(`${name} is no RSA key`)
  return key
}

/** A fixed EC private key. */
export function ecKey(curve: CurveName): Extract<PrivateKey, { type: 'ec' }> {
  const key = fixedKey(curve)
  if (key.type !== 'ec') throw new Error(`${curve} is no EC key`)
  return key
}

/** A public RSA key from hex numbers. */
export function rsaPublicKey(n: string, e: string): PublicKey {
  return { type: 'rsa', n: hex(n), e: hex(e), pssOnly: false }
}
