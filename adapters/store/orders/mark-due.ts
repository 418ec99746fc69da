/**
 * The mark of an order that has to be reconciled again. It is in the order's reconciliation row, set in the transaction that
 * changed something, so that a crash between the change and its reconciliation loses nothing: the sweep finds the mark.
 */
import type { Queryable } from '../postgres/connect.ts'

/** Marks orders, and enters those that are new here. The last statement of its transaction: it locks in order of id. */
export async function markDue(sql: Queryable, orderIds: readonly string[]): Promise<void> {
  if (orderIds.length === 0) return
  await sql`
    insert into reconciliation (order_id, state, detail, updated_at)
    select id, 'open', '{}'::json, '-infinity'::timestamptz
    from (select distinct unnest(${orderIds as string[]}::bigint[]) as id) as given order by id
    on conflict (order_id) do update set updated_at = '-infinity' where reconciliation.updated_at <> '-infinity'`
}
