/**
 * The bench's own book, held against Postgres: every acknowledged order is there once, says what was sent, and is decided;
 * no shelf gave more than lay on it. It shares nothing with the service but the tables that it reads.
 */
import type { Violation } from '../../adapters/store/audit/audit.ts'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import type { StockRow } from '../../workers/process/demo-network/stock.ts'
import { orderAt } from '../traffic/generator.ts'
import type { TrafficPlan } from '../traffic/plan.ts'

const names = {
  lost: 'acknowledged_orders_are_there',
  twice: 'one_platform_order_is_one_order',
  other: 'orders_say_what_was_sent',
  undecided: 'acknowledged_orders_are_decided',
  oversold: 'no_shelf_gave_more_than_it_held',
} as const
export const ledgerInvariants: readonly string[] = Object.values(names)

const chunk = 2_000
const examplesMax = 5

interface Found {
  readonly position: number
  readonly state: string
  readonly paidFen: string | null
  readonly units: number | null
  readonly decisions: number
}

/** `acknowledged`: orders of the plan by index. */
export async function checkLedger(
  sql: Sql,
  plan: TrafficPlan,
  acknowledged: ReadonlySet<number>,
): Promise<Violation[]> {
  const lost = collector(names.lost)
  const twice = collector(names.twice)
  const other = collector(names.other)
  const undecided = collector(names.undecided)
  const indexes = [...acknowledged]
  for (let at = 0; at < indexes.length; at += chunk) {
    const orders = indexes.slice(at, at + chunk).map((index) => orderAt(plan, index))
    const rows = await sql<Found[]>`
      select k.position::int, o.state, o.body::json -> 'snapshot' ->> 'paidFen' as "paidFen",
        (select sum((l ->> 'quantity')::int)::int from json_array_elements(o.body::json -> 'snapshot' -> 'lines') l) as units,
        (select count(*)::int from decision d where d.order_id = o.id) as decisions
      from unnest(${orders.map((o) => o.channel)}::text[], ${orders.map((o) => o.shop.shop)}::text[],
        ${orders.map((o) => o.orderId)}::text[]) with ordinality as k (channel, shop, order_id, position)
      join orders o using (channel, shop, order_id)`
    const found = new Map<number, Found[]>()
    for (const row of rows) found.set(row.position, [...(found.get(row.position) ?? []), row])
    for (const [i, order] of orders.entries()) {
      const { channel, orderId } = order
      const [row, second] = found.get(i + 1) ?? []
      if (row === undefined) {
        lost.add({ channel, orderId })
        continue
      }
      if (second !== undefined) twice.add({ channel, orderId })
      const units = order.lines.reduce((sum, line) => sum + line.quantity, 0)
      if (row.paidFen !== String(order.paidFen) || row.units !== units)
        other.add({ channel, orderId, sentFen: order.paidFen, keptFen: row.paidFen, units, keptUnits: row.units })
      if (row.decisions === 0) undecided.add({ channel, orderId, state: row.state })
    }
  }
  return [lost, twice, other, undecided].flatMap((c) => c.violations())
}

/** What lies in tasks against what lay on the shelves at the beginning. */
export async function checkShelves(sql: Sql, opening: readonly StockRow[]): Promise<Violation[]> {
  const lay = new Map(opening.map(({ node, sku, onHand }) => [`${node}/${sku}`, onHand]))
  const oversold = collector(names.oversold)
  const rows = await sql<{ node: string; sku: string; quantity: number }[]>`
    select node, l ->> 'sku' as sku, sum((l ->> 'quantity')::int)::int as quantity
    from task, jsonb_array_elements(lines) l where state <> 'cancelled' group by 1, 2`
  for (const { node, sku, quantity } of rows) {
    const held = lay.get(`${node}/${sku}`) ?? 0
    if (quantity > held) oversold.add({ node, sku, held, quantity })
  }
  return oversold.violations()
}

function collector(invariant: string) {
  const examples: Record<string, unknown>[] = []
  let count = 0
  return {
    add(row: Record<string, unknown>): void {
      if (count++ < examplesMax) examples.push(row)
    },
    violations: (): Violation[] => (count === 0 ? [] : [{ invariant, count, examples }]),
  }
}
