import { z } from 'zod'
import { endpoint } from '../route.ts'
import { code, countedQuantity, eachOnce, instant, text } from './values.ts'

/** One posting is one transaction that locks its rows: 5,000 is a large delivery and well below a second. */
const linesMax = 5_000

const deltaQuantity = z
  .int()
  .min(-1_000_000)
  .max(1_000_000)
  .refine((quantity) => quantity !== 0, { error: 'must not be 0' })

function postingOf<K extends 'set' | 'add', Q extends z.ZodType<number>>(kind: K, quantity: Q) {
  return z.strictObject({
    ref: text(128).meta({ description: 'Idempotency key within the node: sent again, nothing is posted twice.' }),
    kind: z.literal(kind),
    lines: z
      .array(z.strictObject({ sku: code, quantity }))
      .min(1)
      .max(linesMax)
      .refine(...eachOnce<{ sku: string }>('SKU', (line) => line.sku)),
  })
}

const countedAt = instant.optional().meta({
  description:
    'epoch milliseconds: when it was counted, at most seven days ago. What moved at the node since then is added ' +
    'to the count. Absent: now.',
})

export const postStock = endpoint({
  method: 'POST',
  path: '/v1/nodes/{node}/stock',
  auth: 'admin',
  tag: 'stock',
  summary: 'Post stock: `set` is a count, `add` a delivery or a correction (negative at most down to nothing on hand).',
  params: z.strictObject({ node: code }),
  body: z
    .discriminatedUnion('kind', [
      postingOf('set', countedQuantity).extend({ countedAt }),
      postingOf('add', deltaQuantity),
    ])
    .meta({ id: 'PostStock' }),
  answers: {
    200: z
      .object({
        ref: z.string(),
        posted: z.boolean().meta({ description: 'false: this ref was posted before with the same lines' }),
        shortages: z
          .array(z.object({ sku: z.string(), missing: z.int() }))
          .meta({ description: 'Reserved but, by this count, not there. Raised and sourced elsewhere.' }),
      })
      .meta({ id: 'StockPosted' }),
  },
  errors: ['not_found', 'ref_reused', 'stale_count', 'conflict'],
  // 5,000 lines with codes of 64 three-byte characters.
  maxBodyBytes: 2 * 1024 * 1024,
})

export const stockRow = z
  .object({
    node: z.string(),
    sku: z.string(),
    onHand: z.int(),
    safety: z.int(),
    reserved: z.int(),
    available: z
      .int()
      .meta({ description: 'onHand - safety - reserved; below 0 when a count found fewer than reserved' }),
    tasks: z
      .array(z.object({ taskId: z.string(), state: z.string(), quantity: z.int() }))
      .optional()
      .meta({ description: 'Who holds the reserved units; given when both node and sku are asked for.' }),
  })
  .meta({ id: 'StockRow' })

export const getStock = endpoint({
  method: 'GET',
  path: '/v1/stock',
  auth: 'admin',
  tag: 'stock',
  summary: 'Where the stock of a SKU, of a node, or of both lies, and what it is reserved for.',
  query: z
    .strictObject({ sku: code.optional(), node: code.optional() })
    .refine((asked) => asked.sku !== undefined || asked.node !== undefined, { error: 'needs sku, node, or both' }),
  answers: {
    200: z
      .object({
        stock: z.array(stockRow),
        complete: z.boolean().meta({ description: 'false: there are more rows than one answer holds; ask by SKU' }),
        backordered: z.int().optional(),
      })
      .meta({ id: 'StockView' }),
  },
})
