/**
 * The elliptic curves, built from @noble/curves' generic constructions.
 *
 * The ready-made curves of that package draw on the host's random generator when they are imported and again on every
 * multiplication (for scalar blinding). Here each curve is built with a source that yields nothing, which selects the
 * package's constant-sequence multiplication instead: CRY-2.
 *
 * Parameters: SEC 2 (secp256r1, secp384r1, secp521r1), RFC 7748 (curve25519), RFC 8032 (edwards25519).
 */
import { edwards, eddsa } from '@noble/curves/abstract/edwards.js'
import { pow2 } from '@noble/curves/abstract/modular.js'
import { montgomery } from '@noble/curves/abstract/montgomery.js'
import { weierstrass, type WeierstrassPointCons } from '@noble/curves/abstract/weierstrass.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { UsageError } from '../bytes/index.ts'
import { bigIntToBytes, bytesToBigInt, mod } from './bigint.ts'
import type { CurveName, RandomSource } from './provider.ts'

/** Stands in for a random generator that the host does not have. */
const noRandomBytes = (): Uint8Array<ArrayBuffer> => new Uint8Array(0)

/** One prime-order curve. */
export interface Curve {
  readonly name: CurveName
  /** Field element and scalar length in bytes. */
  readonly length: number
  /** Order of the base point. */
  readonly order: bigint
  /** Bits of the order. */
  readonly orderBits: number
  readonly Point: WeierstrassPointCons<bigint>
}

function curve(name: CurveName, length: number, p: string, b: string, n: string, x: string, y: string): Curve {
  const prime = BigInt('0x' + p)
  const order = BigInt('0x' + n)
  const parameters = {
    p: prime,
    n: order,
    h: 1n,
    a: prime - 3n,
    b: BigInt('0x' + b),
    Gx: BigInt('0x' + x),
    Gy: BigInt('0x' + y),
  }
  return {
    name,
    length,
    order,
    orderBits: order.toString(2).length,
    Point: weierstrass(parameters, { randomBytes: noRandomBytes }), // CRY-2
  }
}

/** The curves of ECDSA and ECDH. */
export const CURVES: Readonly<Record<CurveName, Curve>> = {
  'P-256': curve(
    'P-256',
    32,
    'ffffffff00000001000000000000000000000000ffffffffffffffffffffffff',
    '5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b',
    'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
    '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296',
    '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
  ),
  'P-384': curve(
    'P-384',
    48,
    'fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff',
    'b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef',
    'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
    'aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7',
    '3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f',
  ),
  'P-521': curve(
    'P-521',
    66,
    '1ff' + 'f'.repeat(128),
    '0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00',
    '01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409',
    '00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66',
    '011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650',
  ),
}

/**
 * A scalar in `[1, order - 1]` from one draw: 16 bytes more than the order has are reduced, which leaves a bias below
 * 2^-128. CRY-4
 */
export function scalarFromRandom(curveName: CurveName, random: RandomSource): bigint {
  const { length, order } = CURVES[curveName]
  return mod(bytesToBigInt(drawRandom(random, length + 16)), order - 1n) + 1n
}

/** The scalar of `scalarFromRandom` in big-endian bytes of the curve's length. */
export function scalarBytesFromRandom(curveName: CurveName, random: RandomSource): Uint8Array {
  return bigIntToBytes(scalarFromRandom(curveName, random), CURVES[curveName].length)
}

/** The number of a secret scalar of exactly the curve's length. @throws UsageError when it is out of range. */
export function parseScalar(curveName: CurveName, secret: Uint8Array): bigint {
  const { length, order } = CURVES[curveName]
  const scalar = bytesToBigInt(secret)
  if (secret.length !== length || scalar === 0n || scalar >= order) {
    throw new UsageError(`not a private key of ${curveName}`)
  }
  return scalar
}

/** `length` bytes of `random`. @throws UsageError when the source does not give as many. */
export function drawRandom(random: RandomSource, length: number): Uint8Array {
  const bytes = random(length)
  if (bytes.length !== length) throw new UsageError('the random source gave another number of bytes than asked')
  return bytes
}

