/**
 * source-oracle: plans over random networks against HiGHS, which sees every node and every way to split a line.
 *
 *   node dist/bench/source-oracle.js [--orders 100000] [--seed 1] [--lines 5] [--units 4] [--nodes 5,30,130]
 *
 * Workload: networks of the given sizes in turn, a new one every 50 orders, with full, sparse (warehouses hold 60 % of the SKUs)
 * and thin shelves in turn; 1 … `lines` lines of 1 … `units` units. Fails when an `exact` plan is not the cheapest, when a
 * plan is below the optimum or below its own bound, or when a replay of the trace differs.
 */
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { sourceOrder } from '../router/source/search.ts'
import {
  allOffers,
  randomOf,
  randomOrder,
  randomWorld,
  type ShelvesName,
  shelvesOf,
  type World,
} from '../router/source/testing/networks.ts'
import { costOfPlan, oracle } from '../router/source/testing/oracle.ts'
import { describeSourcing, replay } from '../router/source/trace.ts'

interface Row {
  orders: number
  exact: number
  unproven: number
  dearer: number
  excessFen: number
  bestFen: number
  worst: number
  traceBytes: number
}

const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    lines: { type: 'string', default: '5' },
    units: { type: 'string', default: '4' },
    nodes: { type: 'string', default: '5,30,130' },
  },
})
const [orders, seed, lines, units] = [values.orders, values.seed, values.lines, values.units].map(Number) as [
  number,
  number,
  number,
  number,
]
const sizes = values.nodes.split(',').map(Number)
const names = Object.keys(shelvesOf) as ShelvesName[]
const ordersPerWorld = 50

const optimumFen = await oracle()
const random = randomOf(seed)
const rows = new Map<string, Row>()
let mismatches = 0
let world: World | undefined
let row: Row | undefined
for (let n = 0; n < orders; n++) {
  const at = Math.floor(n / ordersPerWorld)
  if (n % ordersPerWorld === 0 || world === undefined || row === undefined) {
    const nodes = sizes[at % sizes.length]!
    const name = names[Math.floor(at / sizes.length) % names.length]!
    world = randomWorld(random, nodes, shelvesOf[name])
    const key = `${nodes} nodes, ${name}`
    row = rows.get(key) ?? {
      ...{ orders: 0, exact: 0, unproven: 0, dearer: 0, excessFen: 0, bestFen: 0, worst: 0, traceBytes: 0 },
    }
    rows.set(key, row)
  }
  look(world, row, n)
}
console.log(`seed ${seed}, ${orders} orders of 1–${lines} lines, 1–${units} units`)
for (const [key, each] of rows) {
  const mean = each.bestFen === 0 ? 0 : (100 * each.excessFen) / each.bestFen
  console.log(
    `${key}: ${each.orders} orders, exact ${each.exact}, unproven ${each.unproven}; dearer ${each.dearer} ` +
      `(${((100 * each.dearer) / each.orders).toFixed(2)} %), all +${mean.toFixed(3)} %, worst +${(100 * each.worst).toFixed(2)} %, ` +
      `trace ${Math.round(each.traceBytes / each.orders)} bytes`,
  )
}
console.log(mismatches === 0 ? '0 mismatches' : `${mismatches} MISMATCHES`)
process.exitCode = mismatches === 0 ? 0 : 1

function look({ network, skus }: World, into: Row, n: number): void {
  const request = randomOrder(random, { network, skus }, lines, units)
  const { demand } = request
  const { plan, candidates, offers } = sourceOrder(request, network)
  const all = allOffers(request, network)
  const bestFen = optimumFen(demand, all)
  const trace = describeSourcing(demand, candidates, plan, offers)
  const isProven = plan.method === 'exact'
  const isWrong =
    plan.costFen < bestFen ||
    plan.boundFen > bestFen ||
    (isProven && plan.costFen !== bestFen) ||
    costOfPlan(demand, all, plan.parcels) !== plan.costFen ||
    !isDeepStrictEqual(replay(trace), plan)
  if (isWrong) {
    mismatches++
    console.log(`order ${n}: ${plan.method} ${plan.costFen} fen, bound ${plan.boundFen}, HiGHS ${bestFen}`)
  }
  into.orders++
  into.traceBytes += JSON.stringify(trace).length
  into.bestFen += bestFen
  into.excessFen += plan.costFen - bestFen
  if (isProven) into.exact++
  else into.unproven++
  if (plan.costFen <= bestFen) return
  into.dearer++
  into.worst = Math.max(into.worst, bestFen === 0 ? 0 : (plan.costFen - bestFen) / bestFen)
}
