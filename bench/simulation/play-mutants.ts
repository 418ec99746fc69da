/**
 * Plays mutants, each in modules of its own, and writes one line of JSON about each. Run by the tests and by
 * `npm run simulate -- --mutants` as a process of its own, since hooks of the loader are for a whole process.
 *
 * Standard input: JSON, { name: seeds to try }, which is longer than an argument may be.
 */
import { readFileSync } from 'node:fs'
import { register } from 'node:module'
import type { HookData } from './mutant-hooks.ts'
import { mutants } from './mutants.ts'
import { makeCatalog, makeDivisions } from './network.ts'

export interface Played {
  readonly name: string
  /** The first that noticed; null: none did. */
  readonly seed: number | null
  readonly breach: string | null
}

const root = new URL('../../', import.meta.url).href
const data: HookData = { root, mutants }
register('./mutant-hooks.js', import.meta.url, { data })

const asked = JSON.parse(readFileSync(0, 'utf8')) as Readonly<Record<string, readonly number[]>>
for (const [name, seeds] of Object.entries(asked)) console.log(JSON.stringify(await play(name, seeds)))

async function play(name: string, seeds: readonly number[]): Promise<Played> {
  const number = mutants.findIndex((mutant) => mutant.name === name)
  if (number < 0) throw new Error(`no mutant is called ${name}`)
  const url = new URL('./simulate.js', import.meta.url)
  url.searchParams.set('mutant', String(number))
  const { simulate } = (await import(url.href)) as typeof import('./simulate.ts')
  const place = { catalog: makeCatalog(), divisions: makeDivisions() }
  for (const seed of seeds) {
    const { breach } = await simulate(seed, place)
    if (breach !== null) return { name, seed, breach }
  }
  return { name, seed: null, breach: null }
}
