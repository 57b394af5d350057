import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../../src/bytes/index.ts'
import { KEY_MOVES, SESSION_MOVES } from '../../../src/session/index.ts'
import { moveKey } from '../../../src/session/key-moves.ts'
import { moveSession } from '../../../src/session/session-moves.ts'
import { mermaid } from '../../support/drawings.ts'

const KEY_INPUTS = [
  'reset-queued',
  'resets-done',
  'key-sent',
  'key-received',
  'all-acked',
  'keys-derived',
  'failed',
] as const
const SESSION_INPUTS = ['begun', 'keys-exchanged', 'forgotten', 'agreed', 'taken-over', 'leaving', 'ended'] as const

describe('lifecycles', () => {
  it('SESS-1 a key state makes the moves of its table and no other', () => {
    let legal = 0
    for (const [state, row] of Object.entries(KEY_MOVES)) {
      for (const input of KEY_INPUTS) {
        const next = (row as Partial<Record<string, string>>)[input]
        const move = (): string => moveKey(state as keyof typeof KEY_MOVES, input)
        if (next === undefined) expect(move).toThrow(InvariantError)
        else expect(move()).toBe(next)
        legal += next === undefined ? 0 : 1
      }
    }
    expect(legal).toBe(15)
  })

  it('SESS-2 a session makes the moves of its table and no other', () => {
    let legal = 0
    for (const [state, row] of Object.entries(SESSION_MOVES)) {
      for (const input of SESSION_INPUTS) {
        const next = (row as Partial<Record<string, string>>)[input]
        const move = (): string => moveSession(state as keyof typeof SESSION_MOVES, input)
        if (next === undefined) expect(move).toThrow(InvariantError)
        else expect(move()).toBe(next)
        legal += next === undefined ? 0 : 1
      }
    }
    expect(legal).toBe(13)
  })

  it.each([
    ['spec/session.md', 'session-state', mermaid(SESSION_MOVES, 'waiting')],
    ['spec/rekeying.md', 'key-state', mermaid(KEY_MOVES, 'initial')],
  ])('%s draws the table as it is', (file, name, drawing) => {
    const page = readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')
    expect(page).toContain(`<!-- drawing:${name} -->\n\n${drawing}\n\n<!-- /drawing:${name} -->`)
  })
})
