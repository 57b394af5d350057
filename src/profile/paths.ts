/**
 * File names inside a profile, as keys into the files a host supplies.
 *
 * A relative name is relative to the file it stands in, or to the directory that `cd` names (PROF-11). Names are joined and
 * normalised as text; nothing is looked up. Absolute names, also those with a drive letter, stay as they are.
 */

/** The directory part of a file name, without the last separator; empty for a bare name. */
export function directoryOf(file: string): string {
  const slash = Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\'))
  return slash < 0 ? '' : slash === 0 ? file.slice(0, 1) : file.slice(0, slash)
}

/** True for names that do not depend on a directory. */
export function isAbsolute(name: string): boolean {
  return /^([/\\]|[A-Za-z]:[/\\])/.test(name)
}

/** `name` seen from `directory`, with `.` and `..` taken out where the text allows it. */
export function resolvePath(directory: string, name: string): string {
  if (isAbsolute(name)) return name
  const rooted = directory.startsWith('/')
  const parts: string[] = []
  for (const part of `${directory}/${name}`.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (part !== '..' || !rooted) parts.push(part)
  }
  return (rooted ? '/' : '') + parts.join('/')
}
