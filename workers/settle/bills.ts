/** Bills, one at a time, in a thread of their own that is only there while there are some. */
import { ApiError } from '../../adapters/http/errors.ts'
import type { Log } from '../process/log.ts'
import { openPool } from '../process/thread-pool.ts'
import type { BillToImport, ImportedBill } from './import-bill.ts'

export interface Bills {
  /** Takes the bytes' memory over. Throws ApiError `try_again` when too many wait already. */
  import(bill: BillToImport): Promise<ImportedBill>
  close(): Promise<void>
}

const idleMs = 30_000
// People send one after the other; each may be 24 MB.
const waitingMax = 4

export function openBills(databaseUrl: string, log: Log): Bills {
  const pool = openPool<BillToImport, ImportedBill>(
    {
      module: new URL('./import-bill.js', import.meta.url),
      name: 'importOne',
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: idleMs,
      workerData: { databaseUrl },
    },
    log,
  )
  return {
    async import(bill) {
      if (pool.waiting() >= waitingMax)
        throw new ApiError('try_again', 'Other bills are being imported. Send it again.')
      return await pool.run(bill, [bill.bytes.buffer as ArrayBuffer])
    },
    // An import is one transaction: what is ended in the midst of it left nothing.
    close: () => pool.close(),
  }
}
