/**
 * What the files and inline blocks of a profile hold, as far as a look at them tells. PROF-33
 *
 * Only what was supplied is looked at. Nothing of a content appears in a finding.
 */
import type { PrivateKey } from '../../crypto/index.ts'
import {
  belongsTo,
  type Certificate,
  parseCertificate,
  parsePemCertificates,
  parsePrivateKey,
} from '../../x509/index.ts'
import type { Entry } from '../entry.ts'
import type { DirectiveName } from '../table.ts'
import { ALWAYS, type Rule, type RuleView } from './rule.ts'

/** Every occurrence that counts somewhere, connection blocks included. */
function occurrences(view: RuleView, name: DirectiveName): readonly Entry[] {
  const found = view.profile.scopes.map((scope) => scope.entry(name)).filter((entry) => entry !== undefined)
  return [...new Set(found)]
}

/** A directive whose content must hold a marker. */
function holds(directive: DirectiveName, marker: RegExp, what: string, remedy: string): Rule {
  return {
    code: 'file-unreadable',
    directive,
    own: 'error',
    refusedBy: ALWAYS,
    message: `it holds no ${what}`,
    remedy,
    find: (view) =>
      occurrences(view, directive).filter((entry) => {
        const content = view.profile.suppliedText(entry)
        return content !== undefined && !marker.test(content)
      }),
  }
}

const CERTIFICATE = /-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/
const PEM_CERTIFICATE = 'a certificate in PEM form starts with -----BEGIN CERTIFICATE-----'
/** Lines that a block of fingerprints has beside comments and empty ones. */
const FINGERPRINT_LINE = /^\s*([0-9a-f]{2}:){31}[0-9a-f]{2}$/i

/** PROF-33: releases read a block of fingerprints to the last byte of a line, a carriage return included. */
function strictFingerprints(directive: 'peer-fingerprint' | 'verify-hash'): Rule {
  return {
    code: 'file-unreadable',
    directive,
    own: undefined,
    refusedBy: { since: '2.6' },
    message: 'a line of it is not one fingerprint and nothing behind it',
    remedy:
      'write one SHA-256 fingerprint with colons on each line, without spaces or comments behind it and without CR LF',
    find: (view) =>
      view.profile.entriesOf(directive).filter((entry) => {
        const lines = entry.content === undefined ? [] : (view.profile.suppliedText(entry) ?? '').split('\n')
        return lines.some((line) => !/^\s*([#;]|$)/.test(line.replace(/^\r$/, '')) && !FINGERPRINT_LINE.test(line))
      }),
  }
}

const STATIC_KEY = /-----BEGIN OpenVPN Static key V1-----/
const STATIC = 'make one with "ovpn genkey", and give the same one to both ends'

/** Rules about contents. */
export const contentRules: readonly Rule[] = [
  holds('ca', CERTIFICATE, 'certificate', PEM_CERTIFICATE),
  holds('cert', CERTIFICATE, 'certificate', PEM_CERTIFICATE),
  holds('extra-certs', CERTIFICATE, 'certificate', PEM_CERTIFICATE),
  holds(
    'key',
    /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
    'private key',
    'a key in PEM form starts with -----BEGIN PRIVATE KEY-----',
  ),
  holds('tls-auth', STATIC_KEY, 'static key', STATIC),
  holds('tls-crypt', STATIC_KEY, 'static key', STATIC),
  holds('secret', STATIC_KEY, 'static key', STATIC),
  strictFingerprints('peer-fingerprint'),
  strictFingerprints('verify-hash'),
  {
    code: 'file-unreadable',
    directive: 'dh',
    own: undefined,
    refusedBy: ALWAYS,
    message: 'it holds no parameters for key agreement',
    remedy: 'write "dh none", or give a file that starts with -----BEGIN DH PARAMETERS-----',
    find: (view) =>
      occurrences(view, 'dh').filter((entry) => {
        const content = view.isTlsServer && entry.words[0] !== 'none' ? view.profile.suppliedText(entry) : undefined
        return content !== undefined && !/-----BEGIN (X9\.42 )?DH PARAMETERS-----/.test(content)
      }),
  },
  {
    code: 'file-unreadable',
    directive: 'tls-crypt-v2',
    own: 'error',
    refusedBy: { since: '2.5' },
    message: 'it holds no tls-crypt-v2 key for this end',
    remedy: 'a server has the server key, each client a client key made from it',
    find: (view) => {
      const marker = view.isTlsServer ? 'OpenVPN tls-crypt-v2 server key' : 'OpenVPN tls-crypt-v2 client key'
      return occurrences(view, 'tls-crypt-v2').filter((entry) => {
        const content = view.profile.suppliedText(entry)
        return content !== undefined && !content.includes(marker)
      })
    },
  },
  {
    code: 'file-unreadable',
    directive: 'key',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'it is not the key of the certificate',
    remedy: 'give the key that the certificate was made for',
    find: (view) => {
      const cert = view.entry('cert')
      const key = view.entry('key')
      if (cert === undefined || key === undefined) return []
      const certificate = readCertificate(view.profile.suppliedText(cert))
      const own = certificate === undefined ? undefined : readKey(view.profile.suppliedText(key))
      return certificate === undefined || own === undefined || belongsTo(own, certificate) ? [] : [key]
    },
  },
]

/** The first certificate, where it can be read and its key is of a known kind. */
function readCertificate(pem: string | undefined): Certificate | undefined {
  if (pem === undefined) return undefined
  try {
    const [der] = parsePemCertificates(pem, 'cert')
    const certificate = der === undefined ? undefined : parseCertificate(der)
    return typeof certificate === 'object' && certificate.publicKey !== undefined ? certificate : undefined
  } catch {
    return undefined
  }
}

/** A key that is not encrypted. */
function readKey(pem: string | undefined): PrivateKey | undefined {
  if (pem === undefined) return undefined
  try {
    return parsePrivateKey(pem)
  } catch {
    return undefined
  }
}
