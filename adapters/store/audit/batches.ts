/** Many rows through little memory. */
import type { Transaction } from '../postgres/connect.ts'

/** Rows of one fetch: the server answers in pieces, and the client holds one of them. */
const rowsPerBatch = 500

/** Each row of a query, in batches of a cursor. A row that is too large for memory does not exist: orders are bounded. */
export async function eachBatch<Row extends object>(
  tx: Transaction,
  query: string,
  take: (row: Row) => void,
  rows = rowsPerBatch,
): Promise<void> {
  for await (const batch of tx.unsafe(query).cursor(rows)) for (const row of batch) take(row as unknown as Row)
}
