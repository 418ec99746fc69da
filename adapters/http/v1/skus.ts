import { z } from 'zod'
import { storageClasses } from '../../../router/types.ts'
import { endpoint } from '../route.ts'
import { code, codeCursor, done, eachOnce, nextCodeCursor, pageLimit, skuQuantity, text } from './values.ts'

// A tonne: what is heavier does not travel as a parcel.
const weightGrams = z.int().min(0).max(1_000_000)
const bundle = z
  .array(skuQuantity)
  .min(1)
  .max(50)
  .refine(...eachOnce<{ sku: string }>('SKU', (entry) => entry.sku))

export const putSku = endpoint({
  method: 'PUT',
  path: '/v1/skus/{sku}',
  auth: 'admin',
  tag: 'settings',
  summary: 'Create or replace a SKU, plain or a bundle of plain ones.',
  params: z.strictObject({ sku: code }),
  body: z
    .strictObject({
      name: text(200),
      weightGrams,
      storageClass: z.enum(storageClasses).default('normal'),
      warehouseOnly: z.boolean().default(false),
      requiresShipping: z.boolean().default(true).meta({
        description:
          'False: nothing of it is ever sent, such as a price difference (补差价) or a service; its money counts.',
      }),
      bundle: bundle
        .optional()
        .meta({ description: 'Components. They are plain SKUs; a bundle is never stocked itself.' }),
    })
    .meta({ id: 'PutSku' }),
  answers: { 200: done },
})

export const patchSku = endpoint({
  method: 'PATCH',
  path: '/v1/skus/{sku}',
  auth: 'admin',
  tag: 'settings',
  summary: 'Change a SKU in part: what the body does not name stays.',
  params: z.strictObject({ sku: code }),
  body: z
    .strictObject({
      name: text(200).optional(),
      weightGrams: weightGrams.optional(),
      storageClass: z.enum(storageClasses).optional(),
      warehouseOnly: z.boolean().optional(),
      requiresShipping: z.boolean().optional(),
      bundle: bundle.nullish().meta({ description: 'All components; null: a plain SKU.' }),
    })
    .meta({ id: 'PatchSku' }),
  answers: { 200: done },
  errors: ['not_found'],
})

const skuView = z
  .object({
    sku: z.string(),
    name: z.string(),
    weightGrams: z.int(),
    storageClass: z.enum(storageClasses),
    warehouseOnly: z.boolean(),
    requiresShipping: z.boolean(),
    bundle: z.array(skuQuantity).nullable().meta({ description: 'Components; null: a plain SKU.' }),
  })
  .meta({ id: 'Sku' })

export const getSku = endpoint({
  method: 'GET',
  path: '/v1/skus/{sku}',
  auth: 'admin',
  tag: 'settings',
  summary: 'One SKU.',
  params: z.strictObject({ sku: code }),
  answers: { 200: skuView },
  errors: ['not_found'],
})

export const listSkus = endpoint({
  method: 'GET',
  path: '/v1/skus',
  auth: 'admin',
  tag: 'settings',
  summary: 'SKUs by their codes; with prefix, those whose code begins with it.',
  query: z.strictObject({ prefix: code.optional(), cursor: codeCursor.optional(), limit: pageLimit }),
  answers: { 200: z.object({ skus: z.array(skuView), nextCursor: nextCodeCursor }).meta({ id: 'SkuList' }) },
})
