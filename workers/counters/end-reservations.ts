/**
 * Reservations whose decision did not go through, or where the process never learned whether it did. What a decision has committed
 * under the same id at the same node stays taken, and only the record goes. All others are given back; where `madeAtMs` is
 * told, unless another attempt has asked for them again meanwhile.
 */
import type { ReleaseRequest } from '../../adapters/stock/counters.ts'
import type { CommittedReservations } from '../../adapters/store/order-store.ts'
import type { CounterKeeper } from './counter-keeper.ts'

export async function endReservations(
  store: CommittedReservations,
  keeper: CounterKeeper,
  refs: readonly ReleaseRequest[],
): Promise<{ readonly confirmed: number; readonly released: number }> {
  if (refs.length === 0) return { confirmed: 0, released: 0 }
  const { committed, others } = await store.partedByCommit(refs)
  await keeper.confirm(committed)
  await keeper.release(others)
  return { confirmed: committed.length, released: others.length }
}
