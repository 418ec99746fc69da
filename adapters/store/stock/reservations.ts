/** What Postgres knows of reservations that Redis holds. */
import type { Queryable } from '../postgres/connect.ts'

/** A reservation is its node's: a decision that is made again may want the same id from another node. */
interface Reservation {
  readonly node: string
  readonly reservationId: string
}

/** Tells of some reservations those that a committed decision made (their units are Postgres' own) from all others. */
export async function partedByCommit<R extends Reservation>(
  sql: Queryable,
  reservations: readonly R[],
): Promise<{ readonly committed: readonly R[]; readonly others: readonly R[] }> {
  const rows = await sql<{ node: string; ref: string }[]>`
    select node, ref from stock_movement
    where ref = any(${reservations.map((r) => r.reservationId)}) and kind = 'reserve'`
  const known = new Set(rows.map((r) => keyOf(r.node, r.ref)))
  const isCommitted = (r: R): boolean => known.has(keyOf(r.node, r.reservationId))
  return { committed: reservations.filter(isCommitted), others: reservations.filter((r) => !isCommitted(r)) }
}

function keyOf(node: string, reservationId: string): string {
  return `${node}\u0000${reservationId}`
}
