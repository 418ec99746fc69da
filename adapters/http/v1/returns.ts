import { z } from 'zod'
import { returnKinds, returnStates, returnVerbs } from '../../../router/returns/types.ts'
import { endpoint } from '../route.ts'
import { given, orderParams } from './orders.ts'
import {
  amountFen,
  carrier,
  channel,
  code,
  countedQuantity,
  cursor,
  eachOnce,
  instant,
  nextCursor,
  pageLimit,
  platformId,
  quantity,
  text,
  waybill,
} from './values.ts'

/** A return of an order with more lines than this is told in several. */
const linesMax = 500
const lineId = z.string().regex(/^[\x21-\x7e]{1,256}$/, 'must be 1 to 256 visible ASCII characters')
const ref = text(128).meta({ description: 'Idempotency key: sent again with the same content, nothing happens twice.' })
const returnParams = z.strictObject({ id: z.string().regex(/^[1-9]\d{0,17}$/, 'must be the id of a return') })

const view = z
  .object({
    id: z.string(),
    order: z.object({ channel: z.string(), shop: z.string(), orderId: z.string() }),
    ref: z.string(),
    kind: z.enum(returnKinds),
    state: z.enum(returnStates),
    node: z.string().nullable().meta({ description: 'where the goods are expected; any node may receive them' }),
    carrier: z.string().nullable(),
    waybill: z.string().nullable(),
    refundFen: amountFen,
    lines: z.array(
      z.object({
        lineId: z.string(),
        sku: z.string(),
        quantity: z.int(),
        good: z.int().meta({ description: 'stock again, at the node that received them' }),
        damaged: z.int(),
        missing: z.int(),
        open: z.int().meta({ description: 'still expected' }),
      }),
    ),
    receipts: z.array(z.object({ ref: z.string(), node: z.string(), at: instant })),
    history: z.array(
      z.object({
        verb: z.enum(returnVerbs),
        at: instant,
        actor: z.object({ kind: z.string(), name: z.string() }),
        note: z.string(),
      }),
    ),
  })
  .meta({ id: 'Return' })

export const createReturn = endpoint({
  method: 'POST',
  path: '/v1/returns',
  auth: 'admin',
  tag: 'returns',
  summary:
    'Open a return. Kind `return`: goods come back; `refund_only`: they stay; `rejected`: the parcel `waybill` was not taken or came back, with all that is in it.',
  body: given
    .extend({
      channel,
      shop: orderParams.shape.shop,
      orderId: platformId,
      ref,
      kind: z.enum(returnKinds),
      lines: z
        .array(z.strictObject({ lineId: lineId.optional(), sku: code, quantity }))
        .min(1)
        .max(linesMax)
        .optional()
        .meta({ description: 'Of kind `return` alone. Parts of a bundle are named one by one.' }),
      refundFen: z
        .int()
        .min(0)
        .default(0)
        .meta({ description: 'What the buyer gets back, once the goods are there; 0 where the platform tells it.' }),
      node: code.optional(),
      carrier: carrier.optional(),
      waybill: waybill.optional(),
      agreed: z.boolean().default(false).meta({ description: 'true: whoever asks agrees at once' }),
    })
    .refine((body) => (body.kind === 'return') === (body.lines !== undefined), {
      error: 'lines: kind return needs them, no other kind has them',
    })
    .refine((body) => body.kind !== 'rejected' || body.waybill !== undefined, {
      error: 'waybill: kind rejected needs the one that the parcel left with',
    })
    .meta({ id: 'CreateReturn' }),
  answers: { 200: view },
  errors: ['not_found', 'ref_reused', 'units_do_not_fit', 'refund_above_paid'],
})

const returnList = z.object({ returns: z.array(view), nextCursor }).meta({ id: 'ReturnList' })

