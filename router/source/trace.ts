/**
 * Why an order was sourced as it was, kept with the order for good: which nodes were looked at, what the whole demand
 * would have cost from each, which rule refused which node, and enough to decide the same again. It is
 * written once per order, so it is arrays and not words; `readTrace` gives it its words back.
 */
import { type Tariff, tariffFen } from '../freight.ts'
import { sourceAsBefore } from './decided-before.ts'
import type { Offer } from './instance.ts'
import type { Candidate, DemandLine, LineUnits, Method, Plan, SourcingRule } from './plan.ts'
import { offersOf, sourceFrom } from './source.ts'

/** Goes up with every change of meaning; old traces have to stay readable. */
export const traceVersion = 3

/**
 * What is said of many nodes stands in one row, node behind node, not in a list of lists: that is quicker to write, and it is
 * what most of a trace is. Distances are tenths of kilometres, since whole numbers are quicker, too.
 */
export interface SourcingTrace {
  readonly v: typeof traceVersion
  /** [sku, quantity, grams of one, 1 when it leaves from warehouses only] */
  readonly demand: readonly (readonly [sku: string, quantity: number, grams: number, warehouseOnly: 0 | 1])[]
  /** Distinct prices by weight, which nodes share: [stepFen, firstGrams, stepGrams]. */
  readonly steps: readonly (readonly [stepFen: number, firstGrams: number, stepGrams: number])[]
  /** Of each: node, tenths of km, baseFen, index into steps, units of each line. */
  readonly offers: readonly (string | number)[]
  /** Of each: node, tenths of km, rule. */
  readonly refused: readonly (string | number)[]
  readonly parcels: readonly (readonly [
    node: string,
    costFen: number,
    ...units: (readonly [line: number, quantity: number])[],
  ])[]
  readonly missing: readonly (readonly [line: number, quantity: number])[]
  readonly costFen: number
  readonly method: Method
  /** See Plan. */
  readonly boundFen: number
}

/**
 * As the second version wrote them: of the nearest nodes only, and `exact` said of what was exact over these. Its plans are
 * computed again by the algorithm that made them.
 */
interface SecondTrace extends Omit<SourcingTrace, 'v' | 'boundFen'> {
  readonly v: 2
}

/** As the first version wrote them: a list a node, and kilometres. */
interface FirstTrace extends Omit<SourcingTrace, 'v' | 'offers' | 'refused' | 'boundFen'> {
  readonly v: 1
  readonly offers: readonly (readonly [
    node: string,
    km: number,
    baseFen: number,
    steps: number,
    available: readonly number[],
  ])[]
  readonly refused: readonly (readonly [node: string, km: number, rule: SourcingRule])[]
}

export type StoredTrace = SourcingTrace | SecondTrace | FirstTrace

/** In the words of the present version. */
export function traceOf(stored: StoredTrace): SourcingTrace {
  if (stored.v === traceVersion) return stored
  const method = stored.method === 'exact' ? 'exact_over_candidates' : stored.method
  const later = { v: traceVersion, method, boundFen: 0 } as const
  if (stored.v === 2) return { ...stored, ...later }
  return {
    ...stored,
    ...later,
    offers: stored.offers.flatMap(([node, km, baseFen, steps, available]) => [
      ...[node, tenths(km), baseFen, steps],
      ...available,
    ]),
    refused: stored.refused.flatMap(([node, km, rule]) => [node, tenths(km), rule]),
  }
}

/** `known`: the offers of the candidates, when the caller has them already. */
export function describeSourcing(
  demand: readonly DemandLine[],
  candidates: readonly Candidate[],
  plan: Plan,
  known: readonly Offer[] = offersOf(demand, candidates),
): SourcingTrace {
  const steps: [stepFen: number, firstGrams: number, stepGrams: number][] = []
  const offers: (string | number)[] = []
  for (const { node, km, tariff, available } of known) {
    offers.push(node, tenths(km), tariff.baseFen, indexOfSteps(steps, tariff))
    for (let line = 0; line < demand.length; line++) offers.push(available[line] ?? 0)
  }
  const refused: (string | number)[] = []
  for (const { node, km, refusedBy } of candidates)
    if (refusedBy !== null) refused.push(node.node, tenths(km), refusedBy)
  return {
    v: traceVersion,
    demand: demand.map((line) => [line.sku, line.quantity, line.grams, line.warehouseOnly ? 1 : 0]),
    steps,
    offers,
    refused,
    parcels: plan.parcels.map(({ node, costFen, lines }) => [node, costFen, ...lines.map(pair)]),
    missing: plan.missing.map(pair),
    costFen: plan.costFen,
    method: plan.method,
    boundFen: plan.boundFen,
  }
}

