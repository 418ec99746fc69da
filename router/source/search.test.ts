/** The plan over a whole network against HiGHS, which sees every node. bench/source-oracle.ts does the same for 100,000 orders. */
import { expect, test } from 'vitest'
import { testSeed } from '../testing/seed.ts'
import type { Network } from './network.ts'
import { sourceOrder } from './search.ts'
import {
  allOffers,
  type Random,
  randomOf,
  randomOrder,
  randomWorld,
  type ShelvesName,
  shelvesOf,
} from './testing/networks.ts'
import { costOfPlan, oracle } from './testing/oracle.ts'
import { describeSourcing, replay } from './trace.ts'

test.each<[shelves: ShelvesName, nodes: number, orders: number]>([
  ['full', 5, 120],
  ['full', 130, 60],
  ['sparse', 30, 120],
  ['sparse', 130, 100],
  ['thin', 5, 150],
  ['thin', 30, 120],
  ['thin', 130, 60],
])('%s shelves, %i nodes: no plan is cheaper', async (name, nodes, orders) => {
  const optimumFen = await oracle()
  const random = randomOf(testSeed + nodes)
  let proven = 0
  for (let n = 0; n < orders; n++) {
    if (n % 20 === 0) worlds.set(name, randomWorld(random, nodes, shelvesOf[name]))
    const world = worlds.get(name)!
    const request = randomOrder(random, world, 5, 4)
    const { demand } = request
    const { plan, candidates, offers } = sourceOrder(request, world.network)
    const all = allOffers(request, world.network)
    const bestFen = optimumFen(demand, all)
    const told = `order ${n}: ${plan.method}, ${plan.costFen} fen`
    for (const [line, { quantity }] of demand.entries()) {
      const there = all.reduce((sum, offer) => sum + offer.available[line]!, 0)
      const missing = plan.missing.find((each) => each.line === line)?.quantity ?? 0
      expect(missing, told).toBe(Math.max(0, quantity - there))
    }
    expect(costOfPlan(demand, all, plan.parcels), told).toBe(plan.costFen)
    expect(plan.boundFen, told).toBeLessThanOrEqual(bestFen)
    expect(plan.costFen, told).toBeGreaterThanOrEqual(bestFen)
    if (plan.method === 'exact') {
      proven++
      expect(plan.costFen, told).toBe(bestFen)
    }
    // A trace keeps a part of the network, and says the same.
    expect(replay(JSON.parse(JSON.stringify(describeSourcing(demand, candidates, plan, offers)))), told).toEqual(plan)
  }
  expect(proven / orders).toBeGreaterThan(0.9)
})

test.each<[shelves: ShelvesName, nodes: number]>([
  ['full', 5],
  ['full', 30],
  ['sparse', 30],
  ['thin', 30],
])(
  '%s shelves, %i nodes, and others who take and give back meanwhile: a trace says what its plan was made from',
  (name, nodes) => {
    const random = randomOf(testSeed + nodes)
    for (let n = 0; n < 400; n++) {
      const world = randomWorld(random, nodes, shelvesOf[name])
      const changing = changingNetwork(world.network, random)
      const request = randomOrder(random, world, 3, 4)
      const { plan, candidates, offers } = sourceOrder(request, changing)
      const trace = describeSourcing(request.demand, candidates, plan, offers)
      expect(replay(JSON.parse(JSON.stringify(trace))), `order ${n}`).toEqual(plan)
    }
  },
)

/** Each look at a figure may see another one, as when other threads change them. */
function changingNetwork(network: Network, random: Random): Network {
  const seen = (units: number) => (random.chance(0.15) ? Math.max(0, units + random.below(9) - 4) : units)
  return {
    ...network,
    unitsOf: (sku) => {
      const unitsAt = network.unitsOf(sku)
      return (node) => seen(unitsAt(node))
    },
    holdersOf: (sku) => {
      const { numbers, unitsAt } = network.holdersOf(sku)
      return { numbers, unitsAt: (at) => seen(unitsAt(at)) }
    },
  }
}

const worlds = new Map<ShelvesName, ReturnType<typeof randomWorld>>()
