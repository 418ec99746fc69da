/** Goods that come in, and counts, which may find fewer than there were. */
import { nodes, skus } from './network.ts'
import type { WarehouseContext } from './warehouse.ts'

/** `counts`: they may find less than there was. */
export function deliverGoods(context: WarehouseContext, counts: boolean): void {
  const { scheduler, random } = context
  let count = 0
  const next = (): void => {
    if (context.isCalm()) return
    const process = context.process()
    const node = random.pick(nodes)
    const sku = random.pick(skus)
    // A count may find fewer than are promised.
    const kind = counts && random.chance(0.2) ? 'set' : 'add'
    const lines = [{ sku, quantity: random.between(kind === 'set' ? 0 : 1, 4) }]
    const posting = { node, ref: `d${++count}`, kind, lines, bodyHash: Buffer.alloc(0) } as const
    // Where it fails nothing was booked, or all of it: the warehouse books the next one.
    if (process !== null) void process.post(posting).catch(() => undefined)
    scheduler.after(random.between(40, 250), 'goods come', next)
  }
  scheduler.after(random.between(40, 250), 'goods come', next)
}
