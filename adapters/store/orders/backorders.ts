/** Orders that wait for goods. */
import type { Queryable } from '../postgres/connect.ts'

/**
 * SKUs that some order waits for, in order, after the given one. Steps from one SKU to the next in the primary key, so that
 * the price is one probe a SKU, however many orders wait for it.
 */
export async function backorderedSkus(sql: Queryable, afterSku: string, limit: number): Promise<string[]> {
  const rows = await sql<{ sku: string }[]>`
    with recursive step (sku, n) as (
      (select sku, 1 from backorder where sku > ${afterSku} order by sku limit 1)
      union all
      select next.sku, step.n + 1 from step cross join lateral (
        select b.sku from backorder b where b.sku > step.sku order by b.sku limit 1
      ) next where step.n < ${limit}
    )
    select sku from step`
  return rows.map((r) => r.sku)
}
