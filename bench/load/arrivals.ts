/** When each request of an open loop is due. */
import type { Pace } from './fired.ts'

/** Milliseconds after the start, ascending: evenly spread within each piece of the curve, its fractions carried over. */
export function dueTimes(curve: readonly Pace[]): Float64Array {
  const due: number[] = []
  let fromMs = 0
  // Where the next request lies between two, so that a curve of many short pieces loses none.
  let carried = 0
  for (const { seconds, perSecond } of curve) {
    if (!(seconds >= 0) || !(perSecond >= 0)) throw new RangeError('seconds and requests a second are 0 or more')
    const wanted = carried + seconds * perSecond
    const whole = Math.floor(wanted + roundingSlack)
    for (let i = 0; i < whole; i++) due.push(fromMs + ((i + 1 - carried) / perSecond) * 1000)
    carried = Math.max(0, wanted - whole)
    fromMs += seconds * 1000
  }
  return Float64Array.from(due)
}

// 0.1 × 10 × 3 is a little less than 3.
const roundingSlack = 1e-9

export function requestsOf(curve: readonly Pace[]): number {
  return curve.reduce((sum, { seconds, perSecond }) => sum + seconds * perSecond, 0)
}
