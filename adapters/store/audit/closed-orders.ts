/** Promise 8: a closed order is closed by what its tasks, its parcels and its bill rows say today, by the three-way match itself. */
import { changeOf, reconcile } from '../../../router/reconcile.ts'
import { keyedPlans, type Transaction } from '../postgres/connect.ts'
import { loadForReconcile } from '../settle/reconcile.ts'
import { type ComputedInvariant, grace } from './invariant.ts'

const ordersPerBatch = 200
/** A match reads what five tables say of an order, so a million take minutes. One audit looks at a stretch that begins anywhere. */
const ordersMax = 50_000

/** What changes a flow marks the order as due in the same transaction. One that is marked is about to be matched anew. */
export const closedMatchAnew: ComputedInvariant = {
  name: 'closed_orders_agree_anew',
  find: async (tx, tell) => {
    const plans = await plansOf(tx)
    let looked = 0
    const look = async (after: string, until: string | null): Promise<void> => {
      for (let last = after; looked < ordersMax; ) {
        const ids = await closedOrders(tx, last, until)
        if (ids.length === 0) return
        for (const { input } of await loadForReconcile(tx, ids, 'look')) {
          const match = reconcile(input)
          if (changeOf(match, input.order.state) !== 'reopened' || (await hasFreshTrack(tx, input.order.id))) continue
          tell({ id: input.order.id, differs: [...new Set(match.exceptions.map((e) => e.kind))] })
        }
        looked += ids.length
        last = ids.at(-1)!
      }
    }
    try {
      const start = await anywhere(tx)
      await look(start, null)
      await look('0', start)
    } finally {
      await setPlans(tx, plans)
    }
    if (looked < ordersMax) return null
    return `Of the closed orders ${looked.toLocaleString('en')} were matched anew, from a random one on; others are matched by later audits.`
  },
}

async function anywhere(tx: Transaction): Promise<string> {
  const [row] = await tx<{ after: string }[]>`
    select floor(random() * coalesce(max(id), 0))::bigint as after from orders`
  return row!.after
}

async function closedOrders(tx: Transaction, after: string, until: string | null): Promise<string[]> {
  const rows = await tx<{ id: string }[]>`
    select o.id from orders o left join reconciliation r on r.order_id = o.id
    where o.state = 'closed' and o.id > ${after}::bigint and (${until}::bigint is null or o.id <= ${until}::bigint)
      and r.updated_at is distinct from '-infinity'
    order by o.id limit ${ordersPerBatch}`
  return rows.map((r) => r.id)
}

/** A track is stored first, and marks its orders in a transaction of its own. */
async function hasFreshTrack(tx: Transaction, orderId: string): Promise<boolean> {
  const fresh = await tx.unsafe(
    `select from parcel p join track t on t.waybill = p.waybill
     where p.order_id = $1::bigint and t.updated_at > now() - ${grace} limit 1`,
    [orderId],
  )
  return fresh.count > 0
}

type Plans = readonly { readonly name: string; readonly setting: string }[]

/** Loading sets how the rest of its transaction is planned; other invariants of this one want their own plans. */
async function plansOf(tx: Transaction): Promise<Plans> {
  const names = Object.keys(keyedPlans)
  return await tx<{ name: string; setting: string }[]>`
    select name, current_setting(name) as setting from unnest(${names}::text[]) as n (name)`
}

async function setPlans(tx: Transaction, plans: Plans): Promise<void> {
  await tx`
    select set_config(name, setting, true)
    from unnest(${plans.map((p) => p.name)}::text[], ${plans.map((p) => p.setting)}::text[]) as n (name, setting)`
}
