import { z } from 'zod'
import { endpoint } from '../route.ts'
import {
  carrier,
  channel,
  code,
  codeCursor,
  done,
  instant,
  nextCodeCursor,
  pageLimit,
  previousUntil,
  text,
} from './values.ts'

// Credentials are short secrets; which keys a channel or a carrier service needs is its own business.
const credentialKey = z.string().regex(/^[A-Za-z0-9_]{1,64}$/)
const credentials = z.record(credentialKey, text(512))

/** A shop's own products: 20,000 are a large department store; more come in several shops. */
export const skuMapEntriesMax = 20_000
const entriesAtMost = [
  (map: object) => Object.keys(map).length <= skuMapEntriesMax,
  { error: `must hold at most ${skuMapEntriesMax} entries` },
] as const

const apiBaseUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .max(512)
  // Secrets in URLs end up in logs.
  .refine((url) => !/^[^/]*\/\/[^/]*@/.test(url), { error: 'must not hold a user or password' })

// Two secrets that are right for good are twice as much to guard.
const endless = { error: 'previousUntil must say until when the previous one is taken' }

export const putShop = endpoint({
  method: 'PUT',
  path: '/v1/shops/{channel}/{shop}',
  auth: 'admin',
  tag: 'settings',
  summary:
    'Create or replace a shop: its credentials, where its API is, and its map from platform SKU to ours. To change ' +
    'credentials without a gap give previousUntil: until then those before them are taken too (or previousCredentials).',
  params: z.strictObject({ channel, shop: code }),
  body: z
    .strictObject({
      credentials,
      previousCredentials: credentials.optional().meta({
        description: 'Needs previousUntil. Absent: those that were in force until now.',
      }),
      previousUntil: previousUntil.optional(),
      apiBaseUrl: apiBaseUrl.optional(),
      skuMap: z
        .record(code, code)
        .refine(...entriesAtMost)
        .optional(),
    })
    .refine((body) => body.previousCredentials === undefined || body.previousUntil !== undefined, endless)
    .meta({ id: 'PutShop' }),
  answers: { 200: done },
  // 20,000 entries of two codes.
  maxBodyBytes: 4 * 1024 * 1024,
})

export const putCarrierAccount = endpoint({
  method: 'PUT',
  path: '/v1/carriers/{carrier}/{account}',
  auth: 'admin',
  tag: 'settings',
  summary:
    'Create or replace the account under which a carrier service pushes tracks: the credentials that it signs with.',
  params: z.strictObject({ carrier, account: code }),
  body: z
    .strictObject({
      credentials: credentials.optional(),
      previousCredentials: credentials.optional().meta({
        description: 'Needs previousUntil. Absent: those that were in force until now.',
      }),
      previousUntil: previousUntil.optional(),
      salt: text(256).optional().meta({ description: 'As in version 0.1.0: the same as credentials.salt.' }),
      previousSalt: text(256).optional().meta({ description: 'As in version 0.1.0: previousCredentials.salt.' }),
    })
    .refine((body) => body.credentials !== undefined || body.salt !== undefined, {
      path: ['credentials'],
      error: 'expected a record',
    })
    .refine((body) => body.credentials === undefined || (body.salt ?? body.previousSalt) === undefined, {
      path: ['salt'],
      error: 'must not stand beside credentials; put it among them',
    })
    .refine(
      (body) => (body.previousCredentials ?? body.previousSalt) === undefined || body.previousUntil !== undefined,
      endless,
    )
    .meta({ id: 'PutCarrierAccount' }),
  answers: { 200: done },
})

const changedCredentials = {
  credentials: z.record(credentialKey, text(512).nullable()).optional().meta({
    description: 'Keys that are not named stay; null takes one away.',
  }),
  previousCredentials: credentials.optional().meta({
    description: 'Needs previousUntil. Absent: those that were in force until now.',
  }),
  previousUntil: previousUntil.optional().meta({
    description:
      'epoch milliseconds, at most 90 days ahead: until then those before these are taken too. Absent: no longer when ' +
      'credentials are given, else as it was.',
  }),
}
const namesItsEnd = (body: { readonly previousCredentials?: unknown; readonly previousUntil?: unknown }) =>
  body.previousCredentials === undefined || body.previousUntil !== undefined

