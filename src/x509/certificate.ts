/**
 * A certificate from DER: strict scan first, then structure, then field by field (RFC 5280 section 4.1).
 *
 * The record keeps views of one private copy of the bytes; the signature is later checked over exactly the signed part
 * as it arrived. Parsing refuses what is malformed, never what is merely untrusted, expired or unsupported.
 */
import { equalBytes } from '../bytes/index.ts'
import { readSignatureAlgorithm } from './algorithm.ts'
import { DerBudget, parseDer } from './der.ts'
import { Fields, readOctetBits } from './der-read.ts'
import { readExtensionList, readExtensions, unknownCritical } from './extensions.ts'
import { CertificateFault, malformed } from './fault.ts'
import { readName } from './name.ts'
import type { CertificateProblem } from './problem.ts'
import { readPublicKeyInfo } from './public-key.ts'
import { readStructure } from './structure.ts'
import { readTime } from './time.ts'
import type { Certificate } from './types.ts'

/** Longest certificate read, in bytes. */
export const MAX_CERTIFICATE_LENGTH = 65536
/** Most DER values read per certificate of the host's own, and per chain of a peer's. */
export const MAX_DER_NODES = 2000
/** Longest serial number, in contents bytes: generous, RFC 5280 allows 20. */
const MAX_SERIAL_LENGTH = 64

/**
 * Parses one certificate.
 * @returns the certificate, or why it cannot be one.
 */
export function parseCertificate(der: Uint8Array): Certificate | CertificateProblem {
  try {
    return readCertificate(der, new DerBudget(MAX_DER_NODES))
  } catch (error) {
    if (error instanceof CertificateFault) return error.problem
    throw error
  }
}

/** Parses one certificate against a budget that other certificates share. @throws CertificateFault */
export function readCertificate(bytes: Uint8Array, budget: DerBudget): Certificate {
  if (bytes.length > MAX_CERTIFICATE_LENGTH) {
    throw new CertificateFault('certificate-too-complex', `It is longer than ${MAX_CERTIFICATE_LENGTH} bytes.`)
  }
  const der = bytes.slice()
  parseDer(der, budget)
  const structure = readStructure(der)
  // X509-8
  if (!equalBytes(structure.innerAlgorithm, structure.outerAlgorithm)) {
    throw new CertificateFault('signature-algorithm-mismatch', 'The signed and the outer signature algorithm differ.')
  }
  if (structure.version !== 3 && structure.extensions !== undefined) malformed('Only version 3 may have extensions.')
  if (structure.version === 1 && structure.hasUniqueIdentifiers) malformed('Version 1 has no unique identifiers.')
  if (structure.serial.length > MAX_SERIAL_LENGTH) malformed('The serial number is too long.')
  const part = (field: Uint8Array) => parseDer(field, new DerBudget(MAX_DER_NODES))
  const validity = new Fields(part(structure.validity))
  const notBefore = readTime(validity.take())
  const notAfter = readTime(validity.take())
  validity.end()
  const issuer = readName(part(structure.issuer))
  const rawExtensions = structure.extensions === undefined ? [] : readExtensionList(part(structure.extensions))
  return {
    der,
    tbs: structure.tbs,
    version: structure.version,
    serial: structure.serial,
    signatureAlgorithm: readSignatureAlgorithm(part(structure.outerAlgorithm)),
    signature: readOctetBits(part(structure.signature)),
    issuer,
    subject: readName(part(structure.subject)),
    notBefore,
    notAfter,
    publicKey: readPublicKeyInfo(part(structure.publicKeyInfo)),
    publicKeyInfo: structure.publicKeyInfo,
    extensions: readExtensions(rawExtensions, issuer, budget),
    rawExtensions,
    unknownCritical: unknownCritical(rawExtensions),
  }
}
