/** What a plot's points are measured against: the marks of both axes and where every value falls. */
import type { Plot } from '../measured/scenario.ts'
import { linear, niceTicks, nines, percentMarks, type Scale, tickText } from './ticks.ts'

export interface Frame {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export interface Mark {
  readonly at: number
  readonly text: string
}

export interface Axes {
  readonly x: Scale
  readonly y: Scale
  readonly xMarks: readonly Mark[]
  readonly yMarks: readonly Mark[]
  /** bar: what stands side by side, and how wide each column is. */
  readonly columns: { readonly values: readonly number[]; readonly width: number } | null
}

// Wider than "99.999 %" in the font of the marks.
const markWidthMin = 58
const columnMarksMax = 24
// Where a curve ends at 100 %, one more nine than its last finite point.
const ninesMin = 2

/** null: there is nothing to be seen. */
export function axesOf(plot: Plot, frame: Frame): Axes | null {
  const points = plot.series.flatMap((series) => series.points).filter(isFinitePoint)
  if (points.length === 0) return null
  // Figures are amounts: a curve that starts anywhere but at nought makes small differences look large.
  const ys = points.map(([, y]) => y)
  const yTicks = niceTicks(Math.min(0, least(ys)), Math.max(0, greatest(ys)))
  const y = linear([yTicks[0]!, yTicks.at(-1)!], [frame.bottom, frame.top])
  const yMarks = yTicks.map((tick) => ({ at: y(tick), text: tickText(tick) }))
  return { y, yMarks, ...xOf(plot, points, frame) }
}

export function isFinitePoint([x, y]: readonly [number, number]): boolean {
  return Number.isFinite(x) && Number.isFinite(y)
}

function xOf(plot: Plot, points: Plot['series'][number]['points'], frame: Frame): Omit<Axes, 'y' | 'yMarks'> {
  const xs = points.map(([x]) => x)
  if (plot.kind === 'bar') return columnsOf(xs, frame)
  if (plot.kind === 'percentile') return percentsOf(xs, frame)
  const wanted = Math.max(2, Math.floor((frame.right - frame.left) / (markWidthMin * 1.4)))
  const ticks = niceTicks(least(xs), greatest(xs), Math.min(9, wanted))
  const x = linear([ticks[0]!, ticks.at(-1)!], [frame.left, frame.right])
  return { x, xMarks: ticks.map((tick) => ({ at: x(tick), text: tickText(tick) })), columns: null }
}

function columnsOf(xs: readonly number[], frame: Frame): Omit<Axes, 'y' | 'yMarks'> {
  const values = [...new Set(xs)].sort((a, b) => a - b)
  const width = (frame.right - frame.left) / values.length
  const x: Scale = (value) => frame.left + (values.indexOf(value) + 0.5) * width
  const every = Math.ceil(values.length / columnMarksMax)
  const xMarks = values.filter((_, n) => n % every === 0).map((value) => ({ at: x(value), text: tickText(value) }))
  return { x, xMarks, columns: { values, width } }
}

function percentsOf(xs: readonly number[], frame: Frame): Omit<Axes, 'y' | 'yMarks'> {
  const open = Math.max(ninesMin, greatest(xs.map((percent) => (percent >= 100 ? 0 : nines(percent, 9)))))
  const most = xs.some((percent) => percent >= 100) ? open + 1 : open
  const scale = linear([0, most], [frame.left, frame.right])
  const x: Scale = (percent) => scale(nines(percent, most))
  const marks = percentMarks.filter((percent) => nines(percent, 9) <= open)
  const xMarks = marks.map((percent) => ({ at: x(percent), text: `${percent} %` }))
  if (most > open) xMarks.push({ at: frame.right, text: '100 %' })
  return { x, xMarks, columns: null }
}

// Not Math.min(...values): a long series is more arguments than a call may have.
function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
}

function greatest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
}