/** Distances come with one digit behind the point (`roundedKm`). */
function tenths(km: number): number {
  return Math.round(km * 10)
}

/**
 * Decides again from what the trace says was known, by the algorithm of the trace's version. What is proven over a network
 * is not proven again: the trace keeps a few of its nodes, so method and bound are the trace's own.
 */
export function replay(stored: StoredTrace): Plan {
  const trace = traceOf(stored)
  const sourced = stored.v === traceVersion ? sourceFrom : sourceAsBefore
  const { method, boundFen } = trace
  return { ...sourced(demandOf(trace), offersIn(trace)), method, boundFen }
}

function demandOf(trace: SourcingTrace): DemandLine[] {
  return trace.demand.map(([sku, quantity, grams, warehouseOnly]) => ({
    sku,
    quantity,
    grams,
    warehouseOnly: warehouseOnly === 1,
  }))
}

function offersIn({ demand, steps, offers }: SourcingTrace): Offer[] {
  return chunks(offers, 4 + demand.length).map(([node, tenthsOfKm, baseFen, step, ...available]) => {
    const [stepFen, firstGrams, stepGrams] = steps[step as number]!
    return {
      node: node as string,
      km: (tenthsOfKm as number) / 10,
      tariff: { baseFen: baseFen as number, stepFen, firstGrams, stepGrams },
      available: available as number[],
    }
  })
}

function chunks<Item>(row: readonly Item[], size: number): Item[][] {
  return Array.from({ length: row.length / size }, (_, at) => row.slice(at * size, (at + 1) * size))
}

export interface ReadableSourcing {
  readonly candidates: readonly {
    readonly node: string
    readonly km: number
    /** What all of the demand would have cost from here in one parcel; null: it has not all of it. */
    readonly wholeFen: number | null
    readonly available: readonly { readonly sku: string; readonly units: number }[]
    readonly refusedBy: SourcingRule | null
  }[]
  readonly plan: {
    readonly parcels: readonly {
      readonly node: string
      readonly costFen: number
      readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
    }[]
    readonly missing: readonly { readonly sku: string; readonly quantity: number }[]
    readonly costFen: number
    readonly method: Method
    readonly boundFen: number
  }
}

/** For people and for the API. */
export function readTrace(stored: StoredTrace): ReadableSourcing {
  const trace = traceOf(stored)
  const demand = demandOf(trace)
  const skuOf = (line: number) => trace.demand[line]![0]
  const named = ([line, quantity]: readonly [number, number]) => ({ sku: skuOf(line), quantity })
  return {
    candidates: [
      ...offersIn(trace).map(({ node, km, tariff, available }) => ({
        node,
        km,
        wholeFen: wholeFen(demand, tariff, available),
        available: available.map((units, line) => ({ sku: skuOf(line), units })),
        refusedBy: null,
      })),
      ...chunks(trace.refused, 3).map(([node, tenthsOfKm, rule]) => ({
        node: node as string,
        km: (tenthsOfKm as number) / 10,
        wholeFen: null,
        available: [],
        refusedBy: rule as SourcingRule,
      })),
    ],
    plan: {
      parcels: trace.parcels.map(([node, costFen, ...units]) => ({ node, costFen, lines: units.map(named) })),
      missing: trace.missing.map(named),
      costFen: trace.costFen,
      method: trace.method,
      boundFen: trace.boundFen,
    },
  }
}

function pair({ line, quantity }: LineUnits): readonly [number, number] {
  return [line, quantity]
}

function wholeFen(demand: readonly DemandLine[], tariff: Tariff, available: readonly number[]): number | null {
  let grams = 0
  for (let line = 0; line < demand.length; line++) {
    if ((available[line] ?? 0) < demand[line]!.quantity) return null
    grams += demand[line]!.quantity * demand[line]!.grams
  }
  return tariffFen(tariff, grams)
}

function indexOfSteps(known: [number, number, number][], { stepFen, firstGrams, stepGrams }: Tariff): number {
  for (let index = 0; index < known.length; index++) {
    const [fen, first, step] = known[index]!
    if (fen === stepFen && first === firstGrams && step === stepGrams) return index
  }
  return known.push([stepFen, firstGrams, stepGrams]) - 1
}