export const patchShop = endpoint({
  method: 'PATCH',
  path: '/v1/shops/{channel}/{shop}',
  auth: 'admin',
  tag: 'settings',
  summary:
    'Change a shop in part: what the body does not name stays. To change a secret without a gap give previousUntil.',
  params: z.strictObject({ channel, shop: code }),
  body: z
    .strictObject({
      ...changedCredentials,
      apiBaseUrl: apiBaseUrl.nullish().meta({ description: "null: the platform's own." }),
      skuMap: z
        .record(code, code.nullable())
        .refine(...entriesAtMost)
        .optional()
        .meta({ description: 'Entries that are not named stay; null takes one away.' }),
    })
    .refine(namesItsEnd, endless)
    .meta({ id: 'PatchShop' }),
  answers: { 200: done },
  errors: ['not_found'],
  maxBodyBytes: 4 * 1024 * 1024,
})

export const patchCarrierAccount = endpoint({
  method: 'PATCH',
  path: '/v1/carriers/{carrier}/{account}',
  auth: 'admin',
  tag: 'settings',
  summary: 'Change the account of a carrier service in part: what the body does not name stays.',
  params: z.strictObject({ carrier, account: code }),
  body: z.strictObject(changedCredentials).refine(namesItsEnd, endless).meta({ id: 'PatchCarrierAccount' }),
  answers: { 200: done },
  errors: ['not_found'],
})

const namesOfSecrets = {
  credentialKeys: z.array(z.string()).nullable().meta({
    description: 'Names of the keys that are set, never what they hold. null: sealed under a key that is not here.',
  }),
  previousUntil: instant.nullable().meta({ description: 'null: only the current credentials are taken' }),
}
const shopSummary = z
  .object({
    channel,
    shop: z.string(),
    apiBaseUrl: z.string().nullable().meta({ description: "null: the platform's own" }),
    skuMapEntries: z.int(),
    ...namesOfSecrets,
  })
  .meta({ id: 'ShopSummary' })

export const getShop = endpoint({
  method: 'GET',
  path: '/v1/shops/{channel}/{shop}',
  auth: 'admin',
  tag: 'settings',
  summary: 'One shop with its skuMap; of its credentials only which are set.',
  params: z.strictObject({ channel, shop: code }),
  answers: { 200: shopSummary.extend({ skuMap: z.record(z.string(), z.string()) }).meta({ id: 'Shop' }) },
  errors: ['not_found'],
})

export const listShops = endpoint({
  method: 'GET',
  path: '/v1/shops',
  auth: 'admin',
  tag: 'settings',
  summary: 'Shops by channel and name, each without its skuMap.',
  query: z.strictObject({ cursor: codeCursor.optional(), limit: pageLimit }),
  answers: { 200: z.object({ shops: z.array(shopSummary), nextCursor: nextCodeCursor }).meta({ id: 'ShopList' }) },
})

const carrierAccount = z
  .object({ carrier: z.string(), account: z.string(), ...namesOfSecrets })
  .meta({ id: 'CarrierAccount' })

export const getCarrierAccount = endpoint({
  method: 'GET',
  path: '/v1/carriers/{carrier}/{account}',
  auth: 'admin',
  tag: 'settings',
  summary: 'One account of a carrier service; of its credentials only which are set.',
  params: z.strictObject({ carrier, account: code }),
  answers: { 200: carrierAccount },
  errors: ['not_found'],
})

export const listCarrierAccounts = endpoint({
  method: 'GET',
  path: '/v1/carriers',
  auth: 'admin',
  tag: 'settings',
  summary: 'Accounts of carrier services by carrier and name.',
  query: z.strictObject({ cursor: codeCursor.optional(), limit: pageLimit }),
  answers: {
    200: z.object({ carriers: z.array(carrierAccount), nextCursor: nextCodeCursor }).meta({ id: 'CarrierAccountList' }),
  },
})
