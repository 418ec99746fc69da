/** One partition of the inbox a day, so that an old day is dropped whole. */
import type { Queryable, Sql } from '../postgres/connect.ts'
import { dayMs, dayOf } from './event.ts'

// A statement that waits for the lock keeps every intake behind it waiting.
const partitionLockMs = 100
const partitionDaysBehind = 2
// A week's worth of tries for each day, since a reader may hold the inbox for hours.
const partitionDaysAhead = 7
const lockNotAvailable = '55P03'

/**
 * Partitions for the days around today, so that dropping a day later is one statement. False when a reader or
 * writer of the inbox stood in the way: to be tried again later. Until then the default partition takes what comes.
 */
export async function preparePartitions(sql: Sql, nowMs: number): Promise<boolean> {
  try {
    await makePartitions(sql, nowMs)
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === lockNotAvailable) return false
    throw error
  }
}

async function makePartitions(sql: Sql, nowMs: number): Promise<void> {
  for (let ahead = -partitionDaysBehind; ahead <= partitionDaysAhead; ahead++) {
    const day = dayOf(nowMs + ahead * dayMs)
    const next = dayOf(nowMs + (ahead + 1) * dayMs)
    const name = `inbox_${day.replaceAll('-', '')}`
    if (await partitionExists(sql, name)) continue
    await sql.begin(async (tx) => {
      await tx.unsafe(`set local lock_timeout = ${partitionLockMs}`)
      // Nothing is stored for a moment: a row of that day must not come between the look and the partition.
      await tx`lock table inbox in access exclusive mode`
      // Rows that came before their partition keep the day in the default one: correct, only less tidy to drop.
      const [early] = await tx`select 1 from inbox_rest where day = ${day} limit 1`
      if (early === undefined && !(await partitionExists(tx, name))) {
        await tx.unsafe(`create table ${name} partition of inbox for values from ('${day}') to ('${next}')`)
        await tx.unsafe(`alter table ${name} alter body set statistics 0, alter body_hash set statistics 0`)
      }
    })
  }
}

async function partitionExists(sql: Queryable, name: string): Promise<boolean> {
  const found = await sql`
    select from pg_class where relname = ${name} and relnamespace = current_schema()::regnamespace`
  return found.count > 0
}
