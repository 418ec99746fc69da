/** Random sourcing questions and the plain, slow way to answer them: for tests only. */
import fc from 'fast-check'
import { tariffAt, tariffFen } from '../freight.ts'
import type { Node } from '../node.ts'
import type { Candidate, DemandLine, Plan } from './plan.ts'
import type { Judged } from './solve.ts'
import { leftMax } from './unit-sets.ts'

/** What plans that ship the same are judged by, but for nearness, which decides set by set. */
export type Rank = Omit<Judged, 'nearness'>

export interface Question {
  readonly demand: readonly DemandLine[]
  readonly candidates: readonly Candidate[]
}

export function nodeOf(code: string, change: Partial<Node> = {}): Node {
  return {
    node: code,
    name: code,
    kind: 'warehouse',
    adcode: null,
    point: { lat: 30, lng: 120 },
    open: true,
    channels: null,
    regions: null,
    preferenceFen: 0,
    handlingFen: 200,
    freight: {
      bands: [
        { kmMax: 100, firstFen: 500, stepFen: 100 },
        { kmMax: 1000, firstFen: 800, stepFen: 250 },
      ],
      firstGrams: 1000,
      stepGrams: 1000,
    },
    safetyStock: 0,
    ...change,
  }
}

export function lineOf(sku: string, quantity: number, grams: number, warehouseOnly = false): DemandLine {
  return { sku, quantity, grams, warehouseOnly }
}

/** Small amounts and few distinct values, so that ties, empty shelves and begun steps are common. */
export function anyQuestion(linesMax: number, nodesMax: number, mode: 'whole' | 'split'): fc.Arbitrary<Question> {
  const price = fc.constantFrom(0, 100, 100, 300, 500, 700)
  const anyNode = fc.record({
    handlingFen: price,
    preferenceFen: fc.constantFrom(0, 0, 0, 50, -100, -2000),
    firstFen: price,
    stepFen: fc.constantFrom(0, 10, 100, 100, 300),
    // Many free grams under a low base make nodes whose parcels do not merge well.
    firstGrams: fc.constantFrom(0, 1000, 1000, 3000),
    stepGrams: fc.constantFrom(500, 1000, 1000),
    km: fc.constantFrom(1, 1, 2.5, 50, 400),
    kind: fc.constantFrom('warehouse', 'store'),
  })
  const anyLine = fc.record({
    quantity: mode === 'whole' ? fc.integer({ min: 1, max: 3 }) : fc.integer({ min: 1, max: 4 }),
    grams: fc.constantFrom(0, 100, 500, 999, 1000, 1001, 2500),
    warehouseOnly: fc.constantFrom(false, false, false, true),
  })
  return fc
    .tuple(
      fc.array(anyLine, { minLength: 1, maxLength: linesMax }),
      fc.array(anyNode, { maxLength: nodesMax }),
      fc.infiniteStream(fc.constantFrom(0, 0, 1, 2, 3, -1)),
    )
    .map(([lines, nodes, stock]) => ({
      demand: lines.map((line, index) => ({ sku: `S${index}`, ...line })),
      candidates: nodes.map(({ kind, km, ...prices }, index) => ({
        node: nodeOf(`N${index}`, {
          kind: kind as Node['kind'],
          handlingFen: prices.handlingFen,
          preferenceFen: prices.preferenceFen,
          freight: {
            bands: [{ kmMax: 100, firstFen: prices.firstFen, stepFen: prices.stepFen }],
            firstGrams: prices.firstGrams,
            stepGrams: prices.stepGrams,
          },
        }),
        km,
        available: lines.map((line) => {
          const units = stock.next().value
          // Whole lines only: a node has all of a line, or none.
          return mode === 'whole' ? (units > 0 ? line.quantity + units - 1 : units) : units
        }),
        refusedBy: null,
      })),
    }))
}

/** Units of a line that a candidate may ship. */
export function usable(question: Question, candidate: Candidate, line: number): number {
  if (candidate.refusedBy !== null) return 0
  if (candidate.node.kind === 'store' && question.demand[line]!.warehouseOnly) return 0
  return Math.max(0, candidate.available[line]!)
}

/** Units of each line that can be shipped at all. */
export function shippable(question: Question): number[] {
  return question.demand.map((wanted, line) =>
    Math.min(
      wanted.quantity,
      question.candidates.reduce((sum, candidate) => sum + usable(question, candidate, line), 0),
    ),
  )
}

