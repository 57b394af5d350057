/**
 * Runs one of the project's jobs on a machine that has only Node: installs the dependencies when they are missing or
 * older than the lock file, builds, then hands over.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [job, ...rest] = process.argv.slice(2)

/** Runs a program of this project to its end; a failure ends this script with the same code. */
function run(command, args, quiet = false) {
  const done = spawnSync(command, args, { cwd: root, stdio: quiet ? ['ignore', 'ignore', 'inherit'] : 'inherit' })
  if (done.status !== 0) process.exit(done.status ?? 1)
}

function install() {
  const mark = `${root}node_modules/.package-lock.json`
  const stale = !existsSync(mark) || statSync(mark).mtimeMs < statSync(`${root}package-lock.json`).mtimeMs
  if (stale) {
    console.log('Installing dependencies (npm ci) ...')
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  } else {
    run('node', ['node_modules/typescript/bin/tsc', '-b', 'tsconfig.json', 'tsconfig.node.json'])
  }
}

const jobs = {
  start: () => run('node', ['bin/ovpn.mjs', 'demo', ...rest]),
  test: () => run('node', ['node_modules/vitest/vitest.mjs', 'run', ...rest]),
  bench: () => run('node', ['--expose-gc', '--import', 'tsx', 'bench/main.ts', ...rest]),
  spec: () => run('node', ['--import', 'tsx', 'scripts/spec.ts', ...rest]),
  soak: () => {
    process.env.OVPN_SOAK = process.env.OVPN_SOAK ?? '1'
    run('node', ['node_modules/vitest/vitest.mjs', 'run', '--testTimeout=7200000', ...rest])
  },
}

const chosen = jobs[job]
if (chosen === undefined) {
  console.error(`usage: node scripts/run.mjs ${Object.keys(jobs).join('|')}`)
  process.exit(2)
}
install()
chosen()
