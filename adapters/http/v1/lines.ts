import { z } from 'zod'
import { orderUnitsMax } from '../../../router/bundle.ts'
import { endpoint } from '../route.ts'
import { commanded, given, orderParams } from './orders.ts'

/** A platform's own id, or one that we make of those of the order, its product and its SKU. */
const lineId = z.string().regex(/^[\x21-\x7e]{1,256}$/, 'must be 1 to 256 visible ASCII characters')
const units = z.int().min(0).max(orderUnitsMax)

export const setLineUnits = endpoint({
  method: 'POST',
  path: '/v1/orders/{channel}/{shop}/{orderId}/lines/{lineId}',
  auth: 'admin',
  tag: 'orders',
  summary: 'Say how many units of a line ship, wait for a person, and are not wanted any more.',
  params: orderParams.extend({ lineId }),
  body: given
    .extend({
      ship: units.optional().meta({ description: 'Units that go as soon as nothing else holds them.' }),
      hold: units.optional().meta({ description: 'Units that wait until a later call says more.' }),
      cancel: units.optional().meta({ description: 'Units that the buyer does not want any more.' }),
    })
    .meta({ id: 'LineUnits', description: 'All the units that the line has, a bundle counted as one.' }),
  answers: { 200: commanded },
  errors: ['not_found', 'units_do_not_add_up', 'order_already_shipped', 'try_again'],
})
