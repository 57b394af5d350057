/**
 * Reads a profile from disk with every file that it names, includes of includes too.
 */
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { inspectProfile, type Inspection } from '../profile/index.ts'

/** Largest file that is read for a profile. */
const MAX_FILE = 4 * 1024 * 1024

/**
 * Reads and inspects the profile at `path`. Files that are missing or too large are left out: the inspection then names them.
 *
 * @throws Error when the profile itself can't be read.
 */
export function inspectProfileFile(path: string): Inspection {
  const text = new Uint8Array(readFileSync(path))
  const files = new Map<string, Uint8Array>()
  // Each round may read an include that names more files; the include depth of the language bounds the rounds.
  for (;;) {
    const inspection = inspectProfile(text, files, { file: path })
    const found = inspection.profile.missingFiles
      .filter((reference) => !files.has(reference.path))
      .map((reference) => [reference.path, readNamed(path, reference.path)] as const)
      .filter((pair): pair is readonly [string, Uint8Array] => pair[1] !== undefined)
    if (found.length === 0) return inspection
    for (const [name, content] of found) files.set(name, content)
  }
}

/** A file named by the profile: as given, else relative to the working directory of the profile. */
function readNamed(profile: string, name: string): Uint8Array | undefined {
  for (const path of [resolve(name), resolve(dirname(profile), name)]) {
    try {
      if (statSync(path).isFile() && statSync(path).size <= MAX_FILE) return new Uint8Array(readFileSync(path))
    } catch {
      // Not there: the next place, or missing.
    }
  }
  return undefined
}
