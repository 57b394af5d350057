/**
 * Documents into entries: the pass that knows the directive table.
 *
 * It follows includes, opens connection blocks, resolves `setenv opt` and `ignore-unknown-option`, checks the number and
 * the kind of every directive's words, and collects what is wrong. What releases differ in is left to `lint.ts`: here a
 * directive is good when one release from 2.4 to 2.7 takes it. The work is linear in the text read: includes are bounded
 * in depth and in total size (PROF-12).
 */
import type { Directive } from './directive.ts'
import { brokenTag, closingLines, nextOf } from './broken-tags.ts'
import {
  type BlockNode,
  type DirectiveNode,
  type DocumentNode,
  parseDocument,
  type ProfileDocument,
} from './document.ts'
import { Entry, isForwardCompatible, type Place } from './entry.ts'
import type { LexFault, Word } from './lexer.ts'
import { directoryOf, resolvePath } from './paths.ts'
import { misplaced, type ProfileContext } from './placement.ts'
import { ProblemList } from './problem-list.ts'
import { FAULTS, looksLikeName, NOT_TEXT, readWords, shown, type WordReport } from './read-words.ts'
import type { ConnectionBlock, FileReference, ReadResult } from './read-result.ts'
import type { ProfileFiles } from './source.ts'
import { nearestDirective, vendorDirective } from './spelling.ts'
import { directiveRow, isDirectiveName } from './table.ts'

/** How deep `config` may nest. */
export const MAX_INCLUDE_DEPTH = 10
/** Most UTF-16 units of all included files together. */
export const MAX_INCLUDED_TEXT = 4 * 1024 * 1024

/** Marks the content of a file argument as standing in an inline block. */
const INLINE_MARKERS = new Set(['[inline]', '[[INLINE]]'])

/** Reads a document and what it includes. Never throws. */
export function readDocument(
  document: ProfileDocument,
  files: ProfileFiles | undefined,
  context: ProfileContext,
): ReadResult {
  const reader = new ProfileReader(files, context)
  reader.read(document, 1)
  return reader.result()
}

/** One directive on its way through the reader. */
interface Line {
  readonly place: Place
  readonly words: readonly Word[]
  readonly block: BlockNode | undefined
  readonly optional: boolean
  readonly depth: number
}

class ProfileReader {
  readonly #files: ProfileFiles | undefined
  readonly #context: ProfileContext
  readonly #entries: Entry[] = []
  readonly #blocks: ConnectionBlock[] = []
  readonly #documents: ProfileDocument[] = []
  readonly #problems = new ProblemList()
  readonly #missing: FileReference[] = []
  readonly #ignorable = new Set<string>()
  readonly #inlineNames = new Set<string>()
  #forwardCompatible = false
  #included = 0
  #unknown = 0
  /** A closing tag without a block: single words around it may be what the block held. */
  #looseText = false
  #connection: number | undefined
  #directory = ''
  #directories: ReadonlySet<string> | undefined
  #changedDirectory = false

  constructor(files: ProfileFiles | undefined, context: ProfileContext) {
    this.#files = files
    this.#context = context
  }

