/**
 * Enough of vitest to run this project's tests inside a page: the same files, the same `expect`, one test after the other.
 */
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect'

chai.use(JestExtend)
chai.use(JestChaiExpect)
chai.use(JestAsymmetricMatchers)

interface Expect {
  (value: unknown, message?: string): unknown
  fail(message?: string): never
  unreachable(message?: string): never
}

/** What `vitest` exports under that name, as far as the tests use it. */
export const expect: Expect = Object.assign((value: unknown, message?: string) => chai.expect(value, message), {
  fail: (message = 'failed'): never => {
    throw new Error(message)
  },
  unreachable: (message = 'reached'): never => {
    throw new Error(message)
  },
})
for (const name of ['any', 'anything', 'arrayContaining', 'objectContaining', 'stringContaining', 'stringMatching']) {
  Object.defineProperty(expect, name, { value: (chai.expect as unknown as Record<string, unknown>)[name] })
}

type Body = (...args: unknown[]) => unknown

interface Case {
  readonly name: string
  readonly body: () => unknown
}

/** How a run went. */
export interface Verdict {
  passed: number
  skipped: number
  readonly failures: string[]
}

const cases: Case[] = []
const path: string[] = []
const verdict: Verdict = { passed: 0, skipped: 0, failures: [] }

/** Fills `%s` and the like, the way test names of tables are written. */
function title(name: string, row: readonly unknown[], index: number): string {
  let next = 0
  return name.replace(/%([sdijo#])/g, (_, kind: string) => (kind === '#' ? String(index) : String(row[next++])))
}

function eachOf(add: (name: string, body: Body, row: readonly unknown[], index: number) => void) {
  return (rows: readonly unknown[]) =>
    (name: string, body: Body): void => {
      rows.forEach((row, index) => {
        add(name, body, Array.isArray(row) ? row : [row], index)
      })
    }
}

/** The second argument may be options, the third is the body then. */
function addTest(name: string, ...rest: readonly unknown[]): void {
  const body = rest.find((part): part is Body => typeof part === 'function')
  if (body !== undefined) cases.push({ name: [...path, name].join(' > '), body: () => body() })
}

function addSuite(name: string, body: Body): void {
  path.push(name)
  body()
  path.pop()
}

const skip = Object.assign(
  () => {
    verdict.skipped++
  },
  { each: () => skip },
)

const testEach = eachOf((name, body, row, index) => {
  addTest(title(name, row, index), () => body(...row))
})
const suiteEach = eachOf((name, body, row, index) => {
  addSuite(title(name, row, index), () => body(...row))
})

/** One test. */
export const it = Object.assign(addTest, {
  each: testEach,
  skipIf: (condition: boolean) => (condition ? skip : it),
})

/** Tests under one heading. */
export const describe = Object.assign(addSuite, {
  each: suiteEach,
  skipIf: (condition: boolean) => (condition ? skip : describe),
})

/** Runs everything that was declared; the failures' messages start with the test's name. */
export async function run(): Promise<Verdict> {
  for (const { body, name } of cases) {
    try {
      await body()
      verdict.passed++
    } catch (error) {
      verdict.failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return verdict
}
