/** Bills as an HTTP endpoint. */
import { ApiError } from '../../adapters/http/errors.ts'
import { implement, type JsonRoute, ok } from '../../adapters/http/route.ts'
import { contract } from '../../adapters/http/v1/contract.ts'
import type { Bills } from './bills.ts'
import type { Reconciler } from './reconciler.ts'
import { reconcileBilled } from './verbs.ts'

export interface BillContext {
  readonly bills: Pick<Bills, 'import'>
  readonly reconciler: Pick<Reconciler, 'now' | 'soon'>
}

export function billRoutes({ bills, reconciler }: BillContext): JsonRoute[] {
  return [
    implement(contract.postBill, async ({ params, bytes }) => {
      const { source, account } = params
      const done = await bills.import({ source, account, bytes: new Uint8Array(bytes) })
      if (done.outcome === 'refused') throw new ApiError('invalid_request', done.message)
      const { rows, inserted, known, replaced, conflicting, setAside, odd, orderIds } = done
      await reconcileBilled(reconciler, orderIds)
      return ok({ rows, imported: inserted, known, replaced, conflicts: conflicting, setAside, refused: odd })
    }),
  ]
}
