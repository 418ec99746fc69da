/**
 * Source (寻源): which nodes ship what, from candidates that are given. ./search finds the candidates in a network, and
 * says of the plan what holds over the whole of it. Cost is a sum over parcels: nothing is known here of carriers'
 * contracts, capacities or promises to the buyer.
 */
import { tariffAt } from '../freight.ts'
import { instanceOf, type Offer, planOf } from './instance.ts'
import type { Candidate, DemandLine, Plan } from './plan.ts'
import { solve } from './solve.ts'

/** Refused candidates are passed over. Throws on demand that is not whole units, at least one, per line. */
export function source(demand: readonly DemandLine[], candidates: readonly Candidate[]): Plan {
  return sourceFrom(demand, offersOf(demand, candidates))
}

/** The same from what a trace keeps of the candidates. */
export function sourceFrom(demand: readonly DemandLine[], offers: readonly Offer[]): Plan {
  const instance = instanceOf(demand, offers)
  const { assignment, method, boundFen } = solve(instance)
  return planOf(instance, demand, assignment, method, boundFen)
}

/** What the candidates that were not refused offer: no store's stock for lines that leave from warehouses only. */
export function offersOf(demand: readonly DemandLine[], candidates: readonly Candidate[]): Offer[] {
  const offers: Offer[] = []
  for (let index = 0; index < candidates.length; index++) {
    const { node, km, available, refusedBy } = candidates[index]!
    if (refusedBy !== null) continue
    const open =
      node.kind === 'store' && demand.some((line) => line.warehouseOnly)
        ? available.map((units, line) => (demand[line]?.warehouseOnly === true ? 0 : units))
        : available
    offers.push({ node: node.node, km, tariff: tariffAt(node, km), available: open })
  }
  return offers
}
