import { z } from 'zod'
import { settledAs, severities } from '../../../router/exceptions.ts'
import { writeOffSides } from '../../../router/reconcile/types.ts'
import { endpoint } from '../route.ts'
import { amountFen, cursor, instant, nextCursor, pageLimit, text } from './values.ts'

const orderName = z.object({ channel: z.string(), shop: z.string(), orderId: z.string() }).nullable()

const exceptionRow = z
  .object({
    id: z.string(),
    kind: z.string(),
    severity: z
      .enum(severities)
      .meta({ description: 'high: goods, money or buyers wait; normal: books that do not agree; low: to be known' }),
    ref: z.string(),
    order: orderName,
    since: instant,
    due: instant.meta({ description: 'until when it is to be settled, by its kind' }),
    ageSeconds: z.int().meta({ description: 'until now, or until it was resolved' }),
    assignedTo: z.string().nullable(),
    note: z.string().nullable().meta({ description: 'the last words of a person about it' }),
    resolvedAt: instant.nullable().meta({ description: 'null: open' }),
    resolvedAs: z
      .enum(settledAs)
      .nullable()
      .meta({ description: 'what a person said; null: it is open, or the fact that ends it came' }),
    resolvedBy: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Exception' })

export const listExceptions = endpoint({
  method: 'GET',
  path: '/v1/exceptions',
  auth: 'admin',
  tag: 'look inside',
  summary: 'What wants a person, oldest first; with state=resolved, what did.',
  query: z.strictObject({
    kind: z
      .string()
      .regex(/^[a-z0-9_]{1,64}$/, 'must be 1 to 64 of a-z, 0-9 and _')
      .optional(),
    state: z.enum(['open', 'resolved', 'all']).default('open'),
    cursor: cursor.optional(),
    limit: pageLimit,
  }),
  answers: { 200: z.object({ exceptions: z.array(exceptionRow), nextCursor }).meta({ id: 'ExceptionList' }) },
})

const exceptionId = z.strictObject({ id: z.string().regex(/^[1-9]\d{0,17}$/, 'must be the id of an exception') })
const actor = text(64).meta({ description: 'Who says so.' })
const note = text(500).meta({ description: 'Why, in your own words.' })

export const resolveException = endpoint({
  method: 'POST',
  path: '/v1/exceptions/{id}/resolve',
  auth: 'admin',
  tag: 'reconciliation',
  summary:
    'End an exception. It does not come again for the same fact. What is written off is booked, and counted by the match.',
  params: exceptionId,
  body: z
    .strictObject({
      as: z.enum(settledAs).meta({
        description:
          'written_off: the difference stays and is booked; done: it was dealt with; false_alarm: there is none',
      }),
      actor: actor.optional(),
      note: note.optional(),
    })
    .refine((body) => body.as !== 'written_off' || (body.actor !== undefined && body.note !== undefined), {
      error: 'a write-off needs an actor and a note',
    })
    .meta({ id: 'ResolveException' }),
  answers: {
    200: exceptionRow
      .extend({ writtenOffFen: amountFen.nullable().meta({ description: 'what the shop lost; negative: gained' }) })
      .meta({ id: 'ExceptionResolved' }),
  },
  errors: ['not_found', 'conflict'],
})

export const assignException = endpoint({
  method: 'POST',
  path: '/v1/exceptions/{id}/assign',
  auth: 'admin',
  tag: 'reconciliation',
  summary: 'Say who looks after an open exception.',
  params: exceptionId,
  body: z
    .strictObject({
      assignedTo: text(64).nullable().meta({ description: 'null: nobody any more' }),
      actor: actor.optional(),
      note: note.optional(),
    })
    .meta({ id: 'AssignException' }),
  answers: { 200: exceptionRow },
  errors: ['not_found', 'conflict'],
})

const instantIn = z
  .string()
  .regex(/^\d{1,15}$/, 'must be epoch milliseconds')
  .transform(Number)
  .pipe(z.int())

export const listWriteOffs = endpoint({
  method: 'GET',
  path: '/v1/write-offs',
  auth: 'admin',
  tag: 'reconciliation',
  summary: 'What was written off, oldest first, and its sum over the whole period.',
  query: z.strictObject({
    since: instantIn.optional(),
    until: instantIn.optional(),
    cursor: cursor.optional(),
    limit: pageLimit,
  }),
  answers: {
    200: z
      .object({
        writeOffs: z.array(
          z
            .object({
              id: z.string(),
              exceptionId: z.string(),
              kind: z.string(),
              order: orderName,
              side: z.enum(writeOffSides),
              amountFen: amountFen.meta({ description: 'what the shop lost; negative: gained' }),
              actor: z.string(),
              note: z.string(),
              at: instant,
            })
            .meta({ id: 'WriteOff' }),
        ),
        sumFen: amountFen,
        nextCursor,
      })
      .meta({ id: 'WriteOffList' }),
  },
})
