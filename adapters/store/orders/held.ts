/** Orders that are held because no catalog knew a code of theirs. */
import type { SnapshotLine } from '../../../router/types.ts'
import type { Queryable } from '../postgres/connect.ts'

export type CodedLine = Pick<SnapshotLine, 'sku' | 'platformSku' | 'refund'>

export interface HeldForCodes {
  /** Our id of the order. */
  readonly id: string
  readonly channel: string
  readonly shop: string
  readonly orderId: string
  readonly version: number
  readonly lines: readonly CodedLine[]
}

export interface HeldPage {
  readonly orders: readonly HeldForCodes[]
  /** Behind which order the next page begins; null: this is the last. */
  readonly next: string | null
}

/** Those among the next `look` held orders behind an order's id, in the sequence in which they came. */
export async function heldForCodes(sql: Queryable, afterId: string, look: number): Promise<HeldPage> {
  // Most held orders wait for something else: only those that name the rule are taken apart. What is asked for inside is
  // an index' own sequence, so that no other index is walked along for want of held orders.
  const rows = await sql<(Omit<HeldForCodes, 'lines'> & { lines: readonly CodedLine[] | null })[]>`
    select o.id::text, o.channel, o.shop, o.order_id as "orderId", o.version, (
      select json_agg(json_build_object('sku', l -> 'sku', 'platformSku', l -> 'platformSku',
        'refund', coalesce(l ->> 'refund', 'none')))
      from json_array_elements(o.body -> 'snapshot' -> 'lines') l
      where exists (select from json_array_elements(o.body -> 'holds') h where h ->> 'rule' = 'unknown_sku')
    ) as lines
    from (
      select id, channel, shop, order_id, version, state,
        case when position('"unknown_sku"' in body) > 0 then body::json end as body
      from orders
      where state in ('announced', 'held', 'backordered', 'unpaid') and (state, id) > ('held', ${afterId}::bigint)
      order by state, id limit ${look}
    ) o where o.state = 'held' order by o.id`
  return {
    orders: rows.flatMap(({ lines, ...row }) => (lines === null ? [] : [{ ...row, lines }])),
    next: rows.length < look ? null : rows.at(-1)!.id,
  }
}
