/** Which orders have to be reconciled again: those that carry the mark of ../orders/mark-due.ts, those of which something is overdue, and what the mark may have missed. */
import { closableStates } from '../../../router/reconcile/types.ts'
import type { Queryable } from '../postgres/connect.ts'

/**
 * Orders that are marked, and orders of which something expected has not come in time, the longest overdue before others;
 * lowest id first, after the given one. The match of an order takes it out of both.
 */
export async function dueOrders(sql: Queryable, afterOrderId: string, limit: number): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from (
      (select order_id as id from reconciliation
        where updated_at = '-infinity' and order_id > ${afterOrderId}::bigint order by order_id limit ${limit})
      union
      (select order_id from reconciliation
        where due_at <= now() and order_id > ${afterOrderId}::bigint order by due_at, order_id limit ${limit})
    ) due order by id limit ${limit}`
  return rows.map((row) => row.id)
}

export interface Stretch {
  /** Lowest first. */
  readonly unreconciled: readonly string[]
  /** The last order that was looked at; null: there are no more. */
  readonly lastOrderId: string | null
}

/**
 * A second guard, should a mark be missing: orders that have something to close and have another version than the one
 * that was last reconciled, or never were reconciled. Looks at `look` orders in order of id, from after the given one, and stops there. It
 * finds nearly always nothing, and a search that goes on until it finds something would read every order that ever was.
 */
export async function unreconciledOrders(sql: Queryable, afterOrderId: string, look: number): Promise<Stretch> {
  const [row] = await sql<{ looked: number; last: string | null; unreconciled: string[] | null }[]>`
    select count(*)::int as looked, max(o.id) as last, array_agg(o.id order by o.id) filter (
      where o.state = any(${closableStates as string[]}::text[])
        and (r.order_id is null or (r.detail->>'version')::integer is distinct from o.version)) as unreconciled
    from (
      select id, state, version from orders where id > ${afterOrderId}::bigint order by id limit ${look}
    ) o left join lateral (select * from reconciliation where order_id = o.id offset 0) r on true`
  const { looked, last, unreconciled } = row!
  return { unreconciled: unreconciled ?? [], lastOrderId: looked < look ? null : last }
}

/** Orders whose parcels carry one of these waybills. */
export async function ordersTouchedByWaybills(sql: Queryable, waybills: readonly string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select distinct order_id as id from parcel where waybill = any(${waybills as string[]}::text[])`
  return rows.map((row) => row.id).sort(compareIds)
}

/** Ids are digits without leading zeros: shorter is smaller. */
export function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)
}
