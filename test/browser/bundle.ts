/**
 * Bundles the project's own tests for a page or another runtime: every test file that wants nothing of Node but the vectors, run against the
 * built package (`dist`).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const HERE = join(ROOT, 'test/browser')
/** Modules of Node that `hosted.ts` stands in for. */
const HOSTED = /^node:(fs|url)$/

/** What the stand-ins export. */
const STAND_INS: ReadonlySet<string> = new Set(['describe', 'expect', 'it', 'readFileSync', 'readdirSync'])

/** The test files of some folders under `test/`. */
export function testFiles(folders: readonly string[]): readonly string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, 'test', folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => join(ROOT, 'test', folder, name)),
  )
}

/** The vectors as texts by their path from the root. */
function carriedFiles(): Readonly<Record<string, string>> {
  const names = readdirSync(join(ROOT, 'vectors'), { recursive: true, encoding: 'utf8' })
  return Object.fromEntries(
    names
      .filter((name) => name.endsWith('.json'))
      .map((name) => [`/vectors/${name}`, readFileSync(join(ROOT, 'vectors', name), 'utf8')]),
  )
}

/** Leads imports to what a page has. What only Node has stays an import, by which its users are known. */
const forPages: Plugin = {
  name: 'for pages',
  setup(context) {
    context.onResolve({ filter: /^vitest$/ }, () => ({ path: join(HERE, 'shim.ts') }))
    context.onResolve({ filter: /^node:/ }, ({ path }) =>
      HOSTED.test(path) ? { path: join(HERE, 'hosted.ts') } : { path, external: true },
    )
    context.onResolve({ filter: /src\/node\/crypto\/index\.ts$/ }, () => ({ path: join(HERE, 'hosted.ts') }))
    context.onResolve({ filter: /^\..*\/src\/.*\.ts$/ }, ({ path, resolveDir }) => {
      const inside = relative(join(ROOT, 'src'), join(resolveDir, path)).replace(/\.ts$/, '.js')
      if (inside.startsWith('node')) return { path: inside, external: true }
      return existsSync(join(ROOT, 'dist', inside)) ? { path: join(ROOT, 'dist', inside) } : undefined
    })
    // Where a test looks for files, seen from the root of the project.
    context.onLoad({ filter: /\/test\/.*\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      const contents = text
        .replaceAll('import.meta.url', JSON.stringify(`file:///${relative(ROOT, path)}`))
        .replace(/import \{([^}]*)\} from '(?:node:fs|vitest)'/g, (line: string, names: string) =>
          names.split(',').every((name) => STAND_INS.has(name.trim())) ? line : `import {${names}} from 'node:more'`,
        )
      const global = /\bBuffer\.|\bprocess\.(?!env)/.test(text) ? "\nimport 'node:globals'" : ''
      return { contents: contents + global, loader: 'ts', resolveDir: dirname(path) }
    })
  },
}

/** A script that defines `window.runTests`, and the files in it. */
export interface Bundle {
  readonly script: string
  readonly files: readonly string[]
  /** Files that need more of Node than a page has. */
  readonly left: readonly string[]
}

/** Bundles those of the files that can run in a page. */
export async function bundleTests(candidates: readonly string[]): Promise<Bundle> {
  const { metafile } = await build({
    ...common,
    entryPoints: [...candidates],
    outdir: join(ROOT, 'unused'),
    splitting: true,
    metafile: true,
  })
  const files = candidates.filter((file) => !needsNode(relative(ROOT, file), metafile.inputs))
  const imports = files.map((file) => `import ${JSON.stringify(file)}`)
  const entry = `${imports.join('\n')}\nimport { run } from ${JSON.stringify(join(HERE, 'shim.ts'))}\nwindow.runTests = run\n`
  const { outputFiles } = await build({
    ...common,
    format: 'iife',
    stdin: { contents: entry, resolveDir: ROOT, loader: 'ts' },
    define: { 'process.env': '{}', CARRIED_FILES: JSON.stringify(carriedFiles()) },
  })
  return { script: outputFiles[0]?.text ?? '', files, left: candidates.filter((file) => !files.includes(file)) }
}

/** Whether a file leads to an import that a page has not. */
function needsNode(file: string, inputs: Metafile['inputs'], seen = new Set<string>()): boolean {
  if (seen.has(file)) return false
  seen.add(file)
  return (inputs[file]?.imports ?? []).some(({ external, path }) => external === true || needsNode(path, inputs, seen))
}

const common = {
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  logLevel: 'silent',
  // A test file is there for its side effects, whatever package.json says of the library.
  ignoreAnnotations: true,
  plugins: [forPages],
} satisfies BuildOptions