/** The point of an uncompressed encoding, or `undefined` when it is not one or does not lie on the curve. CRY-5 */
export function parsePoint(curveName: CurveName, bytes: Uint8Array): InstanceType<Curve['Point']> | undefined {
  const { length, Point } = CURVES[curveName]
  if (bytes.length !== 2 * length + 1 || bytes[0] !== 4) return undefined
  try {
    return Point.fromBytes(bytes)
  } catch {
    return undefined
  }
}

/** True for the uncompressed encoding of a point of the curve. CRY-5 */
export function isCurvePoint(curveName: CurveName, bytes: Uint8Array): boolean {
  return parsePoint(curveName, bytes) !== undefined
}

/** The uncompressed encoding of `scalar` times the base point. */
export function publicPoint(curveName: CurveName, scalar: bigint): Uint8Array {
  return CURVES[curveName].Point.BASE.multiply(scalar).toBytes(false)
}

/** The ECDH secret, the x coordinate of `scalar` times the peer's point; `undefined` for an invalid point. CRY-5 */
export function ecdh(curveName: CurveName, scalar: bigint, peer: Uint8Array): Uint8Array | undefined {
  const point = parsePoint(curveName, peer)
  if (point === undefined) return undefined
  return bigIntToBytes(point.multiply(scalar).toAffine().x, CURVES[curveName].length)
}

const PRIME_25519 = 2n ** 255n - 19n

/** Points of edwards25519. */
export const EdwardsPoint = edwards(
  {
    p: PRIME_25519,
    n: 2n ** 252n + 27742317777372353535851937790883648493n,
    h: 8n,
    a: PRIME_25519 - 1n,
    d: 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n,
    Gx: 0x216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51an,
    Gy: 0x6666666666666666666666666666666666666666666666666666666666666658n,
  },
  { randomBytes: noRandomBytes },
) // CRY-2

/** Clears the cofactor bits and fixes the length of a 32-byte little-endian scalar, in place (RFC 7748 section 5). */
function clampScalar(bytes: Uint8Array): Uint8Array {
  bytes[0] = (bytes[0] as number) & 248
  bytes[31] = ((bytes[31] as number) & 127) | 64
  return bytes
}

/** `x ^ (p - 2)`, the inverse modulo 2^255 - 19: 250 ones, then 01011 in binary. */
function invert25519(x: bigint): bigint {
  const times = (a: bigint, b: bigint): bigint => (a * b) % PRIME_25519
  /** From `x ^ (2^n - 1)` and `x ^ (2^m - 1)`, `x ^ (2^(n + m) - 1)`. */
  const join = (a: bigint, b: bigint, m: bigint): bigint => times(pow2(a, m, PRIME_25519), b)
  const ones2 = join(x, x, 1n)
  const ones3 = join(ones2, x, 1n)
  const ones5 = join(ones3, ones2, 2n)
  const ones10 = join(ones5, ones5, 5n)
  const ones20 = join(ones10, ones10, 10n)
  const ones40 = join(ones20, ones20, 20n)
  const ones50 = join(ones40, ones10, 10n)
  const ones100 = join(ones50, ones50, 50n)
  const ones200 = join(ones100, ones100, 100n)
  const ones250 = join(ones200, ones50, 50n)
  const eleven = times(pow2(x, 3n, PRIME_25519), ones2)
  return times(pow2(ones250, 5n, PRIME_25519), eleven)
}

/** Multiplies the base point in its Edwards form, which has tables, and maps the result back: u = (1 + y) / (1 - y). */
function multiplyBase25519(scalar: bigint): bigint {
  const reduced = mod(scalar, EdwardsPoint.Fn.ORDER)
  if (reduced === 0n) return 0n
  const { Y, Z } = EdwardsPoint.BASE.multiply(reduced)
  return mod((Z + Y) * invert25519(mod(Z - Y, PRIME_25519)), PRIME_25519)
}

/** X25519 (RFC 7748). Its `getSharedSecret` throws on an all-zero result. */
export const x25519 = montgomery({
  P: PRIME_25519,
  type: 'x25519',
  powPminus2: invert25519,
  adjustScalarBytes: clampScalar,
  scalarMultBase: multiplyBase25519,
  randomBytes: noRandomBytes,
})

/** Ed25519 key derivation and signing (RFC 8032). Verifying is in ed25519.ts. */
export const ed25519 = eddsa(EdwardsPoint, sha512, { adjustScalarBytes: clampScalar, randomBytes: noRandomBytes })
