/** Goods that come in, and counts that find fewer than there were. */
import { postStock } from '../../workers/stock/posting.ts'
import { nodes, skus } from './network.ts'
import { ask, type OutsideContext } from './outside.ts'

const patience = { tries: 1, patienceMs: 4_000, name: 'who delivers' }

/** `counts`: they may find less than there was. */
export function deliverGoods(context: OutsideContext, counts: boolean): void {
  const { scheduler, random } = context
  let count = 0
  const next = (): void => void scheduler.after(random.between(400, 2_500), 'goods come', round)
  const round = (): void => {
    if (context.isCalm()) return
    void deliver(`d${++count}`)
    next()
  }
  next()

  async function deliver(ref: string): Promise<void> {
    // A count may find fewer than are promised.
    const kind = counts && random.chance(0.3) ? 'set' : 'add'
    const lines = [{ sku: random.pick(skus), quantity: random.between(kind === 'set' ? 0 : 1, 4) }]
    const posting = { node: random.pick(nodes), ref, kind, lines, bodyHash: Buffer.alloc(0) } as const
    // Some ask again what became of it, and some never do.
    const tries = random.between(1, 2)
    await ask(context, { ...patience, tries }, (up) => postStock(up, posting))
    if (random.chance(0.1)) await ask(context, patience, (up) => postStock(up, posting))
  }
}
