/**
 * Real baskets: how many lines an order of a wholesaler's web shop had, and how many units a line. Drawn from the counts
 * in data/baskets.csv, which says where they are from. Lines and units are drawn apart from each other, and SKUs as
 * everywhere by Zipf: what is real here is how long orders are.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../adapters/shared/root.ts'
import { type Random, weightedPicker } from '../../adapters/shared/seeded-random.ts'

export interface Baskets {
  drawLineCount(random: Random): number
  drawQuantity(random: Random): number
}

/** Longer orders (one in eighty) are cut to it: a webhook's body is limited to 256 KiB. */
export const basketLinesMax = 200
/** A larger line (one in two thousand) is a buyer's whole stock, and is cut to this. */
export const basketUnitsMax = 500

export type Counts = readonly (readonly [value: number, count: number])[]

export function loadBaskets(): Baskets {
  const { lines, units } = basketCounts()
  return {
    drawLineCount: drawFrom(lines, basketLinesMax),
    drawQuantity: drawFrom(units, basketUnitsMax),
  }
}

/** As they lie in the file, uncut. */
export function basketCounts(): { readonly lines: Counts; readonly units: Counts } {
  const text = readFileSync(join(projectRoot(), 'bench', 'traffic', 'data', 'baskets.csv'), 'utf8')
  const rows = text.split('\n').filter((row) => row !== '' && !row.startsWith('#'))
  const of = (what: string): Counts =>
    rows
      .map((row) => row.split(','))
      .filter(([name]) => name === what)
      .map(([, value, count]) => [Number(value), Number(count)])
  return { lines: of('lines'), units: of('units') }
}

function drawFrom(counts: Counts, max: number): (random: Random) => number {
  const pick = weightedPicker(counts.map(([, count]) => count))
  return (random) => Math.min(max, counts[pick(random)]![0])
}
