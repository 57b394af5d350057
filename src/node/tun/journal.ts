/**
 * What was changed on this system and how it is undone, on disk before it is done: a process that is killed leaves its
 * journal, and the next one that starts undoes what is in it (NODE-10).
 *
 * One file per process that changed something, in a directory that only its owner can write to. A journal belongs to a
 * network namespace and to a process, named by pid and start time, so neither a reused pid nor a neighbour namespace is
 * taken for it. Refuses directories and files that somebody else could have written: their commands would run as root.
 */
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One way back. */
export interface Undo {
  /** Program and arguments. */
  readonly command: readonly string[]
  /** It is needed even when the tunnel's device is gone. */
  readonly outlives: boolean
}

/** What a journal holds. */
interface Content {
  readonly pid: number
  /** Start of the process, in the kernel's ticks. */
  readonly started: string
  readonly device: string
  readonly inherited: boolean
  /** In the order it was done. */
  readonly undo: readonly Undo[]
}

/** The only programs a journal may name. */
const PROGRAMS: ReadonlySet<string> = new Set(['ip', 'resolvconf', 'resolvectl'])

/** Where journals lie: `/run` for root, else the user's own corner of the temporary directory. */
export function journalDirectory(): string {
  const uid = process.getuid?.() ?? 0
  return uid === 0 ? '/run/ovpn-core' : join(tmpdir(), `ovpn-core-${uid}`)
}

/** The journal of this process for one device. */
export class Journal {
  readonly #path: string
  readonly #content: Omit<Content, 'undo'>
  #undo: readonly Undo[] = []

  /** @throws Error when the directory cannot be used. */
  constructor(device: string, inherited: boolean, directory = journalDirectory()) {
    ensureDirectory(directory)
    this.#path = join(directory, `${networkNamespace()}-${process.pid}-${device}.json`)
    this.#content = { pid: process.pid, started: startOf(process.pid) ?? '', device, inherited }
  }

  /** What is to be undone, the newest last. */
  get undo(): readonly Undo[] {
    return this.#undo
  }

  /** Notes a way back, before the change is made. */
  note(...undo: readonly Undo[]): void {
    this.#set([...this.#undo, ...undo])
  }

  /** Strikes out what turned out not to have happened, or was undone. */
  strike(undo: Undo): void {
    this.#set(this.#undo.filter((entry) => entry !== undo))
  }

  /** Nothing is left to undo. */
  close(): void {
    this.#undo = []
    rmSync(this.#path, { force: true })
  }

  #set(undo: readonly Undo[]): void {
    this.#undo = undo
    writeFileSync(`${this.#path}.new`, JSON.stringify({ ...this.#content, undo }), { mode: 0o600 })
    renameSync(`${this.#path}.new`, this.#path)
  }
}

/** A journal whose process is gone. */
export interface Abandoned {
  readonly device: string
  /** What is to be run, in that order. */
  readonly commands: readonly (readonly string[])[]
  /** Strikes it out. */
  readonly done: () => void
}

/** The journals of processes that ended without undoing, in this network namespace. NODE-10 */
export function abandonedJournals(directory = journalDirectory()): readonly Abandoned[] {
  if (!isOwn(directory)) return []
  const prefix = `${networkNamespace()}-`
  const found: Abandoned[] = []
  for (const name of readdirSync(directory)) {
    if (!name.startsWith(prefix) || !name.endsWith('.json')) continue
    const path = join(directory, name)
    const content = readJournal(path)
    if (content === undefined || startOf(content.pid) === content.started) continue
    // What belongs to the device went with it, unless the device is somebody else's and still there.
    const deviceStays = content.inherited && exists(`/sys/class/net/${content.device}`)
    const undo = content.undo.filter(({ outlives }) => outlives || deviceStays)
    found.push({
      device: content.device,
      commands: undo.map(({ command }) => command).reverse(),
      done: () => rmSync(path, { force: true }),
    })
  }
  return found
}

function readJournal(path: string): Content | undefined {
  if (!isOwn(path)) return undefined
  try {
    const content = JSON.parse(readFileSync(path, 'utf8')) as Content
    const sound = content.undo.every(({ command }) => PROGRAMS.has(command[0] ?? ''))
    return sound && Number.isInteger(content.pid) ? content : undefined
  } catch {
    return undefined
  }
}

function ensureDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if (!isOwn(path)) throw new Error(`${path} belongs to somebody else or is writable by others`)
}

/** NODE-11: ours, and writable by nobody else; not a link. */
function isOwn(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined || stat.isSymbolicLink()) return false
  return stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** The namespace's number, as the kernel tells. */
function networkNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/net'))?.[0] ?? '0'
  } catch {
    return '0'
  }
}

/** Start of a process in ticks; undefined when there is none. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name may hold spaces and brackets: count behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
