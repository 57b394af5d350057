/**
 * Compression that is asked for and forbidden at once. PROF-15
 *
 * The reference judges each line as it reads it, so the order counts: what `allow-compression no` meets must not be in force
 * at that line, what comes behind it must not be in force at the end, and only `compress migrate`, which permits what old
 * peers send, takes it back.
 */
import type { Entry } from '../entry.ts'
import { isAtLeast } from '../release.ts'
import { one, type Rule, type RuleView } from './rule.ts'

/** True when packets may be compressed after this line. */
function compresses({ name, words }: Entry): boolean {
  return name === 'comp-lzo' ? words[0] !== 'no' : /^(lzo|lz4|lz4-v2)$/.test(words[0] ?? '')
}

/** The line where what is asked for and what is allowed part. */
function findConflict(view: RuleView): Entry | undefined {
  const names = ['compress', 'comp-lzo', 'allow-compression'] as const
  const lines = names.flatMap((name) => view.profile.entriesOf(name)).sort((a, b) => a.index - b.index)
  const atOnce = view.release !== undefined && !isAtLeast(view.release, '2.6')
  let asked: Entry | undefined
  let forbidden = false
  for (const line of lines) {
    if (line.name !== 'allow-compression') {
      if (line.name === 'compress' && line.words[0] === 'migrate') forbidden = false
      asked = compresses(line) ? line : undefined
      if (atOnce && forbidden && asked !== undefined) return asked
      continue
    }
    const forbids = line.words[0] === 'no'
    if (forbids ? asked !== undefined : forbidden) return line
    forbidden = forbids
  }
  return forbidden ? asked : undefined
}

/** Rules about compression. */
export const compressionRules: readonly Rule[] = [
  {
    code: 'conflict',
    directive: 'allow-compression',
    own: 'warning',
    refusedBy: { since: '2.5' },
    message: 'compression is asked for and forbidden at once',
    remedy: 'take compression out',
    find: (view) => one(findConflict(view)),
  },
]
