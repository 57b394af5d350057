/**
 * Answers out of a pipe.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Prompter } from '../../../../src/node/command/prompt.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** Three answers out of a pipe that these pieces come through one after the other. */
async function answers(pieces: readonly string[]): Promise<readonly (string | undefined)[]> {
  const pipe = new PassThrough()
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(pipe as unknown as typeof process.stdin)
  const prompter = new Prompter()
  const asked = ['one', 'two', 'three'].map((question) => prompter.ask(question, false))
  for (const piece of pieces) {
    pipe.write(piece)
    await new Promise((done) => setImmediate(done))
  }
  pipe.end()
  return await Promise.all(asked)
}

describe('answers from a pipe', () => {
  it.each([
    ['at once', ['ada\nopen\r\n123456\n']],
    ['in pieces', ['ad', 'a\nop', 'en\n', '123', '456\n']],
    ['without a line end behind the last', ['ada\nopen\n', '123456']],
  ])('are its lines, %s', async (_, pieces) => {
    expect(await answers(pieces)).toEqual(['ada', 'open', '123456'])
  })

  it('are none where the lines end, and an empty line is an empty answer', async () => {
    expect(await answers(['ada\n'])).toEqual(['ada', undefined, undefined])
    expect(await answers(['\n\n'])).toEqual(['', '', undefined])
  })

  it('are waited for no longer once nobody wants them: the program ends with its pipe open', async () => {
    const prompt = fileURLToPath(new URL('../../../../src/node/command/prompt.ts', import.meta.url))
    const program = `
      import { Prompter } from ${JSON.stringify(prompt)}
      const prompter = new Prompter()
      const asked = prompter.ask('one', true)
      setImmediate(() => prompter.close())
      process.exitCode = (await asked) === undefined && (await prompter.ask('two', true)) === undefined ? 7 : 1
    `
    const tsx = ['--import', import.meta.resolve('tsx')]
    const child = spawn(process.execPath, [...tsx, '--input-type=module', '-e', program])
    expect(await once(child, 'close')).toEqual([7, null])
  })
})
