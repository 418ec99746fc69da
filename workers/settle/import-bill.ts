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
      readonly replaced: number
      readonly conflicting: number
      readonly setAside: number
      /** The first of the rows that were set aside. */
      readonly odd: readonly { readonly row: number; readonly reason: string }[]
      readonly orderIds: readonly string[]
    }

// As many as the contract says; all of them are exceptions.
const oddShown = 100

export async function importOne({ source, account, bytes }: BillToImport): Promise<ImportedBill> {
  const parsed = billFormats[source].parse(bytes)
  if (parsed.outcome === 'refused') {
    const lines = parsed.badLines.map((l) => `line ${l.line}: ${l.problem}`).join('; ')
    return { outcome: 'refused', message: lines === '' ? parsed.message : `${parsed.message} ${lines}` }
  }
  const { databaseUrl } = workerData as { databaseUrl: string }
  const sql = connect(databaseUrl, { max: 1, applicationName: 'paidan bill', settings: indexedPlans })
  try {
    const { rows, setAside } = parsed
    const { withoutOrder: _, ...done } = await importBill(sql, source, account, rows, setAside)
    const odd = setAside.slice(0, oddShown).map(({ line, reason }) => ({ row: line, reason }))
    return { outcome: 'imported', ...done, rows: rows.length + setAside.length, odd }
  } finally {
    await sql.end({ timeout: 5 })
  }
}

sayLoaded()
