import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { drawings, ROOT } from '../../support/drawings.ts'

it.each(drawings())('$file shows what code and data say (npm run spec)', ({ file, text }) => {
  expect(readFileSync(ROOT + file, 'utf8')).toBe(text)
})
