/**
 * What random tests draw from: one seed for a whole run, so that a run is the same as the one before, and a red one can be had
 * again. The run prints it (workers/testing/global.ts). Others are asked for by name:
 *
 *   PAIDAN_SEED=7 npm test        another seed
 *   PAIDAN_RUNS=10 npm test       ten times as many cases of every property
 *
 * Tests take `fc` from here, and never from the package: there it would draw another seed each time.
 */
import fc from 'fast-check'

export const testSeed = wholeNumber('PAIDAN_SEED', 20_261_201, 0)
export const runsFactor = wholeNumber('PAIDAN_RUNS', 1, 1)

/** So many cases, or as many times that as PAIDAN_RUNS says. */
export function runs(count: number): number {
  return count * runsFactor
}

function wholeNumber(name: string, standard: number, min: number): number {
  const value = Number(process.env[name] || standard)
  // fast-check takes 32 bits.
  if (!Number.isSafeInteger(value) || value < min || value > 0x7fff_ffff) throw new Error(`${name} is a whole number`)
  return value
}

const casesWithoutCount = 100
fc.configureGlobal({ seed: testSeed, numRuns: runs(casesWithoutCount) })

export { fc }
