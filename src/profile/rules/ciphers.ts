/**
 * Ciphers that a release takes by name and its OpenSSL does not have.
 *
 * 2.6 and later come with OpenSSL 3, which keeps Blowfish and its like in a legacy provider that is not loaded. A list with
 * such a cipher is refused, unless the name is marked as optional.
 */
import { isListedCipher, isUsableCipher, isUsableDigest } from '../openssl-names.ts'
import { reachesBefore, type Release } from '../release.ts'
import { ALWAYS, one, type Rule, type RuleView } from './rule.ts'

/** Names of the list that a release can't use and that are not marked as optional. */
function unusable(view: RuleView, release: Release): readonly string[] {
  const names = view.value('data-ciphers')?.[0].split(':') ?? []
  return names.filter((name) => {
    if (name === 'DEFAULT') return release < '2.7'
    // The mark came with 2.6.
    if (name.startsWith('?') && release >= '2.6') return false
    return name !== 'none' && !isListedCipher(name, release)
  })
}

/** One word of a directive that came later than the directive. */
function cameLater(directive: 'compress' | 'tls-cert-profile' | 'protocol-flags', word: string, until: Release): Rule {
  return {
    code: 'not-in-release',
    directive,
    own: undefined,
    refusedBy: { until },
    message: `"${word}" came later`,
    remedy: 'use another word, or a later release',
    find: (view) => (view.entry(directive)?.words.includes(word) === true ? one(view.entry(directive)) : []),
  }
}

/** Rules about ciphers and words that a release lacks. */
export const cipherRules: readonly Rule[] = [
  cameLater('compress', 'migrate', '2.5'),
  cameLater('tls-cert-profile', 'insecure', '2.5'),
  cameLater('protocol-flags', 'aead-epoch', '2.6'),
  {
    code: 'bad-argument',
    directive: 'data-ciphers',
    own: undefined,
    refusedBy: { since: '2.5' },
    message: 'the list holds a cipher that this release does not have',
    remedy: 'take it out, or put "?" before it',
    find: (view) => {
      const { release } = view
      // An equal peer of 2.5 does not look at the list.
      const looks = release === undefined || release >= '2.6' || view.pulls || view.isServer
      return release !== undefined && looks && unusable(view, release).length > 0 ? one(view.entry('data-ciphers')) : []
    },
  },
  {
    code: 'bad-argument',
    directive: 'data-ciphers-fallback',
    own: undefined,
    refusedBy: { since: '2.5' },
    message: 'this release does not have the cipher',
    remedy: 'name another one, or take it out',
    find: (view) => {
      const { release } = view
      const entry = view.lastCipher
      const name = entry?.words[0]
      if (name === undefined || release === undefined || name === 'none' || isUsableCipher(name, release)) return []
      // What was the default is let through where it is negotiated away.
      const wasDefault = entry?.name === 'cipher' && name === 'BF-CBC' && view.fallbackCipher === undefined
      return wasDefault ? [] : one(entry)
    },
  },
  {
    code: 'bad-argument',
    directive: 'auth',
    own: undefined,
    refusedBy: ALWAYS,
    message: 'this release does not have the digest by this name',
    remedy: 'write its plain name, such as SHA256',
    find: (view) => {
      const name = view.value('auth')?.[0]
      const lacks = name !== undefined && view.release !== undefined && !isUsableDigest(name, view.release)
      // Where the cipher authenticates by itself the digest is never loaded.
      const isAead = /-(GCM|POLY1305)$/i.test(view.lastCipher?.words[0] ?? '')
      return lacks && (!isAead || view.has('tls-auth')) ? one(view.entry('auth')) : []
    },
  },
  {
    code: 'conflict',
    directive: 'cipher',
    own: 'error',
    refusedBy: ALWAYS,
    message: 'under a static key only ciphers of the CBC kind work',
    remedy: 'write "cipher AES-256-CBC" on both ends',
    find: (view) => {
      const entry = view.fallbackCipher
      const streams = /-(GCM|CCM|OCB|OFB|CTR|CFB\d?|POLY1305)$/i.test(entry?.words[0] ?? '')
      return view.has('secret') && !view.usesTls && streams ? one(entry) : []
    },
  },
  {
    code: 'dependency',
    directive: 'cipher',
    own: 'error',
    refusedBy: { since: '2.6' },
    message: 'under a static key the cipher is BF-CBC where none is named, and there is no Blowfish any more',
    remedy: 'write "cipher AES-256-CBC" on both ends',
    find: (view) => (view.usesTls || view.fallbackCipher !== undefined ? [] : one(view.entry('secret'))),
  },
  {
    code: 'bad-argument',
    directive: 'compat-mode',
    own: undefined,
    refusedBy: { since: '2.6' },
    message: 'the defaults of so old a release hold Blowfish, which this release does not have',
    remedy: 'write "compat-mode 2.4.0" or later, or name a cipher',
    find: (view) => {
      const cipher = view.value('cipher')?.[0]
      const stated = view.value('compat-mode')?.[0]
      const adds = reachesBefore(stated, '2.4') && cipher === undefined
      const keeps =
        reachesBefore(stated, '2.5') && cipher !== undefined && !isUsableCipher(cipher, '2.6') && cipher !== 'none'
      return adds || keeps ? one(view.entry('compat-mode')) : []
    },
  },
]
