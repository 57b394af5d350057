/**
 * Signature algorithm identifiers (RFC 3279, 4055, 5758, 8410, 9881) to what the crypto provider knows, and back.
 *
 * Parameters must be what the algorithm's definition says; anything else counts as unsupported, so that two readers
 * can never disagree about what a signature means. Rules X509-10 and X509-11.
 */
import type { HashName, MlDsaName, PublicKey, SignatureAlgorithm } from '../crypto/index.ts'
import type { DerNode } from './der.ts'
import { TAG } from './der.ts'
import { Fields, readOid, readSmallInteger } from './der-read.ts'
import { malformed } from './fault.ts'
import type { CertificateSignatureAlgorithm } from './types.ts'

/** Identifiers of hash functions. */
export const HASH_OID: Readonly<Record<HashName, string>> = {
  MD5: '1.2.840.113549.2.5',
  SHA1: '1.3.14.3.2.26',
  SHA224: '2.16.840.1.101.3.4.2.4',
  SHA256: '2.16.840.1.101.3.4.2.1',
  SHA384: '2.16.840.1.101.3.4.2.2',
  SHA512: '2.16.840.1.101.3.4.2.3',
}

/** Identifiers of public key types and of the two signature algorithms named after them. */
export const KEY_OID = {
  rsa: '1.2.840.113549.1.1.1',
  rsaPss: '1.2.840.113549.1.1.10',
  mgf1: '1.2.840.113549.1.1.8',
  ec: '1.2.840.10045.2.1',
  ed25519: '1.3.101.112',
} as const

/** Identifiers of ML-DSA keys, which are those of its signatures too (RFC 9881). */
export const ML_DSA_OID: Readonly<Record<MlDsaName, string>> = {
  'ML-DSA-44': '2.16.840.1.101.3.4.3.17',
  'ML-DSA-65': '2.16.840.1.101.3.4.3.18',
  'ML-DSA-87': '2.16.840.1.101.3.4.3.19',
}

/** The ML-DSA parameter set with an identifier. */
export function mlDsaByOid(oid: string): MlDsaName | undefined {
  return (Object.keys(ML_DSA_OID) as MlDsaName[]).find((name) => ML_DSA_OID[name] === oid)
}

const RSA_OID: Readonly<Record<HashName, string>> = {
  MD5: '1.2.840.113549.1.1.4',
  SHA1: '1.2.840.113549.1.1.5',
  SHA224: '1.2.840.113549.1.1.14',
  SHA256: '1.2.840.113549.1.1.11',
  SHA384: '1.2.840.113549.1.1.12',
  SHA512: '1.2.840.113549.1.1.13',
}

const ECDSA_OID: Readonly<Partial<Record<HashName, string>>> = {
  SHA1: '1.2.840.10045.4.1',
  SHA224: '1.2.840.10045.4.3.1',
  SHA256: '1.2.840.10045.4.3.2',
  SHA384: '1.2.840.10045.4.3.3',
  SHA512: '1.2.840.10045.4.3.4',
}

function invert(table: Readonly<Partial<Record<HashName, string>>>): ReadonlyMap<string, HashName> {
  return new Map(Object.entries(table).map(([hash, oid]) => [oid, hash as HashName]))
}

const hashByOid = invert(HASH_OID)
const rsaHashByOid = invert(RSA_OID)
const ecdsaHashByOid = invert(ECDSA_OID)

/** An AlgorithmIdentifier taken apart. */
export interface AlgorithmIdentifier {
  readonly oid: string
  readonly parameters: DerNode | undefined
}

/** Reads an AlgorithmIdentifier, given its SEQUENCE or an implicitly tagged one. */
export function readAlgorithmIdentifier(node: DerNode, tag?: number): AlgorithmIdentifier {
  const fields = new Fields(node, tag)
  const oid = readOid(fields.take())
  const parameters = fields.rest()
  if (parameters.length > 1) malformed('An algorithm identifier has too many fields.')
  return { oid, parameters: parameters[0] }
}

/** The hash an AlgorithmIdentifier names; its parameters are NULL or absent. */
export function readHash(node: DerNode): HashName | undefined {
  const { oid, parameters } = readAlgorithmIdentifier(node)
  return parameters === undefined || parameters.tag === TAG.null ? hashByOid.get(oid) : undefined
}

