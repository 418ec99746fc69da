/**
 * Why an order was sourced as it was, kept with the order for good: who was looked at, what the whole demand would have
 * cost from there, which rule refused whom, and enough to decide the same again. It is written once per order, so it
 * is arrays and not words; `readTrace` gives it its words back.
 */
import { type Tariff, tariffFen } from '../freight.ts'
import type { Offer } from './instance.ts'
import type { Candidate, DemandLine, LineUnits, Plan, SourcingRule } from './plan.ts'
import { offersOf, sourceFrom } from './source.ts'

/** Goes up with every change of meaning; old traces have to stay readable. */
export const traceVersion = 1

export interface SourcingTrace {
  readonly v: typeof traceVersion
  /** [sku, quantity, grams of one, 1 when it leaves from warehouses only] */
  readonly demand: readonly (readonly [sku: string, quantity: number, grams: number, warehouseOnly: 0 | 1])[]
  /** Distinct prices by weight, which nodes share: [stepFen, firstGrams, stepGrams]. */
  readonly steps: readonly (readonly [stepFen: number, firstGrams: number, stepGrams: number])[]
  /** [node, km, baseFen, index into steps, units per line] */
  readonly offers: readonly (readonly [
    node: string,
    km: number,
    baseFen: number,
    steps: number,
    available: readonly number[],
  ])[]
  readonly refused: readonly (readonly [node: string, km: number, rule: SourcingRule])[]
  readonly parcels: readonly (readonly [
    node: string,
    costFen: number,
    ...units: (readonly [line: number, quantity: number])[],
  ])[]
  readonly missing: readonly (readonly [line: number, quantity: number])[]
  readonly costFen: number
  readonly method: Plan['method']
}

export function describeSourcing(
  demand: readonly DemandLine[],
  candidates: readonly Candidate[],
  plan: Plan,
): SourcingTrace {
  const steps: [stepFen: number, firstGrams: number, stepGrams: number][] = []
  const offers: SourcingTrace['offers'][number][] = []
  for (const { node, km, tariff, available } of offersOf(demand, candidates)) {
    offers.push([node, km, tariff.baseFen, indexOfSteps(steps, tariff), available])
  }
  const refused: SourcingTrace['refused'][number][] = []
  for (const { node, km, refusedBy } of candidates) if (refusedBy !== null) refused.push([node.node, km, refusedBy])
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
  }
}

/** Decides again from what the trace says was known. The same code gives the same plan; another may show why not. */
export function replay(trace: SourcingTrace): Plan {
  return sourceFrom(demandOf(trace), offersIn(trace))
}

function demandOf(trace: SourcingTrace): DemandLine[] {
  return trace.demand.map(([sku, quantity, grams, warehouseOnly]) => ({
    sku,
    quantity,
    grams,
    warehouseOnly: warehouseOnly === 1,
  }))
}

function offersIn(trace: SourcingTrace): Offer[] {
  return trace.offers.map(([node, km, baseFen, steps, available]) => {
    const [stepFen, firstGrams, stepGrams] = trace.steps[steps]!
    return { node, km, tariff: { baseFen, stepFen, firstGrams, stepGrams }, available }
  })
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
    readonly method: Plan['method']
  }
}

/** For people and for the API. */
export function readTrace(trace: SourcingTrace): ReadableSourcing {
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
      ...trace.refused.map(([node, km, refusedBy]) => ({ node, km, wholeFen: null, available: [], refusedBy })),
    ],
    plan: {
      parcels: trace.parcels.map(([node, costFen, ...units]) => ({ node, costFen, lines: units.map(named) })),
      missing: trace.missing.map(named),
      costFen: trace.costFen,
      method: trace.method,
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
