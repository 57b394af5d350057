/**
 * Directives of the control channel: roles, certificates and how they are judged, TLS itself, wrapping.
 */
import {
  checked,
  choice,
  command,
  custom,
  file,
  integer,
  optional,
  passwordFile,
  path,
  rest,
  seconds,
  text,
  word,
} from '../argument.ts'
import { directive } from '../directive.ts'
import { isFingerprint, subjectField, tls13Suites, tlsGroups, tlsSuites } from '../openssl-names.ts'

const direction = choice('direction', ['0', '1'])
const SERVER = ['server'] as const

/** Certificates, TLS, wrapping of control packets. */
export const tlsDirectives = {
  askpass: directive([optional(passwordFile())], {
    status: 'supported',
    does: 'The passphrase of the private key: a file, or asked for.',
  }),
  ca: directive([file()], { status: 'supported', inline: true, does: 'Certificates of the authorities to trust.' }),
  capath: directive([path('directory')], {
    status: 'refused',
    does: 'Authorities are handed over together, not looked up in a directory.',
  }),
  cert: directive([file()], { status: 'supported', inline: true, does: 'This end’s certificate.' }),
  'crl-verify': directive([file(), optional(choice('kind', ['dir'], 'always'))], {
    status: 'supported',
    inline: true,
    does: 'Certificates that are no longer good.',
  }),
  dh: directive([checked('never', file())], {
    status: 'ignored',
    inline: true,
    does: 'Keys are agreed on elliptic curves.',
  }),
  'ecdh-curve': directive([text('curve')], {
    status: 'ignored',
    does: 'Groups are chosen by tls-groups.',
    deprecated: { since: '2.5', instead: 'tls-groups' },
  }),
  'extra-certs': directive([file()], {
    status: 'supported',
    inline: true,
    does: 'More certificates of this end’s chain.',
  }),
  'hand-window': directive([seconds()], { status: 'supported', does: 'How long a negotiation may take.' }),
  key: directive([file()], { status: 'supported', inline: true, does: 'This end’s private key.' }),
  'key-direction': directive([direction], {
    status: 'supported',
    does: 'Which half of a static key sends.',
    connection: true,
  }),
  'key-method': directive([integer('method', 1, 2)], {
    status: 'supported',
    until: '2.4',
    does: 'Method 2 is the only one.',
    deprecated: { since: '2.4', instead: 'leave it out' },
  }),
  'ns-cert-type': directive([choice('type', ['client', 'server'])], {
    status: 'supported',
    does: 'What the peer’s certificate is for, in an old form.',
    deprecated: { since: '2.4', instead: 'remote-cert-tls' },
  }),
  'peer-fingerprint': directive(
    [custom('fingerprint', 'the 32 bytes of a SHA-256 fingerprint in hexadecimal, between colons', fingerprint)],
    {
      status: 'supported',
      since: '2.6',
      inline: '2.6',
      repeats: true,
      does: 'SHA-256 fingerprints of certificates to trust.',
    },
  ),
  pkcs12: directive([file()], {
    status: 'supported',
    inline: true,
    does: 'Certificate, key and authorities in one file.',
  }),
  'remote-cert-eku': directive([text('usage')], {
    status: 'supported',
    does: 'An extended usage that the peer’s certificate must have.',
  }),
  'remote-cert-ku': directive([rest(custom('usage', 'a mask in hexadecimal', keyUsage, 'never'))], {
    status: 'supported',
    does: 'Usages of which the peer’s certificate must have one.',
  }),
  'remote-cert-tls': directive([choice('type', ['client', 'server'])], {
    status: 'supported',
    does: 'What the peer’s certificate is for.',
  }),
  'reneg-bytes': directive([integer('bytes', 0, Number.MAX_SAFE_INTEGER)], {
    status: 'supported',
    does: 'New keys after so many bytes.',
  }),
  'reneg-pkts': directive([integer('packets', 0, Number.MAX_SAFE_INTEGER)], {
    status: 'supported',
    does: 'New keys after so many packets.',
  }),
  'reneg-sec': directive([seconds(), optional(seconds('least'))], {
    status: 'supported',
    does: 'New keys after so long.',
    counts: { '2.4': [1, 1] },
  }),
  'tls-auth': directive([file(), optional(direction)], {
    status: 'supported',
    inline: true,
    connection: true,
    does: 'Signs control packets with a shared key.',
  }),
  'tls-cert-profile': directive([choice('profile', ['legacy', 'preferred', 'suiteb', 'insecure'])], {
    status: 'supported',
    does: 'How strong certificates must be.',
  }),
  'tls-cipher': directive([tlsSuites()], { status: 'supported', does: 'Suites of TLS 1.2.' }),
  'tls-ciphersuites': directive([tls13Suites()], { status: 'supported', does: 'Suites of TLS 1.3.' }),
  'tls-client': directive([], { status: 'supported', roles: ['client', 'peer'], does: 'The TLS client.' }),
  'tls-crypt': directive([file(), optional(text('x'))], {
    status: 'supported',
    inline: true,
    connection: true,
    does: 'Encrypts control packets with a shared key.',
  }),
  'tls-crypt-v2': directive([file(), optional(choice('cookie', ['allow-noncookie', 'force-cookie'], '2.6'))], {
    status: 'supported',
    since: '2.5',
    inline: '2.5',
    connection: true,
    does: 'Encrypts control packets with a key per client.',
  }),
  'tls-crypt-v2-max-age': directive([integer('days', 1), rest(text('word'))], {
    status: 'supported',
    roles: SERVER,
    since: '2.7',
    does: 'Refuses client keys that are too old.',
  }),
  'tls-crypt-v2-verify': directive([checked('never', command())], {
    status: 'host',
    program: true,
    roles: SERVER,
    since: '2.5',
    does: 'The host judges the metadata of client keys.',
  }),
  'tls-exit': directive([], { status: 'supported', does: 'A failed negotiation ends the tunnel for good.' }),
  'tls-export-cert': directive([path('directory')], {
    status: 'host',
    does: 'The host gets the peer’s certificate.',
  }),
  'tls-groups': directive([tlsGroups()], { status: 'supported', since: '2.5', does: 'Groups for key agreement.' }),
  'tls-server': directive([], { status: 'supported', roles: ['server', 'peer'], does: 'The TLS server.' }),
  'tls-timeout': directive([integer('seconds', 1, 65_536)], {
    status: 'supported',
    does: 'When a control packet is sent again.',
  }),
  'tls-verify': directive([command()], {
    status: 'host',
    program: true,
    does: 'The host judges the peer’s certificate, too.',
  }),
  'tls-version-max': directive([choice('version', ['1.0', '1.1', '1.2', '1.3'])], {
    status: 'supported',
    does: 'The newest TLS version.',
  }),
  'tls-version-min': directive(
    [choice('version', ['1.0', '1.1', '1.2', '1.3']), optional(choice('or', ['or-highest'], 'never'))],
    {
      status: 'supported',
      does: 'The oldest TLS version.',
    },
  ),
  'tran-window': directive([seconds()], { status: 'supported', does: 'How long an old key lives on.' }),
  'verify-hash': directive([text('fingerprint'), optional(choice('hash', ['SHA1', 'SHA256']))], {
    check: checkHash,
    status: 'supported',
    inline: '2.6',
    does: 'Fingerprint of the certificate above the peer’s.',
    deprecated: { since: '2.6', instead: 'peer-fingerprint' },
    counts: { '2.6': [1, 2], '2.7': [1, 2] },
  }),
  'verify-x509-name': directive([word('name'), optional(choice('type', ['subject', 'name', 'name-prefix']))], {
    status: 'supported',
    does: 'The name that the peer’s certificate must have.',
  }),
  'x509-track': directive([subjectField()], {
    status: 'ignored',
    repeats: true,
    does: 'Certificates are handed over whole.',
  }),
  'x509-username-field': directive([text('field'), rest(text('field'))], {
    status: 'supported',
    does: 'Where the peer’s name stands in its certificate.',
    counts: { '2.4': [1, 1], '2.5': [1, 1] },
  }),
} as const

function keyUsage(word: string): number | undefined {
  return /^(0[xX])?[0-9a-fA-F]{1,4}$/.test(word) ? Number.parseInt(word, 16) : undefined
}

function fingerprint(word: string): string | undefined {
  return isFingerprint(word, 32) ? word : undefined
}

/** 20 bytes of SHA-1, or 32 of SHA-256. */
function checkHash(words: readonly string[]): string | undefined {
  const bytes = words[1] === 'SHA256' ? 32 : 20
  return isFingerprint(words[0] ?? '', bytes)
    ? undefined
    : `the fingerprint has ${bytes} bytes in hexadecimal, between colons`
}
