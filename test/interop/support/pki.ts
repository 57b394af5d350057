/**
 * Certificates for interop made by the openssl program, so that nothing of ours vouches for itself.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Key kinds that OpenVPN deployments use. */
export const KEY_KINDS = ['P-256', 'P-384', 'RSA-2048', 'Ed25519'] as const
export type KeyKind = (typeof KEY_KINDS)[number] | 'P-521' | 'RSA-3072' | 'RSA-PSS'

/** PEM texts of one certificate and its key. */
export interface PemPair {
  readonly certificate: string
  readonly key: string
}

/** A CA with a server and a client certificate, and a CA of the same name that signed neither. */
export interface TestPki {
  readonly kind: KeyKind
  readonly ca: string
  readonly foreignCa: string
  readonly server: PemPair
  readonly client: PemPair
  readonly expiredServer: PemPair
  /** The CA's private key. */
  readonly caKey: string
}

/** What `openssl genpkey` is told. */
export const KEY_ARGUMENTS: Readonly<Record<KeyKind, readonly string[]>> = {
  'P-256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'P-384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  'P-521': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
  'RSA-2048': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'RSA-3072': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'],
  'RSA-PSS': ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'],
  Ed25519: ['-algorithm', 'ED25519'],
}

const LEAF_EXTENSIONS = (usage: 'serverAuth' | 'clientAuth'): string =>
  `basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=${usage}\n` +
  'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n'

const made = new Map<KeyKind, TestPki>()

/** The PKI of a kind, made once per process. */
export function opensslPki(kind: KeyKind): TestPki {
  let pki = made.get(kind)
  if (pki === undefined) {
    pki = make(kind)
    made.set(kind, pki)
  }
  return pki
}

function make(kind: KeyKind): TestPki {
  const folder = mkdtempSync(join(tmpdir(), 'ovpn-pki-'))
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  }
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  try {
    const authority = (name: string, key: KeyKind): string => {
      openssl('genpkey', ...KEY_ARGUMENTS[key], '-out', `${name}.key`)
      const extensions = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign']
      openssl(
        'req',
        '-x509',
        '-new',
        '-key',
        `${name}.key`,
        '-out',
        `${name}.crt`,
        '-days',
        '3650',
        '-subj',
        '/CN=Test CA',
        ...extensions,
      )
      return read(`${name}.crt`)
    }
    const leaf = (name: string, usage: 'serverAuth' | 'clientAuth', days: string, key = name): PemPair => {
      if (key === name) openssl('genpkey', ...KEY_ARGUMENTS[kind], '-out', `${name}.key`)
      openssl('req', '-new', '-key', `${key}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
      writeFileSync(join(folder, `${name}.ext`), LEAF_EXTENSIONS(usage))
      const sign = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', days, '-extfile', `${name}.ext`]
      openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.crt`, ...sign)
      return { certificate: read(`${name}.crt`), key: read(`${key}.key`) }
    }
    const ca = authority('ca', kind)
    return {
      kind,
      ca,
      caKey: read('ca.key'),
      foreignCa: authority('foreign', 'P-256'),
      server: leaf('server', 'serverAuth', '365'),
      client: leaf('client', 'clientAuth', '365'),
      expiredServer: leaf('expired', 'serverAuth', '-1', 'server'),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A revocation list of the CA with the given certificates on it. */
export function opensslCrl(kind: KeyKind, revoked: readonly ('server' | 'client' | 'expired')[]): string {
  const pki = opensslPki(kind)
  const certificates = { server: pki.server, client: pki.client, expired: pki.expiredServer }
  const folder = mkdtempSync(join(tmpdir(), 'ovpn-crl-'))
  try {
    const config = '[ca]\ndefault_ca=d\n[d]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=30\n'
    const files = { 'ca.crt': pki.ca, 'ca.key': pki.caKey, 'ca.conf': config, index: '', number: '01\n' }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 })
    const sign = ['-config', 'ca.conf', '-cert', 'ca.crt', '-keyfile', 'ca.key']
    const openssl = (...args: readonly string[]): void => {
      execFileSync('openssl', ['ca', ...sign, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    }
    for (const name of revoked) {
      writeFileSync(join(folder, `${name}.crt`), certificates[name].certificate)
      openssl('-revoke', `${name}.crt`)
    }
    openssl('-gencrl', '-out', 'crl.pem')
    return readFileSync(join(folder, 'crl.pem'), 'utf8')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
