/**
 * Explaining a tunnel: why it has its data cipher (what this end offered, what the other end chose, and how it said so), which
 * pushed options were refused and why, and in what both ends' options strings differ.
 */
import { DEFAULT_DATA_CIPHERS, type OptionsDifference, type PushRefusal } from '../../control/index.ts'
import type { Negotiated, SessionConfig } from '../../session/index.ts'

/** The story of a data cipher. */
export interface CipherStory {
  readonly cipher: string
  /** This end's list, most wanted first. */
  readonly offered: readonly string[]
  /**
   * `pushed`: the server chose from our list and pushed its choice. `common`: nothing was pushed and both ends came to it by
   * their lists or the peer's options string. `fallback`: the same with the cipher for peers that negotiate nothing.
   * `static-key`: configured at both ends.
   */
  readonly by: 'pushed' | 'common' | 'fallback' | 'static-key'
  /** One line for people. */
  readonly because: string
}

/** A pushed option that was not taken, in a line for people. */
export function explainRefusal({ option, text, reason, detail }: PushRefusal): string {
  const shown = text === '' ? option : text
  return `pushed option refused: ${shown} (${reason}${detail === '' ? '' : `: ${detail}`})`
}

/** A difference of both ends' options strings, in a line for people. */
export function explainDifference({ option, expected, actual, weight }: OptionsDifference): string {
  const side = (text: string | undefined): string => (text === undefined ? 'nothing' : `"${text}"`)
  const consequence = weight === 'harmless' ? 'harmless' : 'packets of one end may not be understood by the other'
  return `options differ in ${option}: the other end has ${side(actual)}, ours would be ${side(expected)} (${consequence})`
}

/** Explains what was negotiated. `pushed`: the push text, one entry per option, where there was one. */
export function explainCipher(
  config: SessionConfig,
  negotiated: Negotiated,
  pushed: readonly string[] | undefined,
): CipherStory {
  const cipher = negotiated.dataCipher
  const wanted: readonly string[] = config.dataCiphers ?? DEFAULT_DATA_CIPHERS
  const offered = wanted.flatMap((name): readonly string[] =>
    name === 'DEFAULT' ? DEFAULT_DATA_CIPHERS : [name.replace(/^\?/, '')],
  )
  const list = offered.join(':')
  if (config.mode === 'static-key') {
    return { cipher, offered: [cipher], by: 'static-key', because: `${cipher}: a static key has no negotiation` }
  }
  const choice = pushed?.find((option) => option.startsWith('cipher '))?.slice(7)
  if (choice !== undefined) {
    return {
      cipher,
      offered,
      by: 'pushed',
      because: `${cipher}: the server chose it from our list ${list} and pushed it`,
    }
  }
  if (negotiated.peerInfo['IV_CIPHERS'] === undefined && config.dataCiphersFallback === cipher) {
    return {
      cipher,
      offered,
      by: 'fallback',
      because: `${cipher}: the other end named no choice, so data-ciphers-fallback counts`,
    }
  }
  return {
    cipher,
    offered,
    by: 'common',
    because: `${cipher}: no choice was pushed; it is in our list ${list} and theirs`,
  }
}
