/** Putting parcels right, as HTTP endpoints. */
import { ApiError } from '../../adapters/http/errors.ts'
import { implement, type JsonRoute, ok } from '../../adapters/http/route.ts'
import { contract } from '../../adapters/http/v1/contract.ts'
import type { ShippedOutside } from '../../adapters/store/tasks/outside.ts'
import type { ParcelPutRight } from '../../adapters/store/tasks/put-right.ts'
import { nodeActor } from '../../router/commands.ts'
import type { ParcelName, ParcelWord } from '../../router/parcels.ts'
import { type ParcelContext, putParcelRight, shipOutside } from './parcels.ts'

interface Words {
  readonly actor?: string | undefined
  readonly note?: string | undefined
}

export function parcelRoutes(context: ParcelContext): JsonRoute[] {
  return [
    implement(contract.correctParcelOfTask, async ({ params: { taskId }, body, caller: { node } }) => {
      const given = { actor: nodeActor(node), note: body.note ?? '' }
      return answer(await putParcelRight(context, { node, taskId }, correctionIn(body), given))
    }),
    implement(contract.voidParcelOfTask, async ({ params: { taskId }, body, caller: { node } }) => {
      const given = { actor: nodeActor(node), note: body.note ?? '' }
      return answer(await putParcelRight(context, { node, taskId }, voidIn(body), given))
    }),
    implement(contract.correctParcel, async ({ params, body }) => {
      return answer(await putParcelRight(context, params, correctionIn(body), givenBy(body)))
    }),
    implement(contract.voidParcel, async ({ params, body }) => {
      return answer(await putParcelRight(context, params, voidIn(body), givenBy(body)))
    }),
    implement(contract.shippedOutside, async ({ params, body }) => {
      const { node, carrier, waybill, lines = null } = body
      return booked(await shipOutside(context, params, { node, carrier, waybill, lines }, givenBy(body)))
    }),
  ]
}

function booked(done: ShippedOutside) {
  switch (done.outcome) {
    case 'booked':
    case 'already_booked':
      return ok({ ok: true as const })
    case 'unknown_order':
      throw new ApiError('not_found')
    case 'nothing_open':
      throw new ApiError('conflict', 'Nothing of this order is still to leave.')
    case 'unknown_stock':
      throw new ApiError('conflict', 'There is no such node, or it never had one of these SKUs. Post its stock first.')
    case 'units_in_hand':
      throw new ApiError('units_in_hand')
    case 'lines_do_not_match':
      throw new ApiError('lines_do_not_match', `SKU ${done.sku}: the order has fewer units that are still to leave.`)
  }
}

function correctionIn({ carrier, waybill, to }: ParcelName & { readonly to: ParcelName }): ParcelWord {
  return { kind: 'correct', from: { carrier, waybill }, to }
}

function voidIn({ carrier, waybill }: ParcelName): ParcelWord {
  return { kind: 'void', parcel: { carrier, waybill } }
}

function givenBy({ actor = '', note = '' }: Words) {
  return { actor: { kind: 'operator', name: actor }, note } as const
}

function answer(done: ParcelPutRight) {
  switch (done.outcome) {
    case 'put_right':
    case 'already_put_right':
      return ok({ ok: true as const })
    case 'unknown_order':
      throw new ApiError('not_found')
    case 'unknown_parcel':
      throw new ApiError('unknown_parcel')
    case 'order_closed':
      throw new ApiError('order_closed')
    case 'being_decided':
      throw new ApiError('try_again', 'The task was handed back and is being decided. Ask again shortly.')
    case 'being_returned':
      throw new ApiError(
        'conflict',
        'A return speaks of goods of this order. If the parcel never left, withdraw the return first.',
      )
    case 'parcel_moved':
      throw new ApiError(
        'parcel_moved',
        `The carrier has this parcel: its track says ${done.state}. It cannot be voided.`,
      )
  }
}
