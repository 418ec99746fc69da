/** Which seeds notice which deliberate fault: those between the stages here, those inside them in a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { mutants } from './mutants.ts'
import { mutations } from './mutations.ts'
import type { Place } from './network.ts'
import type { Played } from './play-mutants.ts'
import { simulate } from './simulate.ts'
import { wiringOf } from './wiring.ts'

/** The names of all, and where each is put in. */
export const faults = {
  between: mutations.map(({ name }) => name),
  inside: mutants.filter(({ isRare }) => isRare !== true).map(({ name }) => name),
  rare: mutants.filter(({ isRare }) => isRare === true).map(({ name }) => name),
} as const

export type SeedsByName = Readonly<Record<string, readonly number[]>>

/** The first of some seeds that notices a fault between the stages. */
export async function playMutation(name: string, seeds: Iterable<number>, place: Place): Promise<Played> {
  const mutation = mutations.find((m) => m.name === name)
  if (mutation === undefined) throw new Error(`no fault is called ${name}`)
  for (const seed of seeds) {
    const { breach } = await simulate(seed, place, wiringOf(mutation))
    if (breach !== null) return { name, seed, breach }
  }
  return { name, seed: null, breach: null }
}

/** Of each fault inside the stages, the first of its seeds that notices it. Throws when the process that plays them fails. */
export async function* playMutants(asked: SeedsByName): AsyncGenerator<Played, void> {
  const script = fileURLToPath(new URL('./play-mutants.js', import.meta.url))
  const child = spawn(process.execPath, ['--no-warnings', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(JSON.stringify(asked))
  const ended = once(child, 'exit') as Promise<[number | null]>
  try {
    for await (const line of createInterface(child.stdout)) yield JSON.parse(line) as Played
    const [code] = await ended
    if (code !== 0) throw new Error(`the process that plays the mutants ended with ${String(code)}`)
  } finally {
    child.kill()
  }
}
