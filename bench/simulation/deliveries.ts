/** Goods that come in, counts, and the operator: whoever waits for goods is asked again. */
import type { MemoryStore } from '../../adapters/store/memory/store.ts'
import { commandEvent } from '../../workers/intake/commands.ts'
import { nodes, skus } from './network.ts'
import type { SimulatedProcess } from './process.ts'
import type { WarehouseContext } from './warehouse.ts'

/** `counts`: they may find less than there was. Gives a function that asks again for every order that waits. */
export function deliverGoods(
  context: WarehouseContext,
  store: MemoryStore,
  counts: boolean,
): { readonly restock: (process: SimulatedProcess, id: string) => Promise<void> } {
  const { scheduler, random } = context
  let count = 0
  const next = (): void => {
    if (context.isCalm()) return
    const process = context.process()
    if (process !== null) void deliver(process, `d${++count}`)
    scheduler.after(random.between(40, 250), 'goods come', next)
  }
  scheduler.after(random.between(40, 250), 'goods come', next)

  async function deliver(process: SimulatedProcess, ref: string): Promise<void> {
    const node = random.pick(nodes)
    const sku = random.pick(skus)
    // A count may find fewer than are promised.
    const kind = counts && random.chance(0.15) ? 'set' : 'add'
    const lines = [{ sku, quantity: random.between(kind === 'set' ? 0 : 1, 4) }]
    try {
      const posted = await process.store.postStock({ node, ref, kind, lines, bodyHash: Buffer.alloc(0) })
      if (posted.outcome === 'posted') await process.tell([posted.delta])
      await restock(process, ref)
    } catch {
      // Whoever brought it asks again tomorrow.
    }
  }

  async function restock(process: SimulatedProcess, id: string): Promise<void> {
    for (const order of [...store.tables.orders.values()]) {
      if (!order.allocations.some((a) => a.place === 'backordered')) continue
      const command = commandEvent(
        order,
        { type: 'restock', actor: { kind: 'stage', name: 'restock' }, note: '' },
        scheduler.nowMs,
        `${id}.${order.orderId}`,
      )
      await process.take([command])
    }
  }
  return { restock }
}
