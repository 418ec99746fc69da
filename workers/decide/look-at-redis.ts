/**
 * A look at Redis' own figures before units are backordered. Availability in memory may say that there is nothing where
 * another process has just given units back; Redis knows. A look asks every node that may have the SKU, so it is made for what
 * a plan lacks only, and of one SKU once a second: what is sold out is ordered again and again.
 */
import type { Availability } from '../catalog/availability.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { CounterKeeper } from '../counters/counter-keeper.ts'

export interface LookContext {
  readonly catalog: Catalog
  readonly availability: Availability
  readonly keeper: CounterKeeper
  readonly nowMs: number
}

/** A few milliseconds of Redis. In a larger network only nodes that ever had a figure are asked, the latest first. */
const nodesMax = 256
const lookEveryMs = 1_000
/** SKUs of which the last look is remembered. */
const rememberedMax = 10_000

/** By keeper, which a thread has for good: when each SKU was last looked for. */
const lastLooks = new WeakMap<CounterKeeper, Map<string, number>>()

/** SKUs of which Redis has more somewhere than was believed. The availability is Redis' own afterwards. */
export async function lookAtRedis(context: LookContext, skus: Iterable<string>): Promise<ReadonlySet<string>> {
  const { keeper, catalog, availability } = context
  const raised = new Set<string>()
  const due = takeDue(context, skus)
  if (due.length === 0) return raised
  const wantedAt = new Map<number, string[]>()
  for (const sku of due) for (const index of mayHave(context, sku)) push(wantedAt, index, sku)
  const places = [...wantedAt].map(([index, wanted]) => ({ node: catalog.nodes[index]!.node, skus: wanted }))
  for (const { node, atp } of await keeper.figures(places)) {
    const nodeNo = catalog.nodeNo(catalog.nodeIndex.get(node)!)
    for (const [sku, units] of atp) {
      const skuNo = catalog.skuNo(sku)
      if (units > Math.max(0, availability.get(nodeNo, skuNo))) raised.add(sku)
      availability.set(nodeNo, skuNo, units)
    }
  }
  return raised
}

function takeDue({ keeper, nowMs }: LookContext, skus: Iterable<string>): string[] {
  const known = lastLooks.get(keeper) ?? new Map<string, number>()
  lastLooks.set(keeper, known)
  if (known.size > rememberedMax) known.clear()
  const due = [...new Set(skus)].filter((sku) => Math.abs(nowMs - (known.get(sku) ?? -lookEveryMs)) >= lookEveryMs)
  for (const sku of due) known.set(sku, nowMs)
  return due
}

function mayHave({ catalog, availability }: LookContext, sku: string): number[] {
  if (catalog.nodes.length <= nodesMax) return [...catalog.nodes.keys()]
  const { numbers } = availability.holdersOf(catalog.skuNo(sku))
  return numbers.slice(-nodesMax).flatMap((number) => {
    const index = catalog.indexOf[number] ?? -1
    return index < 0 ? [] : [index]
  })
}

function push(map: Map<number, string[]>, key: number, value: string): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, [value])
  else known.push(value)
}
