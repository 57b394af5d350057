/**
 * What it takes to prove who one is and to judge who the other is: certificates, keys, logins, authorities. PROF-16
 */
import { ALWAYS, one, present, type Rule, type RuleView } from './rule.ts'

const hasCertificate = (view: RuleView): boolean => view.has('cert') || view.has('management-external-cert')
const hasKey = (view: RuleView): boolean => view.has('key') || view.has('management-external-key')
/** Certificate and key come together from somewhere. */
const hasBundle = (view: RuleView): boolean =>
  view.has('pkcs12') || view.has('pkcs11-providers') || (view.release === undefined && view.has('cryptoapicert'))

/** Rules about credentials that are missing. */
export const credentialRules: readonly Rule[] = [
  {
    code: 'dependency',
    directive: 'tls-client',
    own: 'error',
    refusedBy: undefined,
    message: 'nothing says how the peer is authenticated',
    remedy: 'add "client", "tls-client", "tls-server" or "server"',
    find: (view) => (view.usesTls || view.has('secret') ? [] : ['profile']),
  },
  {
    code: 'dependency',
    directive: 'ca',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'there is nothing to judge the peer’s certificate by',
    remedy: 'add "ca", or "peer-fingerprint" with the fingerprint of the peer’s certificate',
    find: (view) => {
      const judged = (['ca', 'capath', 'pkcs12', 'peer-fingerprint'] as const).some((name) => view.has(name))
      return view.usesTls && !judged ? ['profile'] : []
    },
  },
  {
    code: 'conflict',
    directive: 'verify-hash',
    own: 'error',
    refusedBy: { since: '2.6' },
    message: 'it can’t stand beside "peer-fingerprint"',
    remedy: 'keep "peer-fingerprint", which names the certificates that may be used',
    find: (view) => (view.has('peer-fingerprint') ? one(view.entry('verify-hash')) : []),
  },
  {
    code: 'dependency',
    directive: 'cert',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'certificate and key belong together',
    remedy: 'add the one that is missing, or take both out',
    find: (view) => {
      if (!view.usesTls || !view.pulls || hasBundle(view) || hasCertificate(view) === hasKey(view)) return []
      return present(view, ['cert', 'key', 'management-external-cert', 'management-external-key']).slice(0, 1)
    },
  },
  {
    code: 'dependency',
    directive: 'auth-user-pass',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'the client has neither a certificate nor a login',
    remedy: 'add "cert" and "key", "pkcs12", or "auth-user-pass"',
    find: (view) => {
      if (!view.usesTls || !view.pulls || hasBundle(view) || hasCertificate(view) || hasKey(view)) return []
      return view.has('auth-user-pass') ? [] : ['profile']
    },
  },
  {
    code: 'dependency',
    directive: 'cert',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'this end has no certificate',
    remedy: 'add "cert" and "key", or "pkcs12"',
    find: (view) => (view.usesTls && !view.pulls && !hasBundle(view) && !hasCertificate(view) ? ['profile'] : []),
  },
  {
    code: 'dependency',
    directive: 'key',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'this end’s certificate has no key',
    remedy: 'add "key"',
    find: (view) =>
      view.usesTls && !view.pulls && !hasBundle(view) && hasCertificate(view) && !hasKey(view) ? ['profile'] : [],
  },
  {
    code: 'dependency',
    directive: 'dh',
    own: undefined,
    refusedBy: { until: '2.6' },
    message: 'a TLS server of this release wants parameters for key agreement, or to be told that it needs none',
    remedy: 'add "dh none"',
    find: (view) => (view.isTlsServer && !view.has('dh') ? ['profile'] : []),
  },
  {
    code: 'dependency',
    directive: 'allow-deprecated-insecure-static-crypto',
    own: undefined,
    refusedBy: { since: '2.7' },
    message: 'a tunnel without TLS must be permitted by name',
    remedy: 'use TLS, or add "allow-deprecated-insecure-static-crypto"',
    find: (view) =>
      view.usesTls || view.has('allow-deprecated-insecure-static-crypto') ? [] : one(view.entry('secret') ?? 'profile'),
  },
  {
    code: 'dependency',
    directive: 'auth-gen-token',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'tokens are renewed with the keys, and keys never are',
    remedy: 'take out "reneg-sec 0"',
    find: (view) => (view.isServer && view.value('reneg-sec')?.[0] === 0 ? one(view.entry('auth-gen-token')) : []),
  },
  {
    code: 'dependency',
    directive: 'auth-gen-token',
    own: undefined,
    refusedBy: { since: '2.6' },
    message: 'tokens must live twice as long as a handshake may take before they are renewed',
    remedy:
      'raise the renewal time, or "reneg-sec" where there is none, to twice "hand-window" (60 seconds if not set)',
    find: (view) => {
      const stated = view.values('auth-gen-token').map(([, renewal]) => Number(renewal))
      const renewal = stated.filter((seconds) => seconds > 0).at(-1) ?? view.value('reneg-sec')?.[0] ?? 3600
      return renewal < 2 * (view.value('hand-window')?.[0] ?? 60) ? one(view.entry('auth-gen-token')) : []
    },
  },
  {
    code: 'bad-argument',
    directive: 'auth-gen-token',
    own: undefined,
    refusedBy: { since: '2.5', until: '2.5' },
    message: 'the renewal time came with 2.6',
    remedy: 'write the lifetime only, or "external-auth" behind it',
    find: (view) => view.profile.entriesOf('auth-gen-token').filter(({ words }) => /^\d/.test(words[1] ?? '')),
  },
  {
    code: 'dependency',
    directive: 'auth-user-pass',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'only a client that takes settings from its server can log in',
    remedy: 'write "client", or take it out',
    find: (view) => (view.pulls || view.isServer ? [] : one(view.entry('auth-user-pass'))),
  },
  {
    code: 'dependency',
    directive: 'pkcs11-id',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'nothing says which key on the token to use',
    remedy: 'add "pkcs11-id" or "pkcs11-id-management"',
    find: (view) =>
      view.has('pkcs11-id') || view.has('pkcs11-id-management') ? [] : one(view.entry('pkcs11-providers')),
  },
  {
    code: 'dependency',
    directive: 'crl-verify',
    own: undefined,
    refusedBy: undefined,
    message: 'without authorities nothing can be revoked',
    remedy: 'add "ca"',
    find: (view) => (view.has('ca') || view.has('capath') || view.has('pkcs12') ? [] : one(view.entry('crl-verify'))),
  },
]
