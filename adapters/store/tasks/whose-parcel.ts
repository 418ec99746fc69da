/** Whose parcel is spoken of. */
import type { OrderKey } from '../../../router/types.ts'
import type { Transaction } from '../postgres/connect.ts'

/** A node speaks of a task of its own, a person of an order with all its tasks. */
export type WhoseParcel = { readonly node: string; readonly taskId: string } | OrderKey

/** null: there is none. */
export async function orderIdOf(tx: Transaction, whose: WhoseParcel): Promise<string | null> {
  const rows =
    'taskId' in whose
      ? await tx<{ id: string }[]>`
          select order_id as id from task where task_id = ${whose.taskId} and node = ${whose.node}`
      : await tx<{ id: string }[]>`
          select id from orders where channel = ${whose.channel} and shop = ${whose.shop} and order_id = ${whose.orderId}`
  return rows[0]?.id ?? null
}
