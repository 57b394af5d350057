/**
 * What each floor imports, read from the sources themselves: only the floors and packages that floors.json gives it, other
 * floors through their index, no host API outside src/node.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const SRC = join(ROOT, 'src')

interface Floor {
  readonly imports: readonly string[]
  readonly packages: readonly string[]
}
const { floors } = JSON.parse(readFileSync(join(ROOT, 'floors.json'), 'utf8')) as {
  floors: Readonly<Record<string, Floor>>
}

/** Names of hosts' APIs that no pure floor may mention outside comments. */
const AMBIENT =
  /(?<![.\w'"`-])(?:process\.|Buffer[.(]|console\.|setTimeout|setInterval|setImmediate|queueMicrotask|performance\.|Date\.now|new Date\b|Math\.random|globalThis|TextEncoder|TextDecoder|structuredClone|WebAssembly|new Promise|Promise\.|\basync\s|\bawait\s|require\()/

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return sources(path)
    return name.endsWith('.ts') ? [path] : []
  })
}

/** The source without comments. */
const codeOf = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '')

const specifiersOf = (code: string): string[] =>
  [...code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!)

const floorOf = (path: string): string => relative(SRC, path).split('/')[0]!

describe('imports', () => {
  const files = sources(SRC).filter((path) => dirname(path) !== SRC)

  it('are those of floors.json, and other floors are entered by their index', () => {
    const faults: string[] = []
    let imports = 0
    for (const path of files) {
      const name = floorOf(path)
      const floor = floors[name]
      if (floor === undefined) {
        faults.push(`${relative(ROOT, path)}: no such floor`)
        continue
      }
      for (const specifier of specifiersOf(codeOf(readFileSync(path, 'utf8')))) {
        imports++
        const fault = judge(path, name, floor, specifier)
        if (fault !== undefined) faults.push(`${relative(ROOT, path)}: ${specifier}: ${fault}`)
      }
    }
    expect(faults).toEqual([])
    expect(files.length).toBeGreaterThan(100)
    expect(imports).toBeGreaterThan(500)
  })

  it('make no circle among the floors', () => {
    const names = Object.keys(floors)
    for (const [name, { imports }] of Object.entries(floors)) {
      for (const other of imports)
        expect(names.indexOf(other), `${name} imports ${other}`).toBeLessThan(names.indexOf(name))
    }
  })

  it('pure floors mention no host API', () => {
    const faults = files
      .filter((path) => floorOf(path) !== 'node')
      .flatMap((path) =>
        codeOf(readFileSync(path, 'utf8'))
          .split('\n')
          .filter((line) => AMBIENT.test(line))
          .map((line) => `${relative(ROOT, path)}: ${line.trim()}`),
      )
    expect(faults).toEqual([])
    expect(AMBIENT.test('  const now = Date.now()')).toBe(true)
    expect(AMBIENT.test('  return await x')).toBe(true)
  })
})

function judge(path: string, name: string, floor: Floor, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) {
    return floor.packages.some((allowed) => specifier.startsWith(allowed)) ? undefined : 'package not listed'
  }
  const target = normalize(join(dirname(path), specifier))
  if (!specifier.endsWith('.ts')) return 'without .ts'
  const other = floorOf(target)
  if (other === name) return undefined
  if (target === join(SRC, 'index.ts')) return 'the root index is for users'
  if (!floor.imports.includes(other)) return `floor ${other} not listed`
  return target === join(SRC, other, 'index.ts') ? undefined : 'not through index.ts'
}
