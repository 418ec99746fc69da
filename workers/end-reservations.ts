/**
 * Reservations whose decision did not go through here. Another process may have decided the same order, under the same
 * ids, and committed: its units stay taken, and only the record goes. All others are given back.
 */
import type { ReservationRef } from '../adapters/stock/counters.ts'
import type { Queryable } from '../adapters/store/connect.ts'
import { partedByCommit } from '../adapters/store/sweep.ts'
import type { StockKeeper } from './stock-keeper.ts'

export async function endReservations(
  sql: Queryable,
  keeper: StockKeeper,
  refs: readonly ReservationRef[],
): Promise<{ readonly confirmed: number; readonly released: number }> {
  if (refs.length === 0) return { confirmed: 0, released: 0 }
  const { committed, others } = await partedByCommit(sql, refs)
  await keeper.confirm(committed)
  await keeper.release(others)
  return { confirmed: committed.length, released: others.length }
}
