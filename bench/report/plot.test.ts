/** Plots: axes that hold what they show, and files that every reader of SVG can read. */
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { describe, expect, test } from 'vitest'
import { fc, runs } from '../../router/testing/seed.ts'
import type { Plot } from '../measured/scenario.ts'
import { axesOf } from './axes.ts'
import { plotSvg } from './plot.ts'
import { escaped } from './svg.ts'
import { figureText, linear, niceTicks, nines, tickText } from './ticks.ts'

const amount = fc.double({ min: -1e12, max: 1e12, noNaN: true })
const measured = fc.oneof(
  amount,
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 100, 99.9, 1e-9),
)
const text = fc.string({ unit: 'binary', maxLength: 20 })
const plots: fc.Arbitrary<Plot> = fc.record({
  name: fc.constant('a-plot'),
  title: text,
  kind: fc.constantFrom('line', 'step', 'bar', 'percentile'),
  x: text,
  y: text,
  series: fc.array(fc.record({ name: text, points: fc.array(fc.tuple(measured, measured), { maxLength: 12 }) }), {
    maxLength: 9,
  }),
})

describe('ticks', () => {
  test.each([
    [0, 10, [0, 5, 10]],
    [0, 100, [0, 50, 100]],
    [0, 97, [0, 50, 100]],
    [0, 4, [0, 1, 2, 3, 4]],
    [0, 0.3, [0, 0.1, 0.2, 0.3]],
    [-3, 5, [-4, -2, 0, 2, 4, 6]],
    [1_700_000_000, 1_700_000_040, [1_700_000_000, 1_700_000_010, 1_700_000_020, 1_700_000_030, 1_700_000_040]],
  ])('%d … %d', (min, max, ticks) => {
    expect(niceTicks(min, max)).toEqual(ticks)
  })

  test('cover what they are asked to, evenly, by round steps, and are few', () => {
    fc.assert(
      fc.property(amount, amount, fc.integer({ min: 2, max: 10 }), (a, b, wanted) => {
        const [min, max] = [Math.min(a, b), Math.max(a, b)]
        const ticks = niceTicks(min, max, wanted)
        const step = ticks[1]! - ticks[0]!
        const dust = Math.abs(ticks[0]!) * 1e-9 + Math.abs(ticks.at(-1)!) * 1e-9
        expect(ticks[0]).toBeLessThanOrEqual(min + dust)
        expect(ticks.at(-1)).toBeGreaterThanOrEqual(max - dust)
        expect(ticks.length).toBeGreaterThanOrEqual(2)
        expect(ticks.length).toBeLessThanOrEqual(wanted * 2 + 2)
        for (let n = 1; n < ticks.length; n++) {
          expect(Number.isFinite(ticks[n])).toBe(true)
          expect(ticks[n]! - ticks[n - 1]!).toBeGreaterThan(0)
          expect(Math.abs(ticks[n]! - ticks[n - 1]! - step)).toBeLessThanOrEqual(dust + step * 1e-6)
        }
      }),
    )
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('an axis to %d is a mistake', (max) => {
    expect(() => niceTicks(0, max)).toThrow(RangeError)
  })

  test.each([
    [1234567, '1,234,567'],
    [123.456, '123'],
    [12.345, '12.3'],
    [1.2345, '1.23'],
    [0.01234, '0.012'],
    [0.00001234, '0.000012'],
    [0, '0'],
    [Number.NaN, '–'],
  ])('%d is written as %s', (value, written) => {
    expect(figureText(value)).toBe(written)
  })

  test.each([
    [0, '0'],
    [2500, '2,500'],
    [2_500_000, '2.5M'],
    [0.25, '0.25'],
    [5e9, '5e9'],
  ])('the mark of %d says %s', (value, written) => {
    expect(tickText(value)).toBe(written)
  })
})

describe('scales', () => {
  test('ends fall on ends, the order is kept', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1 }), fc.double({ min: 0, max: 1, noNaN: true }), (from, size, t) => {
        const scale = linear([from, from + size], [10, 500])
        expect(scale(from)).toBe(10)
        expect(scale(from + size)).toBeCloseTo(500)
        expect(scale(from + size * t)).toBeCloseTo(10 + 490 * t, 3)
      }),
    )
    expect(linear([7, 7], [10, 500])(7)).toBe(255)
  })

  test.each([
    [0, 0],
    [90, 1],
    [99, 2],
    [99.9, 3],
    [100, 4],
    [-5, 0],
  ])('%d percent has %d nines', (percent, wanted) => {
    expect(nines(percent, 4)).toBeCloseTo(wanted, 9)
  })

  test('every finite point lies within the frame, whatever the kind', () => {
    const frame = { left: 70, right: 700, top: 40, bottom: 300 }
    fc.assert(
      fc.property(plots, (plot) => {
        const axes = axesOf(plot, frame)
        const points = plot.series.flatMap((s) => s.points).filter((p) => p.every(Number.isFinite))
        if (axes === null) {
          expect(points).toEqual([])
          return
        }
        for (const [x, y] of points) {
          expect(axes.x(x)).toBeGreaterThanOrEqual(frame.left - 0.01)
          expect(axes.x(x)).toBeLessThanOrEqual(frame.right + 0.01)
          expect(axes.y(y)).toBeGreaterThanOrEqual(frame.top - 0.01)
          expect(axes.y(y)).toBeLessThanOrEqual(frame.bottom + 0.01)
        }
      }),
      { numRuns: runs(300) },
    )
  })
})

