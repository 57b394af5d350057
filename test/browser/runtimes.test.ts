/**
 * The library's own tests in Bun (JavaScriptCore) and Deno, against the built package, and the command's demonstration in each.
 * A runtime that is not on PATH is left out, and said to be.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { bundleTests, testFiles } from './bundle.ts'
import { FOLDERS, ofThisProvider } from './hosted-tests.ts'
import type { Verdict } from './shim.ts'

const OVPN = fileURLToPath(new URL('../../bin/ovpn.mjs', import.meta.url))
const RUNTIMES = [
  { name: 'Bun', program: 'bun', script: [], command: [] },
  { name: 'Deno', program: 'deno', script: ['run', '--allow-env'], command: ['run', '-A'] },
] as const

const isMissing = (program: string): boolean => spawnSync(program, ['--version']).status !== 0

describe.each(RUNTIMES)('in $name', ({ command, program, script }) => {
  const folder = mkdtempSync(join(tmpdir(), 'ovpn-runtime-'))
  const test = it.skipIf(isMissing(program))
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  test('the tests that need nothing of Node pass on the built package', async () => {
    const bundle = await bundleTests(testFiles(FOLDERS))
    const file = join(folder, 'tests.js')
    const end = 'runTests().then((verdict) => console.log(JSON.stringify(verdict)))'
    writeFileSync(file, `globalThis.window = globalThis;\n${bundle.script}\n;${end}\n`)
    const output = execFileSync(program, [...script, file], { encoding: 'utf8', maxBuffer: 1 << 24 })
    const verdict = JSON.parse(output.trim().split('\n').at(-1) ?? '') as Verdict
    expect(verdict.failures.filter(ofThisProvider)).toEqual([])
    expect(verdict.passed).toBeGreaterThan(1300)
  }, 600_000)

  test('two ends talk over UDP, by the command', () => {
    const output = execFileSync(program, [...command, OVPN, 'demo'], { encoding: 'utf8' })
    expect(output).toContain('every ping came back')
  })
})
