/** A stretch of one target's inputs, one after the other, up to the first that fails. */
import { examine } from './examine.ts'
import type { Failure } from './keep.ts'
import { Random } from './random.ts'
import { shrink } from './shrink.ts'
import type { Target } from './target.ts'

export interface Stretch {
  readonly seed: number
  readonly from: number
  /** The first one that is not part of it. */
  readonly to: number
}

export interface Stretched {
  readonly target: string
  readonly inputs: number
  readonly ms: number
  /** The slowest input of it. */
  readonly slowest: { readonly index: number; readonly ms: number }
  readonly failure: Failure | null
}

/** `started` is told of each index before its input is run, so that a watcher knows which input does not end. */
export async function runStretch(
  target: Target,
  { seed, from, to }: Stretch,
  started: (index: number) => void = () => undefined,
): Promise<Stretched> {
  const began = performance.now()
  let slowest = { index: from, ms: 0 }
  let index = from
  let failure: Failure | null = null
  for (; index < to && failure === null; index++) {
    started(index)
    const input = inputAt(target, seed, index)
    const { ms, problem } = await examine(target, input)
    if (ms > slowest.ms) slowest = { index, ms }
    if (problem === null) continue
    const smallest = await shrink(target, input, problem)
    const { sign, message } = smallest.problem
    failure = { target: target.name, seed, index, sign, message, input: smallest.input }
  }
  return { target: target.name, inputs: index - from, ms: performance.now() - began, slowest, failure }
}

export function inputAt(target: Target, seed: number, index: number): unknown {
  return target.draw(new Random(seed, target.name, index))
}
