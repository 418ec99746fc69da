/** Seeded worlds: all hold; the same seed is the same world; and every deliberate fault is noticed by some seed. */
import { describe, expect, test } from 'vitest'
import { mutations } from './mutations.ts'
import { makeCatalog, makeDivisions } from './network.ts'
import { wiringOf } from './wiring.ts'
import { simulate } from './world.ts'

const place = { catalog: makeCatalog(), divisions: makeDivisions() }
const seedsSound = 300
// The rarest of the faults shows in one world of two hundred.
const seedsMax = 1_500
// Some four seconds on a machine of its own.
const timeoutMs = 180_000

async function expectSound(seed: number): Promise<void> {
  const { breach } = await simulate(seed, place)
  expect(breach, `npm run simulate -- --seed ${seed} --trace`).toBe(null)
}

test(`${seedsSound} worlds keep every invariant`, { timeout: timeoutMs }, async () => {
  for (let seed = 1; seed <= seedsSound; seed++) await expectSound(seed)
})

test('the same seed is the same world, step by step', async () => {
  for (const seed of [3, 4, 5]) {
    const [first, second] = [await simulate(seed, place, undefined, true), await simulate(seed, place, undefined, true)]
    expect(second.trace).toEqual(first.trace)
    expect(second.hash).toBe(first.hash)
    expect(first.trace.length).toBeGreaterThan(first.steps)
  }
  expect((await simulate(6, place)).hash).not.toBe((await simulate(7, place)).hash)
})

describe('some world notices, where the sound code survives the same one:', () => {
  test.each(mutations.map((m) => [m.name, m] as const))('%s', { timeout: timeoutMs }, async (_, mutation) => {
    for (let seed = 1; seed <= seedsMax; seed++) {
      const { breach } = await simulate(seed, place, wiringOf(mutation))
      if (breach === null) continue
      if (seed > seedsSound) await expectSound(seed)
      return
    }
    expect.unreachable(`${seedsMax} seeds notice nothing`)
  })

  test('thirty-five faults', () => {
    expect(new Set(mutations.map((m) => m.name)).size).toBe(35)
  })
})
