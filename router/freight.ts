/**
 * What one parcel costs. Whole fen only: a band is chosen by distance, the first grams cost a lump, every begun step
 * above them a step. A node's own handling and preference come on top.
 */
import type { Freight, Node } from './node.ts'

/** 1,000 tonnes. Nothing heavier is one parcel; heavier ones are priced as this, so that all products stay exact. */
export const parcelGramsMax = 1_000_000_000

/** A million yuan. Dearer parcels count as this: plans can then be compared in one exact number (source/optimum). */
export const parcelFenMax = 100_000_000

/** A node's prices at one distance: all that pricing a parcel needs. */
export interface Tariff {
  /** Handling + preference + the band's lump. Negative where a node is preferred by more than it costs. */
  readonly baseFen: number
  readonly stepFen: number
  readonly firstGrams: number
  readonly stepGrams: number
}

/** Freight alone, in fen, of one parcel of `grams` over `km`. Throws on a price list that prices nothing. */
export function parcelFen(freight: Freight, km: number, grams: number): number {
  const band = bandAt(freight, km)
  return band.firstFen + band.stepFen * begunSteps(grams, freight.firstGrams, freight.stepGrams)
}

/** The node's prices for parcels over `km`. */
export function tariffAt(node: Node, km: number): Tariff {
  const band = bandAt(node.freight, km)
  const { firstGrams, stepGrams } = node.freight
  if (!(band.firstFen >= 0) || !(band.stepFen >= 0) || !(firstGrams >= 0) || !(stepGrams > 0)) {
    throw new RangeError(`freight of node ${node.node}: prices have to be at least 0, steps more than 0 grams`)
  }
  return {
    baseFen: node.handlingFen + node.preferenceFen + band.firstFen,
    stepFen: band.stepFen,
    firstGrams,
    stepGrams,
  }
}

/**
 * What a parcel of `grams` costs us, in fen: never below 0. A preference can make a parcel free; were it paid for,
 * sourcing would split orders to collect preferences.
 */
export function tariffFen(tariff: Tariff, grams: number): number {
  const costFen = tariff.baseFen + tariff.stepFen * begunSteps(grams, tariff.firstGrams, tariff.stepGrams)
  return costFen <= 0 ? 0 : Math.min(costFen, parcelFenMax)
}

/** Steps begun above the first grams. */
export function begunSteps(grams: number, firstGrams: number, stepGrams: number): number {
  const above = Math.min(grams, parcelGramsMax) - firstGrams
  return above > 0 ? Math.ceil(above / stepGrams) : 0
}

function bandAt(freight: Freight, km: number): Freight['bands'][number] {
  const bands = freight.bands
  for (let index = 0; index < bands.length; index++) {
    const band = bands[index]!
    if (km <= band.kmMax) return band
  }
  const last = bands[bands.length - 1]
  if (last === undefined) throw new RangeError('freight needs at least one band')
  return last
}
