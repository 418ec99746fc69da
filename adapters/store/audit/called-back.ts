/** Promise 6: goods that the order no longer wants are called back from their warehouse, by the brain's own rule. */
import { check } from '../../../router/check.ts'
import { desiresOf } from '../../../router/desire.ts'
import type { LineUnits } from '../../../router/line-units.ts'
import { defaultPolicy } from '../../../router/policy.ts'
import type { Order } from '../../../router/types.ts'
import { type OrderRow, orderFromRow } from '../orders/order-row.ts'
import { eachBatch } from './batches.ts'
import type { ComputedInvariant } from './invariant.ts'

interface Candidate extends OrderRow {
  readonly tasks: readonly string[]
}

const rowsPerBatch = 100

// Of many orders few say a word of what cancels: only these are read.
const candidates = `
  select o.id, o.channel, o.shop, o.order_id, o.version, o.state, o.body::json as body, o.items, o.allocations, t.tasks
  from orders o cross join lateral (
    select array_agg(task_id order by task_id) as tasks from task
    where order_id = o.id and state in ('ready', 'pulled', 'accepted') and not intercept_requested offset 0
  ) t
  where o.state in ('held', 'backordered', 'routed', 'partly_shipped') and (
      strpos(o.body, '"cancelledBy"') > 0 or strpos(o.body, '"refund') > 0 or strpos(o.body, '"closed"') > 0
      or strpos(o.body, '"forfeited"') > 0)
    and t.tasks is not null`

/** A decision calls them back in its own transaction, so no moment shows one that is not. */
export const calledBack: ComputedInvariant = {
  name: 'tasks_of_cancelled_goods_are_called_back',
  find: async (tx, tell) => {
    const take = ({ tasks, ...row }: Candidate): void => {
      const order = orderFromRow(row)
      const cancelled = tasksWithCancelled(order)
      for (const taskId of tasks) if (cancelled.has(taskId)) tell({ id: order.id, state: order.state, task_id: taskId })
    }
    await eachBatch<Candidate>(tx, candidates, take, rowsPerBatch)
    return null
  },
}

/** What holds an order may depend on settings that changed since its decision; what cancels it does not. */
function tasksWithCancelled(order: Order): Set<string | null> {
  const { snapshot, overruled } = order
  if (snapshot === null) return new Set()
  const asked = { snapshot, overruled, catalog: () => undefined, limits: defaultPolicy.check, keepsItems: true }
  const { refusals } = check(asked)
  const { lines } = desiresOf(order, [], [], refusals, () => undefined)
  return new Set(
    order.allocations.flatMap((a) => (isWhollyCancelled(lines[order.items[a.item]!.line]) ? a.taskId : [])),
  )
}

function isWhollyCancelled(units: LineUnits | undefined): boolean {
  return units === undefined || units.ship + units.hold === 0
}
