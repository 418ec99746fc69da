/**
 * What was plain and is sealed now is still in its table's file, in dead rows, until the table is written anew. That is owed
 * from before the sealing until it is done, however often the process dies in between. Backups and the log of before still
 * hold what was there.
 */
import type { Queryable, Sql } from './connect.ts'

const tables = ['shop', 'carrier_account', 'setting'] as const
export type TableOfSecrets = (typeof tables)[number]

const keyOf = (table: TableOfSecrets): string => `dead_rows_of_${table}`

const attemptsMax = 40
const pauseMs = 50

/** Before the first row is sealed, or with it. */
export async function oweDeadRows(sql: Queryable, table: TableOfSecrets): Promise<void> {
  await sql`insert into setting (key, value) values (${keyOf(table)}, 'true') on conflict do nothing`
}

/**
 * Writes anew whatever is owed. Gives the tables that have to wait for another start: somebody had a transaction open all the
 * while, a backup perhaps.
 */
export async function dropDeadRows(sql: Sql): Promise<TableOfSecrets[]> {
  const owed = await sql<{ key: string }[]>`select key from setting where key = any(${tables.map(keyOf)}::text[])`
  const left: TableOfSecrets[] = []
  for (const table of tables.filter((t) => owed.some(({ key }) => key === keyOf(t)))) {
    let isDone = false
    for (let attempt = 0; attempt < attemptsMax && !isDone; attempt++) {
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
      isDone = await rewritten(sql, table)
    }
    if (!isDone) left.push(table)
  }
  return left
}

/**
 * Not `vacuum (full)`: that keeps a row which died after the oldest transaction of the server began, of any database, and on a
 * busy server there always is one. A table that is emptied and filled again holds nothing dead, but is empty to who looked
 * at this database before and reads on in repeatable read, as a backup does: so nobody may be looking. Whoever comes
 * meanwhile waits, and sees all rows.
 */
async function rewritten(sql: Sql, table: TableOfSecrets): Promise<boolean> {
  return (await sql.begin(async (tx) => {
    await tx`lock table ${tx(table)} in access exclusive mode`
    const lookers = await tx`
      select from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and backend_xmin is not null`
    if (lookers.count > 0) return false
    await tx`create temporary table living on commit drop as select * from ${tx(table)}`
    await tx`truncate ${tx(table)}`
    await tx`insert into ${tx(table)} select * from living`
    await tx`delete from setting where key = ${keyOf(table)}`
    return true
  })) as boolean
}
