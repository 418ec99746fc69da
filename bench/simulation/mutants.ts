/**
 * Deliberate faults inside the code of the stages: what would happen if one line were not there, or said something else. Each
 * replaces one snippet of a compiled file, in a world of its own (./mutant-hooks.ts). A snippet that is not there exactly once
 * fails: no mutant becomes harmless because the code moved on.
 */
import { decisionMutants } from './mutants-decision.ts'
import { intakeMutants } from './mutants-intake.ts'
import { stockMutants } from './mutants-stock.ts'

export interface Mutant {
  readonly name: string
  /** Compiled, from the folder of all of them: workers/decide/dispatch.js. */
  readonly file: string
  readonly from: string
  readonly to: string
}

export const mutants: readonly Mutant[] = [...intakeMutants, ...decisionMutants, ...stockMutants]

/** Throws when the snippet is not in the file exactly once. */
export function mutated({ name, file, from, to }: Omit<Mutant, 'seeds'>, source: string): string {
  const parts = source.split(from)
  if (parts.length !== 2) throw new Error(`${name}: found ${parts.length - 1} times in ${file}: ${from}`)
  return parts.join(to)
}
