/**
 * The text of one configuration file as a list of nodes that loses nothing.
 *
 * A document is blank and comment lines, directive lines and inline blocks, each with its raw text: joined, they are the
 * input again, byte for byte (PROF-8). A `connection` block holds a document of its own. Lines end at line feeds; carriage
 * returns are white space; a byte order mark before the first line is kept apart. Whether a directive exists is not asked
 * here. Keys and passwords can be anywhere in the text, so nodes keep it private: see `secret.ts`.
 */
import { utf8DecodeStrict, utf8Encode } from '../bytes/index.ts'
import { isSpace, type LexedLine, splitLine, type Word } from './lexer.ts'
import { SecretText } from './secret.ts'

/** A line without words: empty, white space or a comment. */
export class BlankNode {
  readonly type = 'blank'
  readonly line: number
  readonly #raw: string

  constructor(line: number, raw: string) {
    this.line = line
    this.#raw = raw
  }

  /** The line with its line end. */
  get raw(): string {
    return this.#raw
  }
}

/**
 * A line with words. The first is the directive's name as written, a leading `--` included. The line is taken apart when it
 * is asked for: a text of many lines is kept once, as text.
 */
export class DirectiveNode {
  readonly type = 'directive'
  readonly line: number
  readonly #raw: string

  constructor(line: number, raw: string) {
    this.line = line
    this.#raw = raw
  }

  /** The line's words and what is wrong with them, taken apart anew. */
  lex(): LexedLine {
    return splitLine(this.#raw)
  }

  get words(): readonly Word[] {
    return this.lex().words
  }

  get raw(): string {
    return this.#raw
  }
}

/** `<name>`, lines, `</name>`. */
export class BlockNode {
  readonly type = 'block'
  readonly line: number
  /** 1-based column of the opening tag. */
  readonly column: number
  /** What stands between the angle brackets. */
  readonly name: string
  /** False when the text ended before the closing tag. */
  readonly terminated: boolean
  /** Everything between the two tag lines. */
  readonly content: SecretText
  /** The parsed content of a `connection` block that lies in no other. */
  readonly children: readonly DocumentNode[] | undefined
  readonly #open: string
  readonly #close: string

  constructor(parts: {
    line: number
    column: number
    name: string
    open: string
    content: string
    close: string
    terminated: boolean
    children: readonly DocumentNode[] | undefined
  }) {
    this.line = parts.line
    this.column = parts.column
    this.name = parts.name
    this.terminated = parts.terminated
    this.content = new SecretText(parts.content)
    this.children = parts.children
    this.#open = parts.open
    this.#close = parts.close
  }

