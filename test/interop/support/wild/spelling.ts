/**
 * One configuration, written in the many ways that people and programs write it: inline or in files, quoted or not, with
 * dashes, comments, Windows line ends. What it means stays the same.
 */
import type { SeededRandom } from '../../../support/random.ts'

/** A directive: its name and arguments; or one whose first argument is a file. */
export interface Line {
  readonly words: readonly string[]
  /** Content of the file that is the first argument. */
  readonly content?: string | Uint8Array
  /** The reference takes the content inline, too. */
  readonly inline?: boolean
  /** Stays out of `setenv opt` and keeps its place relative to others. */
  readonly plain?: boolean
}

/** A configuration as text, with the files it names by their paths relative to the configuration's folder. */
export interface Spelled {
  readonly text: string
  readonly files: ReadonlyMap<string, string | Uint8Array>
}

/** A directive of a text such as `tls-auth ta.key 1`. */
export const line = (text: string): Line => ({ words: text.split(' ') })

/** A directive whose file may also stand inline. */
export const fileLine = (name: string, content: string | Uint8Array, ...more: readonly string[]): Line => ({
  words: [name, ...more],
  content,
  inline: true,
})

/** A directive whose file cannot stand inline. */
export const pathLine = (name: string, content: string | Uint8Array, ...more: readonly string[]): Line => ({
  words: [name, ...more],
  content,
})

/** A block of lines, such as `<connection>`. */
export interface Block {
  readonly block: string
  readonly lines: readonly Line[]
}

const isPlainWord = (word: string): boolean => /^[\w.:/+=,?-]+$/.test(word) && !word.startsWith('--')

function quoted(random: SeededRandom, word: string): string {
  const double = `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
  if (isPlainWord(word)) return random.chance(0.1) ? double : random.chance(0.05) ? `'${word}'` : word
  return !word.includes("'") && random.chance(0.3) ? `'${word}'` : double
}

/** How loosely a configuration is written. */
export interface Looseness {
  /** Chance that a file stands inline. */
  readonly inline: number
  /** Dashes, tabs, comments, quotes. */
  readonly loose: boolean
  readonly lineEnd: string
  readonly byteOrderMark: boolean
  /** Where files are: a folder relative to the configuration, or `''` for beside it. */
  readonly folder: string
}

/** Draws a looseness: a third of all configurations are as tidy as can be. */
export function drawLooseness(random: SeededRandom): Looseness {
  if (random.chance(0.33)) {
    return { inline: random.pick([0, 1]), loose: false, lineEnd: '\n', byteOrderMark: false, folder: '' }
  }
  return {
    inline: random.float(),
    loose: true,
    lineEnd: random.chance(0.25) ? '\r\n' : '\n',
    byteOrderMark: random.chance(0.15),
    folder: random.pick(['', '', 'keys', './k', 'with space', 'a/../a']),
  }
}

/** Writes the lines, in their order. */
export function spell(
  random: SeededRandom,
  lines: readonly (Line | Block)[],
  { byteOrderMark, folder, inline, lineEnd, loose }: Looseness,
): Spelled {
  const files = new Map<string, string | Uint8Array>()
  const out: string[] = []
  const directive = (words: readonly string[], plain: boolean): string => {
    const write = (word: string): string => (loose ? quoted(random, word) : isPlainWord(word) ? word : `"${word}"`)
    const written = words.map((word, index) => (index === 0 ? word : write(word)))
    if (!loose) return written.join(' ')
    if (plain) return written.join(' ')
    const dashes = random.chance(0.08) ? '--' : ''
    const gap = random.chance(0.1) ? random.pick(['  ', '\t', ' \t ']) : ' '
    const indent = random.chance(0.1) ? random.pick([' ', '\t']) : ''
    const tail = random.chance(0.08) ? random.pick([' # why', ' ; why', '   ', '\t']) : ''
    const optional = random.chance(0.05) && dashes === '' ? 'setenv opt ' : ''
    return `${indent}${optional}${dashes}${written.join(gap)}${tail}`
  }
  const write = (item: Line | Block, isInside = false): void => {
    if (loose && !isInside && random.chance(0.05)) out.push(random.pick(['', '# a comment', '; another', '  ', '#']))
    if ('block' in item) {
      out.push(`<${item.block}>`)
      for (const inner of item.lines) write(inner, true)
      out.push(`</${item.block}>`)
      return
    }
    const [name = '', ...rest] = item.words
    const { content } = item
    if (content === undefined) {
      out.push(directive(item.words, item.plain === true))
      return
    }
    const body = typeof content === 'string' ? content : wrapped(content)
    const direction = name === 'tls-auth' || name === 'secret' ? rest[0] : undefined
    if (item.inline === true && random.chance(inline) && (rest.length === 0 || direction !== undefined)) {
      if (direction !== undefined) out.push(`key-direction ${direction}`)
      out.push(`<${name}>`, ...body.trimEnd().split('\n'), `</${name}>`)
      return
    }
    const path = `${folder}${folder === '' ? '' : '/'}${name}-${files.size}.${random.pick(['pem', 'key', 'txt'])}`
    files.set(path, content)
    out.push(directive([name, path, ...rest], true))
  }
  for (const item of lines) write(item)
  const text = out.join(lineEnd) + (loose && random.chance(0.3) ? '' : lineEnd)
  return { text: (byteOrderMark ? '\u{feff}' : '') + text, files }
}

/** Base64 of a bundle as it stands inline. */
function wrapped(content: Uint8Array): string {
  return Buffer.from(content).toString('base64').replace(/.{64}/g, '$&\n')
}
