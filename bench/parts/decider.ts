/**
 * Decoding and deciding as the service's thread does it, on stock in memory: the channels' `normalise`, the whole of
 * router/, the plan of every order and what is to be written of it. No Postgres, no Redis, no trip to a thread.
 */

import { loadDivisions } from '../../adapters/divisions/load.ts'
import { MemoryStock } from '../../adapters/stock/memory.ts'
import { shopKey } from '../../adapters/store/catalog/catalog.ts'
import type { DecisionWrite } from '../../adapters/store/orders/commit.ts'
import { defaultPolicy } from '../../router/policy.ts'
import { Availability } from '../../workers/catalog/availability.ts'
import { type Catalog, catalogOf } from '../../workers/catalog/catalog.ts'
import { type EventToDecide, packEvents, unpackEvents } from '../../workers/decide/batch.ts'
import type { PlacingContext } from '../../workers/decide/plan-order.ts'
import { writeOf } from '../../workers/decide/records.ts'
import { type Placed, placeAll } from '../../workers/decide/source-and-reserve.ts'
import { type WorkContext, workOn } from '../../workers/decide/take-events.ts'
import type { DemoNetwork } from '../../workers/process/demo-network/network.ts'

export interface Decider {
  /** The events of some new orders, order by order, as one batch. */
  decide(orders: readonly (readonly EventToDecide[])[]): Promise<readonly DecisionWrite[]>
}

export async function deciderOn(network: DemoNetwork, epoch: number): Promise<Decider> {
  const catalog = catalogOfNetwork(network)
  const stock = new MemoryStock()
  const availability = await fill(network, catalog, stock, epoch)
  const context: PlacingContext & Pick<WorkContext, 'divisions' | 'policy'> = {
    catalog,
    availability,
    keeper: keeperOf(stock, epoch),
    now: Date.now,
    avoided: new Map(),
    divisions: loadDivisions(),
    policy: defaultPolicy,
  }
  return {
    async decide(orders) {
      // As they come over to the thread.
      const batch = unpackEvents(packEvents(orders.flat()))
      let end = 0
      const works = orders.map(({ length }) => {
        end += length
        return workOn(context, batch.slice(end - length, end), undefined)
      })
      const { placed } = await placeAll(
        context,
        works.flatMap(({ decision }) => (decision === null ? [] : [decision])),
      )
      let next = 0
      const placedOf = works.map(({ decision }) => (decision === null ? null : placed[next++]!))
      await stock.confirm(epoch, placedOf.flatMap(referencesOf))
      return works.map((work, n) => writeOf(work, placedOf[n]!, epoch))
    },
  }
}

function referencesOf(placed: Placed | null) {
  return (placed?.newTasks ?? []).map(({ task, reservationId }) => ({ node: task.node, reservationId }))
}

/** The only questions that placing asks. */
function keeperOf(stock: MemoryStock, epoch: number): PlacingContext['keeper'] {
  const keeper: Pick<PlacingContext['keeper'], 'epoch' | 'reserve' | 'release' | 'figures'> = {
    epoch,
    reserve: async (now, requests) => {
      const madeAtMs = now()
      const outcomes = await stock.reserve(epoch, madeAtMs, requests)
      return {
        ...{ epoch, madeAtMs },
        answers: outcomes.map((answer) => {
          if (answer.outcome === 'stale_epoch') throw new Error('stock in memory has one epoch')
          return answer
        }),
      }
    },
    release: async (reservations) => {
      await stock.release(epoch, reservations)
    },
    // The availability is this process' own, and right.
    figures: async () => [],
  }
  return keeper as PlacingContext['keeper']
}

function catalogOfNetwork(network: DemoNetwork): Catalog {
  return catalogOf({
    version: 1,
    shops: new Map(network.shops.map((shop) => [shopKey(shop.channel, shop.shop), shop])),
    skus: new Map(network.skus.map((value, n) => [value.sku, { no: n + 1, value }])),
    nodes: network.nodes.map(({ apiKey: _, ...value }, n) => ({ no: n + 1, value })),
  })
}

async function fill(network: DemoNetwork, catalog: Catalog, stock: MemoryStock, epoch: number): Promise<Availability> {
  let availability = Availability.sized(network.skus.length)
  const rows = new Map<string, { sku: string; atp: number }[]>(network.nodes.map(({ node }) => [node, []]))
  for (const { node, sku, onHand } of network.stock) {
    const index = catalog.nodeIndex.get(node)!
    const atp = onHand - catalog.nodes[index]!.safetyStock
    rows.get(node)!.push({ sku, atp })
    availability.set(catalog.nodeNo(index), catalog.skuNo(sku), atp)
    if (availability.isCrowded) availability = availability.grown()
  }
  for (const [node, ofNode] of rows) await stock.reload(epoch, node, 0, ofNode)
  return availability
}
