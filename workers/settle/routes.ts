/** Bills as an HTTP endpoint. */
import { ApiError } from '../../adapters/http/errors.ts'
import { implement, type JsonRoute, ok } from '../../adapters/http/route.ts'
import { contract } from '../../adapters/http/v1/contract.ts'
import type { Bills } from './bills.ts'
import type { Reconciler } from './reconciler.ts'

export interface BillContext {
  readonly bills: Pick<Bills, 'import'>
  readonly reconciler: Pick<Reconciler, 'now' | 'soon'>
}

const closedAtOnceMax = 500

export function billRoutes({ bills, reconciler }: BillContext): JsonRoute[] {
  return [
    implement(contract.postBill, async ({ params, bytes }) => {
      const { source, account } = params
      const done = await bills.import({ source, account, bytes: new Uint8Array(bytes) })
      if (done.outcome === 'refused') throw new ApiError('invalid_request', done.message)
      const { rows, inserted, known, conflicting, orderIds } = done
      // Few are closed before the answer; many are marked as due already and follow.
      if (orderIds.length <= closedAtOnceMax) await reconciler.now(orderIds)
      else reconciler.soon(orderIds)
      return ok({ rows, imported: inserted, known, conflicts: conflicting, refused: [] })
    }),
  ]
}
