import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Interop shares one machine with kernels, daemons and their timers: CI gives a test that fails two more chances and says so.
    retry: process.env['CI'] === undefined ? 0 : 2,
    pool: 'forks',
    maxWorkers: 2,
    sequence: { hooks: 'stack' },
  },
})
