import { z } from 'zod'
import { endpoint } from '../route.ts'
import { carrier, channel, code, done, previousUntil, text } from './values.ts'

// Credentials are short secrets; which keys a channel or a carrier service needs is its own business.
const credentials = z.record(z.string().regex(/^[A-Za-z0-9_]{1,64}$/), text(512))

/** A shop's own products: 20,000 are a large department store; more come in several shops. */
const skuMapEntriesMax = 20_000

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
        .refine((map) => Object.keys(map).length <= skuMapEntriesMax, {
          error: `must hold at most ${skuMapEntriesMax} entries`,
        })
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
