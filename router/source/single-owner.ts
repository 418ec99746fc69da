/** Whole orders that one node ships, where two parcels cannot cost less: for traces of versions 1 and 2, see ./decided-before. */
import { tariffFen } from '../freight.ts'
import type { Instance } from './instance.ts'

/**
 * The node that ships everything, when no plan of two parcels or more can be cheaper: two parcels cost at least what
 * the two nodes with the cheapest smallest parcels ask for those. -1: there may be a better plan. Most orders end here.
 */
export function singleOwner(instance: Instance, lines: readonly number[]): number {
  let allGrams = 0
  for (let index = 0; index < lines.length; index++) allGrams += gramsOfLine(instance, lines[index]!)
  let owner = -1
  let ownerFen = Number.POSITIVE_INFINITY
  let leastFen = Number.POSITIVE_INFINITY
  let secondFen = Number.POSITIVE_INFINITY
  for (let node = 0; node < instance.nodeCount; node++) {
    let held = 0
    let lightest = Number.POSITIVE_INFINITY
    for (let index = 0; index < lines.length; index++) {
      if (!hasWhole(instance, node, lines[index]!)) continue
      held++
      const grams = gramsOfLine(instance, lines[index]!)
      if (grams < lightest) lightest = grams
    }
    if (held === 0) continue
    const { tariff } = instance.offers[node]!
    const smallestFen = tariffFen(tariff, lightest)
    if (smallestFen < leastFen) {
      secondFen = leastFen
      leastFen = smallestFen
    } else if (smallestFen < secondFen) secondFen = smallestFen
    if (held < lines.length) continue
    const allFen = lines.length === 1 ? smallestFen : tariffFen(tariff, allGrams)
    if (allFen < ownerFen) {
      owner = node
      ownerFen = allFen
    }
  }
  return lines.length === 1 || ownerFen <= leastFen + secondFen ? owner : -1
}

export function hasWhole(instance: Instance, node: number, line: number): boolean {
  return instance.have[node * instance.lineCount + line] === instance.need[line]
}

export function gramsOfLine(instance: Instance, line: number): number {
  return instance.need[line]! * instance.grams[line]!
}
