/** Sourcing on any network: every unit shipped from where it is, or missing; its trace computes it again. */

import { itemsOfPlan } from '../../../router/items-of-plan.ts'
import type { Node } from '../../../router/node.ts'
import type { Candidate, DemandLine } from '../../../router/source/plan.ts'
import { source } from '../../../router/source/source.ts'
import { describeSourcing, readTrace, replay } from '../../../router/source/trace.ts'
import type { Group } from '../../../router/split.ts'
import type { Random } from '../random.ts'
import { expectThat, target } from '../target.ts'

interface Question {
  readonly demand: DemandLine[]
  readonly candidates: Candidate[]
}

/** Mostly small; now and then at the limits of the exact search, and figures at their edges. */
function drawQuestion(random: Random): Question {
  const large = random.oneIn(500)
  const lineCount = 1 + (large ? random.below(30) : random.small(6))
  const nodeCount = large ? random.below(64) : random.small(9)
  const demand = Array.from({ length: lineCount }, (_, at) => ({
    sku: `S${at}`,
    quantity: random.oneIn(20) ? 1_000_000 : 1 + random.small(5),
    grams: random.oneIn(20) ? 1_000_000_000 : random.pick([0, 1, 100, 999, 1000, 1001, 2500]),
    warehouseOnly: random.oneIn(5),
  }))
  const units = (wanted: number) =>
    random.oneIn(30) ? random.pick([-1, 0.5, Number.NaN, 2 ** 31]) : random.pick([0, 0, 1, wanted, wanted, wanted + 1])
  const candidates = Array.from({ length: nodeCount }, (_, at) => ({
    node: nodeOf(random, `N${at}`),
    km: random.oneIn(20) ? 20_100 : random.below(3_000) / 10,
    available: demand.map((line) => units(line.quantity)),
    refusedBy: random.oneIn(8) ? ('region' as const) : null,
  }))
  return { demand, candidates }
}

function nodeOf(random: Random, node: string): Node {
  const fen = () => random.pick([0, 0, 100, 100, 300, 700, 100_000_000])
  return {
    ...{ node, name: node, adcode: null, point: { lat: 30, lng: 120 }, open: true, channels: null, regions: null },
    kind: random.oneIn(2) ? 'warehouse' : 'store',
    preferenceFen: random.pick([0, 0, 50, -100, -2_000, -100_000_000]),
    handlingFen: fen(),
    freight: {
      bands: [
        { kmMax: 100, firstFen: fen(), stepFen: fen() },
        { kmMax: 1_000, firstFen: fen(), stepFen: fen() },
      ],
      firstGrams: random.pick([0, 1_000, 3_000]),
      stepGrams: random.pick([1, 500, 1_000]),
    },
    safetyStock: 0,
  }
}

const sourcing = target<Question>({
  name: 'source',
  share: 4,
  draw: drawQuestion,
  run({ demand, candidates }) {
    // What is made smaller may lose its figures; a question without them is none.
    if (demand.some((line) => line.quantity < 1) || candidates.some((c) => c.available.length < demand.length)) return
    if (candidates.some((c) => c.node.freight.bands.length === 0 || c.node.freight.stepGrams <= 0)) return
    if (new Set(candidates.map((c) => c.node.node)).size < candidates.length) return
    const plan = source(demand, candidates)
    const left = demand.map((line) => line.quantity)
    for (const { node, lines, costFen } of plan.parcels) {
      const from = candidates.find((c) => c.node.node === node)
      expectThat(from !== undefined && from.refusedBy === null, 'a node that was not refused')
      expectThat(lines.length > 0 && Number.isSafeInteger(costFen) && costFen >= 0, 'a parcel of something, priced')
      for (const { line, quantity } of lines) {
        expectThat(Number.isSafeInteger(quantity) && quantity > 0, 'whole units')
        expectThat(quantity <= from.available[line]!, 'no more than the node has')
        expectThat(
          from.node.kind === 'warehouse' || !demand[line]!.warehouseOnly,
          'from a warehouse where it has to be',
        )
        left[line]! -= quantity
      }
    }
    for (const { line, quantity } of plan.missing) left[line]! -= quantity
    expectThat(
      left.every((units) => units === 0),
      'every unit shipped or missing',
    )
    const parcelsFen = plan.parcels.reduce((sum, p) => sum + p.costFen, 0)
    expectThat(parcelsFen === plan.costFen, 'the plan costs what its parcels do')
    const turned = source(demand, [...candidates].reverse())
    expectThat(JSON.stringify(turned) === JSON.stringify(plan), 'the same in any order of candidates')
    const kept = JSON.parse(JSON.stringify(describeSourcing(demand, candidates, plan))) as ReturnType<
      typeof describeSourcing
    >
    expectThat(JSON.stringify(replay(kept)) === JSON.stringify(plan), 'the trace computes the plan again')
    expectThat(readTrace(kept).plan.parcels.length === plan.parcels.length, 'the trace can be read')
    const parts = demand.map((line, at) => ({ item: at, quantity: line.quantity, demandLine: at }))
    const group: Group = { transport: 'ambient', readyAt: null, demand, parts }
    itemsOfPlan(group, plan)
  },
})

export const sourcingTargets = [sourcing]
