/**
 * SubjectPublicKeyInfo: RSA, RSA-PSS, ECDSA on named curves, Ed25519 and ML-DSA (RFC 3279, 4055, 5480, 8410, 9881).
 *
 * A key that is well-formed but of a kind, curve or size not supported reads as `undefined`. Curves given by explicit
 * parameters are never followed: naming a curve's equation is how a forged key imitates a real one. Rule X509-12.
 */
import type { CurveName, PublicKey } from '../crypto/index.ts'
import { MAX_RSA_BITS, ML_DSA_PUBLIC_LENGTH } from '../crypto/index.ts'
import { KEY_OID, mlDsaByOid, readAlgorithmIdentifier, readPssParameters } from './algorithm.ts'
import type { DerNode } from './der.ts'
import { DerBudget, oidText, parseDer, TAG } from './der.ts'
import { Fields, readOctetBits, readUnsigned } from './der-read.ts'
import { malformed } from './fault.ts'

/** Identifier and coordinate length of each curve. */
export const CURVES: Readonly<Record<CurveName, { readonly oid: string; readonly length: number }>> = {
  'P-256': { oid: '1.2.840.10045.3.1.7', length: 32 },
  'P-384': { oid: '1.3.132.0.34', length: 48 },
  'P-521': { oid: '1.3.132.0.35', length: 66 },
}

/** Shortest RSA modulus that is read at all, in bits. */
const MIN_RSA_BITS = 512
/** Longest RSA public exponent, in bits. */
const MAX_RSA_EXPONENT_BITS = 33

/** The curve an EC AlgorithmIdentifier's parameters name. */
export function readCurve(parameters: DerNode | undefined): CurveName | undefined {
  if (parameters?.tag !== TAG.oid) return undefined // X509-12
  const oid = oidText(parameters.content)
  return (Object.keys(CURVES) as CurveName[]).find((curve) => CURVES[curve].oid === oid)
}

/** Length of a big-endian integer in bits. */
export function bitLength(integer: Uint8Array): number {
  const first = integer.findIndex((byte) => byte !== 0)
  return first < 0 ? 0 : (integer.length - first) * 8 - (Math.clz32(integer[first] as number) - 24)
}

/** Reads a SubjectPublicKeyInfo. */
export function readPublicKeyInfo(node: DerNode): PublicKey | undefined {
  const fields = new Fields(node)
  const { oid, parameters } = readAlgorithmIdentifier(fields.take())
  const bits = fields.take(TAG.bitString)
  fields.end()
  switch (oid) {
    case KEY_OID.rsa:
      if (parameters !== undefined && parameters.tag !== TAG.null) return undefined
      return readRsa(readOctetBits(bits), {})
    case KEY_OID.rsaPss: {
      if (parameters === undefined) return readRsa(readOctetBits(bits), { pss: true })
      const pssParameters = readPssParameters(parameters)
      return pssParameters && readRsa(readOctetBits(bits), { pss: true, pssParameters })
    }
    case KEY_OID.ec:
      return ecKey(readCurve(parameters), readOctetBits(bits))
    case KEY_OID.ed25519: {
      const key = readOctetBits(bits)
      return parameters === undefined && key.length === 32 ? { type: 'ed25519', key } : undefined
    }
    default:
      return mlDsaKey(oid, parameters, bits)
  }
}

function mlDsaKey(oid: string, parameters: DerNode | undefined, bits: DerNode): PublicKey | undefined {
  const name = mlDsaByOid(oid)
  if (name === undefined || parameters !== undefined) return undefined
  const key = readOctetBits(bits)
  return key.length === ML_DSA_PUBLIC_LENGTH[name] ? { type: 'ml-dsa', parameters: name, key } : undefined
}

/** An EC key whose point is uncompressed and has the curve's length. Whether it lies on the curve shows when it is used. */
export function ecKey(curve: CurveName | undefined, point: Uint8Array): PublicKey | undefined {
  if (curve === undefined || point.length !== 1 + 2 * CURVES[curve].length || point[0] !== 4) return undefined
  return { type: 'ec', curve, point }
}

interface RsaKind {
  readonly pss?: boolean
  readonly pssParameters?: NonNullable<Extract<PublicKey, { type: 'rsa' }>['pssParameters']>
}

function readRsa(der: Uint8Array, { pss = false, pssParameters }: RsaKind): PublicKey | undefined {
  const fields = new Fields(parseDer(der, new DerBudget(10)))
  const n = readUnsigned(fields.take())
  const e = readUnsigned(fields.take())
  fields.end()
  if (n.length === 0 || e.length === 0) malformed('An RSA key has a zero in it.')
  return rsaKey(n, e, pss, pssParameters)
}

/** An RSA key whose numbers are in range; X509-12. */
export function rsaKey(
  n: Uint8Array,
  e: Uint8Array,
  pssOnly: boolean,
  pssParameters?: RsaKind['pssParameters'],
): PublicKey | undefined {
  const bits = bitLength(n)
  const exponentBits = bitLength(e)
  const odd = ((n.at(-1) as number) & 1) === 1 && ((e.at(-1) as number) & 1) === 1
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS || exponentBits < 2 || exponentBits > MAX_RSA_EXPONENT_BITS || !odd) {
    return undefined
  }
  return pssParameters === undefined ? { type: 'rsa', n, e, pssOnly } : { type: 'rsa', n, e, pssOnly, pssParameters }
}

/** A public key for messages. */
export function publicKeyText(key: PublicKey): string {
  switch (key.type) {
    case 'rsa':
      return `RSA with ${bitLength(key.n)} bits`
    case 'ec':
      return key.curve
    case 'ed25519':
      return 'Ed25519'
    case 'ml-dsa':
      return key.parameters
  }
}
