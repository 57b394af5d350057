/**
 * A throw-away laboratory: one network namespace, one folder, and the processes started in it. `close` removes all of it,
 * also after a failure; a process that outlives its test is killed with the namespace.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { program, type Release } from './reference.ts'

/** A process in the laboratory, with everything it printed. */
export interface Running {
  readonly name: string
  readonly process: ChildProcess
  /** All output so far. */
  output(): string
  /** Resolves with the output once `pattern` was printed; rejects with the output on exit or after `seconds`. */
  seen(pattern: RegExp, seconds?: number): Promise<string>
  /** Resolves with exit code and output; after `seconds` the process is killed and the promise rejects. */
  ended(seconds?: number): Promise<{ code: number; output: string }>
  kill(signal?: NodeJS.Signals): void
}

/** One namespace with a loopback, one folder, and what runs in them. */
export class Lab {
  readonly namespace: string
  readonly folder: string
  readonly #running: Running[] = []

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'ovpn-lab-'))
    // Named after the folder, which no one else has; process ids come round again in a long run.
    this.namespace = basename(this.folder)
    execFileSync('ip', ['netns', 'add', this.namespace])
    execFileSync('ip', ['-n', this.namespace, 'link', 'set', 'lo', 'up'])
  }

  /** Writes a file into the folder and returns its path. */
  file(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name)
    writeFileSync(path, content, { mode: 0o600 })
    return path
  }

  /**
   * Starts a program inside the namespace, with the folder as its working directory. `stdin`: whether the test writes to it
   * (`running.process.stdin`).
   */
  start(
    name: string,
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
    stdin: 'ignore' | 'pipe' = 'ignore',
  ): Running {
    const child = spawn('ip', ['netns', 'exec', this.namespace, ...command], {
      cwd: this.folder,
      env: { ...process.env, ...env },
      stdio: [stdin, 'pipe', 'pipe'],
    })
    const running = watch(name, child)
    this.#running.push(running)
    return running
  }

  /** Runs a program inside the namespace to its end and returns what it printed; throws when it fails. */
  run(command: readonly string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.namespace, ...command], { encoding: 'utf8', cwd: this.folder })
  }

  /** Starts the reference of a release with a configuration text. */
  openvpn(release: Release, name: string, config: string): Running {
    const start = program(release)
    const path = this.file(`${name}.conf`, config)
    return this.start(`${name} (openvpn ${start.version})`, [...start.command, '--config', path], start.env)
  }

  /** Kills every process and removes namespace and folder. Safe to call twice. */
  async close(): Promise<void> {
    for (const running of this.#running) running.kill('SIGKILL')
    await Promise.all(this.#running.map((running) => running.ended(5).catch(() => undefined)))
    try {
      const pids = execFileSync('ip', ['netns', 'pids', this.namespace], { encoding: 'utf8' }).split('\n')
      for (const pid of pids) if (pid !== '') process.kill(Number(pid), 'SIGKILL')
    } catch {
      // The namespace is gone already.
    }
    try {
      execFileSync('ip', ['netns', 'del', this.namespace], { stdio: 'ignore' })
    } catch {
      // Removed by an earlier close.
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Watches a process: everything it prints, and its end. */
export function watch(name: string, child: ChildProcess): Running {
  const state = { output: '', code: undefined as number | undefined }
  const waiting = new Set<() => void>()
  const wake = (): void => {
    for (const check of [...waiting]) check()
  }
  const take = (data: Buffer): void => {
    state.output += data.toString()
    wake()
  }
  child.stdout?.on('data', take)
  child.stderr?.on('data', take)
  child.on('error', (error) => {
    state.output += String(error)
  })
  child.on('close', (code) => {
    state.code = code ?? -1
    wake()
  })

  const wait = <T>(seconds: number, what: string, check: () => T | Error | undefined): Promise<T> =>
    new Promise((done, failed) => {
      const settle = (): void => {
        const result = check()
        if (result === undefined) return
        waiting.delete(settle)
        clearTimeout(timer)
        if (result instanceof Error) failed(result)
        else done(result)
      }
      const timer = setTimeout(() => {
        waiting.delete(settle)
        failed(new Error(`${name}: ${what} not within ${seconds} s\n${state.output}`))
      }, seconds * 1000)
      waiting.add(settle)
      settle()
    })

  return {
    name,
    process: child,
    output: () => state.output,
    seen: (pattern, seconds = 15) =>
      wait(seconds, String(pattern), () => {
        if (pattern.test(state.output)) return state.output
        if (state.code === undefined) return undefined
        return new Error(`${name} ended with ${state.code} before ${String(pattern)}\n${state.output}`)
      }),
    ended: (seconds = 30) =>
      wait(seconds, 'end', () =>
        state.code === undefined ? undefined : { code: state.code, output: state.output },
      ).catch((error: unknown) => {
        child.kill('SIGKILL')
        throw error
      }),
    kill: (signal = 'SIGTERM') => {
      if (state.code === undefined) child.kill(signal)
    },
  }
}

/** Runs `body` with a fresh laboratory and closes it whatever happens. */
export async function withLab<T>(body: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = new Lab()
  try {
    return await body(lab)
  } finally {
    await lab.close()
  }
}
