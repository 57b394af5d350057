/**
 * What a profile asks for and this library can't do. PROF-18
 *
 * These findings are about this library alone; no release of the reference is asked.
 */
import { hashByName } from '../../crypto/index.ts'
import { cipherByName } from '../../control/index.ts'
import { parseTlsCipher, parseTlsCiphersuites, parseTlsGroups } from '../../tls/index.ts'
import { one, type Rule } from './rule.ts'

/** Rules about this library’s limits. */
export const supportRules: readonly Rule[] = [
  {
    code: 'unsupported',
    directive: 'cipher',
    own: 'error',
    refusedBy: undefined,
    message: 'this library does not have the cipher',
    remedy: 'use AES-GCM, CHACHA20-POLY1305 or AES-CBC',
    find: (view) => {
      const name = view.value('cipher')?.[0]
      // With negotiation `cipher` is only the last resort: the session can do without.
      if (name?.toLowerCase() === 'none') return []
      const matters = view.has('secret') || view.value('data-ciphers-fallback')?.[0] === name
      return matters && name !== undefined && cipherByName(name) === undefined ? one(view.entry('cipher')) : []
    },
  },
  {
    code: 'unsupported',
    directive: 'data-ciphers-fallback',
    own: 'error',
    refusedBy: undefined,
    message: 'this library does not have the cipher',
    remedy: 'use AES-GCM, CHACHA20-POLY1305 or AES-CBC',
    find: (view) => {
      const name = view.value('data-ciphers-fallback')?.[0]
      if (name?.toLowerCase() === 'none') return []
      return name !== undefined && cipherByName(name) === undefined ? one(view.entry('data-ciphers-fallback')) : []
    },
  },
  {
    code: 'unsupported',
    directive: 'data-ciphers',
    own: 'error',
    refusedBy: undefined,
    message: 'the list holds a cipher that this library does not have',
    remedy: 'take it out, or put "?" before it',
    find: (view) => {
      const names = view.value('data-ciphers')?.[0].split(':') ?? []
      const strange = names.filter(
        (name) => name !== 'DEFAULT' && !name.startsWith('?') && cipherByName(name) === undefined,
      )
      return strange.length > 0 ? one(view.entry('data-ciphers')) : []
    },
  },
  {
    code: 'unsupported',
    directive: 'auth',
    own: 'error',
    refusedBy: undefined,
    message: 'this library does not have the digest',
    remedy: 'use SHA1, SHA256, SHA384 or SHA512, the one the other end has',
    find: (view) => {
      const name = view.value('auth')?.[0]
      return name === undefined || name.toLowerCase() === 'none' || hashByName(name) !== undefined
        ? []
        : one(view.entry('auth'))
    },
  },
  {
    code: 'unsupported',
    directive: 'tls-version-max',
    own: 'error',
    refusedBy: undefined,
    message: 'this library speaks TLS 1.2 and 1.3',
    remedy: 'write "tls-version-max 1.2" or take it out',
    find: (view) =>
      /^1\.[01]$/.test(view.value('tls-version-max')?.[0] ?? '') ? one(view.entry('tls-version-max')) : [],
  },
  {
    code: 'unsupported',
    directive: 'tls-ciphersuites',
    own: 'error',
    refusedBy: undefined,
    message: 'none of the suites is one that this library has',
    remedy: 'name TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256 or TLS_CHACHA20_POLY1305_SHA256, or take it out',
    find: (view) => {
      const list = view.value('tls-ciphersuites')?.[0]
      return list === undefined || parseTlsCiphersuites(list).names.length > 0
        ? []
        : one(view.entry('tls-ciphersuites'))
    },
  },
  {
    code: 'unsupported',
    directive: 'tls-cipher',
    own: 'warning',
    refusedBy: undefined,
    message: 'it names no suite of TLS 1.2 that this library has',
    remedy: 'name suites such as TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384; this library’s own choice is used meanwhile',
    find: (view) => {
      const list = view.value('tls-cipher')?.[0]
      return list === undefined || parseTlsCipher(list).names.length > 0 ? [] : one(view.entry('tls-cipher'))
    },
  },
  {
    code: 'unsupported',
    directive: 'tls-groups',
    own: 'error',
    refusedBy: undefined,
    message: 'none of the groups is one that this library has',
    remedy: 'name X25519, secp256r1, secp384r1 or secp521r1, or take it out',
    find: (view) => {
      const list = view.value('tls-groups')?.[0]
      return list === undefined || parseTlsGroups(list).names.length > 0 ? [] : one(view.entry('tls-groups'))
    },
  },
]
