import { z } from 'zod'
import { severities } from '../../../router/exceptions.ts'
import { expectedNames } from '../../../router/reconcile/expectations.ts'
import { taskStates } from '../../../router/task.ts'
import { orderStates } from '../../../router/types.ts'
import { endpoint } from '../route.ts'
import { historyEntry, hold, packageView } from './history.ts'
import {
  amountFen,
  channel,
  code,
  cursor,
  instant,
  nextCursor,
  pageLimit,
  platformId,
  skuQuantity,
  text,
} from './values.ts'

export const orderParams = z.strictObject({ channel, shop: code, orderId: platformId })

const orderLine = z
  .object({
    lineId: z.string(),
    sku: z.string(),
    title: z.string().optional(),
    quantity: z.int(),
    paidFen: amountFen,
    gift: z.boolean().optional(),
    state: z.string().meta({
      description:
        'where its units are: held, backordered, task, shipped, virtual (nothing to send), cancelled, on_its_way_back, returned, missing (sent back and not found), or mixed',
    }),
    places: z.array(z.object({ place: z.string(), quantity: z.int(), taskId: z.string().nullable() })).optional(),
  })
  .meta({ id: 'OrderLine' })

const orderTask = z
  .object({
    taskId: z.string(),
    node: z.string(),
    state: z.enum(taskStates),
    lines: z.array(skuQuantity.extend({ shipped: z.int().optional() })),
    packages: z.array(packageView),
    interceptRequested: z.boolean().optional(),
    changed: z.boolean().optional().meta({ description: 'Its owner has not taken the new receiver yet.' }),
    reason: z.string().nullable().optional(),
    leaseUntil: instant.nullable().optional(),
    notBefore: instant.nullable().meta({ description: 'no warehouse may pull it before; null: at once' }),
  })
  .meta({ id: 'OrderTask' })

/** One flow of the three: what should have come and what came. What it counts differs by flow. */
const flow = z.looseObject({ agrees: z.boolean() })
const orderException = z
  .object({
    kind: z.string(),
    severity: z.enum(severities).optional(),
    since: instant,
    due: instant.optional(),
    detail: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'OrderException' })

const reconciliation = z
  .object({
    order: flow,
    funds: flow,
    logistics: flow,
    state: z.enum(['open', 'closed']),
    exceptions: z.array(orderException),
    expected: z
      .array(
        z.object({
          what: z.enum(expectedNames),
          since: instant,
          due: instant.meta({ description: 'from then on it is missing, and an exception' }),
          detail: z.record(z.string(), z.unknown()),
        }),
      )
      .optional()
      .meta({ description: 'what has not come yet and is in time: no exception, but the order is open for it' }),
    accepted: z
      .array(orderException)
      .optional()
      .meta({ description: 'differences that are still there and that a person settled: they keep nothing open' }),
  })
  .meta({ id: 'Reconciliation' })

export const orderView = z
  .object({
    channel,
    shop: z.string(),
    orderId: z.string(),
    state: z.enum(orderStates),
    version: z.int(),
    platformState: z.string().nullable(),
    paidFen: amountFen.nullable(),
    freightFen: amountFen.nullable(),
    paidAt: instant.nullable(),
    shipBy: instant.nullable(),
    holds: z.array(hold),
    lines: z.array(orderLine),
    tasks: z.array(orderTask),
    trace: z
      .array(z.looseObject({}))
      .meta({ description: 'Per sourcing: every node looked at, its cost or its refusal.' }),
    reconciliation: reconciliation.nullable(),
    history: z.array(historyEntry),
  })
  .meta({ id: 'OrderView' })

export const getOrder = endpoint({
  method: 'GET',
  path: '/v1/orders/{channel}/{shop}/{orderId}',
  auth: 'admin',
  tag: 'orders',
  summary: 'One order with its lines, tasks, decision trace, reconciliation and history.',
  params: orderParams,
  answers: { 200: orderView },
  errors: ['not_found'],
})

const orderSummary = z
  .object({
    channel,
    shop: z.string(),
    orderId: z.string(),
    state: z.enum(orderStates),
    holds: z.array(hold),
    receivedAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'OrderSummary' })

export const listOrders = endpoint({
  method: 'GET',
  path: '/v1/orders',
  auth: 'admin',
  tag: 'orders',
  summary: 'Orders in one state, oldest first.',
  query: z.strictObject({ state: z.enum(orderStates).optional(), cursor: cursor.optional(), limit: pageLimit }),
  answers: { 200: z.object({ orders: z.array(orderSummary), nextCursor }).meta({ id: 'OrderList' }) },
})

/** Who asks and why: stored with the command, and shown in the order's history. */
export const given = z.strictObject({
  actor: text(64).optional().meta({ description: 'Who asks, as it is to stand in the history.' }),
  note: text(500).optional().meta({ description: 'Why, in your own words.' }),
})
export const commanded = z
  .object({
    state: z.enum(orderStates),
    version: z.int(),
    holds: z.array(hold).meta({
      description: 'What holds the order still, with the reason and what to do: rules that no approval overrules.',
    }),
  })
  .meta({ id: 'OrderNow' })

const approving = {
  method: 'POST',
  auth: 'admin',
  tag: 'orders',
  params: orderParams,
  answers: { 200: commanded },
  errors: ['not_found', 'order_not_held', 'try_again'],
} as const

export const approveOrder = endpoint({
  ...approving,
  path: '/v1/orders/{channel}/{shop}/{orderId}/approve',
  summary: 'Let a held order go: the rules that hold it are overruled, where a person may.',
  body: given.meta({ id: 'ApproveOrder' }),
})

/** The name of /approve in version 0.1.0. */
export const releaseOrder = endpoint({
  ...approving,
  path: '/v1/orders/{channel}/{shop}/{orderId}/release',
  summary: 'The same as /approve, under its earlier name.',
  body: given.meta({ id: 'ReleaseOrder' }),
})

export const cancelOrder = endpoint({
  method: 'POST',
  path: '/v1/orders/{channel}/{shop}/{orderId}/cancel',
  auth: 'admin',
  tag: 'orders',
  summary: 'Cancel what has not been shipped; tasks already pulled are asked to intercept.',
  params: orderParams,
  body: given.meta({ id: 'CancelOrder' }),
  answers: { 200: commanded },
  errors: ['not_found', 'order_already_shipped', 'try_again'],
})
