import { z } from 'zod'
import { endpoint } from '../route.ts'
import { adcode, channel, code, done, point, previousUntil, text } from './values.ts'

// 100,000 yuan for one parcel: a higher fee is a mistake of units, li given as fen.
const feeFen = z.int().min(0).max(10_000_000)

const band = z.strictObject({
  // Half the way around the world.
  kmMax: z.number().positive().max(20_100).nullish(),
  firstFen: feeFen,
  stepFen: feeFen,
})

/** Ascending distances, and only the last band may be without an end: exactly then each distance has one price. */
function bandsAscend(bands: readonly { readonly kmMax?: number | null | undefined }[]): boolean {
  return bands.every((entry, i) => {
    if (i === bands.length - 1) return true
    const here = entry.kmMax ?? Number.POSITIVE_INFINITY
    return here < (bands[i + 1]!.kmMax ?? Number.POSITIVE_INFINITY)
  })
}

export const freight = z
  .strictObject({
    bands: z
      .array(band)
      .min(1)
      .max(32)
      .refine(bandsAscend, { error: 'must ascend by kmMax; only the last band may leave kmMax out' }),
    firstGrams: z.int().min(1).max(1_000_000).default(1000),
    stepGrams: z.int().min(1).max(1_000_000).default(1000),
  })
  .meta({ id: 'Freight', description: 'The last band holds for everything farther. Amounts are for one parcel.' })

/** Adcode prefixes: province, city or district. China has about 3,200 divisions of these three levels. */
const regions = z.array(z.string().regex(/^(\d{2}|\d{4}|\d{6})$/, 'must be 2, 4 or 6 digits')).max(3_500)

// Header-safe, and long enough that guessing is hopeless at the rate that wrong tokens are taken.
const apiKey = z.string().regex(/^[\x21-\x7e]{16,256}$/, 'must be 16 to 256 visible ASCII characters')

export const putNode = endpoint({
  method: 'PUT',
  path: '/v1/nodes/{node}',
  auth: 'admin',
  tag: 'settings',
  summary: 'Create or replace a warehouse or store. Give adcode, point, or both.',
  params: z.strictObject({ node: code }),
  body: z
    .strictObject({
      name: text(200),
      kind: z.enum(['warehouse', 'store']),
      adcode: adcode.optional(),
      point: point.optional(),
      open: z.boolean().default(true),
      channels: z.array(channel).min(1).max(16).optional().meta({ description: 'Absent: serves every channel.' }),
      regions: regions.optional().meta({ description: 'Absent: serves every region.' }),
      priority: z.int().min(-1000).max(1000).optional().meta({ description: 'Higher is preferred.' }),
      preferenceFen: z.int().min(-10_000_000).max(10_000_000).optional().meta({
        description: 'Added to the cost of a parcel from here when places are compared; negative: preferred.',
      }),
      handlingFen: feeFen.optional(),
      safetyStock: z.int().min(0).max(1_000_000).default(0).meta({ description: 'Kept back of every SKU.' }),
      freight: freight.optional(),
      apiKey,
      previousApiKeyUntil: previousUntil.optional(),
    })
    .refine((node) => node.adcode !== undefined || node.point !== undefined, { error: 'needs adcode, point, or both' })
    .meta({ id: 'PutNode' }),
  answers: { 200: done },
  errors: ['node_key_taken'],
})
