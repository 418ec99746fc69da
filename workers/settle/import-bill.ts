/**
 * A bill, parsed and imported in a thread of its own: a day of a large shop takes seconds of computing, and webhooks must
 * not wait for it. Loaded by piscina.
 */
import { workerData } from 'piscina'
import { billFormats } from '../../adapters/bills/bills.ts'
import type { BillFormatName } from '../../adapters/shared/bill-formats.ts'
import { connect, indexedPlans } from '../../adapters/store/postgres/connect.ts'
import { importBill } from '../../adapters/store/settle/bills.ts'
import { sayLoaded } from '../process/thread-pool.ts'

export interface BillToImport {
  readonly source: BillFormatName
  readonly account: string
  readonly bytes: Uint8Array
}

export type ImportedBill =
  /** Nothing was stored. The message is for the person who sent the file. */
  | { readonly outcome: 'refused'; readonly message: string }
  | {
      readonly outcome: 'imported'
      readonly rows: number
      readonly inserted: number
      readonly known: number
      readonly conflicting: number
      readonly orderIds: readonly string[]
    }

export async function importOne({ source, account, bytes }: BillToImport): Promise<ImportedBill> {
  const parsed = billFormats[source].parse(bytes)
  if (parsed.outcome === 'refused') {
    const lines = parsed.badLines.map((l) => `line ${l.line}: ${l.problem}`).join('; ')
    return { outcome: 'refused', message: lines === '' ? parsed.message : `${parsed.message} ${lines}` }
  }
  const { databaseUrl } = workerData as { databaseUrl: string }
  const sql = connect(databaseUrl, { max: 1, applicationName: 'paidan bill', settings: indexedPlans })
  try {
    const { inserted, known, conflicting, orderIds } = await importBill(sql, source, account, parsed.rows)
    return { outcome: 'imported', rows: parsed.rows.length, inserted, known, conflicting, orderIds }
  } finally {
    await sql.end({ timeout: 5 })
  }
}

sayLoaded()