export const listReturns = endpoint({
  method: 'GET',
  path: '/v1/returns',
  auth: 'admin',
  tag: 'returns',
  summary: 'Returns, oldest first.',
  query: z.strictObject({
    state: z.enum(returnStates).optional(),
    node: code.optional(),
    orderId: platformId.optional(),
    waybill: waybill.optional(),
    cursor: cursor.optional(),
    limit: pageLimit,
  }),
  answers: { 200: returnList },
})

const ofReturn = { auth: 'admin', tag: 'returns', params: returnParams, answers: { 200: view } } as const

export const getReturn = endpoint({
  ...ofReturn,
  method: 'GET',
  path: '/v1/returns/{id}',
  summary: 'One return: what it expects, what was received, and who did what.',
  errors: ['not_found'],
})

export const agreeReturn = endpoint({
  ...ofReturn,
  method: 'POST',
  path: '/v1/returns/{id}/agree',
  summary: 'Agree to it; also: say under which waybill it comes, and where to.',
  body: given
    .extend({ node: code.optional(), carrier: carrier.optional(), waybill: waybill.optional() })
    .meta({ id: 'AgreeReturn' }),
  errors: ['not_found', 'wrong_return_state'],
})

export const refuseReturn = endpoint({
  ...ofReturn,
  method: 'POST',
  path: '/v1/returns/{id}/refuse',
  summary: 'Refuse a return of which nothing was received.',
  body: given,
  errors: ['not_found', 'wrong_return_state'],
})

export const withdrawReturn = endpoint({
  ...ofReturn,
  method: 'POST',
  path: '/v1/returns/{id}/withdraw',
  summary: 'The buyer keeps the goods: a return of which nothing was received is over.',
  body: given,
  errors: ['not_found', 'wrong_return_state'],
})

export const settleReturn = endpoint({
  ...ofReturn,
  method: 'POST',
  path: '/v1/returns/{id}/settle',
  summary: 'Say that a return is done: all its units are received, or it has none and is agreed.',
  body: given,
  errors: ['not_found', 'wrong_return_state'],
})

const found = countedQuantity.default(0)
const receiptBody = given.extend({
  ref,
  lines: z
    .array(
      z
        .strictObject({
          sku: code,
          good: found.meta({ description: 'fit to be sold: stock of the node at once' }),
          damaged: found.meta({ description: 'there, and not to be sold' }),
          missing: found.meta({ description: 'not there, and not expected any more' }),
        })
        .refine((line) => line.good + line.damaged + line.missing > 0, { error: 'needs at least one unit' }),
    )
    .min(1)
    .max(linesMax)
    .refine(...eachOnce<{ sku: string }>('SKU', (line) => line.sku)),
})
const receiptErrors = ['not_found', 'wrong_return_state', 'units_do_not_fit', 'ref_reused'] as const

export const receiveReturn = endpoint({
  ...ofReturn,
  method: 'POST',
  path: '/v1/returns/{id}/receive',
  summary: 'A node unpacked some units of it. What is not named is still expected.',
  body: receiptBody.extend({ node: code }).meta({ id: 'ReceiveReturn' }),
  errors: receiptErrors,
})

export const listNodeReturns = endpoint({
  method: 'GET',
  path: '/v1/nodes/{node}/returns',
  auth: 'node',
  tag: 'warehouse',
  summary: 'Returns that a node waits for. With a waybill or an order id: those, wherever they were sent to.',
  params: z.strictObject({ node: code }),
  query: z.strictObject({
    waybill: waybill.optional(),
    orderId: platformId.optional(),
    cursor: cursor.optional(),
    limit: pageLimit,
  }),
  answers: { 200: returnList },
})

export const receiveAtNode = endpoint({
  method: 'POST',
  path: '/v1/nodes/{node}/returns/{id}/receive',
  auth: 'node',
  tag: 'warehouse',
  summary: 'Tell what came of a return, wherever it was sent to. What is not named is still expected.',
  params: returnParams.extend({ node: code }),
  body: receiptBody.meta({ id: 'ReceiveAtNode' }),
  answers: { 200: view },
  errors: receiptErrors,
})
