import { z } from 'zod'
import { rejectReasons } from '../../../router/reasons.ts'
import { endpoint } from '../route.ts'
import { carrier, code, done, eachOnce, fence, instant, skuQuantities, skuQuantity, text, waybill } from './values.ts'

/** Short enough that a crashed client's work is offered again the same day, long enough for a picking round. */
const leaseSeconds = z.int().min(5).max(86_400).default(300)
export const taskParams = z.strictObject({ taskId: z.string().regex(/^[A-Za-z0-9._:~-]{1,128}$/, 'is not a task id') })
export const note = text(500).optional().meta({ description: "Why, in your own words: shown in the order's history." })
const ofTask = { auth: 'node', method: 'POST', tag: 'warehouse', params: taskParams } as const

/** The number of a change after the pull. */
const change = z.int().min(1).max(32_767)

/** As the platform gave it: masked, OAID or ciphertext. */
const receiver = z
  .object({
    name: z.string(),
    phone: z.string(),
    province: z.string(),
    city: z.string(),
    district: z.string(),
    town: z.string(),
    street: z.string(),
    postalCode: z.string(),
    oaid: z.string(),
  })
  .meta({ id: 'Receiver' })

export const pulledTask = z
  .object({
    taskId: z.string(),
    fence,
    leaseUntil: instant,
    state: z.enum(['pulled', 'accepted']),
    channel: z.string(),
    shop: z.string(),
    orderId: z.string(),
    lines: z.array(skuQuantity.extend({ name: z.string().optional() })),
    receiver,
    buyerMessage: z.string().optional(),
    shipBy: instant.nullable(),
    intercepted: z.boolean().optional().meta({ description: 'The buyer cancelled: confirm with /intercept.' }),
    change: change.optional().meta({
      description:
        'The receiver changed after your pull and is the new one here: print the label anew, then send this number with accept or ship; or reject.',
    }),
  })
  .meta({ id: 'PulledTask' })

export const pullTasks = endpoint({
  method: 'POST',
  path: '/v1/nodes/{node}/tasks/pull',
  auth: 'node',
  tag: 'warehouse',
  summary: 'Lease work, oldest first. Waits up to waitSeconds when there is none.',
  params: z.strictObject({ node: code }),
  body: z
    .strictObject({
      limit: z.int().min(1).max(500).default(50),
      leaseSeconds,
      // Below the time after which proxies give a silent connection up.
      waitSeconds: z.int().min(0).max(30).default(0),
    })
    .meta({ id: 'PullTasks' }),
  answers: { 200: z.object({ tasks: z.array(pulledTask) }).meta({ id: 'PulledTasks' }) },
})

const taskNow = z
  .object({
    taskId: z.string(),
    state: z.string(),
    fence,
    leaseUntil: instant.nullable(),
    intercepted: z.boolean(),
    change: change.optional().meta({ description: 'The receiver changed after the pull: pull again to see it.' }),
  })
  .meta({ id: 'TaskNow' })

const leaseErrors = ['not_found', 'stale_fence', 'lease_lapsed', 'wrong_task_state'] as const

export const acceptTask = endpoint({
  ...ofTask,
  path: '/v1/tasks/{taskId}/accept',
  summary: 'The goods are being picked.',
  body: z
    .strictObject({
      fence,
      change: change.optional().meta({ description: 'The change after the pull that you take with this.' }),
    })
    .meta({ id: 'AcceptTask' }),
  answers: { 200: taskNow },
  errors: [...leaseErrors, 'intercept_requested', 'task_changed'],
})

const parcel = z
  .strictObject({ carrier, waybill, lines: skuQuantities.refine(...eachOnce<{ sku: string }>('SKU', (l) => l.sku)) })
  .meta({ id: 'Package' })

export const shipTask = endpoint({
  ...ofTask,
  path: '/v1/tasks/{taskId}/ship',
  summary:
    'Packages that left. Several calls may ship one task in parts, also one waybill: a call names all that is in it so ' +
    'far, some of it again, or goods that were not named for it yet. Also after the lease has run out, as long as no ' +
    'other pull has the task.',
  body: z
    .strictObject({
      fence,
      packages: z
        .array(parcel)
        .min(1)
        .max(100)
        .refine(...eachOnce<{ carrier: string; waybill: string }>('waybill', (p) => `${p.carrier} ${p.waybill}`)),
      alreadyGone: z.boolean().optional().meta({
        description:
          'The parcel had left before the intercept or the change reached you, or before the task was handed back: it is taken all the same.',
      }),
      change: change.optional().meta({ description: 'The change after the pull that the parcel goes by.' }),
    })
    .meta({ id: 'ShipTask' }),
  answers: { 200: taskNow },
  errors: [
    'not_found',
    'stale_fence',
    'wrong_task_state',
    'intercept_requested',
    'task_changed',
    'lines_do_not_match',
    'units_in_hand',
  ],
  // 100 packages of 500 lines would be more; real ones are a hundredth of this.
  maxBodyBytes: 1024 * 1024,
})

export const rejectTask = endpoint({
  ...ofTask,
  path: '/v1/tasks/{taskId}/reject',
  summary: 'This node cannot do it: stock is corrected by reason and the work is sourced elsewhere.',
  body: z
    .strictObject({
      fence,
      reason: z.enum(rejectReasons),
      lines: skuQuantities
        .refine(...eachOnce<{ sku: string }>('SKU', (l) => l.sku))
        .optional()
        .meta({ description: 'What exactly is missing or damaged; absent: all of it.' }),
      note,
    })
    .meta({ id: 'RejectTask' }),
  answers: { 200: taskNow },
  errors: [...leaseErrors, 'lines_do_not_match'],
})

export const extendTask = endpoint({
  ...ofTask,
  path: '/v1/tasks/{taskId}/extend',
  summary: 'Keep the lease for leaseSeconds from now.',
  body: z.strictObject({ fence, leaseSeconds }).meta({ id: 'ExtendTask' }),
  answers: { 200: taskNow },
  errors: [...leaseErrors],
})

export const interceptTask = endpoint({
  ...ofTask,
  path: '/v1/tasks/{taskId}/intercept',
  summary: 'The parcel was stopped, its goods are back on the shelf: the reservation is released.',
  body: z.strictObject({ fence, note }).meta({ id: 'InterceptTask' }),
  answers: { 200: done },
  errors: [...leaseErrors, 'nothing_to_intercept'],
})
