/**
 * Why a certificate was refused: a closed list, each entry with what an operator can do about it.
 *
 * Parsing and verification return these words; nothing here throws for what a peer sent. The advice is a whole sentence
 * for a log line or a user interface; the verifier adds the subject and the particulars in `detail`.
 */

/** What to do about each problem, keyed by the problem's name. */
export const CERTIFICATE_ADVICE = {
  'malformed-certificate':
    'The certificate is not valid DER or breaks the X.509 structure; issue it again with a current tool.',
  'certificate-too-complex':
    'The certificate or chain exceeds the limits on size, nesting, DER nodes or signature checks; send only the chain from the leaf to the root.',
  'duplicate-extension': 'The certificate carries the same extension twice; issue it again with each extension once.',
  'unknown-critical-extension':
    'The certificate carries a critical extension that is not understood here; issue it without that extension or without the critical mark.',
  'signature-algorithm-mismatch':
    'The two signature algorithm fields of the certificate differ; it was altered or made by a broken tool. Issue it again.',
  'unsupported-signature-algorithm':
    'The signature algorithm is not supported; sign with ECDSA, Ed25519 or RSA and SHA-256, SHA-384 or SHA-512.',
  'unsupported-public-key':
    'The public key is not supported; use RSA up to 8192 bits, a named curve P-256, P-384 or P-521, or Ed25519.',
  'weak-signature':
    'The signature uses a hash that tls-cert-profile does not allow; sign the certificate again with SHA-256 or better.',
  'weak-key': 'The key is shorter than tls-cert-profile allows; make a larger key and issue the certificate again.',
  'bad-signature':
    'The signature does not verify under the issuer’s key; the certificate was altered or belongs to another CA.',
  'no-certificate':
    'The peer sent no certificate; give it one, or set verify-client-cert none or optional on a server.',
  'unknown-issuer':
    'No chain from the certificate to a trusted root was found; put the root that issued it into ca and let the peer send the intermediates.',
  'untrusted-root':
    'The chain ends in a self-signed certificate that is not in ca; add it to ca if it is to be trusted.',
  'chain-too-long': 'The chain holds more certificates than are followed; use a shorter hierarchy.',
  'not-yet-valid': 'The certificate is not valid yet; check the clock on both sides, or wait for its start date.',
  expired: 'The certificate has expired; renew it, or check the clock on both sides.',
  'not-a-ca':
    'A certificate in the issuer’s place may not issue certificates; issuers need basicConstraints CA:TRUE and, where keyUsage is present, keyCertSign.',
  'path-length-exceeded':
    'A CA’s pathLenConstraint allows fewer CAs below it than the chain has; issue that CA certificate with a larger value.',
  'wrong-purpose':
    'Key usage or extended key usage does not allow this role; servers need serverAuth, clients clientAuth, and so do CAs that list purposes.',
  'name-constraint-violated':
    'A name in the certificate lies outside what a CA above it may issue; change the name or the CA’s name constraints.',
  'name-constraint-unsupported':
    'A CA’s name constraints are malformed or of a kind that cannot be checked against a name in the certificate; issue the CA without them.',
  'policy-violated':
    'The certificate policies along the chain leave none that is acceptable; issue the certificates under a common policy.',
  'crl-missing':
    'The crl-verify file holds no list from the issuer of this certificate; add a current CRL of every CA in the chain.',
  'crl-expired': 'The issuer’s CRL is past its nextUpdate; generate and install a fresh one.',
  'crl-not-yet-valid': 'The issuer’s CRL starts in the future; check the clock of this host and of the CA.',
  'crl-unusable':
    'The issuer’s CRL cannot be used: bad signature, an issuer without cRLSign, an unknown critical extension or a scope that does not cover the certificate.',
  revoked: 'The certificate was revoked by its issuer; issue a new one to its holder if that was a mistake.',
  'key-usage-missing':
    'The certificate has no keyUsage extension, or not the bits that remote-cert-ku asks for; issue it with the right keyUsage.',
  'extended-key-usage-missing':
    'The certificate lacks the extended key usage that remote-cert-tls or remote-cert-eku asks for; issue it with that usage.',
  'ns-cert-type-mismatch':
    'The certificate lacks the nsCertType that ns-cert-type asks for; better use remote-cert-tls and extended key usage.',
  'name-mismatch':
    'The certificate’s name is not what verify-x509-name asks for; correct the option or connect to the right host.',
  'username-missing':
    'The certificate lacks the field that x509-username-field names, or it is empty, too long or not text; issue it with that field.',
  'fingerprint-mismatch':
    'The certificate’s SHA-256 fingerprint is not one of peer-fingerprint; add it there if this peer is to be trusted.',
  'issuer-hash-mismatch':
    'The fingerprint of the certificate that issued the leaf is not one of verify-hash; correct the option or use peer-fingerprint.',
} as const satisfies Record<string, string>

/** Every reason for refusing a certificate. */
export type CertificateProblem = keyof typeof CERTIFICATE_ADVICE

/** All problems, for tests and tables. */
export const CERTIFICATE_PROBLEMS = Object.keys(CERTIFICATE_ADVICE) as readonly CertificateProblem[]
