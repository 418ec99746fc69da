/**
 * An order's state is what its units say, by the brain's own rule. A million orders have a few hundred distinct sums of units,
 * so Postgres adds up and the rule is asked once for each distinct sum.
 */
import { newOrder, stateOf } from '../../../router/order.ts'
import type { Task } from '../../../router/task.ts'
import { type Allocation, channelNames, type OrderSnapshot, type OrderState } from '../../../router/types.ts'
import type { Transaction } from '../postgres/connect.ts'
import type { BrokenRow, ComputedInvariant } from './invariant.ts'

/** All that the rule looks at. */
interface Shape {
  readonly state: OrderState
  readonly known: boolean
  readonly unpaid: boolean
  readonly live: number
  readonly virtual: number
  readonly held: number
  readonly backordered: number
  readonly shipped: number
}

// What the platform said is in a long text, read only where the rule asks for it.
const shapes = `
  select s.id, s.state, s.live, s.virtual, s.held, s.backordered, s.shipped,
    s.live > 0 or s.virtual > 0 or exists (select from orders o where o.id = s.id and o.body::json -> 'snapshot' is not null) as known,
    s.held > 0 and s.shipped = 0 and exists (
      select from orders o where o.id = s.id and o.body::json #>> '{snapshot,platformState}' = 'unpaid') as unpaid
  from (
    select o.id, o.state, coalesce(t.shipped, 0)::float8 as shipped, u.* from orders o cross join lateral (
      select coalesce(sum(a.quantity) filter (where a.place not in ('virtual', 'cancelled', 'returned')), 0)::float8 as live,
        coalesce(sum(a.quantity) filter (where a.place = 'virtual'), 0)::float8 as virtual,
        coalesce(sum(a.quantity) filter (where a.place = 'held'), 0)::float8 as held,
        coalesce(sum(a.quantity) filter (where a.place = 'backordered'), 0)::float8 as backordered
      from jsonb_to_recordset(o.allocations) as a (quantity bigint, place text)
    ) u left join (
      select order_id, sum(l.shipped) as shipped from task, jsonb_to_recordset(lines) as l (shipped bigint)
      where l.shipped <> 0 group by 1
    ) t on t.order_id = o.id
  ) s`

export const orderStates: ComputedInvariant = {
  name: 'order_states_are_what_units_say',
  find: async (tx, tell) => {
    const all = await tx.unsafe<Shape[]>(`
      select state, known, unpaid, live, virtual, held, backordered, shipped from (${shapes}) s
      group by 1, 2, 3, 4, 5, 6, 7, 8`)
    const wrong = all.filter((shape) => stateBy(shape) !== shape.state)
    if (wrong.length > 0) await tellOrders(tx, wrong, tell)
    return null
  },
}

async function tellOrders(tx: Transaction, wrong: readonly Shape[], tell: (row: BrokenRow) => void): Promise<void> {
  const text = JSON.stringify(wrong.map((shape) => ({ ...shape, computed: stateBy(shape) })))
  const rows = await tx.unsafe<(Shape & { id: string; computed: string })[]>(
    `select s.*, w.computed from (${shapes}) s
     join json_to_recordset($1::text::json) as w
       (state text, known boolean, unpaid boolean, live float8, virtual float8, held float8, backordered float8, shipped float8, computed text)
     using (state, known, unpaid, live, virtual, held, backordered, shipped) order by s.id`,
    [text],
  )
  for (const { id, state, computed, live, virtual, held, backordered, shipped } of rows)
    tell({ id, state, computed, live, virtual, held, backordered, shipped })
}

function stateBy({ state, known, unpaid, live, virtual, held, backordered, shipped }: Shape): OrderState {
  const units = (place: Allocation['place'], quantity: number): Allocation[] =>
    quantity === 0 ? [] : [{ item: 0, quantity, place, taskId: null }]
  const snapshot = { platformState: unpaid ? 'unpaid' : 'ready' } as OrderSnapshot
  const order = newOrder({ channel: channelNames[0], shop: '', orderId: '' }, '0')
  const allocations = [
    ...units('held', held),
    ...units('backordered', backordered),
    ...units('task', live - held - backordered),
    ...units('virtual', virtual),
  ]
  return stateOf({ ...order, state, snapshot: known ? snapshot : null, allocations }, [shippedTask(shipped)])
}

function shippedTask(shipped: number): Task {
  const lines = [{ sku: '', quantity: shipped, shipped }]
  const plain = { fence: 1, interceptRequested: false, notBefore: null, change: 0, changeTaken: 0 }
  return { taskId: '', node: '', state: 'shipped', ...plain, lines }
}
