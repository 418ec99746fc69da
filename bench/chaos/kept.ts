/** What the tables hold, by order, in the shape in which the book is compared with it. */
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import type { SkuQuantity } from '../../router/types.ts'
import { ledgerKey } from '../../workers/faults/testing/ledger.ts'

export interface KeptOrder {
  readonly state: string
  readonly paidFen: string | null
  /** Units by where they are. */
  readonly places: Readonly<Record<string, number>>
  readonly shippedUnits: number
}

export interface KeptTask {
  readonly taskId: string
  readonly node: string
  readonly state: string
  /** Nothing when it was cancelled. */
  readonly lines: readonly SkuQuantity[]
  readonly packages: readonly { readonly waybill: string; readonly lines: readonly SkuQuantity[] }[]
}

export interface Kept {
  readonly orders: ReadonlyMap<string, readonly KeptOrder[]>
  readonly tasks: ReadonlyMap<string, readonly KeptTask[]>
  /** Events that came from outside, by order. */
  readonly events: ReadonlyMap<string, number>
  /** Orders of which an event came with another body. */
  readonly conflicts: ReadonlySet<string>
  /** node/sku → units. */
  readonly onHand: ReadonlyMap<string, number>
}

interface Named {
  readonly channel: string
  readonly shop: string
  readonly orderId: string
}

/** Of one instant. */
export async function readKept(sql: Sql): Promise<Kept> {
  return await sql.begin('isolation level repeatable read read only', async (tx) => {
    const orders = await tx<(Named & KeptOrder)[]>`
      select channel, shop, order_id as "orderId", state, body::json -> 'snapshot' ->> 'paidFen' as "paidFen",
        (select coalesce(sum((l ->> 'shipped')::int), 0)::int from task t, jsonb_array_elements(t.lines) l
         where t.order_id = orders.id) as "shippedUnits",
        (select coalesce(jsonb_object_agg(place, units), '{}') from (
          select a ->> 'place' as place, sum((a ->> 'quantity')::int)::int as units
          from jsonb_array_elements(allocations) a group by 1) p) as places
      from orders`
    const tasks = await tx<(Named & KeptTask)[]>`
      select o.channel, o.shop, o.order_id as "orderId", t.task_id as "taskId", t.node, t.state,
        case t.state when 'cancelled' then '[]' else t.lines end as lines, t.packages
      from task t join orders o on o.id = t.order_id`
    const events = await tx<(Named & { count: number })[]>`
      select channel, shop, order_id as "orderId",
        count(*) filter (where kind = case channel when 'wechat' then 'notification' else 'order' end)::int as count
      from inbox group by 1, 2, 3`
    const conflicts = await tx<Named[]>`
      select distinct i.channel, i.shop, i.order_id as "orderId"
      from event_conflict c join inbox i using (day, channel, shop, event_id)`
    const stock = await tx<{ place: string; onHand: number }[]>`
      select node || '/' || sku as place, on_hand as "onHand" from stock`
    return {
      orders: grouped(orders),
      tasks: grouped(tasks),
      events: new Map(events.map((row) => [ledgerKey(row), row.count])),
      conflicts: new Set(conflicts.map(ledgerKey)),
      onHand: new Map(stock.map((row) => [row.place, row.onHand])),
    }
  })
}

function grouped<Row extends Named>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = ledgerKey(row)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return groups
}
