import { z } from 'zod'
import { endpoint } from '../route.ts'
import { cursor, instant, nextCursor, pageLimit } from './values.ts'

const exceptionRow = z
  .object({
    id: z.string(),
    kind: z.string(),
    ref: z.string(),
    order: z.object({ channel: z.string(), shop: z.string(), orderId: z.string() }).nullable(),
    since: instant,
    ageSeconds: z.int().meta({ description: 'until now, or until it was resolved' }),
    resolvedAt: instant.nullable().meta({ description: 'null: open' }),
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
