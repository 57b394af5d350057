/**
 * A certificate from DER: one strict scan, then field by field (RFC 5280 section 4.1).
 *
 * The record keeps views of one private copy of the bytes; the signature is later checked over exactly the signed part
 * as it arrived. Parsing refuses what is malformed, never what is merely untrusted, expired or unsupported.
 */
import { equalBytes } from '../bytes/index.ts'
import { only, readSignatureAlgorithm } from './algorithm.ts'
import type { DerNode } from './der.ts'
import { checkBitString, DerBudget, parseDer, TAG } from './der.ts'
import { Fields, readOctetBits, readSmallInteger } from './der-read.ts'
import { readExtensionList, readExtensions, unknownCritical } from './extensions.ts'
import { CertificateFault, malformed } from './fault.ts'
import { readName } from './name.ts'
import type { CertificateProblem } from './problem.ts'
import { readPublicKeyInfo } from './public-key.ts'
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
  const outer = new Fields(parseDer(der, budget))
  const tbs = outer.take(TAG.sequence)
  const outerAlgorithm = outer.take()
  const signature = outer.take(TAG.bitString)
  outer.end()
  const fields = new Fields(tbs)
  const version = readVersion(fields.optional(0xa0))
  const serial = fields.take(TAG.integer).content
  const innerAlgorithm = fields.take(TAG.sequence)
  const issuer = readName(fields.take())
  const validity = new Fields(fields.take())
  const subject = readName(fields.take())
  const publicKeyInfo = fields.take()
  const uniqueIdentifiers = [fields.optional(0x81), fields.optional(0x82)].filter((node) => node !== undefined)
  const extensions = fields.optional(0xa3)
  fields.end()
  // X509-8
  if (!equalBytes(innerAlgorithm.bytes, outerAlgorithm.bytes)) {
    throw new CertificateFault('signature-algorithm-mismatch', 'The signed and the outer signature algorithm differ.')
  }
  // X509-17
  if (version !== 3 && extensions !== undefined) malformed('Only version 3 may have extensions.')
  if (version === 1 && uniqueIdentifiers.length > 0) malformed('Version 1 has no unique identifiers.')
  for (const { content } of uniqueIdentifiers) checkBitString(content, 0, content.length)
  if (serial.length > MAX_SERIAL_LENGTH) malformed('The serial number is too long.')
  const notBefore = readTime(validity.take())
  const notAfter = readTime(validity.take())
  validity.end()
  const rawExtensions = extensions === undefined ? [] : readExtensionList(only(extensions))
  return {
    der,
    tbs: tbs.bytes,
    version,
    serial,
    signatureAlgorithm: readSignatureAlgorithm(outerAlgorithm),
    signature: readOctetBits(signature),
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKey: readPublicKeyInfo(publicKeyInfo),
    publicKeyInfo: publicKeyInfo.bytes,
    extensions: readExtensions(rawExtensions, issuer, budget),
    rawExtensions,
    unknownCritical: unknownCritical(rawExtensions),
  }
}

function readVersion(node: DerNode | undefined): 1 | 2 | 3 {
  const version = node === undefined ? 1 : readSmallInteger(only(node)) + 1
  return version === 1 || version === 2 || version === 3 ? version : malformed('The version is not one to three.')
}
