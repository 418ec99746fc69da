/** Whether anything stands on a SKU's being plain: stock that lies somewhere, tasks that hold it, orders that wait for it. */
import type { Queryable, Transaction } from '../postgres/connect.ts'

/** The advisory lock that SKUs become bundles under, alone, and that every posting of stock shares. */
const postingLock = 7_253_002

/** What is a plain SKU stays one until the transaction ends. To be the transaction's first lock. */
export async function keepSkusPlain(tx: Transaction): Promise<void> {
  await tx`select pg_advisory_xact_lock_shared(${postingLock})`
}

/** No stock is posted until the transaction ends. */
export async function keepStockAsItIs(tx: Transaction): Promise<void> {
  await tx`select pg_advisory_xact_lock(${postingLock})`
}

export interface SkuUse {
  readonly sku: string
  readonly how: 'on_hand' | 'reserved' | 'awaited'
  /** Where it lies; null: orders wait for it. */
  readonly node: string | null
}

/**
 * The first use of any of them. What a live task holds is reserved. A decision that runs meanwhile may still write an
 * order that waits: it knows the settings of a moment ago in any case, and its order is decided anew.
 */
export async function useOf(sql: Queryable, skus: readonly string[]): Promise<SkuUse | undefined> {
  const [use] = await sql<SkuUse[]>`
    select sku, case when reserved > 0 then 'reserved' else 'on_hand' end as how, node from stock
    where sku = any(${skus as string[]}) and (on_hand > 0 or reserved > 0)
    union all
    select distinct sku, 'awaited', null from backorder where sku = any(${skus as string[]})
    order by sku, how desc, node limit 1`
  return use
}
