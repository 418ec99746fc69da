/** How the inputs are shared: over targets by their share, in stretches, each target's in turn. */
import type { Target } from './target.ts'
import type { Order } from './thread.ts'

// Some seconds of a slow target: the end of a run is not spent waiting for one thread.
const stretchInputs = 20_000

/** Gives an order after the other, null when all are given; `stop` makes it the end. */
export function sharing(
  targets: readonly Pick<Target, 'name' | 'share'>[],
  inputs: number,
  seed: number,
): { next(): Order | null; stop(): void } {
  const shares = targets.reduce((sum, t) => sum + t.share, 0)
  const left = targets.map(({ name, share }) => ({ target: name, from: 0, to: Math.ceil((inputs * share) / shares) }))
  let turn = 0
  let stopped = false
  return {
    next() {
      for (let tries = 0; tries < left.length && !stopped; tries++) {
        const mine = left[turn++ % left.length]!
        if (mine.from >= mine.to) continue
        const from = mine.from
        mine.from = Math.min(mine.to, from + stretchInputs)
        return { target: mine.target, seed, from, to: mine.from }
      }
      return null
    },
    stop() {
      stopped = true
    },
  }
}
