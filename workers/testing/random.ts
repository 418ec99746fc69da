/**
 * What vitest runs before each file of tests: every property draws from one fixed seed, so that a run is the same as the one
 * before it, and a failure can be made again. PAIDAN_SEED=n draws from another: see README.
 */
import fc from 'fast-check'
import { seedOfRun } from './seed.ts'

fc.configureGlobal({ seed: seedOfRun(process.env) })
