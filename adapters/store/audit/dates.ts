/**
 * Presale goods are not shipped before their date. Sourcing gives them tasks of their own, and its trace keeps each task's date.
 *
 * When a task was pulled is not kept. What is known: it had been by the last change of its row, and when its parcels left. So
 * this finds a task that is pulled or shipped and whose date was still to come then, and misses one whose row changed after it.
 */
import { eachBatch } from './batches.ts'
import type { ComputedInvariant } from './invariant.ts'

interface TaskOfTrace {
  readonly order_id: string
  readonly task_id: string
  readonly node: string
  readonly changed_ms: number
  readonly shipped_ms: number | null
  readonly trace: {
    readonly tasks?: readonly string[]
    readonly sourcing?: readonly { readonly readyAt: number | null; readonly sourcing: { readonly parcels: Parcels } }[]
  }
}

type Parcels = readonly (readonly [node: string, ...rest: unknown[]])[]

const rowsPerBatch = 100

const tasksOfPresales = `
  select t.order_id, t.task_id, t.node, d.trace::json as trace,
    extract(epoch from t.updated_at)::float8 * 1000 as changed_ms, p.shipped_ms
  from orders o join task t on t.order_id = o.id cross join lateral (
    select min((p ->> 'shippedAt')::float8) as shipped_ms from jsonb_array_elements(t.packages) p
  ) p join decision d on d.order_id = o.id and d.seq > 0 and strpos(d.trace, '"' || t.task_id || '"') > 0
  where strpos(o.body, '"readyAt"') > 0 and t.fence > 0`

export const pulledAtTheirDates: ComputedInvariant = {
  name: 'no_task_is_pulled_before_its_date',
  find: async (tx, tell) => {
    const take = ({ order_id, task_id, node, trace, changed_ms, shipped_ms }: TaskOfTrace): void => {
      const readyAt = dateOf(trace, task_id, node)
      if (readyAt === null || readyAt <= Math.min(changed_ms, shipped_ms ?? changed_ms)) return
      tell({ id: order_id, task_id, node, ready_at: new Date(readyAt), had_by: new Date(shipped_ms ?? changed_ms) })
    }
    await eachBatch<TaskOfTrace>(tx, tasksOfPresales, take, rowsPerBatch)
    return null
  },
}

/** null: at once, or a trace that does not tell. */
function dateOf({ tasks = [], sourcing = [] }: TaskOfTrace['trace'], taskId: string, node: string): number | null {
  const parcels = sourcing.flatMap(({ readyAt, sourcing: { parcels: of } }) =>
    of.map(([at]) => ({ node: at, readyAt })),
  )
  const at = tasks.indexOf(taskId)
  if (at === -1) return null
  if (parcels.length === tasks.length) return parcels[at]!.readyAt
  // Some parcels were refused: of those from this node the earliest date is certain.
  const dates = parcels.filter((p) => p.node === node).map((p) => p.readyAt ?? 0)
  const earliest = Math.min(...dates)
  return dates.length === 0 || earliest === 0 ? null : earliest
}
