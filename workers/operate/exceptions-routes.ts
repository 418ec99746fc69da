/** Exceptions and write-offs as HTTP endpoints. */
import { implement, type JsonRoute, ok } from '../../adapters/http/route.ts'
import { contract } from '../../adapters/http/v1/contract.ts'
import { listWriteOffs, sumOfWriteOffs } from '../../adapters/store/exception-acts.ts'
import { type ExceptionView, list } from '../../adapters/store/exceptions.ts'
import { keysOfOrders } from '../../adapters/store/orders/view.ts'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import { dueOf, severityOf } from '../../router/exceptions.ts'
import { defaultPolicy } from '../../router/policy.ts'
import { idOfCursor } from './cursor.ts'
import { assign, type ExceptionContext, resolveException, type SaidBy } from './exceptions.ts'
import { orThrow } from './or-throw.ts'

export function exceptionRoutes(context: ExceptionContext): JsonRoute[] {
  const { sql } = context
  return [
    implement(contract.listExceptions, async ({ query }) => {
      const page = await list(sql, {
        ...{ kind: query.kind, state: query.state, cursor: idOfCursor(query.cursor), limit: query.limit },
      })
      return ok({ exceptions: await shown(sql, page.exceptions), nextCursor: page.cursor })
    }),
    implement(contract.resolveException, async ({ params, body }) => {
      const done = orThrow(await resolveException(context, params.id, body.as, saidBy(body)))
      const [exception] = await shown(sql, [done.exception])
      return ok({ ...exception!, writtenOffFen: done.writtenOffFen })
    }),
    implement(contract.assignException, async ({ params, body }) => {
      const done = orThrow(await assign(context, params.id, body.assignedTo, saidBy(body)))
      return ok((await shown(sql, [done.exception]))[0]!)
    }),
    implement(contract.listWriteOffs, async ({ query }) => {
      const period = { since: query.since ?? null, until: query.until ?? null }
      const [page, sumFen] = await Promise.all([
        listWriteOffs(sql, period, idOfCursor(query.cursor), query.limit),
        sumOfWriteOffs(sql, period),
      ])
      const orders = await ordersOf(sql, page.writeOffs)
      const writeOffs = page.writeOffs.map(({ orderId, ...row }) => ({ ...row, order: orders(orderId) }))
      return ok({ writeOffs, sumFen, nextCursor: page.nextCursor })
    }),
  ]
}

async function shown(sql: Sql, exceptions: readonly ExceptionView[]) {
  const orders = await ordersOf(sql, exceptions)
  return exceptions.map(({ orderId, ...exception }) => ({
    ...exception,
    severity: severityOf(exception.kind),
    due: dueOf(exception.kind, exception.since, defaultPolicy.exceptions),
    order: orders(orderId),
  }))
}

async function ordersOf(sql: Sql, rows: readonly { readonly orderId: string | null }[]) {
  const ids = rows.map((row) => row.orderId).filter((id) => id !== null)
  const keys = await keysOfOrders(sql, ids)
  return (id: string | null) => (id === null ? null : (keys.get(id) ?? null))
}

function saidBy({
  actor = '',
  note = '',
}: {
  readonly actor?: string | undefined
  readonly note?: string | undefined
}): SaidBy {
  return { actor, note }
}
