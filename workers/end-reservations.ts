/**
 * Reservations whose decision did not go through here. Another process may have decided the same order, under the same
 * ids, and committed: its units stay taken, and only the record goes. All others are given back.
 */
import type { ReservationRef } from '../adapters/stock/counters.ts'
import type { Queryable } from '../adapters/store/connect.ts'
import { committedReservations } from '../adapters/store/sweep.ts'
import type { StockKeeper } from './stock-keeper.ts'

export async function endReservations(
  sql: Queryable,
  keeper: StockKeeper,
  refs: readonly ReservationRef[],
): Promise<{ readonly confirmed: number; readonly released: number }> {
  if (refs.length === 0) return { confirmed: 0, released: 0 }
  const committed = await committedReservations(
    sql,
    refs.map((r) => r.reservationId),
  )
  await keeper.confirm(refs.filter((r) => committed.has(r.reservationId)))
  await keeper.release(refs.filter((r) => !committed.has(r.reservationId)))
  return { confirmed: committed.size, released: refs.length - committed.size }
}