  result(): ReadResult {
    // `cd` moves what stands before it, too: files are opened once everything is read.
    const last = new Map<string, Entry>()
    const scope = ({ name, connection }: Entry): string => `${name} ${connection ?? ''}`
    for (const entry of this.#entries) last.set(scope(entry), entry)
    // A line that another one replaces names no file that is opened.
    for (const entry of this.#entries)
      if (entry.row.repeats === true || last.get(scope(entry)) === entry) this.#noteFiles(entry)
    return {
      entries: this.#entries,
      directory: this.#changedDirectory ? this.#directory : undefined,
      blocks: this.#blocks,
      documents: this.#documents,
      problems: this.#problems.finish(),
      missing: this.#missing,
      ignorable: this.#ignorable,
    }
  }

  /** Reads all of a file. `depth` counts the files it lies in, itself included. */
  read(document: ProfileDocument, depth: number): void {
    this.#documents.push(document)
    if (!document.isText) {
      this.#problems.report('not-text', 'error', { file: document.file, line: 1, column: 1 }, '', ...NOT_TEXT)
      return
    }
    const outer = this.#directory
    if (!this.#changedDirectory) this.#directory = directoryOf(document.file)
    for (const node of document.nodes) {
      if (node.type === 'block') this.#inlineNames.add(node.name)
      else if (node.type === 'directive' && node.raw.trimStart().startsWith('</')) this.#looseText = true
    }
    this.#readNodes(document.nodes, document.file, depth)
    if (!this.#changedDirectory) this.#directory = outer
  }

  #readNodes(nodes: readonly DocumentNode[], file: string, depth: number): void {
    const closings = closingLines(nodes)
    for (let at = 0; at < nodes.length; at++) {
      const node = nodes[at]
      const broken = node?.type === 'directive' && closings.size > 0 ? brokenTag(node) : undefined
      const end = broken === undefined ? undefined : nextOf(closings.get(broken), at)
      if (node?.type === 'directive' && broken !== undefined && end !== undefined) {
        const place = { file, line: node.line, column: node.words[0]?.column ?? 1 }
        const remedy = `write <${broken}> alone on its line`
        this.#problems.report(
          'broken-tag',
          'error',
          place,
          broken,
          'the tag that opens a block lacks a bracket',
          remedy,
        )
        at = end
      } else if (node?.type === 'directive') this.#readDirective(node, file, depth)
      else if (node?.type === 'block') this.#readBlock(node, file, depth)
    }
  }

  #readDirective(node: DirectiveNode, file: string, depth: number): void {
    const { words, fault, faultColumn } = node.lex()
    const first = words[0]
    const place = { file, line: node.line, column: first?.column ?? faultColumn }
    if (fault !== undefined) {
      this.#reportFault(fault, { ...place, column: faultColumn }, first?.text ?? '')
      // What stands in the first sixteen words is read all the same, as the reference does.
      if (fault !== 'too-many-words') return
    }
    this.#readLine({ place, words, block: undefined, optional: false, depth })
  }

  #readBlock(node: BlockNode, file: string, depth: number): void {
    const place = { file, line: node.line, column: node.column }
    const name = node.name
    if (name === 'connection' && this.#connection !== undefined) {
      const remedy = 'close the outer one first'
      this.#problems.report('nested-connection', 'error', place, name, 'a connection block lies inside another', remedy)
      return
    }
    if (!node.terminated) {
      this.#problems.report(
        'unterminated-block',
        'error',
        place,
        name,
        'the block has no closing tag',
        `close it with a line </${shown(name)}>`,
      )
      // Everything up to the end of the text went into the block: a connection's lines are still worth reading.
      if (node.children === undefined) return
    }
    if (name === 'connection') {
      this.#readConnection(node.children ?? [], place, depth)
      return
    }
    this.#readLine({ place, words: [{ text: name, column: node.column }], block: node, optional: false, depth })
  }

  /** PROF-13 */
  #readConnection(children: readonly DocumentNode[], place: Place, depth: number): void {
    if (this.#context === 'per-client') {
      this.#problems.report(
        'connection-directive',
        'error',
        place,
        'connection',
        'a file for one client has no connections',
        'take the block out',
      )
      return
    }
    this.#connection = this.#blocks.length
    this.#blocks.push({ place, entriesBefore: this.#entries.length })
    this.#readNodes(children, place.file, depth)
    this.#connection = undefined
  }

  #readLine(line: Line): void {
    const written = line.words[0]?.text ?? ''
    const name = written.startsWith('--') && written.length >= 3 ? written.slice(2) : written
    if (name === 'setenv' && line.words[1]?.text === 'opt' && line.block === undefined) {
      // PROF-14
      const words = line.words.slice(2)
      if (words.length > 0) this.#readLine({ ...line, words, optional: true })
      return
    }
    const row = directiveRow(name)
    if (row === undefined || !isDirectiveName(name)) {
      this.#unknownDirective(name, line)
      return
    }
    if (line.block !== undefined && row.inline === undefined) {
      this.#problems.report(
        'block-not-allowed',
        'error',
        line.place,
        name,
        'this directive takes no inline block',
        `write it on one line`,
      )
      return
    }
    if (!this.#fitsContext(name, row, line)) return
    const words = line.words.slice(1)
    const report: WordReport = (column, code, severity, message, remedy) => {
      this.#problems.report(
        code,
        severity,
        { ...line.place, column: column ?? line.place.column },
        name,
        message,
        remedy,
      )
    }
    const values = line.block === undefined ? readWords(row, words, report) : []
    const entry = new Entry({
      index: this.#entries.length,
      name,
      row,
      place: line.place,
      words: words.map((word) => word.text),
      columns: words.map((word) => word.column),
      values,
      content: line.block?.content,
      connection: this.#connection,
      optional: line.optional || this.#forwardCompatible,
      behindSetenvOpt: line.optional,
      directory: this.#directory,
    })
    this.#steer(entry, line)
    this.#entries.push(entry)
  }

  /** Directives that change how the rest is read. */
  #steer(entry: Entry, line: Line): void {
    if (entry.name === 'ignore-unknown-option') for (const word of entry.words) this.#ignorable.add(word)
    if (isForwardCompatible(entry)) {
      this.#forwardCompatible = true
    }
    if (entry.name === 'cd' && entry.words[0] !== undefined) {
      this.#directory = resolvePath(this.#directory, entry.words[0])
      this.#changedDirectory = true
    }
    if (entry.name === 'config' && entry.words[0] !== undefined) this.#include(entry, entry.words[0], line.depth)
  }

  /** PROF-12 */
  #include(entry: Entry, name: string, depth: number): void {
    const path = resolvePath(this.#directory, name)
    if (depth >= MAX_INCLUDE_DEPTH) {
      this.#problems.report(
        'include-depth',
        'error',
        entry.place,
        'config',
        `files include each other more than ${MAX_INCLUDE_DEPTH} deep`,
        'take the circle out',
      )
      return
    }
    const source = this.#files?.get(path)
    if (source === undefined) {
      this.#missingFile(path, entry)
      return
    }
    this.#included += source.length
    if (this.#included > MAX_INCLUDED_TEXT) {
      this.#problems.report(
        'include-limit',
        'error',
        entry.place,
        'config',
        `more than ${MAX_INCLUDED_TEXT} characters are included`,
        'include each file once',
      )
      return
    }
    this.read(parseDocument(path, source), depth + 1)
  }

  /** Looks whether the files an entry names were supplied. */
  #noteFiles(entry: Entry): void {
    for (const [index, argument] of entry.row.arguments.entries()) {
      const word = entry.words[index]
      if (argument.file !== 'content' || word === undefined || word === '' || word === 'stdin') continue
      // PROF-55: in place of a file `http-proxy` may say how to log in.
      if (entry.name.startsWith('http-proxy') && /^auto(-nct)?$/.test(word)) continue
      if (entry.name === 'dh' && word === 'none') continue
      if (INLINE_MARKERS.has(word) && this.#inlineNames.has(entry.name)) continue
      const path = resolvePath(this.#changedDirectory ? this.#directory : entry.directory, word)
      if (entry.name === 'crl-verify' && entry.words[1] === 'dir') {
        if (!this.#hasDirectory(path)) this.#missingFile(path, entry, false, true)
      } else if (this.#files?.has(path) !== true) this.#missingFile(path, entry, argument.secret)
    }
  }

  /** The directory of the main file is there; any other when a file in it was supplied. */
  #hasDirectory(path: string): boolean {
    this.#directories ??= new Set([...(this.#files?.keys() ?? [])].map(directoryOf))
    return path === '' || this.#directories.has(path)
  }

  #missingFile(path: string, entry: Entry, secret = false, isDirectory = false): void {
    this.#missing.push({ path, isDirectory, directive: entry.name, place: entry.place })
    // Without a map of files nothing can be said about them.
    if (this.#files === undefined) return
    const severity = entry.row.status === 'supported' ? 'error' : entry.row.status === 'ignored' ? 'note' : 'warning'
    this.#problems.report(
      'file-missing',
      severity,
      entry.place,
      entry.name,
      secret ? 'there is no such file' : `there is no ${isDirectory ? 'directory' : 'file'} "${shown(path)}"`,
      isDirectory
        ? 'make it, or name a list of revoked certificates'
        : 'put the file there, or its text into an inline block',
    )
  }

  #fitsContext(name: string, row: Directive, line: Line): boolean {
    const wrong = misplaced(name, row, this.#context, this.#connection !== undefined)
    if (wrong === undefined) return true
    this.#problems.report('connection-directive', 'error', line.place, name, wrong.message, wrong.remedy)
    return false
  }

  #unknownDirective(name: string, line: Line): void {
    const quiet = line.optional || this.#ignorable.has(name) || this.#forwardCompatible
    if (quiet) {
      this.#problems.report(
        'ignored',
        'note',
        line.place,
        name,
        'no release knows this directive',
        'nothing: the profile allows it to be unknown',
      )
      return
    }
    if (name.startsWith('<')) {
      this.#problems.report(
        'stray-close-tag',
        'error',
        line.place,
        name,
        'this tag closes nothing',
        'open the block, or take the line out',
      )
      return
    }
    // A line that is no directive may be key material or a password that lost its block: PROF-20.
    if (!looksLikeName(name) || (this.#looseText && line.words.length === 1)) {
      this.#problems.report(
        'unknown-directive',
        'error',
        line.place,
        '',
        'the line starts with no directive',
        'take it out, or put it into the block it belongs to',
      )
      return
    }
    const vendor = vendorDirective(name)
    // Looking for a similar name is work: it is done for the first few.
    const nearest = vendor === undefined && this.#unknown++ < 20 ? nearestDirective(name) : undefined
    const remedy =
      vendor ??
      (nearest === undefined ? 'take the line out, or put "setenv opt" before it' : `did you mean "${nearest}"`)
    this.#problems.report('unknown-directive', 'error', line.place, name, 'no release knows this directive', remedy)
  }

  #reportFault(fault: LexFault, place: Place, name: string): void {
    const [message, remedy] = FAULTS[fault]
    this.#problems.report(fault, fault === 'too-many-words' ? 'warning' : 'error', place, name, message, remedy)
  }
}
