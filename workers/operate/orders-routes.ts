/** Orders as HTTP endpoints. */
import { ApiError } from '../../adapters/http/errors.ts'
import { implement, type JsonRoute, ok } from '../../adapters/http/route.ts'
import { contract } from '../../adapters/http/v1/contract.ts'
import { listOrders } from '../../adapters/store/orders/view.ts'
import type { OrderKey, OrderState } from '../../router/types.ts'
import type { Refused } from '../process/refused.ts'
import { idOfCursor } from './cursor.ts'
import { orThrow } from './or-throw.ts'
import { viewOrder } from './order-view.ts'
import {
  approveOrder,
  type Commanded,
  cancelOrder,
  type Given,
  type OrderCommandContext,
  setLineUnits,
} from './orders.ts'

export function ordersRoutes(context: OrderCommandContext): JsonRoute[] {
  const { sql } = context
  return [
    implement(contract.getOrder, async ({ params }) => {
      const view = await viewOrder(sql, params)
      if (view === null)
        throw new ApiError('not_found', 'No such order. If its event just came, it may not be decided yet.')
      return ok(view)
    }),
    implement(contract.listOrders, async ({ query }) => {
      const rows = await listOrders(sql, { state: query.state, afterId: idOfCursor(query.cursor), limit: query.limit })
      const orders = rows.map(({ id: _, receivedAt, updatedAt, ...row }) => ({
        ...row,
        channel: row.channel as OrderKey['channel'],
        state: row.state as OrderState,
        receivedAt: receivedAt.getTime(),
        updatedAt: updatedAt.getTime(),
      }))
      return ok({ orders, nextCursor: rows.length === query.limit ? rows.at(-1)!.id : null })
    }),
    implement(contract.approveOrder, async ({ params, body }) => {
      return ok(shownNow(orThrow(await approveOrder(context, params, givenBy(body)))))
    }),
    implement(contract.releaseOrder, async ({ params, body }) => {
      return ok(shownNow(orThrow(await approveOrder(context, params, givenBy(body)))))
    }),
    implement(contract.cancelOrder, async ({ params, body }) => {
      return ok(shownNow(orThrow(await cancelOrder(context, params, givenBy(body)))))
    }),
    implement(contract.setLineUnits, async ({ params: { lineId, ...key }, body }) => {
      const { ship = 0, hold = 0, cancel = 0 } = body
      const told = await setLineUnits(context, key, { lineId, ship, hold, cancel }, givenBy(body))
      return ok(shownNow(orThrow(told)))
    }),
  ]
}

function shownNow({ state, version, holds }: Exclude<Commanded, Refused>) {
  return { state, version, holds }
}

function givenBy({
  actor = '',
  note = '',
}: {
  readonly actor?: string | undefined
  readonly note?: string | undefined
}): Given {
  return { actor: { kind: 'operator', name: actor }, note }
}
