/**
 * Keys of this library as key objects of Node.
 *
 * Keys go in as JWK: OpenSSL's DER decoder, the other way, takes a hundred microseconds or more. The objects are kept
 * for as long as the key record they were made from lives.
 */
import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { PrivateKey, PublicKey } from '../../crypto/index.ts'

/** Kinds of key that this Node knows. */
type JwkPublicKey = Exclude<PublicKey, { type: 'ml-dsa' }>

const publicKeys = new WeakMap<PublicKey, KeyObject>()
const privateKeys = new WeakMap<PrivateKey, KeyObject>()

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url')
}

/** A big-endian integer without leading zeros, as JWK wants it. */
function integer(bytes: Uint8Array): string {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  return base64url(bytes.subarray(start))
}

function publicJwk(key: JwkPublicKey): JsonWebKey {
  switch (key.type) {
    case 'ec': {
      const half = (key.point.length - 1) / 2
      const x = key.point.subarray(1, 1 + half)
      return { kty: 'EC', crv: key.curve, x: base64url(x), y: base64url(key.point.subarray(1 + half)) }
    }
    case 'ed25519':
      return { kty: 'OKP', crv: 'Ed25519', x: base64url(key.key) }
    case 'rsa':
      return { kty: 'RSA', n: integer(key.n), e: integer(key.e) }
  }
}

/** The key object of a public key. Throws what Node throws for keys that are none. */
export function publicKeyObject(key: JwkPublicKey): KeyObject {
  const known = publicKeys.get(key)
  if (known !== undefined) return known
  const object = createPublicKey({ key: publicJwk(key), format: 'jwk' })
  publicKeys.set(key, object)
  return object
}

/** The key object of an RSA or Ed25519 private key. Throws what Node throws for keys that are none. */
export function privateKeyObject(key: Extract<PrivateKey, { type: 'ed25519' | 'rsa' }>): KeyObject {
  const known = privateKeys.get(key)
  if (known !== undefined) return known
  const object =
    key.type === 'ed25519'
      ? rawPrivateKey('Ed25519', key.secret)
      : createPrivateKey({
          format: 'jwk',
          key: {
            kty: 'RSA',
            n: integer(key.n),
            e: integer(key.e),
            d: integer(key.d),
            p: integer(key.p),
            q: integer(key.q),
            dp: integer(key.dp),
            dq: integer(key.dq),
            qi: integer(key.qi),
          },
        })
  privateKeys.set(key, object)
  return object
}

/** A private key of 32 raw bytes. Node works the public half out and ignores the empty one given here. */
export function rawPrivateKey(crv: 'X25519' | 'Ed25519', secret: Uint8Array): KeyObject {
  return createPrivateKey({ key: { kty: 'OKP', crv, d: base64url(secret), x: '' }, format: 'jwk' })
}

/** A public key of 32 raw bytes. */
export function rawPublicKey(crv: 'X25519' | 'Ed25519', key: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv, x: base64url(key) }, format: 'jwk' })
}

/** The public half of a raw private key. */
export function rawPublicHalf(key: KeyObject): Uint8Array {
  return new Uint8Array(Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url'))
}
