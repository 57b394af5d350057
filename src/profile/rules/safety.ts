/**
 * What works and makes a tunnel less safe, or is on its way out. PROF-17
 */
import { one, type Rule, type RuleView } from './rule.ts'

/** Ciphers with 64-bit blocks: birthday attacks need a few hours of traffic. */
const SMALL_BLOCKS = /^(BF|BLOWFISH|DES|DES-EDE|DES-EDE3|CAST5?|RC2(-40|-64)?|IDEA|SEED)-(CBC|CFB|OFB|CFB1|CFB8)$/i

/** Every word by which a profile names data ciphers. */
function cipherNames(view: RuleView): readonly string[] {
  const single = [view.value('cipher')?.[0], view.value('data-ciphers-fallback')?.[0]]
  const listed = view.value('data-ciphers')?.[0].split(':') ?? []
  return [...single, ...listed].filter((name) => name !== undefined)
}

/** What a client can check about who answers, beside the chain. */
const SERVER_CHECKS = [
  'remote-cert-tls',
  'remote-cert-eku',
  'remote-cert-ku',
  'ns-cert-type',
  'verify-x509-name',
  'peer-fingerprint',
  'verify-hash',
  'tls-verify',
] as const

/** Rules about safety. None of them keeps a profile from working. */
export const safetyRules: readonly Rule[] = [
  {
    code: 'dangerous',
    directive: 'remote-cert-tls',
    own: 'warning',
    refusedBy: undefined,
    message: 'any certificate of the same authority passes for the server, also another client’s',
    remedy: 'add "remote-cert-tls server", and "verify-x509-name" with the server’s name',
    find: (view) =>
      view.isTlsClient && view.pulls && !SERVER_CHECKS.some((name) => view.has(name)) ? ['profile'] : [],
  },
  {
    code: 'dangerous',
    directive: 'cipher',
    own: 'warning',
    refusedBy: undefined,
    message: 'ciphers with blocks of 64 bits are broken by traffic of a few hundred gigabytes (SWEET32)',
    remedy: 'use "data-ciphers AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305"',
    find: (view) =>
      cipherNames(view).some((name) => SMALL_BLOCKS.test(name.replace(/^\?/, '')))
        ? one(view.entry('data-ciphers-fallback') ?? view.entry('cipher') ?? view.entry('data-ciphers'))
        : [],
  },
  {
    code: 'dangerous',
    directive: 'cipher',
    own: 'warning',
    refusedBy: undefined,
    message: '"none" sends everything in the clear',
    remedy: 'name a cipher',
    find: (view) =>
      cipherNames(view).some((name) => name.toLowerCase() === 'none')
        ? one(view.entry('data-ciphers-fallback') ?? view.entry('cipher') ?? view.entry('data-ciphers'))
        : [],
  },
  {
    code: 'dangerous',
    directive: 'auth',
    own: 'warning',
    refusedBy: undefined,
    message: 'this digest is broken or absent',
    remedy: 'use "auth SHA256"',
    find: (view) => (/^(none|MD4|MD5|RSA-MD[45])$/i.test(view.value('auth')?.[0] ?? '') ? one(view.entry('auth')) : []),
  },
  {
    code: 'deprecated',
    directive: 'cipher',
    own: 'warning',
    refusedBy: undefined,
    message: 'it is not in "data-ciphers", so since 2.5 it is not negotiated',
    remedy: 'add it to "data-ciphers", or name it in "data-ciphers-fallback" for peers that do not negotiate',
    find: (view) => {
      const cipher = view.value('cipher')?.[0].toUpperCase()
      if (cipher === undefined || view.has('data-ciphers-fallback') || view.has('secret')) return []
      const list = view.value('data-ciphers')?.[0].toUpperCase() ?? 'DEFAULT'
      const names = list.replace('DEFAULT', 'AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305').split(/[:?]+/)
      return names.includes(cipher) || /^none$/i.test(cipher) ? [] : one(view.entry('cipher'))
    },
  },
  {
    code: 'dangerous',
    directive: 'duplicate-cn',
    own: 'warning',
    refusedBy: undefined,
    message: 'clients that share a certificate can not each have an address of their own',
    remedy: 'take out "duplicate-cn", or the addresses bound to names',
    find: (view) =>
      view.has('ifconfig-pool-persist') || view.has('client-config-dir') ? one(view.entry('duplicate-cn')) : [],
  },
  {
    code: 'dangerous',
    directive: 'verify-client-cert',
    own: 'warning',
    refusedBy: undefined,
    message: 'clients without a certificate are let in by their password alone',
    remedy: 'write "verify-client-cert require" where every client has a certificate',
    find: (view) => {
      const mode = view.value('verify-client-cert')?.[0]
      return mode === 'none' || mode === 'optional' ? one(view.entry('verify-client-cert')) : []
    },
  },
  {
    code: 'dangerous',
    directive: 'tls-version-min',
    own: 'warning',
    refusedBy: undefined,
    message: 'TLS before 1.2 has known weaknesses',
    remedy: 'write "tls-version-min 1.2"; this library speaks nothing older',
    find: (view) =>
      /^1\.[01]$/.test(view.value('tls-version-min')?.[0] ?? '') ? one(view.entry('tls-version-min')) : [],
  },
  {
    code: 'dangerous',
    directive: 'tls-cert-profile',
    own: 'warning',
    refusedBy: undefined,
    message: 'certificates of any weakness pass',
    remedy: 'write "tls-cert-profile preferred"',
    find: (view) => (view.value('tls-cert-profile')?.[0] === 'insecure' ? one(view.entry('tls-cert-profile')) : []),
  },
  {
    code: 'dangerous',
    directive: 'management',
    own: 'warning',
    refusedBy: undefined,
    message: 'who reaches that port controls the tunnel',
    remedy: 'add a password file, or use a Unix socket',
    find: (view) => {
      const [, port, passwords] = view.value('management') ?? []
      return port !== undefined && port !== 'unix' && passwords === undefined ? one(view.entry('management')) : []
    },
  },
  {
    code: 'dangerous',
    directive: 'script-security',
    own: 'warning',
    refusedBy: undefined,
    message: 'passwords are handed to scripts in the environment',
    remedy: 'write "script-security 2" and read passwords from a file',
    find: (view) => (view.value('script-security')?.[0] === 3 ? one(view.entry('script-security')) : []),
  },
  {
    code: 'deprecated',
    directive: 'topology',
    own: 'warning',
    refusedBy: undefined,
    message: 'net30 spends four addresses on each client and loses its pools in a coming release',
    remedy: 'write "topology subnet"',
    find: (view) => (view.isServer && view.value('topology')?.[0] === 'net30' ? one(view.entry('topology')) : []),
  },
]
