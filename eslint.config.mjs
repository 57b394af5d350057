import { readFileSync } from 'node:fs'
import js from '@eslint/js'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

const { floors } = JSON.parse(readFileSync(new URL('./floors.json', import.meta.url), 'utf8'))
const floorNames = Object.keys(floors)

/** Hosts' globals that the pure floors may not touch. */
const ambient = [
  'process',
  'Buffer',
  'console',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'queueMicrotask',
  'fetch',
  'performance',
  'crypto',
  'Date',
  'globalThis',
  'window',
  'self',
  'Promise',
  'TextEncoder',
  'TextDecoder',
  'structuredClone',
  'WebAssembly',
  'Intl',
]

/** One import rule per floor: only the floors and packages that floors.json lists for it. */
const floorRules = floorNames.map((name) => {
  const { imports, packages } = floors[name]
  const patterns = floorNames
    .filter((other) => other !== name && !imports.includes(other))
    .map((other) => ({
      regex: `^(\\.\\./)+${other}/`,
      message: `The floor ${name} may not import ${other} (floors.json).`,
    }))
  const allowed = packages.map((p) => p.replace('/', '\\/')).join('|')
  patterns.push({
    regex: allowed === '' ? '^[^.]' : `^(?!(${allowed}))[^.]`,
    message: `The floor ${name} may not import this package (floors.json).`,
  })
  patterns.push({
    regex: '^@noble/curves/(nist|ed25519)\\.js$',
    message: 'These draw ambient randomness at import: the curves are built in crypto/curves.ts.',
  })
  patterns.push({
    regex: `^(\\.\\./)+(${floorNames.join('|')})/(?!index\\.ts$)`,
    message: 'Import another floor through its index.ts.',
  })
  return {
    files: [`src/${name}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  }
})

export default defineConfig(
  globalIgnores([
    'dist',
    'docs',
    '.reference',
    'node_modules',
    'coverage',
    'vectors',
    'examples/browser/site',
    'test/bogo/shim.mjs',
  ]),
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.test.json', './examples/browser/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/node/**'],
    rules: {
      'no-restricted-globals': ['error', ...ambient],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Randomness is an argument.' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'Program > VariableDeclaration[kind="let"]', message: 'No module-level state.' },
        {
          selector: 'Program > ExportNamedDeclaration > VariableDeclaration[kind="let"]',
          message: 'No module-level state.',
        },
        {
          selector:
            'AwaitExpression, FunctionDeclaration[async=true], MethodDefinition > FunctionExpression[async=true], ArrowFunctionExpression[async=true]',
          message: 'The pure floors are synchronous.',
        },
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        { selector: 'TSEnumDeclaration', message: 'String literals, no enums.' },
      ],
    },
  },
  ...floorRules,
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts', 'scripts/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  {
    files: ['**/*.mjs', '*.config.ts'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        Buffer: 'readonly',
      },
    },
    rules: { 'no-restricted-exports': 'off' },
  },
)
