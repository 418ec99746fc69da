/** Promise 5: what the buyer paid is in the lines and the freight, and what was paid for a bundle is in its parts. */
import { shareByLargestRemainder } from '../../../router/money.ts'
import type { Item } from '../../../router/types.ts'
import { eachBatch } from './batches.ts'
import type { ComputedInvariant, QueriedInvariant } from './invariant.ts'

/** The number behind the first of these keys; null without one. */
function firstNumber(key: string): string {
  return `substring(left(split_part(o.body, '"${key}":', 2), 20) from '^ ?([0-9]+)')::bigint`
}

/**
 * Of an order whose amounts do not add up nothing is sourced, unless a person let it go. What has left, or what its node was
 * asked to stop, may be of the time before the platform told such amounts.
 */
export const ordersSum: QueriedInvariant = {
  name: 'orders_sum_to_what_was_paid',
  // Items carry what was paid for their lines, and are read in a tenth of the time. The body is made by one function, which
  // writes what was paid for the order before what was paid for its lines: to read the first of them takes a quarter of what
  // parsing takes. Only the few that differ are parsed.
  query: `
    select o.id, s.paid_fen, s.freight_fen, d.lines_fen from (
      select o.id, l.lines_fen from orders o cross join lateral (
        select coalesce(sum((i ->> 'paidFen')::bigint), 0) as lines_fen from jsonb_array_elements(o.items) i
      ) l
      where o.state in ('backordered', 'routed', 'partly_shipped')
        and (${firstNumber('paidFen')} = l.lines_fen + coalesce(${firstNumber('freightFen')}, 0)) is not true
      offset 0
    ) d join orders o using (id) cross join lateral (
      select (o.body::json #>> '{snapshot,paidFen}')::bigint as paid_fen,
        coalesce((o.body::json #>> '{snapshot,freightFen}')::bigint, 0)
          + coalesce((o.body::json #>> '{snapshot,serviceFen}')::bigint, 0) as freight_fen offset 0
    ) s
    where s.paid_fen <> d.lines_fen + s.freight_fen
      and not coalesce(o.body::json -> 'overruled', '[]')::jsonb ? 'amount_mismatch'
      and not jsonb_path_exists(coalesce(o.body::json -> 'holds', '[]')::jsonb, '$[*].rule ? (@ == "amount_mismatch")')
      and (o.allocations @> '[{"place": "backordered"}]' or exists (
        select from task t where t.order_id = o.id and t.state in ('ready', 'pulled', 'accepted') and not t.intercept_requested))`,
}

/** Items of an order may be thousands. */
const rowsPerBatch = 50

interface Bundled {
  readonly id: string
  readonly items: readonly Item[]
}

/** The parts of a line are as many times its quantity as the bundle says, so their quantities are the weights. */
export const bundlesShare: ComputedInvariant = {
  name: 'bundles_share_what_was_paid',
  find: async (tx, tell) => {
    // Items stand in the order of their lines, each line with at least one: with more items than lines there is a bundle.
    const bundled = `
      select id, items from orders
      where jsonb_array_length(items) > (items -> -1 ->> 'line')::int + 1`
    await eachBatch<Bundled>(
      tx,
      bundled,
      ({ id, items }) => {
        for (const [line, parts] of byLine(items)) {
          const paidFen = parts.reduce((sum, part) => sum + part.paidFen, 0)
          const sharesFen = shareByLargestRemainder(
            paidFen,
            parts.map((part) => part.quantity),
          )
          if (parts.some((part, i) => part.paidFen !== sharesFen[i]))
            tell({
              id,
              line,
              parts_fen: parts.map((part) => part.paidFen).slice(0, 5),
              shares_fen: sharesFen.slice(0, 5),
            })
        }
      },
      rowsPerBatch,
    )
    return null
  },
}

function byLine(items: readonly Item[]): Map<number, Item[]> {
  const lines = new Map<number, Item[]>()
  for (const item of items) {
    const parts = lines.get(item.line)
    if (parts === undefined) lines.set(item.line, [item])
    else parts.push(item)
  }
  return lines
}
