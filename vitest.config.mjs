import { defineConfig } from 'vitest/config'

// The tests run on what ships: the compiled files, since worker threads can only load those.
export const config = defineConfig({
  test: {
    include: ['dist/**/*.test.js'],
    fileParallelism: true,
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    allowOnly: false,
  },
})
export { config as default }
