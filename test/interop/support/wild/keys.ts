/**
 * Authorities, chains, leaves and the many file forms that keys come in, all made by the openssl program and kept for the
 * whole process: drawing a hundred configurations makes each kind of key once.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Kinds of keys and openssl's words for them. */
const KINDS = {
  'P-256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'P-384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  'P-521': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
  'RSA-2048': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'RSA-3072': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'],
  'RSA-4096': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:4096'],
  'RSA-PSS': ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'],
  Ed25519: ['-algorithm', 'ED25519'],
} as const
export type Kind = keyof typeof KINDS
export const ALL_KINDS = Object.keys(KINDS) as readonly Kind[]

/** A certificate and its key. */
export interface Holder {
  readonly certificate: string
  readonly key: string
  readonly subject: string
}

export type Usage = 'serverAuth' | 'clientAuth'

const folder = mkdtempSync(join(tmpdir(), 'ovpn-wild-keys-'))
process.on('exit', () => {
  rmSync(folder, { recursive: true, force: true })
})

/** Runs openssl in the folder of keys; what it printed. */
function openssl(...args: readonly string[]): string {
  return execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function put(name: string, content: string): string {
  writeFileSync(join(folder, name), content, { mode: 0o600 })
  return name
}

const bytes = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, name)))
const text = (name: string): string => readFileSync(join(folder, name), 'utf8')

const made = new Map<string, Holder>()

function once(name: string, make: () => Holder): Holder {
  let holder = made.get(name)
  if (holder === undefined) {
    holder = make()
    made.set(name, holder)
  }
  return holder
}

/** A root of its own. */
export function root(kind: Kind, name = 'root'): Holder {
  const id = `${name}-${kind}`
  return once(id, () => {
    const subject = `/C=GB/O=Wild ${kind}/CN=${name}`
    openssl('genpkey', ...KINDS[kind], '-out', `${id}.key`)
    const usage = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign']
    openssl('req', '-x509', '-new', '-key', `${id}.key`, '-out', `${id}.crt`, '-days', '99', '-subj', subject, ...usage)
    return { certificate: text(`${id}.crt`), key: text(`${id}.key`), subject }
  })
}

