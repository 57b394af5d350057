/**
 * `npm run spec`: draws what can be drawn from code and data into the pages that show it: state tables as Mermaid, the
 * interop matrix and the capability counts into README. With `--check` it changes nothing and fails when a page is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { drawings, ROOT } from '../test/support/drawings.ts'

const check = process.argv.includes('--check')
let stale = 0
for (const { file, text } of drawings()) {
  const current = readFileSync(ROOT + file, 'utf8')
  if (current === text) continue
  stale++
  if (!check) writeFileSync(ROOT + file, text)
  console.log(`${file} ${check ? 'is stale: npm run spec' : 'redrawn'}`)
}
if (check && stale > 0) process.exitCode = 1
