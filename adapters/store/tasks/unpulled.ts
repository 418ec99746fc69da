/** Tasks that no warehouse has pulled yet, by the node that is to ship them. */
import type { Queryable } from '../postgres/connect.ts'

export interface UnpulledOfNode {
  readonly taskId: string
  readonly channel: string
  readonly shop: string
  readonly orderId: string
}

/** Up to `limit` of them, in the sequence in which they would be pulled. */
export async function unpulledAt(
  sql: Queryable,
  nodes: readonly string[],
  limit: number,
): Promise<readonly UnpulledOfNode[]> {
  if (nodes.length === 0) return []
  return await sql<UnpulledOfNode[]>`
    select t.task_id as "taskId", o.channel, o.shop, o.order_id as "orderId"
    from unnest(${nodes as string[]}::text[]) as n (node)
    cross join lateral (
      select task_id, order_id from task where node = n.node and state = 'ready'
      order by greatest(created_at, not_before), task_id limit ${limit} offset 0
    ) t
    cross join lateral (select * from orders where id = t.order_id offset 0) o
    limit ${limit}`
}
