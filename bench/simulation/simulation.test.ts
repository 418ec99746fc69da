/** Seeded worlds: all hold; the same seed is the same world; and every deliberate fault is noticed by some seed. */
import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { faults, playMutants, playMutation } from './hunt.ts'
import { changed, changesOf, mutants } from './mutants.ts'
import { makeCatalog, makeDivisions } from './network.ts'
import type { Played } from './play-mutants.ts'
import { seedsThatNotice } from './seeds.ts'
import { simulate } from './simulate.ts'

const place = { catalog: makeCatalog(), divisions: makeDivisions() }
const seedsSound = 300
// Where a change of the code gave the pinned seeds another course, some other one may do: then pin that one.
const seedsSearched = 200
// Some twenty seconds on a machine of its own.
const timeoutMs = 400_000

const firstSeeds = Array.from({ length: seedsSearched }, (_, i) => i + 1)
const seedsFor = (name: string): number[] => [...(seedsThatNotice[name] ?? []), ...firstSeeds]

async function expectSound(seed: number): Promise<void> {
  const { breach } = await simulate(seed, place)
  expect(breach, `npm run simulate -- --seed ${seed} --trace`).toBe(null)
}

async function expectNoticed({ seed, name }: Played): Promise<void> {
  expect(seed, `no seed notices. Find one: npm run simulate -- --mutants --only '${name}' --seeds 2000`).not.toBe(null)
  if (seed! > seedsSound) await expectSound(seed!)
}

test(`${seedsSound} worlds keep every invariant`, { timeout: timeoutMs }, async () => {
  for (let seed = 1; seed <= seedsSound; seed++) await expectSound(seed)
})

test('the same seed is the same world, step by step', async () => {
  for (const seed of [3, 4, 5, 6]) {
    const [first, second] = [await simulate(seed, place, undefined, true), await simulate(seed, place, undefined, true)]
    expect(second.trace).toEqual(first.trace)
    expect(second.hash).toBe(first.hash)
    expect(first.trace.length).toBeGreaterThan(first.steps)
  }
  expect((await simulate(6, place)).hash).not.toBe((await simulate(7, place)).hash)
})

describe('some world notices a fault between the stages, where the sound code survives the same one:', () => {
  test.each(faults.between)('%s', { timeout: timeoutMs }, async (name) => {
    await expectNoticed(await playMutation(name, seedsFor(name), place))
  })
})

describe('some world notices a fault inside a stage, where the sound code survives the same one:', () => {
  const played = new Map<string, Played>()
  beforeAll(async () => {
    for await (const one of playMutants(Object.fromEntries(faults.inside.map((name) => [name, seedsFor(name)]))))
      played.set(one.name, one)
  }, timeoutMs)

  test.each(faults.inside)('%s', { timeout: timeoutMs }, async (name) => {
    await expectNoticed(played.get(name)!)
  })
})

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))('is put in once: %s', async (_, mutant) => {
  for (const change of changesOf(mutant)) {
    const source = await readFile(new URL(change.file, new URL('../../', import.meta.url)), 'utf8')
    expect(changed(change, source)).not.toBe(source)
  }
})

test('every fault has a name of its own, and every pinned seed a fault', () => {
  const names = [...faults.between, ...faults.inside, ...faults.rare]
  expect(new Set(names).size).toBe(names.length)
  expect(Object.keys(seedsThatNotice).filter((name) => !names.includes(name))).toEqual([])
})
