/** The small values of the contract, each with its limit and the reason for it. */
import { z } from 'zod'
import { orderItemsMax } from '../../../router/bundle.ts'
import { channelNames } from '../../../router/types.ts'

// Postgres text and jsonb take neither NUL nor half a surrogate pair; a control character in a name is a mistake.
const printable = /^[^\p{Cc}\p{Cs}]*$/u
// Braces are hash tags in Redis: a node named `{x}` would choose the cluster slot of another's keys.
const codeShape = /^(?!\s)[^\p{Cc}\p{Cs}{}]*(?<!\s)$/u

export function text(max: number) {
  return z.string().min(1).max(max).regex(printable, 'must not hold control characters')
}

/** A code that people give: of a node, a SKU, a shop, an account. 64 characters hold every barcode and ERP code. */
export const code = z
  .string()
  .min(1)
  .max(64)
  .regex(codeShape, 'must not hold control characters, braces, or spaces at its ends')

/** A platform's id: at most 64 characters in every documented platform. */
export const platformId = z.string().regex(/^[\x21-\x7e]{1,64}$/, 'must be 1 to 64 visible ASCII characters')

export const channel = z.enum(channelNames)

// A million pieces in one line is beyond any real order or delivery, and sums of 2,000 such lines stay exact.
export const quantity = z.int().min(1).max(1_000_000)
export const countedQuantity = z.int().min(0).max(1_000_000)

export const amountFen = z.int()
export const instant = z.int().min(0).meta({ description: 'epoch milliseconds' })

export const skuQuantity = z.strictObject({ sku: code, quantity }).meta({ id: 'SkuQuantity' })

/** The lines of a task or a package: an order never comes to more. */
export const skuQuantities = z.array(skuQuantity).min(1).max(orderItemsMax)

export const point = z.strictObject({ lat: z.number().min(-90).max(90), lng: z.number().min(-180).max(180) })
export const adcode = z.string().regex(/^\d{6}$/, 'must be six digits')

/** kuaidi100's company code (`shunfeng`, `youzhengguonei`) or a warehouse's own name for the carrier (`SF`). */
export const carrier = z.string().regex(/^[A-Za-z0-9_-]{2,32}$/, 'must be 2 to 32 of A-Z, a-z, 0-9, _ and -')
export const waybill = z.string().regex(/^[A-Za-z0-9-]{6,64}$/, 'must be 6 to 64 letters, digits or -')

/** Until when the secret before the new one is taken too. Two are wanted for an hour or a month, not for good. */
export const previousUntil = instant.meta({
  description:
    'epoch milliseconds, at most 90 days ahead: until then the one before this is taken too. Absent: no longer.',
})

/** Counts up with every lease of a task. */
export const fence = z.int().min(0).max(2_147_483_647)

/** A number in a query string. */
export function queryInteger(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max))
}

/** Opaque to callers: where the next page begins. */
export const cursor = z.string().regex(/^[A-Za-z0-9_-]{1,200}$/, 'must be a nextCursor from an earlier answer')
/** The same where pages go by codes: two of 64 characters, each of three bytes, as JSON. */
export const codeCursor = z.string().regex(/^[A-Za-z0-9_-]{1,600}$/, 'must be a nextCursor from an earlier answer')
export const nextCodeCursor = codeCursor.nullable().meta({ description: 'null on the last page' })
export const pageLimit = queryInteger(1, 500).default(50)
export const nextCursor = cursor.nullable().meta({ description: 'null on the last page' })

export const done = z.object({ ok: z.literal(true) }).meta({ id: 'Done' })

/** Keeps codes unique in a list: two lines of one SKU could mean their sum or a correction. */
export function eachOnce<T>(name: string, keyOf: (entry: T) => string) {
  return [
    (entries: readonly T[]) => new Set(entries.map(keyOf)).size === entries.length,
    { error: `must name each ${name} once` },
  ] as const
}
