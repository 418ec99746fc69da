import { z } from 'zod'
import { severities } from '../../../router/exceptions.ts'
import { expectedNames } from '../../../router/reconcile/expectations.ts'
import { taskStates } from '../../../router/task.ts'
import { orderStates } from '../../../router/types.ts'
import { endpoint } from '../route.ts'
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
        'where its units are: held, backordered, task, shipped, virtual (nothing to send), cancelled, returned, or mixed',
    }),
    places: z.array(z.object({ place: z.string(), quantity: z.int(), taskId: z.string().nullable() })).optional(),
  })
  .meta({ id: 'OrderLine' })

const packageView = z
  .object({
    carrier: z.string(),
    waybill: z.string(),
    lines: z.array(skuQuantity),
    shippedAt: instant.optional(),
    alreadyGone: z.literal(true).optional().meta({ description: 'It was to be stopped, and had left.' }),
  })
  .meta({ id: 'PackageView' })

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

const hold = z.object({ rule: z.string(), reason: z.string() }).meta({ id: 'Hold' })

const actor = z
  .object({ kind: z.enum(['operator', 'node', 'stage', 'unknown']), name: z.string() })
  .meta({ id: 'Actor', description: 'kind says whose name it is: a person’s, a node’s, or a part of the service’s.' })

/** What happened to the order. Beside the first four fields an entry has those that its kind of event has. */
export const historyEntry = z
  .object({
    at: instant,
    version: z.int().meta({ description: 'of the order, after it' }),
    seq: z.string().meta({ description: 'of the event in the inbox; 0 for what was no event' }),
    outcome: z.string().meta({ description: 'the order’s state after it, or why it changed nothing' }),
    event: z.string().optional().meta({ description: 'its id; or ship, reconcile, audit' }),
    kind: z.string().optional().meta({ description: 'of the event: order, refund, command and so on' }),
    taken: z.string().optional().meta({ description: 'what became of the event' }),
    reason: z.string().optional().meta({ description: 'why it was taken so, or why a task came back' }),
    actor: actor.optional(),
    note: z.string().optional().meta({ description: 'why, in the words of the actor' }),
    holds: z.array(hold).optional().meta({ description: 'rules that hold the order from then on' }),
    passed: z.array(z.string()).optional().meta({ description: 'rules that it passed' }),
    tasks: z.array(z.string()).optional().meta({ description: 'ids of tasks that were made' }),
    epoch: z.int().optional().meta({ description: 'of the stock that it was sourced from' }),
    rounds: z.int().optional().meta({ description: 'times that it was sourced until all could be reserved' }),
    released: z.array(z.string()).optional().meta({ description: 'ids of tasks whose goods became free' }),
    interceptRequested: z.array(z.string()).optional().meta({ description: 'ids of tasks that shall stop' }),
    interceptWithdrawn: z.array(z.string()).optional().meta({ description: 'ids of tasks that need not stop' }),
    taskId: z.string().optional().meta({ description: 'of the task that was shipped' }),
    node: z.string().optional().meta({ description: 'that shipped it' }),
    packages: z.array(packageView).optional(),
    alreadyGone: z.literal(true).optional().meta({ description: 'They had left when the intercept or change came.' }),
    reconciliation: z.looseObject({}).optional().meta({ description: 'what the match of the three flows found' }),
    was: z.string().optional().meta({ description: 'the state that the audit corrected' }),
  })
  .meta({ id: 'HistoryEntry' })

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
