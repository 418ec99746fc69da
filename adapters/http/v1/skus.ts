import { z } from 'zod'
import { storageClasses } from '../../../router/types.ts'
import { endpoint } from '../route.ts'
import { code, done, eachOnce, skuQuantity, text } from './values.ts'

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
      // A tonne: what is heavier does not travel as a parcel.
      weightGrams: z.int().min(0).max(1_000_000),
      storageClass: z.enum(storageClasses).default('normal'),
      warehouseOnly: z.boolean().default(false),
      requiresShipping: z.boolean().default(true).meta({
        description:
          'False: nothing of it is ever sent, such as a price difference (补差价) or a service; its money counts.',
      }),
      bundle: z
        .array(skuQuantity)
        .min(1)
        .max(50)
        .refine(...eachOnce<{ sku: string }>('SKU', (entry) => entry.sku))
        .optional()
        .meta({ description: 'Components. They are plain SKUs; a bundle is never stocked itself.' }),
    })
    .meta({ id: 'PutSku' }),
  answers: { 200: done },
})
