/**
 * Ends reservations whose decision was refused, or of which the process does not know whether it was committed. What a
 * decision has committed under the same id at the same node stays taken, and only the record goes (confirm). All others
 * are released; with `madeAtMs`, unless another attempt has asked for them again meanwhile.
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
