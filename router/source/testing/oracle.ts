/**
 * What the cheapest plan costs, as a mixed-integer program that HiGHS solves: nothing of the router's own way of thinking is
 * in it but the price of a parcel. For tests and measurements only.
 */
import highs from 'highs'
import { type Tariff, tariffFen } from '../../freight.ts'
import type { Offer } from '../instance.ts'
import type { DemandLine } from '../plan.ts'

export type Oracle = (demand: readonly DemandLine[], offers: readonly Offer[]) => number

// The package's types describe its CommonJS form; as a module its default export is the loader itself.
const load = highs as unknown as typeof highs.default

/** Fen of the cheapest plan among those that ship every unit that is there and wanted. */
export async function oracle(): Promise<Oracle> {
  const solver = await load()
  return (demand, offers) => {
    const model = modelOf(demand, offers)
    if (model === null) return 0
    const { Status: status, ObjectiveValue: fen } = solver.solve(model, { mip_rel_gap: 0, mip_abs_gap: 0.4 })
    if (status !== 'Optimal') throw new Error(`HiGHS says ${status}`)
    return Math.round(fen)
  }
}

/**
 * Per node: y (it ships), x (units per line), s (begun steps), and z (its cost) where the base is negative, since no parcel
 * costs less than nothing.
 */
function modelOf(demand: readonly DemandLine[], offers: readonly Offer[]): string | null {
  const units = (offer: Offer, line: number) => Math.max(0, Math.floor(offer.available[line] ?? 0))
  const need = demand.map(({ quantity }, line) =>
    Math.min(
      quantity,
      offers.reduce((sum, offer) => sum + units(offer, line), 0),
    ),
  )
  if (need.every((wanted) => wanted === 0)) return null
  const grams = demand.map((line) => line.grams)
  const allGrams = need.reduce((sum, wanted, line) => sum + wanted * grams[line]!, 0)
  const objective: string[] = []
  const rows: string[] = []
  const integers: string[] = []
  const binaries: string[] = []
  const cover: string[][] = need.map(() => [])
  for (const [node, offer] of offers.entries()) {
    const held = need.map((wanted, line) => Math.min(wanted, units(offer, line)))
    if (held.every((most) => most === 0)) continue
    binaries.push(`y${node}`)
    const weight: string[] = []
    for (const [line, most] of held.entries()) {
      if (most === 0) continue
      const x = `x${node}_${line}`
      integers.push(x)
      cover[line]!.push(x)
      rows.push(`${x} - ${most} y${node} <= 0`)
      if (grams[line]! > 0) weight.push(`${grams[line]} ${x}`)
    }
    const { baseFen, stepFen, firstGrams, stepGrams }: Tariff = offer.tariff
    const hasSteps = stepFen > 0 && weight.length > 0 && allGrams > firstGrams
    if (hasSteps) {
      integers.push(`s${node}`)
      rows.push(`${weight.join(' + ')} - ${firstGrams} y${node} - ${stepGrams} s${node} <= 0`)
    }
    if (baseFen >= 0) {
      objective.push(`${baseFen} y${node}`)
      if (hasSteps) objective.push(`${stepFen} s${node}`)
    } else {
      objective.push(`z${node}`)
      rows.push(`z${node} + ${-baseFen} y${node}${hasSteps ? ` - ${stepFen} s${node}` : ''} >= 0`)
    }
  }
  for (const [line, xs] of cover.entries()) if (need[line]! > 0) rows.push(`${xs.join(' + ')} = ${need[line]}`)
  const some = (kind: string, names: readonly string[]) => (names.length === 0 ? '' : `${kind}\n${names.join(' ')}\n`)
  return (
    `Minimize\nobj: ${objective.join(' + ')}\nSubject To\n` +
    `${rows.map((row, at) => `c${at}: ${row}`).join('\n')}\n${some('General', integers)}${some('Binary', binaries)}End\n`
  )
}

/** The price of a plan, counted anew. */
export function costOfPlan(
  demand: readonly DemandLine[],
  offers: readonly Offer[],
  parcels: readonly { readonly node: string; readonly lines: readonly { line: number; quantity: number }[] }[],
): number {
  return parcels.reduce((sum, { node, lines }) => {
    const offer = offers.find((each) => each.node === node)!
    const grams = lines.reduce((weight, { line, quantity }) => weight + quantity * demand[line]!.grams, 0)
    return sum + tariffFen(offer.tariff, grams)
  }, 0)
}
