/**
 * What a server's profile pushes. PROF-34
 */
import type { Entry } from '../entry.ts'
import { readPushed } from '../pushed.ts'
import type { Rule, RuleView } from './rule.ts'

/** `push` lines whose option can't work. */
function wrongPushes(view: RuleView): readonly Entry[] {
  return view.profile.entriesOf('push').filter((entry) => {
    const option = entry.words[0]
    return option !== undefined && readPushed(option).type === 'refused'
  })
}

/** Rules about pushes. The reference does not look at what it pushes; clients do. */
export const pushRules: readonly Rule[] = [
  {
    code: 'bad-argument',
    directive: 'push',
    own: 'warning',
    refusedBy: undefined,
    message: 'clients will not take this option',
    remedy: 'push a directive that may be pushed, with its words in one pair of quotes',
    find: wrongPushes,
  },
]
