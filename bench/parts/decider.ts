/**
 * Decoding and deciding as the service's thread does it, on stock in memory: the channels' `normalise`, the whole of
 * router/, the plan of every order and what is to be written of it. No Postgres, no Redis, no trip to a thread.
 */
import { loadDivisions } from '../../adapters/divisions/load.ts'
import { MemoryStock } from '../../adapters/stock/memory.ts'
import { shopKey } from '../../adapters/store/catalog.ts'
import type { DecisionWrite } from '../../adapters/store/commit.ts'
import type { DemoNetwork } from '../../workers/demo/network.ts'
import { Hints } from '../../workers/hints.ts'
import { type EventToDecide, packEvents, unpackEvents } from '../../workers/thread/batch.ts'
import { type Catalogue, catalogueOf } from '../../workers/thread/catalogue.ts'
import { type Placed, type PlacingContext, placeAll } from '../../workers/thread/placing.ts'
import { workOn } from '../../workers/thread/work.ts'
import { writeOf } from '../../workers/thread/write.ts'

export interface Decider {
  /** The events of some new orders, order by order, as one batch. */
  decide(orders: readonly (readonly EventToDecide[])[]): Promise<readonly DecisionWrite[]>
}

export async function deciderOn(network: DemoNetwork, epoch: number): Promise<Decider> {
  const catalogue = catalogueOfNetwork(network)
  const stock = new MemoryStock()
  const hints = await fill(network, catalogue, stock, epoch)
  const context: PlacingContext & { divisions: ReturnType<typeof loadDivisions> } = {
    catalogue,
    hints,
    keeper: keeperOf(stock, epoch),
    nowMs: Date.now(),
    avoided: new Map(),
    divisions: loadDivisions(),
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

/** The only two questions that placing asks. */
function keeperOf(stock: MemoryStock, epoch: number): PlacingContext['keeper'] {
  const keeper: Pick<PlacingContext['keeper'], 'epoch' | 'reserve' | 'release'> = {
    epoch,
    reserve: async (nowMs, requests) => {
      const outcomes = await stock.reserve(epoch, nowMs, requests)
      return {
        epoch,
        answers: outcomes.map((answer) => {
          if (answer.outcome === 'stale_epoch') throw new Error('stock in memory has one epoch')
          return answer
        }),
      }
    },
    release: async (reservations) => {
      await stock.release(epoch, reservations)
    },
  }
  return keeper as PlacingContext['keeper']
}

function catalogueOfNetwork(network: DemoNetwork): Catalogue {
  return catalogueOf({
    version: 1,
    shops: new Map(network.shops.map((shop) => [shopKey(shop.channel, shop.shop), shop])),
    skus: new Map(network.skus.map((value, n) => [value.sku, { no: n + 1, value }])),
    nodes: network.nodes.map(({ apiKey: _, ...value }, n) => ({ no: n + 1, value })),
  })
}

async function fill(network: DemoNetwork, catalogue: Catalogue, stock: MemoryStock, epoch: number): Promise<Hints> {
  let hints = Hints.sized(network.skus.length)
  const rows = new Map<string, { sku: string; atp: number }[]>(network.nodes.map(({ node }) => [node, []]))
  for (const { node, sku, onHand } of network.stock) {
    const index = catalogue.nodeIndex.get(node)!
    const atp = onHand - catalogue.nodes[index]!.safetyStock
    rows.get(node)!.push({ sku, atp })
    hints.set(catalogue.nodeNo(index), catalogue.skuNo(sku), atp)
    if (hints.isCrowded) hints = hints.grown()
  }
  for (const [node, ofNode] of rows) await stock.reload(epoch, node, 0, ofNode)
  return hints
}
