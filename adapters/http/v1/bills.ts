import { z } from 'zod'
import { billFormatFiles, billFormatNames } from '../../shared/bill-formats.ts'
import { endpoint } from '../route.ts'
import { code } from './values.ts'

export const postBill = endpoint({
  method: 'POST',
  path: '/v1/bills/{source}/{account}',
  auth: 'admin',
  tag: 'reconciliation',
  summary: 'Import a bill. Rows that are known already change nothing.',
  params: z.strictObject({ source: z.enum(billFormatNames), account: code }),
  bytes: {
    contentType: 'text/csv',
    description: `${Object.values(billFormatFiles).join(', or ')}.`,
  },
  answers: {
    200: z
      .object({
        rows: z.int(),
        imported: z.int(),
        known: z.int(),
        conflicts: z.int().meta({ description: 'known refs with other content: kept, and raised as exceptions' }),
        refused: z.array(z.object({ row: z.int(), reason: z.string() })).meta({ description: 'the first 100' }),
      })
      .meta({ id: 'BillImported' }),
  },
  errors: ['invalid_request'],
  // A day of a large shop, about 200,000 rows, imports well within the time that an answer may take. Split larger ones.
  maxBodyBytes: 24 * 1024 * 1024,
})
