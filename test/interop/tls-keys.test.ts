/**
 * Where the own key comes from, against openssl in both roles: keys that live elsewhere and sign later, encrypted PKCS#8
 * and PKCS#12 as the openssl program writes them.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { PrivateKey } from '../../src/crypto/index.ts'
import { noble } from '../../src/crypto/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { SIGNATURE_SCHEMES, type TlsConfig } from '../../src/tls/index.ts'
import { createPeerVerifier, parsePkcs12, parsePrivateKey } from '../../src/x509/index.ts'
import { type Identity, PKI_KINDS, toyPki } from '../support/pki.ts'
import { SeededRandom } from '../support/random.ts'
import { type Drive, OPENSSL_PROGRAMS, OpensslPeer } from './support/openssl.ts'

type Own = Pick<TlsConfig, 'certificateChain' | 'privateKey'>

const PASSWORD = 'pass wörd'

/** Runs openssl in a folder that holds the identity as `cert.pem` and `key.pem`; the file `out` it wrote. */
function openssl({ pem, keyPem }: Identity, ...args: readonly string[]): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'ovpn-keys-'))
  try {
    writeFileSync(join(folder, 'cert.pem'), pem)
    writeFileSync(join(folder, 'key.pem'), keyPem, { mode: 0o600 })
    execFileSync('openssl', [...args, '-out', 'out', '-passout', `pass:${PASSWORD}`], { cwd: folder, stdio: 'pipe' })
    return new Uint8Array(readFileSync(join(folder, 'out')))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const encrypted =
  (...cipher: readonly string[]) =>
  (identity: Identity): Own => {
    const pem = openssl(identity, 'pkcs8', '-topk8', '-in', 'key.pem', ...cipher)
    const text = Buffer.from(pem).toString()
    expect(text).toContain('ENCRYPTED PRIVATE KEY')
    return { certificateChain: [identity.der], privateKey: parsePrivateKey(text, PASSWORD, nodeCrypto) }
  }

const SOURCES: Readonly<Record<string, (identity: Identity) => Own>> = {
  'an external key': ({ der, key }) => ({
    certificateChain: [der],
    privateKey: { type: 'external', publicKey: key.public },
  }),
  'PKCS#8 under AES-256 with SHA-256': encrypted('-v2', 'aes-256-cbc'),
  'PKCS#8 under AES-128 with SHA-512': encrypted('-v2', 'aes-128-cbc', '-v2prf', 'hmacWithSHA512'),
  'PKCS#12': (identity) => {
    const bundle = openssl(identity, 'pkcs12', '-export', '-in', 'cert.pem', '-inkey', 'key.pem')
    const { certificate, privateKey } = parsePkcs12(bundle, PASSWORD, nodeCrypto)
    return { certificateChain: [certificate], privateKey }
  },
}

function signer(key: PrivateKey): NonNullable<Drive['sign']> {
  const { source } = new SeededRandom('holder')
  return (name, message) => {
    const scheme = SIGNATURE_SCHEMES.find((other) => other.name === name)
    return nodeCrypto.sign(scheme!.algorithm, key, message, source)
  }
}

const [program] = OPENSSL_PROGRAMS

describe.skipIf(program === undefined).each(PKI_KINDS)('own keys of kind %s', (kind) => {
  const pki = toyPki(kind)
  const verifier = createPeerVerifier({ ca: [pki.ca.der] })
  const versions = ['TLSv1.2', 'TLSv1.3'] as const

  it.each(Object.keys(SOURCES))('%s, both roles and versions', async (source) => {
    const files = (role: 'client' | 'server') => ({
      certificate: pki[role].pem,
      key: pki[role].keyPem,
      ca: pki.ca.pem,
    })
    const external = source === 'an external key' ? 1 : 0
    const own = { client: SOURCES[source]!(pki.client), server: SOURCES[source]!(pki.server) }
    const how = (role: 'client' | 'server', version: (typeof versions)[number]): Drive => ({
      config: {
        ...own[role],
        role,
        verifier,
        clientAuth: 'required',
        minVersion: version,
        maxVersion: version,
        groups: ['x25519', 'secp256r1', 'secp384r1', 'secp521r1'],
      },
      crypto: noble,
      seed: `${source} ${role}`,
      sign: signer(pki[role].key),
      say: role === 'client' ? 'GET / HTTP/1.0\r\n\r\n' : 'from the engine\n',
      enough: (received) => received.includes(role === 'client' ? '</pre>' : 'from openssl\n'),
    })
    const server = new OpensslPeer(program!, files('server'))
    const client = new OpensslPeer(program!, files('client'))
    try {
      await server.serve()
      for (const version of versions) {
        const asClient = await server.connect(how('client', version))
        expect(asClient).toMatchObject({ info: { version }, asked: external })
        const { ours, printed } = await client.accept(how('server', version))
        expect(ours).toMatchObject({ info: { version }, asked: external })
        expect(printed).toContain('Verify return code: 0 (ok)')
        expect(printed).toContain('from the engine')
      }
    } finally {
      await server.close()
      await client.close()
    }
  })
})