/**
 * The best of all plans, by trying every one: every way to spread a line's units over nodes, for the lines that may be
 * split (none, those that no node has whole, all); every node that has the whole line for the others.
 */
export function bruteForce(question: Question, split: 'never' | 'where_needed' | 'anywhere'): Rank {
  const nodes = [...question.candidates].sort((a, b) => a.km - b.km || (a.node.node < b.node.node ? -1 : 1))
  const need = shippable(question)
  const mayBeSplit = need.map((units, line) => {
    if (split !== 'where_needed') return split === 'anywhere'
    return nodes.every((candidate) => usable(question, candidate, line) < units)
  })
  const tariffs = nodes.map(({ node, km }) => tariffAt(node, km))
  const grams = nodes.map(() => 0)
  const pieces = nodes.map(() => 0)
  let little = 0
  let best: Rank | null = null

  const judge = () => {
    let [costFen, parcels] = [0, 0]
    for (const [index, tariff] of tariffs.entries()) {
      if (pieces[index] === 0) continue
      costFen += tariffFen(tariff, grams[index]!)
      parcels++
    }
    const better =
      best === null ||
      costFen < best.costFen ||
      (costFen === best.costFen && (parcels < best.parcels || (parcels === best.parcels && little < best.little)))
    if (better) best = { costFen, parcels, little }
  }
  const spread = (line: number, from: number, left: number) => {
    if (line === need.length) return judge()
    if (left === 0) return spread(line + 1, 0, need[line + 1] ?? 0)
    for (let index = from; index < nodes.length; index++) {
      const most = Math.min(left, usable(question, nodes[index]!, line))
      for (let units = mayBeSplit[line]! ? 1 : left; units <= most; units++) {
        grams[index]! += units * question.demand[line]!.grams
        pieces[index]! += units
        const lessLeft = littleLeftOf(usable(question, nodes[index]!, line) - units)
        little += lessLeft
        spread(line, index + 1, left - units)
        grams[index]! -= units * question.demand[line]!.grams
        pieces[index]! -= units
        little -= lessLeft
      }
    }
  }
  spread(0, 0, need[0]!)
  if (best === null) throw new Error('there is always a plan: the empty one at least')
  return best
}

/** Everything that must hold of any plan, whatever it costs; returns what it is judged by, counted anew. */
export function verifyPlan(question: Question, plan: Plan): Rank {
  const nodes = [...question.candidates].sort((a, b) => a.km - b.km || (a.node.node < b.node.node ? -1 : 1))
  const need = shippable(question)
  const shipped = need.map(() => 0)
  let [costFen, little, before] = [0, 0, -1]
  for (const parcel of plan.parcels) {
    const place = nodes.findIndex((candidate) => candidate.node.node === parcel.node)
    const candidate = nodes[place]!
    if (place <= before) throw new Error('parcels have to be in the order of nodes, one a node')
    if (parcel.lines.length === 0) throw new Error('an empty parcel')
    before = place
    let grams = 0
    let lineBefore = -1
    for (const { line, quantity } of parcel.lines) {
      if (line <= lineBefore || !(quantity > 0) || !Number.isInteger(quantity)) throw new Error('a bad parcel line')
      if (quantity > usable(question, candidate, line)) throw new Error('a node ships what it does not have')
      lineBefore = line
      little += littleLeftOf(usable(question, candidate, line) - quantity)
      shipped[line]! += quantity
      grams += quantity * question.demand[line]!.grams
    }
    const parcelFen = tariffFen(tariffAt(candidate.node, candidate.km), grams)
    if (parcelFen !== parcel.costFen) throw new Error('a parcel says another cost than it has')
    costFen += parcelFen
  }
  for (const [line, units] of shipped.entries()) {
    if (units !== need[line]) throw new Error(`line ${line} ships ${units} where ${need[line]} can be shipped`)
    const missing = plan.missing.find((each) => each.line === line)?.quantity ?? 0
    if (missing !== question.demand[line]!.quantity - units) throw new Error('missing units are not those not shipped')
  }
  if (costFen !== plan.costFen) throw new Error('a plan says another cost than it has')
  return { costFen, parcels: plan.parcels.length, little }
}

function littleLeftOf(left: number): number {
  return leftMax - Math.min(left, leftMax)
}
