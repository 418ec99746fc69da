/** Quantiles of what was measured one by one. */

export const reported = [0.5, 0.9, 0.99, 0.999] as const

/** Sorts a copy, once for all that is asked of it. */
export function quantiles(values: Float64Array | readonly number[]) {
  const sorted = Float64Array.from(values).sort()
  return {
    count: sorted.length,
    max: sorted.at(-1) ?? null,
    /** The smallest value that at least the share q of all does not exceed; null of nothing. */
    at: (q: number): number | null => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? null,
  }
}

// Dense where a tail begins: a curve is read at its right end.
// biome-ignore format: a list of percentiles is read across
const percentiles = [
  0, 5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92, 94, 95, 96, 97, 98, 98.5, 99, 99.2, 99.5, 99.7, 99.8, 99.9, 99.95, 99.99,
]

/** Points of a percentile curve: percent, value. Percentiles that fewer than ten values lie beyond are left out. */
export function percentileCurve(values: Float64Array | readonly number[]): [percent: number, value: number][] {
  const { count, at } = quantiles(values)
  return percentiles
    .filter((percent) => percent === 0 || count * (1 - percent / 100) >= 10 || percent <= 50)
    .flatMap((percent): [number, number][] => {
      const value = at(percent / 100)
      return value === null ? [] : [[percent, value]]
    })
}
