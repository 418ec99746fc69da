/** A plot as an SVG file of its own: title, legend, axes with units, curves; readable on light and on dark paper. */
import type { Plot, Series } from '../measured/scenario.ts'
import { type Axes, axesOf, type Frame, type Mark } from './axes.ts'
import { drawSeries } from './curve.ts'
import { lookOf, styleText } from './style.ts'
import { element, escaped } from './svg.ts'
import { figureText } from './ticks.ts'

const width = 760
const plotHeight = 280
const margin = { left: 70, right: 24, bottom: 48, title: 34, legendRow: 20 }
// A little more than the widest of these letters needs: nothing can be measured here.
const letterWidth = 7

export function plotSvg(plot: Plot): string {
  const legend = legendOf(plot.series)
  const top = margin.title + legend.rows * margin.legendRow + 8
  const frame: Frame = { left: margin.left, right: width - margin.right, top, bottom: top + plotHeight }
  const height = frame.bottom + margin.bottom
  const axes = axesOf(plot, frame)
  const inside =
    axes === null
      ? element(
          'text',
          { x: width / 2, y: (frame.top + frame.bottom) / 2, class: 'faint', 'text-anchor': 'middle' },
          'nothing was measured',
        )
      : [
          drawAxes(axes, frame),
          ...plot.series.map((series, at) => drawSeries(plot.kind, series, axes, at, plot.series.length)),
        ].join('\n')
  return `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-labelledby': 'title description',
    },
    element('title', { id: 'title' }, escaped(plot.title)),
    element('desc', { id: 'description' }, escaped(described(plot))),
    element('style', {}, styleText),
    element('rect', { width, height, class: 'paper' }),
    element('text', { x: margin.left, y: 22, class: 'title' }, escaped(plot.title)),
    legend.text,
    `\n${inside}\n`,
    names(plot, frame, height),
  )}\n`
}

/** For a reader who cannot see the plot: what is drawn, and how far it goes. */
function described({ x, y, series }: Plot): string {
  const lines = series.map(({ name, points }) => {
    const ys = points.map(([, value]) => value).filter(Number.isFinite)
    if (ys.length === 0) return `${name}: nothing was measured`
    const [low, high] = ys.reduce<[number, number]>(
      ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
      [ys[0]!, ys[0]!],
    )
    return `${name}: ${ys.length} points, ${figureText(low)} to ${figureText(high)}, last ${figureText(ys.at(-1)!)}`
  })
  return [`${y} by ${x}.`, ...lines].join(' ')
}

function legendOf(series: readonly Series[]): { readonly rows: number; readonly text: string } {
  if (series.length < 2) return { rows: 0, text: '' }
  let x = margin.left
  let row = 0
  const entries = series.map(({ name }, at) => {
    const room = 28 + name.length * letterWidth
    if (x > margin.left && x + room > width - margin.right) {
      x = margin.left
      row += 1
    }
    const y = margin.title + row * margin.legendRow + 8
    const { stroke, dashes } = lookOf(at)
    const style = dashes === '' ? {} : { 'stroke-dasharray': dashes }
    const entry =
      element('line', { x1: x, x2: x + 16, y1: y - 4, y2: y - 4, class: stroke, 'stroke-width': 3, ...style }) +
      element('text', { x: x + 21, y }, escaped(name))
    x += room
    return entry
  })
  return { rows: row + 1, text: entries.join('') }
}

function drawAxes({ xMarks, yMarks }: Axes, { left, right, top, bottom }: Frame): string {
  const across = ({ at, text }: Mark) =>
    element('line', { x1: left, x2: right, y1: at, y2: at, class: 'grid' }) +
    element('text', { x: left - 8, y: at + 4, class: 'faint', 'text-anchor': 'end' }, escaped(text))
  const below = ({ at, text }: Mark) =>
    element('line', { x1: at, x2: at, y1: bottom, y2: bottom + 5, class: 'axis' }) +
    element('text', { x: at, y: bottom + 19, class: 'faint', 'text-anchor': 'middle' }, escaped(text))
  return [
    ...yMarks.map(across),
    ...xMarks.map(below),
    element('line', { x1: left, x2: right, y1: bottom, y2: bottom, class: 'axis' }),
    element('line', { x1: left, x2: left, y1: top, y2: bottom, class: 'axis' }),
  ].join('')
}

/** What the axes say, each with its unit. */
function names({ x, y }: Plot, frame: Frame, height: number): string {
  const middle = (frame.top + frame.bottom) / 2
  return (
    element('text', { x: (frame.left + frame.right) / 2, y: height - 10, 'text-anchor': 'middle' }, escaped(x)) +
    element('text', { x: 16, y: middle, 'text-anchor': 'middle', transform: `rotate(-90 16 ${middle})` }, escaped(y))
  )
}
