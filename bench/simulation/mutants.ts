/**
 * Deliberate faults inside the code of the stages: what would happen if one line were not there, or said something else. Each
 * replaces one snippet of a compiled file, in a world of its own (./mutant-hooks.ts). A snippet that is not there exactly once
 * fails: no mutant becomes harmless because the code moved on.
 */

import type { Change, Mutant } from './mutant.ts'
import { decisionMutants } from './mutants-decision.ts'
import { intakeMutants } from './mutants-intake.ts'
import { stockMutants } from './mutants-stock.ts'

export const mutants: readonly Mutant[] = [...intakeMutants, ...decisionMutants, ...stockMutants]

export function changesOf(mutant: Mutant): readonly Change[] {
  return mutant.also === undefined ? [mutant] : [mutant, mutant.also]
}

/** Throws when the snippet is not in the file exactly once. */
export function changed({ file, from, to }: Change, source: string): string {
  const parts = source.split(from)
  if (parts.length !== 2) throw new Error(`found ${parts.length - 1} times in ${file}: ${from}`)
  return parts.join(to)
}
