/** Whether something grows: the second half of a series against the first, by their medians. */

export interface Halves {
  readonly first: number
  readonly second: number
  /** null where the first is nought, or one of them has nothing. */
  readonly ratio: number | null
}

type Points = readonly (readonly [x: number, y: number])[]

/** `x` below `middle` is the first half. */
export function halves(points: Points, middle: number): Halves | null {
  const medianOf = (half: Points) =>
    quantile(
      half.map(([, y]) => y),
      0.5,
    )
  const first = medianOf(points.filter(([x]) => x < middle))
  const second = medianOf(points.filter(([x]) => x >= middle))
  if (first === null || second === null) return null
  return { first, second, ratio: first > 0 ? second / first : null }
}

/** The smallest value that at least the share q does not exceed; null of nothing. */
export function quantile(values: readonly number[], q: number): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? null
}

/** One point a window of `width`, at its beginning: the quantile of what fell into it. Empty windows are left out. */
export function windowed(points: Points, width: number, q: number): [x: number, y: number][] {
  const windows = new Map<number, number[]>()
  for (const [x, y] of points) {
    const window = Math.floor(x / width) * width
    const values = windows.get(window)
    if (values === undefined) windows.set(window, [y])
    else values.push(y)
  }
  return [...windows].sort(([a], [b]) => a - b).map(([x, values]) => [x, quantile(values, q)!])
}
