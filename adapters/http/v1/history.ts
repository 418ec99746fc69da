/** What happened to an order, and what its entries name. */
import { z } from 'zod'
import { instant, skuQuantity } from './values.ts'

export const packageView = z
  .object({
    carrier: z.string(),
    waybill: z.string(),
    lines: z.array(skuQuantity),
    shippedAt: instant.optional(),
    alreadyGone: z.literal(true).optional().meta({ description: 'It was to be stopped, and had left.' }),
  })
  .meta({ id: 'PackageView' })

const parcelName = z.object({ carrier: z.string(), waybill: z.string() })

export const hold = z.object({ rule: z.string(), reason: z.string() }).meta({ id: 'Hold' })

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
    event: z
      .string()
      .optional()
      .meta({ description: 'its id; or ship, ship_outside, correct_parcel, void_parcel, reconcile, audit' }),
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
    from: parcelName.optional().meta({ description: 'how a parcel was told that was corrected' }),
    to: parcelName.optional().meta({ description: 'what it is in truth' }),
    corrected: z.array(z.string()).optional().meta({ description: 'ids of tasks whose parcel was corrected' }),
    parcel: parcelName.optional().meta({ description: 'that was told by mistake, and had not left' }),
    voided: z
      .array(z.object({ taskId: z.string(), packages: z.array(packageView) }))
      .optional()
      .meta({ description: 'what was told of it' }),
    alreadyGone: z.literal(true).optional().meta({ description: 'They had left when the intercept or change came.' }),
    reconciliation: z.looseObject({}).optional().meta({ description: 'what the match of the three flows found' }),
    was: z.string().optional().meta({ description: 'the state that the audit corrected' }),
  })
  .meta({ id: 'HistoryEntry' })
