/** One series as shapes. A value that is none leaves a gap: nothing is drawn where nothing was measured. */
import type { Plot, Series } from '../measured/scenario.ts'
import { type Axes, isFinitePoint } from './axes.ts'
import { lookOf } from './style.ts'
import { element } from './svg.ts'

/** `at` of `count` series. */
export function drawSeries(kind: Plot['kind'], series: Series, axes: Axes, at: number, count: number): string {
  if (kind === 'bar') return bars(series, axes, at, count)
  const { stroke, fill, dashes } = lookOf(at)
  const style = dashes === '' ? {} : { 'stroke-dasharray': dashes }
  return stretches(series)
    .map((points) => {
      const [x, y] = [axes.x(points[0]![0]), axes.y(points[0]![1])]
      // A line of one point has no length.
      if (points.length === 1) return element('circle', { cx: x, cy: y, r: 3, class: fill })
      return element('path', { class: `curve ${stroke}`, d: pathOf(points, axes, kind === 'step'), ...style })
    })
    .join('')
}

type Points = Series['points']

function stretches({ points }: Series): Points[] {
  const found: (readonly [number, number])[][] = [[]]
  for (const point of points) {
    if (isFinitePoint(point)) found.at(-1)!.push(point)
    else if (found.at(-1)!.length > 0) found.push([])
  }
  return found.filter((stretch) => stretch.length > 0)
}

function pathOf(points: Points, axes: Axes, stepped: boolean): string {
  const text = (value: number) => String(Number(value.toFixed(2)))
  let path = ''
  for (const [n, [x, y]] of points.entries()) {
    if (n === 0) path = `M${text(axes.x(x))} ${text(axes.y(y))}`
    // The figure held until the next one was read.
    else if (stepped) path += `H${text(axes.x(x))}V${text(axes.y(y))}`
    else path += `L${text(axes.x(x))} ${text(axes.y(y))}`
  }
  return path
}

// Of a column's width, what stays empty between it and the next.
const gapShare = 0.3

function bars(series: Series, axes: Axes, at: number, count: number): string {
  const room = axes.columns!.width * (1 - gapShare)
  const width = room / count
  return series.points
    .filter(isFinitePoint)
    .map(([x, y]) => {
      const [zero, end] = [axes.y(0), axes.y(y)]
      return element('rect', {
        x: axes.x(x) - room / 2 + at * width,
        y: Math.min(zero, end),
        width: Math.max(0.5, width - 1),
        height: Math.abs(zero - end),
        class: lookOf(at).fill,
      })
    })
    .join('')
}
