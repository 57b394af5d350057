/**
 * Configurations that nobody wrote down: servers of each release drawn from a seed, and client profiles that fit them, in many
 * spellings, or fail them in one known way. Ours must connect and get every ping back where the pair fits, and end with a
 * fitting reason within the hand-window where it does not.
 *
 * In long runs the reference's client tries some of the same profiles, so that the drawing itself is proved: what was drawn to
 * fit must fit for it, too.
 */
import { describe, expect, it } from 'vitest'
import { scaled, soaking } from '../support/scale.ts'
import { releasesToTest } from './support/reference.ts'
import { type Draw, draw } from './support/wild/draw.ts'
import { type Outcome, runDraw } from './support/wild/run.ts'
import { capturing, recording } from './support/wild/witness.ts'

/** Another word in `OVPN_SEED` draws other configurations. */
const SEED = process.env['OVPN_SEED'] ?? ''
const COUNT = scaled(25, 300)
const AT_ONCE = 2

const releases = releasesToTest()

/** What a person needs to see of a draw that failed. */
function report({ args, client, release, seed, server, tags }: Draw, { faults, log, oracle, output }: Outcome): string {
  return [
    `${release} "${seed}": ${faults.join('; ')} ${JSON.stringify(oracle)}`,
    tags.join(' '),
    `--- server\n${server.text}`,
    `--- client\n${client.text}`,
    `--- probe ${args.join(' ')}\n${output}`,
    `--- the server's log\n${log}`,
  ].join('\n')
}

describe.skipIf(releases.length === 0).each(releases)('drawn configurations of OpenVPN %s', (release) => {
  it(`${COUNT} pairs do what they were drawn for`, async () => {
    const failures: string[] = []
    const tally = { up: 0, refused: 0, recorded: 0, captured: 0, unserved: 0 }
    const one = async (drawn: Draw, index: number): Promise<void> => {
      const isUp = drawn.fate === 'up'
      const isCaptured = isUp && index % 6 === 1 && !drawn.tags.includes('pair')
      const witness = isCaptured ? capturing : isUp && index % 6 === 3 ? recording : undefined
      const canAsk = soaking() && index % 5 === 0 && !/pair|static-challenge/.test(drawn.tags.join())
      const outcome = await runDraw(drawn, {
        ...(witness === undefined ? {} : { witness }),
        oracles: canAsk ? [release] : [],
      })
      if (outcome.unserved !== undefined) tally.unserved++
      else tally[isUp ? 'up' : 'refused']++
      if (witness !== undefined) tally[isCaptured ? 'captured' : 'recorded']++
      const said = Object.values(outcome.oracle)
      const isOtherwise = said.some((verdict) => verdict.startsWith('up') !== isUp)
      if (outcome.faults.length > 0 || isOtherwise) failures.push(report(drawn, outcome))
    }
    for (let index = 0; index < COUNT; index += AT_ONCE) {
      const length = Math.min(AT_ONCE, COUNT - index)
      // Keys are drawn by programs that are waited for: nothing that runs is to be kept waiting with them.
      const batch = Array.from({ length }, (_, i) => draw(`${SEED}${index + i}`, release))
      await Promise.all(batch.map((drawn, i) => one(drawn, index + i)))
    }
    console.log(`${release}: ${JSON.stringify(tally)}`)
    expect(failures).toEqual([])
    // A server that refuses what was drawn for it shows nothing.
    expect(tally.unserved).toBeLessThanOrEqual(COUNT / 25)
    expect(tally.up).toBeGreaterThan(COUNT / 2)
    expect(tally.refused).toBeGreaterThan(0)
    expect(tally.recorded).toBeGreaterThan(0)
    expect(tally.captured).toBeGreaterThan(0)
  }, 3_600_000)
})

it.skipIf(releases.length > 0)('drawn configurations: skipped, no release is here', () => undefined)
