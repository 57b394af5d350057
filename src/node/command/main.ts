/**
 * The `ovpn` command: picks the subcommand and turns whatever went wrong into one line and an exit code.
 */
import { readFileSync } from 'node:fs'
import { ConfigError } from '../../bytes/index.ts'
import { runConnect } from './connect.ts'
import { runDecode } from './decode.ts'
import { runDemo } from './demo.ts'
import { runGenkey } from './genkey.ts'
import { isFatal, ProfileError } from '../../profile/index.ts'
import { type CommandIo, CommandLineError, counted, EXIT, processIo } from './io.ts'
import { runLint } from './lint.ts'
import { runProbe } from './probe.ts'
import { runReplay } from './replay.ts'
import { runServe } from './serve.ts'

interface Subcommand {
  readonly summary: string
  readonly run: (args: readonly string[], io: CommandIo) => Promise<number> | number
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  connect: { summary: 'bring a profile’s tunnel up on this machine and keep it up', run: runConnect },
  probe: {
    summary: 'connect a profile in user space, ping through the tunnel, say what was negotiated',
    run: runProbe,
  },
  serve: { summary: 'a server profile in user space, for many clients', run: runServe },
  lint: { summary: 'say what is wrong with a profile, and whether a given release will take it', run: runLint },
  decode: { summary: 'what a capture of OpenVPN says, packet by packet, with keys or without', run: runDecode },
  genkey: { summary: 'keys in the file formats of OpenVPN, and a toy PKI with ready profiles', run: runGenkey },
  replay: { summary: 'run a recording of connect, serve or probe again, bit for bit, to any step', run: runReplay },
  demo: { summary: 'two ends of this library over UDP on this machine, drawn as a ladder', run: runDemo },
}

function help(): string {
  const lines = Object.entries(SUBCOMMANDS).map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`)
  return [
    'ovpn: the OpenVPN protocol from the command line',
    '',
    'usage: ovpn COMMAND [options]',
    '',
    ...lines,
    '',
    'ovpn COMMAND --help says more, ovpn --version which release this is.',
    'With --json, what keeps a command from its work is an object, too: {"event":"error","text":…}.',
    'Exit codes: 0 it worked, 1 it did not, 2 the command line or profile cannot work.',
  ].join('\n')
}

/** The version in the package's own description. */
function libraryVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}

/** Runs the command line `args` (without program names) and resolves with the exit code. */
export async function main(args: readonly string[], io: CommandIo = processIo()): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    io.out(help())
    return name === undefined ? EXIT.usage : EXIT.ok
  }
  if (name === '--version' || name === '-V') {
    io.out(libraryVersion())
    return EXIT.ok
  }
  const subcommand = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined
  if (subcommand === undefined) {
    io.error(`ovpn: there is no command "${name}"; there are ${Object.keys(SUBCOMMANDS).join(', ')}`)
    return EXIT.usage
  }
  try {
    return await subcommand.run(rest, io)
  } catch (error) {
    if (rest.includes('--json')) reportJson(error, io)
    return report(name, error, io)
  }
}

function report(name: string, error: unknown, io: CommandIo): number {
  if (error instanceof ConfigError) {
    const others = error instanceof ProfileError ? error.problems.filter(isFatal).length - 1 : 0
    const more = others > 0 ? ` (${counted(others, 'more error')}: ovpn lint shows them all)` : ''
    io.error(`ovpn ${name}: ${describeConfigError(error)}${more}`)
    return EXIT.usage
  }
  if (error instanceof CommandLineError || isParseArgsError(error)) {
    io.error(`ovpn ${name}: ${error.message} (ovpn ${name} --help)`)
    return EXIT.usage
  }
  io.error(`ovpn ${name}: ${messageOf(error)}`)
  return EXIT.failed
}

/** The same for programs: what is wrong with a profile as `ovpn lint` tells it, and one object for the error. */
function reportJson(error: unknown, io: CommandIo): void {
  const problems = error instanceof ProfileError ? error.problems : []
  for (const problem of problems) io.out(JSON.stringify({ event: 'problem', ...problem }))
  const place = error instanceof ConfigError ? { option: error.option, ...placeOf(error) } : {}
  io.out(JSON.stringify({ event: 'error', text: messageOf(error), ...place }))
}

function placeOf({ location }: ConfigError): object {
  return { file: location?.file, line: location?.line, column: location?.column }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** `file:line: directive: what is wrong`, as far as each is known. */
export function describeConfigError(error: ConfigError): string {
  const { location } = error
  const parts = [location?.file, location?.line, location?.column].filter((part) => part !== undefined)
  const place = parts.length === 0 ? '' : `${parts.join(':')}: `
  return `${place}${error.option === '' ? '' : `${error.option}: `}${error.message}`
}

function isParseArgsError(error: unknown): error is Error {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return code?.startsWith('ERR_PARSE_ARGS_') === true
}
