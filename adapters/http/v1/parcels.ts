/** Parcels that were told wrongly, corrected or voided by the node that has the task or by a person; and those that left outside. */
import { z } from 'zod'
import { endpoint } from '../route.ts'
import { given, orderParams } from './orders.ts'
import { note, taskParams } from './tasks.ts'
import { carrier, code, done, eachOnce, skuQuantities, waybill } from './values.ts'

const parcelName = z.strictObject({ carrier, waybill }).meta({ id: 'ParcelName' })
const correction = { carrier, waybill, to: parcelName.meta({ description: 'What it is in truth.' }) }

const byNode = { auth: 'node', method: 'POST', tag: 'warehouse', params: taskParams, answers: { 200: done } } as const
const byPerson = { auth: 'admin', method: 'POST', tag: 'orders', params: orderParams, answers: { 200: done } } as const
const voidErrors = ['not_found', 'unknown_parcel', 'parcel_moved', 'order_closed', 'conflict', 'try_again'] as const

export const correctParcelOfTask = endpoint({
  ...byNode,
  path: '/v1/tasks/{taskId}/parcels/correct',
  summary: 'The carrier or the number of a parcel was mistyped. Its track is that of the right number from now on.',
  body: z.strictObject({ ...correction, note }).meta({ id: 'CorrectParcelOfTask' }),
  errors: ['not_found', 'unknown_parcel'],
})

export const voidParcelOfTask = endpoint({
  ...byNode,
  path: '/v1/tasks/{taskId}/parcels/void',
  summary:
    'A parcel was told by mistake and has not left: its units are in the task again, which has to be pulled anew. If the ' +
    'order does not want them any more, the task is called back.',
  body: z.strictObject({ carrier, waybill, note }).meta({ id: 'VoidParcelOfTask' }),
  errors: [...voidErrors],
})

export const correctParcel = endpoint({
  ...byPerson,
  path: '/v1/orders/{channel}/{shop}/{orderId}/parcels/correct',
  summary: 'The same for a parcel of an order. Another order in the same parcel keeps what it has.',
  body: given.extend(correction).meta({ id: 'CorrectParcel' }),
  errors: ['not_found', 'unknown_parcel'],
})

export const voidParcel = endpoint({
  ...byPerson,
  path: '/v1/orders/{channel}/{shop}/{orderId}/parcels/void',
  summary: 'The same for a parcel of an order that was told by mistake and has not left.',
  body: given.extend({ carrier, waybill }).meta({ id: 'VoidParcel' }),
  errors: [...voidErrors],
})

export const shippedOutside = endpoint({
  ...byPerson,
  path: '/v1/orders/{channel}/{shop}/{orderId}/shipped-outside',
  summary:
    'A parcel of the order left outside of Paidan, also while the order is held. The stock of the node loses what left, as far ' +
    'as it has it; tasks that no warehouse has pulled are called back for it.',
  body: given
    .extend({
      node: code.meta({ description: 'From where it left.' }),
      carrier,
      waybill,
      lines: skuQuantities
        .refine(...eachOnce<{ sku: string }>('SKU', (l) => l.sku))
        .optional()
        .meta({ description: 'What is in it; absent: all of the order that is still to leave.' }),
    })
    .meta({ id: 'ShippedOutside' }),
  errors: ['not_found', 'conflict', 'lines_do_not_match', 'units_in_hand'],
})