function issue(id: string, kind: Kind, issuer: string, subject: string, extensions: string): Holder {
  return once(id, () => {
    openssl('genpkey', ...KINDS[kind], '-out', `${id}.key`)
    openssl('req', '-new', '-key', `${id}.key`, '-out', `${id}.csr`, '-subj', subject)
    const sign = ['-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`, '-CAcreateserial', '-days', '9']
    const file = put(`${id}.ext`, `${extensions}subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n`)
    openssl('x509', '-req', '-in', `${id}.csr`, '-out', `${id}.crt`, ...sign, '-extfile', file)
    return { certificate: text(`${id}.crt`), key: text(`${id}.key`), subject }
  })
}

/** An authority below the root of the same kind. */
export function intermediate(kind: Kind): Holder {
  root(kind)
  const usage = 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n'
  return issue(`middle-${kind}`, kind, `root-${kind}`, `/C=GB/O=Wild ${kind}/CN=middle`, usage)
}

/** A certificate for one end, below the root or the intermediate of `authority`. */
export function leaf(authority: Kind, below: 'root' | 'middle', kind: Kind, usage: Usage, name: string): Holder {
  if (below === 'root') root(authority)
  else intermediate(authority)
  const id = `${name}-${kind}-${below}-${authority}`
  const keyUsage =
    kind.startsWith('RSA') && kind !== 'RSA-PSS' ? 'digitalSignature,keyEncipherment' : 'digitalSignature'
  const netscape = usage === 'serverAuth' ? 'server' : 'client'
  const extensions =
    `basicConstraints=critical,CA:FALSE\nkeyUsage=critical,${keyUsage}\nextendedKeyUsage=${usage}\n` +
    `nsCertType=${netscape}\nsubjectAltName=DNS:${name}.example,IP:172.16.1.1\n`
  return issue(id, kind, `${below}-${authority}`, `/C=GB/O=Wild Ltd/OU=a b/CN=${name}`, extensions)
}

/** A certificate that signs itself. */
export function selfSigned(kind: Kind, name: string): Holder {
  const id = `self-${name}-${kind}`
  return once(id, () => {
    const subject = `/CN=${name}`
    openssl('genpkey', ...KINDS[kind], '-out', `${id}.key`)
    openssl('req', '-x509', '-new', '-key', `${id}.key`, '-out', `${id}.crt`, '-days', '9', '-subj', subject)
    return { certificate: text(`${id}.crt`), key: text(`${id}.key`), subject }
  })
}

/** A revocation list of a root, with the given certificates on it. */
export function revocations(kind: Kind, revoked: readonly Holder[]): string {
  root(kind)
  put('ca.conf', '[ca]\ndefault_ca=d\n[d]\ndatabase=index\ncrlnumber=number\ndefault_md=default\ndefault_crl_days=30\n')
  put('index', '')
  put('number', '01\n')
  const ca = ['ca', '-config', 'ca.conf', '-cert', `root-${kind}.crt`, '-keyfile', `root-${kind}.key`]
  for (const { certificate } of revoked) openssl(...ca, '-revoke', put('revoked.crt', certificate))
  openssl(...ca, '-gencrl', '-out', 'crl.pem')
  return text('crl.pem')
}

/** The fingerprint in the form `AA:BB:…`. */
export function fingerprint({ certificate }: Holder, digest: 'sha1' | 'sha256'): string {
  return openssl('x509', '-in', put('print.crt', certificate), '-noout', '-fingerprint', `-${digest}`)
    .trim()
    .replace(/^.*=/, '')
}

/** What openssl prints about a certificate before the PEM itself. */
export function withText({ certificate }: Holder): string {
  return openssl('x509', '-in', put('text.crt', certificate), '-text')
}

/** How a private key may lie in a file. */
export const KEY_FORMS = ['pkcs8', 'traditional', 'traditional-aes', 'pbes2', 'pbes2-sha512', 'pbe-3des'] as const
export type KeyForm = (typeof KEY_FORMS)[number]

/** Whether the form is protected by a passphrase. */
export const isEncrypted = (form: KeyForm): boolean => form !== 'pkcs8' && form !== 'traditional'

/** The key in another form. Ed25519 and RSA-PSS have no traditional one. */
export function keyFile({ key }: Holder, form: KeyForm, passphrase: string): string {
  const input = ['-in', put('form.key', key), '-out', 'formed.key']
  const sealed = ['-passout', `pass:${passphrase}`]
  const pkcs8 = (...how: readonly string[]): string => {
    openssl('pkcs8', '-topk8', ...input, ...sealed, ...how)
    return text('formed.key')
  }
  switch (form) {
    case 'pkcs8':
      return key
    case 'traditional':
      openssl('pkey', ...input, '-traditional')
      return text('formed.key')
    case 'traditional-aes':
      openssl('pkey', ...input, '-traditional', '-aes-256-cbc', ...sealed)
      return text('formed.key')
    case 'pbes2':
      return pkcs8('-v2', 'aes-256-cbc')
    case 'pbes2-sha512':
      return pkcs8('-v2', 'aes-128-cbc', '-v2prf', 'hmacWithSHA512')
    case 'pbe-3des':
      return pkcs8('-v1', 'PBE-SHA1-3DES')
  }
}

/** A PKCS#12 bundle of a certificate, its key and authorities. */
export function bundle(holder: Holder, others: readonly string[], passphrase: string, old: boolean): Uint8Array {
  const args = ['-in', put('bundle.crt', holder.certificate), '-inkey', put('bundle.key', holder.key)]
  if (others.length > 0) args.push('-certfile', put('bundle.ca', others.join('')))
  const how = old ? ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'] : []
  openssl('pkcs12', '-export', ...args, '-out', 'bundle.p12', '-passout', `pass:${passphrase}`, ...how)
  return bytes('bundle.p12')
}
