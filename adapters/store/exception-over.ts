import type { Queryable } from './postgres/connect.ts'

/**
 * What an update of `exception` sets when the fact itself is over: an open one is resolved, and a person's word goes, so
 * that the same fact is told when it comes anew. To be set where `resolved_at is null or accepted`.
 */
export function over(sql: Queryable) {
  return sql`resolved_at = coalesce(exception.resolved_at, now()), accepted = null`
}
