/** What to do when Postgres has fewer units than Redis promised. */
import type { DecisionStore } from '../../adapters/store/order-store.ts'
import type { StockKey } from '../../router/types.ts'
import type { CounterKeeper } from '../counters/counter-keeper.ts'

type Books = Pick<DecisionStore, 'figuresOf' | 'partedByCommit'>

/**
 * First what Redis may not have heard. Only if it has heard everything of a node and still promises more than Postgres has
 * are its counters wrong, and made anew.
 */
export async function believePostgres(
  { store, keeper }: { readonly store: Books; readonly keeper: CounterKeeper },
  epoch: number,
  short: readonly StockKey[],
): Promise<void> {
  for (const node of new Set(short.map((s) => s.node))) {
    await keeper.catchUp(node)
    const skus = short.filter((s) => s.node === node).map((s) => s.sku)
    if (await promisesTooMuch(store, keeper, node, skus)) {
      await keeper.recover(epoch)
      return
    }
  }
}

/** Looks at both sides while neither moves; false when they do: then the next try sees fresh figures anyway. */
async function promisesTooMuch(
  store: Books,
  keeper: CounterKeeper,
  node: string,
  skus: readonly string[],
): Promise<boolean> {
  const [before] = await store.figuresOf([node])
  const seen = await keeper.look(node)
  const { others } = await store.partedByCommit(seen.held.map((h) => ({ ...h, node })))
  const [after] = await store.figuresOf([node])
  if (before === undefined || after === undefined || before.seq !== seen.seq || after.seq !== seen.seq) return false
  const inFlight = others.flatMap((h) => h.lines)
  return skus.some((sku) => {
    const available = after.available.find((r) => r.sku === sku)?.available ?? 0
    if (available !== (before.available.find((r) => r.sku === sku)?.available ?? 0)) return false
    const held = inFlight.filter((l) => l.sku === sku).reduce((sum, l) => sum + l.quantity, 0)
    return (seen.atp.get(sku) ?? 0) + held > available
  })
}
