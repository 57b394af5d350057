/**
 * Reads a profile from disk with every file that it names, includes of includes too.
 */
import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type HostPathKind, hostPaths, inspectProfile, type Inspection, type Profile } from '../profile/index.ts'

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
    const found = inspection.profile.missingFiles.flatMap(({ path: name, isDirectory }) => {
      if (isDirectory) return (listRevoked(path, name) ?? []).map((inside) => [`${name}/${inside}`, NOTHING] as const)
      const content = readNamed(path, name)
      return content === undefined ? [] : [[name, content] as const]
    })
    const fresh = found.filter(([name]) => !files.has(name))
    if (fresh.length === 0) return inspection
    for (const [name, content] of fresh) files.set(name, content)
  }
}

/** Those of a profile's `hostPaths` that are not on this machine. */
export function absentPaths(path: string, profile: Profile): ReadonlySet<string> {
  const absent = hostPaths(profile).filter(({ path: name, kind }) => {
    const places = [resolve(name), resolve(dirname(path), name)]
    return !places.some((place) => isThere(kind === 'place' ? dirname(place) : place, ACCESS[kind]))
  })
  return new Set(absent.map(({ path: name }) => name))
}

const ACCESS: Readonly<Record<HostPathKind, number>> = {
  program: constants.X_OK,
  directory: constants.X_OK,
  place: constants.W_OK,
  file: constants.R_OK,
}

function isThere(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

const NOTHING = new Uint8Array(0)

/** The serial numbers that a directory of `crl-verify` lists, and the empty name of the directory itself. */
function listRevoked(profile: string, name: string): readonly string[] | undefined {
  for (const path of [resolve(name), resolve(dirname(profile), name)]) {
    try {
      return ['', ...readdirSync(path).filter((inside) => /^\d+$/.test(inside))]
    } catch {
      // Not there: the next place, or missing.
    }
  }
  return undefined
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
