/**
 * What the runner wants to hear about an established connection.
 */
import { readFileSync } from 'node:fs'
import { equalBytes, toHex } from '../../src/bytes/index.ts'
import { cipherSuiteByName, GROUP_CODES, signatureSchemeByName, type TlsInfo } from '../../src/tls/index.ts'
import { parsePemCertificates } from '../../src/x509/index.ts'
import type { Flags } from './flags.ts'

/** The first expectation that does not hold, in words. */
export function checkExpectations(flags: Flags, info: TlsInfo, connection: number): string | undefined {
  const resumes = connection > 0 && !flags.expectSessionMiss
  if (info.resumed !== resumes) return resumes ? 'the session was not resumed' : 'a session was resumed'
  const { peerSignatureScheme: scheme } = info
  const signature = scheme === undefined ? undefined : signatureSchemeByName(scheme)?.id
  if (differs(flags.expectPeerSignature, signature)) return `peer signature scheme ${scheme}`
  if (differs(flags.expectGroup, GROUP_CODES[info.group])) return `group ${info.group}`
  if (differs(flags.expectCipher, cipherSuiteByName(info.cipherSuite)?.id)) return `cipher suite ${info.cipherSuite}`
  if (flags.expectRetry && !info.helloRetryRequest) return 'no HelloRetryRequest'
  if (flags.expectNoRetry && info.helloRetryRequest) return 'a HelloRetryRequest'
  if (flags.expectExtendedMasterSecret && !info.extendedMasterSecret) return 'no extended_master_secret'
  if (flags.expectVerifyResult && info.peerCertificates.length > 0 && info.peerLeaf === undefined)
    return 'the peer was not verified'
  if (flags.expectPeerVerifyPrefs !== undefined) {
    const same = String(flags.expectPeerVerifyPrefs) === String(info.peerSignatureAlgorithms)
    if (!same) return `the peer takes ${String(info.peerSignatureAlgorithms)}`
  }
  if (flags.expectProtocol !== undefined && flags.expectProtocol !== info.applicationProtocol) {
    return `application protocol ${info.applicationProtocol}`
  }
  if (differsInBytes(flags.expectOcspResponse, info.ocspResponse)) return 'the OCSP response differs'
  if (differsInBytes(flags.expectTimestamps, info.certificateTimestamps)) return 'the timestamps differ'
  if (flags.expectClientCas !== undefined) {
    const expected = flags.expectClientCas.startsWith('<') ? '' : flags.expectClientCas
    const actual = info.certificateAuthorities.map(toHex).join(',')
    if (expected !== actual) return `the server names the CAs ${actual}`
  }
  return flags.expectPeerCertFile === undefined ? undefined : checkChain(flags.expectPeerCertFile, info)
}

function differs(expected: number | undefined, actual: number | undefined): boolean {
  return expected !== undefined && expected !== actual
}

function differsInBytes(expected: Uint8Array | undefined, actual: Uint8Array | undefined): boolean {
  return expected !== undefined && (actual === undefined || !equalBytes(expected, actual))
}

function checkChain(file: string, info: TlsInfo): string | undefined {
  const expected = parsePemCertificates(readFileSync(file, 'utf8'))
  const same =
    expected.length === info.peerCertificates.length &&
    expected.every((der, i) => equalBytes(der, info.peerCertificates[i]!))
  return same ? undefined : "the peer's chain differs"
}
