/** What to do when Postgres has fewer units than Redis promised. */
import type { Sql } from '../../adapters/store/connect.ts'
import { figuresOf } from '../../adapters/store/stock.ts'
import { partedByCommit } from '../../adapters/store/sweep.ts'
import type { StockKeeper } from '../stock-keeper.ts'

/**
 * First what Redis may not have heard. Only if it has heard everything of a node and still promises more than Postgres has
 * are its counters wrong, and made anew.
 */
export async function believePostgres(
  { sql, keeper }: { readonly sql: Sql; readonly keeper: StockKeeper },
  epoch: number,
  short: readonly { readonly node: string; readonly sku: string }[],
): Promise<void> {
  for (const node of new Set(short.map((s) => s.node))) {
    await keeper.catchUp(node)
    const skus = short.filter((s) => s.node === node).map((s) => s.sku)
    if (await promisesTooMuch(sql, keeper, node, skus)) {
      await keeper.recover(epoch)
      return
    }
  }
}

/** Looks at both sides while neither moves; false when they do: then the next try sees fresh figures anyway. */
async function promisesTooMuch(sql: Sql, keeper: StockKeeper, node: string, skus: readonly string[]): Promise<boolean> {
  const [before] = await figuresOf(sql, [node])
  const seen = await keeper.look(node)
  const { others } = await partedByCommit(
    sql,
    seen.held.map((h) => ({ ...h, node })),
  )
  const [after] = await figuresOf(sql, [node])
  if (before === undefined || after === undefined || before.seq !== seen.seq || after.seq !== seen.seq) return false
  const inFlight = others.flatMap((h) => h.lines)
  return skus.some((sku) => {
    const available = after.available.find((r) => r.sku === sku)?.available ?? 0
    if (available !== (before.available.find((r) => r.sku === sku)?.available ?? 0)) return false
    const held = inFlight.filter((l) => l.sku === sku).reduce((sum, l) => sum + l.quantity, 0)
    return (seen.atp.get(sku) ?? 0) + held > available
  })
}