describe('files', () => {
  test('are well-formed whatever is in them, and hold no coordinate that is none', () => {
    fc.assert(
      fc.property(plots, (plot) => {
        const svg = plotSvg(plot)
        expect(XMLValidator.validate(svg)).toBe(true)
        // Names may hold such words; coordinates may not.
        const shapes = [...svg.matchAll(/<(?:path|circle|rect|line|text)[^>]*>/g)].map(([tag]) => tag)
        for (const tag of shapes) expect(tag).not.toMatch(/NaN|Infinity|undefined|null/)
      }),
      { numRuns: runs(300) },
    )
  })

  test('an empty plot says so', () => {
    for (const series of [[], [{ name: 'a', points: [] }], [{ name: 'a', points: [[Number.NaN, 1]] as const }]]) {
      expect(plotSvg({ name: 'n', title: 't', kind: 'line', x: 'x', y: 'y', series })).toContain('nothing was measured')
    }
  })

  test('has a title for those who cannot see it, a legend for more than one curve, and both papers', () => {
    const plot: Plot = {
      name: 'latency',
      title: 'ACK <at> fixed & "true" rates',
      kind: 'percentile',
      x: 'percent of requests',
      y: 'ms',
      series: [
        {
          name: '25 %',
          points: [
            [50, 1],
            [99, 3],
            [99.9, 9],
            [100, 20],
          ],
        },
        {
          name: '75 %',
          points: [
            [50, 2],
            [99, 8],
          ],
        },
      ],
    }
    const svg = plotSvg(plot)
    const root = (new XMLParser({ ignoreAttributes: false }).parse(svg) as { svg: Record<string, unknown> }).svg
    expect(root['@_role']).toBe('img')
    expect(JSON.stringify(root.title)).toContain('ACK')
    expect(JSON.stringify(root.desc)).toContain('25 %: 4 points, 1 to 20, last 20')
    expect(svg).toContain('prefers-color-scheme: dark')
    for (const word of ['25 %', '75 %', '99.9 %', '100 %', 'percent of requests']) expect(svg).toContain(`>${word}<`)
    expect(plotSvg({ ...plot, series: plot.series.slice(0, 1) })).not.toContain('stroke-width="3"')
  })

  test('a gap stays a gap, a step holds until the next figure, a lone point is a dot', () => {
    const of = (kind: Plot['kind'], ys: readonly number[]) =>
      plotSvg({
        name: 'n',
        title: 't',
        kind,
        x: 'x',
        y: 'y',
        series: [{ name: 's', points: ys.map((y, x) => [x, y]) }],
      })
    expect(of('line', [1, 2, Number.NaN, 4, 5]).match(/<path/g)).toHaveLength(2)
    expect(of('line', [1, 2, Number.NaN, 4]).match(/<circle/g)).toHaveLength(1)
    expect(of('step', [1, 2])).toMatch(/d="M70 [\d.]+H[\d.]+V[\d.]+"/)
    expect(of('bar', [1, 2, 0]).match(/<rect/g)).toHaveLength(4)
  })

  test('what XML cannot hold becomes a question mark', () => {
    expect(escaped('a\u0000b\ud800c<&>"\'')).toBe('a?b?c&lt;&amp;&gt;&quot;&#39;')
  })
})
