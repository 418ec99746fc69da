/** Axes: where their marks stand, and how a figure is written beside one. Pure arithmetic. */

/**
 * Round figures (1, 2, 5 times a power of ten) that cover `min … max`: the first is at most `min`, the last at least
 * `max`, about `wanted` of them. Both have to be finite; an axis without extent gets one.
 */
export function niceTicks(min: number, max: number, wanted = 5): readonly number[] {
  if (!Number.isFinite(min) || !Number.isFinite(max)) throw new RangeError(`an axis from ${min} to ${max}`)
  const low = Math.min(min, max)
  // The doubles beside one large figure lie further apart than any extent below this.
  const extent = Math.max(Math.abs(max - min), Math.abs(low) * 1e-9, Number.MIN_VALUE * 1e16)
  const step = niceStep(extent / Math.max(1, wanted - 1))
  const first = Math.floor(low / step)
  const last = Math.ceil((low + extent) / step)
  const ticks: number[] = []
  for (let n = first; n <= Math.max(last, first + 1); n++) ticks.push(exact(n, step))
  return ticks
}

/** The least of 1, 2, 5 × 10ⁿ that is not below `rough`, but for the last bits. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  const digit = [1, 2, 5].find((candidate) => candidate * power >= rough * (1 - 1e-9)) ?? 10
  return digit * power
}

/** n × step without the binary dust that makes 0.30000000000000004 of three tenths. */
function exact(n: number, step: number): number {
  const value = Number((n * step).toPrecision(12))
  return value === 0 ? 0 : value
}

export type Scale = (value: number) => number

/** From `domain` onto `range`; a domain without extent falls on the middle. */
export function linear(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const [from, to] = domain
  const [start, end] = range
  if (from === to) return () => (start + end) / 2
  return (value) => start + ((value - from) / (to - from)) * (end - start)
}

/** What most readers look for, as far as a curve goes. */
export const percentMarks: readonly number[] = [0, 50, 90, 99, 99.9, 99.99, 99.999]

/** How many nines a percent has: 0 for 0, 1 for 90, 2 for 99. 100 has no end and counts as `most`. */
export function nines(percent: number, most: number): number {
  const left = 1 - Math.min(100, Math.max(0, percent)) / 100
  return left <= 0 ? most : Math.min(most, -Math.log10(left))
}

/** 12,345 · 1.25 · 0.004: digits enough to tell neighbours apart, and no digits beyond what was measured. */
export function figureText(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en')
  const digits = size >= 10 ? 1 : size >= 1 ? 2 : 3
  return Number(value.toFixed(digits)) === 0 && value !== 0
    ? value.toPrecision(2)
    : String(Number(value.toFixed(digits)))
}

/** Beside an axis: as short as the step allows. */
export function tickText(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e9)
    return value
      .toExponential(2)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e')
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(6))}M`
  if (size > 0 && size < 1e-4) return value.toExponential(2).replace(/\.?0+e/, 'e')
  return Number(value.toPrecision(12)).toLocaleString('en', { maximumFractionDigits: 6 })
}
