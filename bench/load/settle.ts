/** Waits until every event is decided, or nothing moves any more. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../adapters/store/postgres/connect.ts'

const pollMs = 100
// Longer than any retry of the service: notifications of orders that cannot be fetched are put aside for this long at first.
const stuckMs = 60_000

/** What is left undecided: 0 when all settled. */
export async function settle(sql: Sql): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  let movedAt = performance.now()
  for (;;) {
    const [row] = await sql<{ count: number }[]>`select count(*)::int from pending`
    const { count } = row!
    if (count === 0) return 0
    if (count < least) {
      least = count
      movedAt = performance.now()
    }
    if (performance.now() - movedAt > stuckMs) return count
    await delay(pollMs)
  }
}
