/** Bills, one at a time, in a thread of their own that is only there while there are some. */
import { Piscina } from 'piscina'
import { ApiError } from '../../adapters/http/errors.ts'
import type { BillToImport, ImportedBill } from './import-bill.ts'

export interface Bills {
  /** Takes the bytes' memory over. Throws ApiError `try_again` when too many wait already. */
  import(bill: BillToImport): Promise<ImportedBill>
  close(): Promise<void>
}

const idleMs = 30_000
// People send one after the other; each may be 24 MB.
const waitingMax = 4

export function openBills(databaseUrl: string): Bills {
  const pool = new Piscina<BillToImport, ImportedBill>({
    filename: new URL('./import-bill.js', import.meta.url).href,
    name: 'importOne',
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: idleMs,
    atomics: 'disabled',
    workerData: { databaseUrl },
  })
  return {
    async import(bill) {
      if (pool.queueSize >= waitingMax)
        throw new ApiError('try_again', 'Other bills are being imported. Send it again.')
      return await pool.run(bill, { transferList: [bill.bytes.buffer as ArrayBuffer] })
    },
    close: () => pool.close({ force: true }),
  }
}
