/**
 * Who may log in at `ovpn serve`: names and passwords of `--users`, or the program of the profile's `auth-user-pass-verify`.
 *
 * The program is run as the reference runs it: without a shell, with an environment of its own, the name and password in two
 * lines of a file that is its last argument (`via-file`) or in two variables (`via-env`); exit code 0 lets in. Like there,
 * `script-security` must allow it: 2, and 3 for passwords in the environment. What cannot be run lets nobody in.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ConfigError } from '../../bytes/index.ts'
import { type Profile, splitLine } from '../../profile/index.ts'
import type { LoginEvent } from '../../server/index.ts'
import { readAddress } from '../server-driver.ts'

/** A program that judges names and passwords. */
export interface VerifyProgram {
  /** Program and arguments. */
  readonly command: readonly string[]
  readonly method: 'via-env' | 'via-file'
}

/** What is said to whoever is turned away. */
const WRONG = 'wrong name or password'
/** `script-security` for programs, and for programs that get passwords in their environment. */
const MAY_RUN = 2
const MAY_SEE_PASSWORDS = 3

/**
 * The program that a profile wants to judge logins; undefined when it wants none, or when `--users` stands in its place.
 *
 * @throws ConfigError when it may not be run, or when the profile leaves judging to something that is not here.
 */
export function readVerifyProgram(profile: Profile, hasUsers: boolean): VerifyProgram | undefined {
  for (const name of ['tls-verify', 'tls-crypt-v2-verify'] as const) {
    const entry = profile.entry(name)
    if (entry !== undefined) {
      throw new ConfigError(name, 'its program is not run here, and nobody else would judge; take it out', entry.place)
    }
  }
  if (hasUsers) return undefined
  const entry = profile.entry('auth-user-pass-verify')
  const [text, method = 'via-file'] = profile.value('auth-user-pass-verify') ?? []
  if (entry !== undefined && text !== undefined) {
    const level = profile.value('script-security')?.[0] ?? 1
    const wanted = method === 'via-env' ? MAY_SEE_PASSWORDS : MAY_RUN
    if (level < wanted) {
      throw new ConfigError(
        'auth-user-pass-verify',
        `its program may not be run; write "script-security ${wanted}", or give --users FILE`,
        entry.place,
      )
    }
    const [program = '', ...args] = splitLine(text, false).words.map((word) => word.text)
    // A bare name is looked for where the system looks for programs.
    return { command: [program.includes('/') ? resolve(profile.resolve(entry, program)) : program, ...args], method }
  }
  const judge = profile.entry('management-client-auth') ?? profile.entry('plugin')
  if (judge !== undefined && !/down-root/.test(judge.words[0] ?? '')) {
    throw new ConfigError(judge.name, 'nobody here judges logins in its place; give --users FILE', judge.place)
  }
  return undefined
}

/** Judges names and passwords. */
export class Logins {
  readonly #users: ReadonlyMap<string, string> | undefined
  readonly #program: VerifyProgram | undefined

  constructor(users: ReadonlyMap<string, string> | undefined, program: VerifyProgram | undefined) {
    this.#users = users
    this.#program = program
  }

  /** True when somebody judges names here. */
  get judges(): boolean {
    return this.#users !== undefined || this.#program !== undefined
  }

  /** Calls `answer` with what a client turned away is told, or with undefined: at once where no program is asked. */
  judge(login: LoginEvent, answer: (refusal: string | undefined) => void): void {
    const { tokenAccepted, username } = login
    if (tokenAccepted || !this.judges) answer(undefined)
    // A line break would make two lines of one name.
    else if (/\p{Cc}/u.test(username)) answer(WRONG)
    else if (this.#users !== undefined) {
      answer(this.#users.get(username) === login.password.reveal() ? undefined : WRONG)
    } else if (this.#program !== undefined) run(this.#program, login, answer)
  }
}

function run({ command, method }: VerifyProgram, login: LoginEvent, answer: (refusal?: string) => void): void {
  const { address, commonName = '', peerInfo, username } = login
  const [program = '', ...args] = command
  const password = login.password.reveal()
  const { host, port } = readAddress(address)
  const told = Object.entries(peerInfo).filter(([name]) => /^(IV|UV)_\w+$/.test(name))
  const folder = method === 'via-file' ? mkdtempSync(join(tmpdir(), 'ovpn-login-')) : undefined
  if (folder !== undefined) {
    const file = join(folder, 'login')
    writeFileSync(file, `${username}\n${password}\n`, { mode: 0o600 })
    args.push(file)
  }
  let answered = false
  const end = (refusal?: string): void => {
    if (answered) return
    answered = true
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    answer(refusal)
  }
  const env = {
    PATH: process.env['PATH'],
    ...Object.fromEntries(told.map(([name, value]) => [name, plain(value)])),
    script_type: 'user-pass-verify',
    common_name: plain(commonName),
    untrusted_ip: host,
    untrusted_port: String(port),
    ...(method === 'via-env' ? { username, password: plain(password) } : {}),
  }
  const child = spawn(program, args, { env, stdio: 'ignore' })
  child.on('error', () => {
    end(WRONG)
  })
  child.on('exit', (code) => {
    end(code === 0 ? undefined : WRONG)
  })
}

/** No control characters: an environment cannot hold all of them, and programs stumble over the others. */
function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, '_')
}
