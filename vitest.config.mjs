import { defineConfig } from 'vitest/config'

/** A test that did not run proves nothing: `.skip` and `.todo` are red, unless a name pattern picked some by hand. */
function noneSkipped() {
  let vitest
  return {
    onInit: (context) => {
      vitest = context
    },
    onTestRunEnd: (modules) => {
      if (vitest.config.testNamePattern !== undefined) return
      const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')])
      if (skipped.length === 0) return
      process.exitCode = 1
      console.error('\nSkipped tests are failures:')
      for (const test of skipped) console.error(`  ${test.module.relativeModuleId}: ${test.fullName}`)
    },
  }
}

// The tests run on what ships: the compiled files, since worker threads can only load those.
export default defineConfig({
  test: {
    include: ['dist/**/*.test.js'],
    globalSetup: ['dist/workers/testing/global.js'],
    reporters: ['default', noneSkipped()],
    fileParallelism: true,
    maxWorkers: 2,
    // Only what is stuck runs out of these: the machine may have two cores and much else to do.
    testTimeout: 180_000,
    hookTimeout: 240_000,
    allowOnly: false,
  },
})
