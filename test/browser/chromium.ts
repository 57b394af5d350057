/**
 * Debian's Chromium without a window. Where it is missing the tests that need it are skipped and say so; with
 * `OVPN_INTEROP=required` they fail.
 */
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const PROGRAM = '/usr/bin/chromium'

/** True when the tests are to be left out. */
export const isMissing = !existsSync(PROGRAM) && process.env['OVPN_INTEROP'] !== 'required'

/** Starts it; nothing in it calls home. */
export async function startChromium(): Promise<Browser> {
  return await chromium.launch({
    executablePath: PROGRAM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
