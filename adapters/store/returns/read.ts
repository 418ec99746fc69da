/** Reads of returns: of orders, and as people ask for them. */
import type { Return, ReturnState } from '../../../router/returns/types.ts'
import type { Queryable } from '../postgres/connect.ts'

/** A row of `returns`: the body has what is not searched for. */
interface ReturnRow extends Pick<Return, 'id' | 'ref' | 'kind' | 'state' | 'node' | 'waybill'> {
  readonly order_id: string
  readonly body: Omit<Return, 'id' | 'orderId' | 'ref' | 'kind' | 'state' | 'node' | 'waybill'>
}

function returnRow({ order_id, body, ...row }: ReturnRow): Return {
  return { ...body, ...row, orderId: order_id }
}

/** Of some orders, by the order's id, each in the sequence in which they came. */
export async function returnsOf(sql: Queryable, orderIds: readonly string[]): Promise<Map<string, Return[]>> {
  const rows = await sql<ReturnRow[]>`
    select id, order_id, ref, kind, state, node, waybill, body
    from returns where order_id = any(${orderIds as string[]}::bigint[]) order by id`
  const byOrder = new Map<string, Return[]>()
  for (const row of rows) byOrder.set(row.order_id, [...(byOrder.get(row.order_id) ?? []), returnRow(row)])
  return byOrder
}

export async function findReturn(sql: Queryable, id: string): Promise<Return | null> {
  const [row] = await sql<ReturnRow[]>`
    select id, order_id, ref, kind, state, node, waybill, body from returns where id = ${id}`
  return row === undefined ? null : returnRow(row)
}

export interface ReturnQuery {
  readonly state?: ReturnState | undefined
  readonly node?: string | undefined
  readonly waybill?: string | undefined
  /** The platform's id of an order. */
  readonly orderId?: string | undefined
  /** Only those whose goods may still come. */
  readonly awaited?: boolean
  readonly afterId: string
  readonly limit: number
}

export async function listReturns(sql: Queryable, query: ReturnQuery): Promise<Return[]> {
  const { state, node, waybill, orderId, awaited = false, afterId, limit } = query
  const rows = await sql<ReturnRow[]>`
    select id, order_id, ref, kind, state, node, waybill, body from returns
    where id > ${afterId}::bigint
      ${state === undefined ? sql`` : sql`and state = ${state}`}
      ${node === undefined ? sql`` : sql`and node = ${node}`}
      ${waybill === undefined ? sql`` : sql`and waybill = ${waybill}`}
      ${orderId === undefined ? sql`` : sql`and order_id in (select id from orders where order_id = ${orderId})`}
      ${awaited ? sql`and state in ('requested', 'agreed', 'on_its_way')` : sql``}
    order by id limit ${limit}`
  return rows.map(returnRow)
}