/** The signature algorithm an AlgorithmIdentifier names; X509-10. */
export function readSignatureAlgorithm(node: DerNode): CertificateSignatureAlgorithm {
  const { oid, parameters } = readAlgorithmIdentifier(node)
  const unsupported: CertificateSignatureAlgorithm = { type: 'unsupported', oid }
  if (oid === KEY_OID.ed25519) return parameters === undefined ? { type: 'ed25519' } : unsupported
  const mlDsa = mlDsaByOid(oid)
  if (mlDsa !== undefined) return parameters === undefined ? { type: 'ml-dsa', parameters: mlDsa } : unsupported
  const ecdsaHash = ecdsaHashByOid.get(oid)
  if (ecdsaHash !== undefined) return parameters === undefined ? { type: 'ecdsa', hash: ecdsaHash } : unsupported
  const rsaHash = rsaHashByOid.get(oid)
  if (rsaHash !== undefined) {
    const plain = parameters === undefined || parameters.tag === TAG.null
    return plain ? { type: 'rsa-pkcs1', hash: rsaHash } : unsupported
  }
  if (oid !== KEY_OID.rsaPss || parameters === undefined) return unsupported
  const pss = readPssParameters(parameters)
  return pss === undefined ? unsupported : { type: 'rsa-pss', ...pss }
}

/**
 * RSASSA-PSS parameters; `undefined` where the mask hash differs from the message hash or a part is not supported.
 */
export function readPssParameters(node: DerNode): { hash: HashName; saltLength: number } | undefined {
  const fields = new Fields(node)
  const hashField = fields.optional(0xa0)
  const maskField = fields.optional(0xa1)
  const saltField = fields.optional(0xa2)
  const trailerField = fields.optional(0xa3)
  fields.end()
  const hash = hashField === undefined ? 'SHA1' : readHash(only(hashField))
  const maskHash = maskField === undefined ? 'SHA1' : readMaskHash(only(maskField))
  const saltLength = saltField === undefined ? 20 : readSmallInteger(only(saltField))
  const trailer = trailerField === undefined ? 1 : readSmallInteger(only(trailerField))
  // X509-11
  if (hash === undefined || maskHash !== hash || trailer !== 1 || saltLength > 1024) return undefined
  return { hash, saltLength }
}

function readMaskHash(node: DerNode): HashName | undefined {
  const { oid, parameters } = readAlgorithmIdentifier(node)
  return oid === KEY_OID.mgf1 && parameters !== undefined ? readHash(parameters) : undefined
}

/** The single value inside an explicit tag. */
export function only(node: DerNode): DerNode {
  const [child, ...extra] = node.children
  if (child === undefined || extra.length > 0)
    malformed('An explicitly tagged field holds something else than one value.')
  return child
}

/** Identifier of the PKCS#1 or ECDSA signature algorithm with this hash. */
export function signatureOid(type: 'rsa-pkcs1' | 'ecdsa', hash: HashName): string | undefined {
  return type === 'ecdsa' ? ECDSA_OID[hash] : RSA_OID[hash]
}

/** True when a key of this kind may have made such a signature: type, PSS-only keys and their bound parameters. */
export function keyFitsAlgorithm(key: PublicKey, algorithm: SignatureAlgorithm): boolean {
  switch (algorithm.type) {
    case 'ecdsa':
      return key.type === 'ec'
    case 'ed25519':
      return key.type === 'ed25519'
    case 'ml-dsa':
      return key.type === 'ml-dsa' && key.parameters === algorithm.parameters
    case 'rsa-pkcs1':
      return key.type === 'rsa' && !key.pssOnly
    case 'rsa-pss': {
      if (key.type !== 'rsa') return false
      const bound = key.pssParameters
      // X509-11
      return bound === undefined || (bound.hash === algorithm.hash && algorithm.saltLength >= bound.saltLength)
    }
  }
}

/** A signature algorithm for messages. */
export function signatureAlgorithmText(algorithm: CertificateSignatureAlgorithm): string {
  switch (algorithm.type) {
    case 'unsupported':
      return algorithm.oid
    case 'ed25519':
      return 'Ed25519'
    case 'ml-dsa':
      return algorithm.parameters
    case 'ecdsa':
      return `ECDSA with ${algorithm.hash}`
    case 'rsa-pkcs1':
      return `RSA with ${algorithm.hash}`
    case 'rsa-pss':
      return `RSA-PSS with ${algorithm.hash}`
  }
}
