import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

interface Report {
  readonly poisoned: number
  readonly connects: number
  readonly rekeys: number
  readonly packets: number
  readonly outputs: number
  readonly digest: string
}

function run(timeZone: string): Report {
  const child = fileURLToPath(new URL('./session.child.ts', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', child], {
    encoding: 'utf8',
    env: { ...process.env, TZ: timeZone, LANG: 'tr_TR.UTF-8' },
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return JSON.parse(stdout) as Report
}

it('SESS-8 whole sessions run where clocks, randomness, timers, promises and crypto throw, twice to the same bytes', () => {
  const report = run('UTC')
  expect(report).toMatchObject({ poisoned: 16, connects: 8, rekeys: 8 })
  expect(report.packets).toBeGreaterThan(100)
  expect(report.outputs).toBeGreaterThan(300)
  expect(run('Pacific/Kiritimati')).toEqual(report)
})
