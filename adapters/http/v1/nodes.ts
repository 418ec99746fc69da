import { z } from 'zod'
import { endpoint } from '../route.ts'
import {
  adcode,
  channel,
  code,
  codeCursor,
  done,
  instant,
  nextCodeCursor,
  pageLimit,
  point,
  previousUntil,
  text,
} from './values.ts'

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

const kind = z.enum(['warehouse', 'store'])
const channels = z.array(channel).min(1).max(16)
const priority = z.int().min(-1000).max(1000)
const preferenceFen = z.int().min(-10_000_000).max(10_000_000)
const safetyStock = z.int().min(0).max(1_000_000)
const keptBack = 'Kept back of every SKU.'
const addedCost = 'Added to the cost of a parcel from here when places are compared; negative: preferred.'

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
      kind,
      adcode: adcode.optional(),
      point: point.optional(),
      open: z.boolean().default(true),
      channels: channels.optional().meta({ description: 'Absent: serves every channel.' }),
      regions: regions.optional().meta({ description: 'Absent: serves every region.' }),
      priority: priority.optional().meta({ description: 'Higher is preferred.' }),
      preferenceFen: preferenceFen.optional().meta({ description: addedCost }),
      handlingFen: feeFen.optional(),
      safetyStock: safetyStock.default(0).meta({ description: keptBack }),
      freight: freight.optional(),
      apiKey: apiKey.optional().meta({ description: 'Absent: the node keeps its key. A new node needs one.' }),
      previousApiKeyUntil: previousUntil.optional(),
    })
    .refine((node) => node.adcode !== undefined || node.point !== undefined, { error: 'needs adcode, point, or both' })
    .meta({ id: 'PutNode' }),
  answers: { 200: done },
  errors: ['node_key_taken'],
})

export const patchNode = endpoint({
  method: 'PATCH',
  path: '/v1/nodes/{node}',
  auth: 'admin',
  tag: 'settings',
  summary: 'Change a warehouse or store in part: what the body does not name stays, its key too.',
  params: z.strictObject({ node: code }),
  body: z
    .strictObject({
      name: text(200).optional(),
      kind: kind.optional(),
      adcode: adcode.optional().meta({ description: 'A point that was that of the adcode before follows.' }),
      point: point.optional(),
      open: z.boolean().optional(),
      channels: channels.nullish().meta({ description: 'null: serves every channel.' }),
      regions: regions.nullish().meta({ description: 'null: serves every region.' }),
      priority: priority.optional().meta({
        description: 'Higher is preferred. Replaces preferenceFen; given together, both count.',
      }),
      preferenceFen: preferenceFen.optional().meta({ description: `${addedCost} Replaces priority.` }),
      handlingFen: feeFen.nullish().meta({ description: 'null: as when it was never given.' }),
      safetyStock: safetyStock.optional().meta({ description: keptBack }),
      freight: freight.nullish().meta({ description: 'null: as when it was never given.' }),
      apiKey: apiKey.optional(),
      previousApiKeyUntil: previousUntil.optional().meta({
        description:
          'epoch milliseconds, at most 90 days ahead: until then the key before this is taken too. Absent: no longer ' +
          'when apiKey is given, else as it was.',
      }),
    })
    .meta({ id: 'PatchNode' }),
  answers: { 200: done },
  errors: ['not_found', 'node_key_taken'],
})

const nodeView = z
  .object({
    node: z.string(),
    name: z.string(),
    kind,
    adcode: z.string().nullable(),
    point: z.object({ lat: z.number(), lng: z.number() }),
    open: z.boolean(),
    channels: z.array(channel).nullable().meta({ description: 'null: serves every channel' }),
    regions: z.array(z.string()).nullable().meta({ description: 'null: serves every region' }),
    preferenceFen: z.int().meta({ description: 'priority counted in' }),
    handlingFen: z.int(),
    safetyStock: z.int(),
    freight: z.object({
      bands: z.array(z.object({ kmMax: z.number(), firstFen: z.int(), stepFen: z.int() })),
      firstGrams: z.int(),
      stepGrams: z.int(),
    }),
    previousApiKeyUntil: instant.nullable().meta({ description: 'null: only the current key is taken' }),
  })
  .meta({ id: 'Node' })

export const getNode = endpoint({
  method: 'GET',
  path: '/v1/nodes/{node}',
  auth: 'admin',
  tag: 'settings',
  summary: 'One warehouse or store, without its key.',
  params: z.strictObject({ node: code }),
  answers: { 200: nodeView },
  errors: ['not_found'],
})

export const listNodes = endpoint({
  method: 'GET',
  path: '/v1/nodes',
  auth: 'admin',
  tag: 'settings',
  summary: 'Warehouses and stores by their codes, without their keys.',
  query: z.strictObject({ cursor: codeCursor.optional(), limit: pageLimit }),
  answers: { 200: z.object({ nodes: z.array(nodeView), nextCursor: nextCodeCursor }).meta({ id: 'NodeList' }) },
})
