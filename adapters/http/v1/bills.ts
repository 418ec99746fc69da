import { z } from 'zod'
import { billFormatFiles, billFormatNames } from '../../shared/bill-formats.ts'
import { endpoint } from '../route.ts'
import { code } from './values.ts'

export const postBill = endpoint({
  method: 'POST',
  path: '/v1/bills/{source}/{account}',
  auth: 'admin',
  tag: 'reconciliation',
  summary:
    'Import a bill. Rows that are known already change nothing. A row that cannot be booked is set aside and becomes an exception.',
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
        replaced: z
          .int()
          .meta({ description: 'known refunds that are further now: on their way before, made or failed now' }),
        setAside: z.int().meta({ description: 'rows that cannot be booked; each is an exception bill_row_set_aside' }),
        refused: z
          .array(z.object({ row: z.int(), reason: z.string() }))
          .meta({ description: 'the first 100 of those set aside, by their line in the file' }),
      })
      .meta({ id: 'BillImported' }),
  },
  errors: ['invalid_request'],
  // A day of a large shop, about 200,000 rows, imports well within the time that an answer may take. Split larger ones.
  maxBodyBytes: 24 * 1024 * 1024,
})