  get raw(): string {
    return this.#open + this.content.reveal() + this.#close
  }
}

/** One piece of a document. */
export type DocumentNode = BlankNode | DirectiveNode | BlockNode

/** One configuration file. */
export interface ProfileDocument {
  /** File name as the host gave it. */
  readonly file: string
  readonly byteOrderMark: boolean
  /** How the bytes were read: Latin-1 where they are not UTF-8. */
  readonly encoding: 'utf-8' | 'latin-1'
  /** False for what is no text at all, or none that can be read. */
  readonly isText: boolean
  readonly nodes: readonly DocumentNode[]
}

const BYTE_ORDER_MARK = '\ufeff'

/** Takes `source` apart. Bytes are read as UTF-8 and, where they are not, as Latin-1. Never throws. */
export function parseDocument(file: string, source: string | Uint8Array): ProfileDocument {
  const { text, encoding } = typeof source === 'string' ? { text: source, encoding: 'utf-8' as const } : decode(source)
  // PROF-6
  const byteOrderMark = text.startsWith(BYTE_ORDER_MARK)
  const nodes = parseNodes(byteOrderMark ? text.slice(1) : text, 1)
  return { file, byteOrderMark, encoding, isText: isText(text, encoding), nodes }
}

/** Of so many characters of a text one may be NUL by a slip. Compressed bytes, one in 256 of them NUL, are seldom UTF-8. */
const TEXT_PER_NUL = { 'utf-8': 20, 'latin-1': 1000 } as const

/** PROF-62 */
function isText(text: string, encoding: ProfileDocument['encoding']): boolean {
  let count = 0
  for (let at = text.indexOf('\0'); at >= 0; at = text.indexOf('\0', at + 1)) count++
  return count === 0 || count * TEXT_PER_NUL[encoding] < text.length
}

/** The exact text a document was made from, without the byte order mark. */
export function documentText(document: ProfileDocument): string {
  return document.nodes.map((node) => node.raw).join('')
}

/** The exact bytes a document was made from. */
export function documentBytes(document: ProfileDocument): Uint8Array {
  const text = (document.byteOrderMark ? BYTE_ORDER_MARK : '') + documentText(document)
  if (document.encoding === 'utf-8') return utf8Encode(text)
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

function decode(bytes: Uint8Array): { text: string; encoding: 'utf-8' | 'latin-1' } {
  const text = utf8DecodeStrict(bytes)
  if (text !== undefined) return { text, encoding: 'utf-8' }
  const parts: string[] = []
  for (let i = 0; i < bytes.length; i += 4096) parts.push(String.fromCharCode(...bytes.subarray(i, i + 4096)))
  return { text: parts.join(''), encoding: 'latin-1' }
}

/** Nodes of `text`, whose first line has number `firstLine`. Inside a connection there is none: blocks nest no deeper. */
function parseNodes(text: string, firstLine: number, inConnection = false): DocumentNode[] {
  const nodes: DocumentNode[] = []
  let at = 0
  let line = firstLine
  while (at < text.length) {
    const end = lineEnd(text, at)
    const raw = text.slice(at, end)
    const plain = startsPlainly(raw)
    const lexed = plain ? undefined : splitLine(raw)
    const tag = lexed === undefined ? undefined : blockName(lexed)
    if (lexed !== undefined && tag !== undefined) {
      const block = readBlock(text, at, end, line, lexed.words[0] as Word, tag, inConnection)
      nodes.push(block.node)
      at = block.end
      line += block.lines
      continue
    }
    const blank = lexed !== undefined && lexed.words.length === 0 && lexed.fault === undefined
    nodes.push(blank ? new BlankNode(line, raw) : new DirectiveNode(line, raw))
    at = end
    line++
  }
  return nodes
}

/** True for a line that starts with an ordinary character: it has words, and the first of them is no tag. */
function startsPlainly(line: string): boolean {
  let at = 0
  while (isSpace(line.charCodeAt(at))) at++
  return at < line.length && !'<"\'\\#;\0'.includes(line.charAt(at))
}

/** Index after the line feed of the line at `start`, or the end of the text. */
function lineEnd(text: string, start: number): number {
  const feed = text.indexOf('\n', start)
  return feed < 0 ? text.length : feed + 1
}

/** What a line opens: its only word stands in angle brackets and is no closing tag. */
function blockName(lexed: LexedLine): string | undefined {
  const word = lexed.words.length === 1 && lexed.fault === undefined ? lexed.words[0]?.text : undefined
  if (word === undefined || word.length < 3 || !word.startsWith('<') || !word.endsWith('>')) return undefined
  return word.startsWith('</') ? undefined : word.slice(1, -1)
}

/** Reads the block whose opening tag is the line `[start, end)`. PROF-7 */
function readBlock(
  text: string,
  start: number,
  end: number,
  line: number,
  tag: Word,
  name: string,
  inConnection: boolean,
): { node: BlockNode; end: number; lines: number } {
  const closeTag = `</${name}>`
  let lines = 1
  let at = end
  let closeEnd = -1
  while (at < text.length) {
    const next = lineEnd(text, at)
    lines++
    let first = at
    while (first < next && isSpace(text.charCodeAt(first))) first++
    if (first < next && text.startsWith(closeTag, first)) {
      closeEnd = next
      break
    }
    at = next
  }
  const terminated = closeEnd >= 0
  const content = text.slice(end, at)
  const node = new BlockNode({
    line,
    column: tag.column,
    name,
    open: text.slice(start, end),
    content,
    close: terminated ? text.slice(at, closeEnd) : '',
    terminated,
    children: name === 'connection' && !inConnection ? parseNodes(content, line + 1, true) : undefined,
  })
  return { node, end: terminated ? closeEnd : text.length, lines }
}
