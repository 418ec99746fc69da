/** Makes a failing input as small as it gets while it fails in the same way. */
import { examine, type Problem } from './examine.ts'
import type { Target } from './target.ts'

export interface Shrunk {
  readonly input: unknown
  readonly problem: Problem
}

const triesMax = 3_000

/** Slow inputs stay as they are: each look at one costs too much. */
export async function shrink(target: Target, input: unknown, problem: Problem): Promise<Shrunk> {
  let best: Shrunk = { input, problem }
  if (problem.sign === 'slow') return best
  let tries = 0
  for (let better = true; better && tries < triesMax; ) {
    better = false
    for (const smaller of smallerThan(best.input)) {
      if (++tries > triesMax) break
      const { problem: found } = await examine(target, smaller)
      if (found?.sign !== problem.sign) continue
      best = { input: smaller, problem: found }
      better = true
      break
    }
  }
  return best
}

/** Large steps first. */
export function* smallerThan(value: unknown): Generator<unknown> {
  if (typeof value === 'string') {
    yield* cuts(value.length, (from, to) => value.slice(0, from) + value.slice(to))
    return
  }
  if (value instanceof Uint8Array) {
    yield* cuts(value.length, (from, to) => Buffer.concat([value.subarray(0, from), value.subarray(to)]))
    return
  }
  if (Array.isArray(value)) {
    yield* cuts(value.length, (from, to) => [...value.slice(0, from), ...value.slice(to)])
    for (const [at, entry] of value.entries()) {
      for (const smaller of smallerThan(entry)) yield value.with(at, smaller)
    }
    return
  }
  if (typeof value === 'number' && value !== 0) {
    yield 0
    if (Math.abs(value) > 1) yield Math.trunc(value / 2)
    return
  }
  if (typeof value !== 'object' || value === null) return
  for (const [key, entry] of Object.entries(value)) {
    for (const smaller of smallerThan(entry)) yield { ...value, [key]: smaller }
  }
}

function* cuts<T>(length: number, without: (from: number, to: number) => T): Generator<T> {
  for (let size = length; size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < length; from += size) yield without(from, Math.min(length, from + size))
  }
}
