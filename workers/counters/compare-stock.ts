/**
 * One node's counters in Redis against Postgres, while both are at work. Nothing is locked, so what moves between the
 * looks is left out; what is reported differs for certain:
 *
 *   Redis' figure + what it holds for reservations that Postgres has not committed = Postgres' available
 *
 * holds for a SKU whenever the node's number is the same on both sides. Redis is looked at before and after Postgres: a SKU
 * whose figure and reservations are the same in both looks had no part in anything meanwhile.
 */
import type { HeldReservation } from '../../adapters/stock/counters.ts'
import type { StockWatch } from '../../adapters/store/order-store.ts'

export interface SeenInRedis {
  readonly seq: number
  readonly atp: ReadonlyMap<string, number>
  readonly held: readonly HeldReservation[]
}

export interface StockDifference {
  readonly sku: string
  /** Units that Redis can promise, with what it holds uncommitted. */
  readonly redis: number
  readonly postgres: number
}

export type Compared =
  | { readonly outcome: 'compared'; readonly different: readonly StockDifference[]; readonly moving: number }
  /** Redis has not heard of all that Postgres did there; or it did something else just now. */
  | { readonly outcome: 'redis_is_behind' | 'moved' }
  | { readonly outcome: 'unknown_node' }

/** `seen`: a first look of `look`'s. */
export async function compareStock(
  store: Pick<StockWatch, 'figuresWithCommitted'>,
  look: (node: string) => Promise<SeenInRedis>,
  node: string,
  seen: SeenInRedis,
): Promise<Compared> {
  const refs = seen.held.map((h) => h.reservationId)
  const books = await store.figuresWithCommitted(node, refs)
  if (books === null) return { outcome: 'unknown_node' }
  if (books.seq !== seen.seq) return { outcome: books.seq > seen.seq ? 'redis_is_behind' : 'moved' }
  const counted = countedIn(seen, new Set(books.committed))
  const different: StockDifference[] = []
  for (const [sku, postgres] of books.available) {
    const redis = counted.get(sku) ?? 0
    if (redis !== postgres) different.push({ sku, redis, postgres })
  }
  for (const [sku, redis] of counted) {
    if (redis !== 0 && !books.available.has(sku)) different.push({ sku, redis, postgres: 0 })
  }
  if (different.length === 0) return { outcome: 'compared', different, moving: 0 }
  const again = await look(node)
  if (again.seq !== seen.seq) return { outcome: 'moved' }
  const rest = different.filter(({ sku }) => stateOf(seen, sku) === stateOf(again, sku))
  return { outcome: 'compared', different: rest, moving: different.length - rest.length }
}

/** Redis' figures as if what is held and not committed had been given back. */
function countedIn(seen: SeenInRedis, committed: ReadonlySet<string>): Map<string, number> {
  const counted = new Map(seen.atp)
  for (const { reservationId, lines } of seen.held) {
    if (committed.has(reservationId)) continue
    for (const { sku, quantity } of lines) counted.set(sku, (counted.get(sku) ?? 0) + quantity)
  }
  return counted
}

/** All that Redis says of a SKU, to tell whether it stayed the same. */
function stateOf(seen: SeenInRedis, sku: string): string {
  const holders = seen.held.filter((h) => h.lines.some((l) => l.sku === sku)).map((h) => h.reservationId)
  return JSON.stringify([seen.atp.get(sku) ?? 0, holders.sort()])
}
