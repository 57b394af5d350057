/**
 * The library's own tests inside Chromium, against the built package: whatever needs nothing of Node runs there too.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Browser } from 'playwright-core'
import { bundleTests, testFiles } from './bundle.ts'
import { isMissing, startChromium } from './chromium.ts'
import { FOLDERS, ofThisProvider } from './hosted-tests.ts'
import type { Verdict } from './shim.ts'

describe.skipIf(isMissing)('in Chromium', () => {
  const state: { browser?: Browser } = {}
  beforeAll(async () => {
    state.browser = await startChromium()
  })
  afterAll(async () => {
    await state.browser?.close()
  })

  it('the tests that need nothing of Node pass on the built package', async () => {
    const { files, script } = await bundleTests(testFiles(FOLDERS))
    expect(files.length).toBeGreaterThan(75)
    const page = await state.browser!.newPage()
    await page.addScriptTag({ content: script })
    const verdict = await page.evaluate<Verdict>('runTests()')
    const failures = verdict.failures.filter(ofThisProvider)
    expect(failures).toEqual([])
    expect(verdict.passed).toBeGreaterThan(1300)
  }, 300_000)
})
