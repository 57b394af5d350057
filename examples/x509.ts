/**
 * Certificates without OpenVPN: a small CA, a server certificate under it, and the verdict on what a peer might send.
 *
 * Run with `npx tsx examples/x509.ts`. Randomness and time are handed in, so the library itself stays deterministic; here
 * they come from the host.
 */
import { noble } from '../src/crypto/index.ts'
import {
  createPeerVerifier,
  fingerprint,
  fingerprintText,
  generatePrivateKey,
  issueCertificate,
  issueCrl,
  nameText,
  parseCertificate,
  writePem,
  writePkcs8,
} from '../src/x509/index.ts'

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))
const now = Date.now()
const DAY = 86_400_000

// A CA: its certificate is signed with its own key.
const caKey = generatePrivateKey('P-256', noble, random)
const caDer = issueCertificate(
  {
    kind: 'ca',
    subject: [
      ['O', 'Example'],
      ['CN', 'Example CA'],
    ],
    publicKey: caKey.public,
    signingKey: caKey,
    notBefore: now - DAY,
    notAfter: now + 3650 * DAY,
  },
  noble,
  random,
)
const ca = parseCertificate(caDer)
if (typeof ca === 'string') throw new Error(ca)

// A server under it, with an Ed25519 key.
const serverKey = generatePrivateKey('ed25519', noble, random)
const serverDer = issueCertificate(
  {
    kind: 'server',
    subject: [['CN', 'vpn.example.com']],
    subjectAltName: [{ type: 'dns', value: 'vpn.example.com' }],
    publicKey: serverKey.public,
    signingKey: caKey,
    issuer: ca,
    notBefore: now - DAY,
    notAfter: now + 365 * DAY,
  },
  noble,
  random,
)
const server = parseCertificate(serverDer)
if (typeof server === 'string') throw new Error(server)
console.log(writePem('CERTIFICATE', serverDer) + writePem('PRIVATE KEY', writePkcs8(serverKey)))
console.log(`${nameText(server.subject)}\n${fingerprintText(fingerprint(serverDer, noble))}\n`)

// What a client that trusts the CA makes of it, and of a few other things.
const verifier = createPeerVerifier({
  ca: [caDer],
  remoteCertTls: 'server',
  verifyName: { type: 'name', value: 'vpn.example.com' },
})
const report = (what: string, unixTime = now): void => {
  const verdict = verifier.verify([serverDer], 'server', unixTime, noble)
  console.log(`${what}: ${verdict.type === 'verified' ? 'verified' : `${verdict.problem}. ${verdict.detail}`}`)
}
report('today')
report('in two years', now + 730 * DAY)

const crl = issueCrl(
  {
    issuer: ca,
    signingKey: caKey,
    thisUpdate: now,
    nextUpdate: now + 30 * DAY,
    revoked: [{ serial: server.serial, revocationDate: now }],
  },
  noble,
  random,
)
verifier.replaceCrls([crl])
report('once revoked')
