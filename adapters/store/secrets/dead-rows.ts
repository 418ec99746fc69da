/**
 * What was plain and is sealed now is still in its table's file, in dead rows, until the table is written anew. That is owed
 * from before the sealing until it is done, however often the process dies in between. Backups and the log of before still
 * hold what was there.
 */
import type { Queryable, Sql, Transaction } from '../postgres/connect.ts'

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
 * Writes anew every table that is owed. While another session keeps a transaction open, a backup perhaps, the table
 * stays owed until the next start.
 */
export async function dropDeadRows(sql: Sql): Promise<void> {
  const owed = await sql<{ key: string }[]>`select key from setting where key = any(${tables.map(keyOf)}::text[])`
  for (const table of tables.filter((t) => owed.some(({ key }) => key === keyOf(t)))) {
    for (let attempt = 1; attempt <= attemptsMax && !(await rewritten(sql, table)); attempt++)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

class Looked extends Error {}

/**
 * Not `vacuum (full)`: that keeps a row which died after the oldest transaction of the server began, of any database, and on a
 * busy server there always is one. A table that is emptied and filled again holds no dead row, but a transaction that
 * looked at this database before and reads on in repeatable read, as a backup does, sees it empty. So no other
 * transaction may be looking, neither at the start nor when all but the commit is done: else nothing is changed. A
 * transaction in read committed waits, and sees all rows.
 */
async function rewritten(sql: Sql, table: TableOfSecrets): Promise<boolean> {
  try {
    await sql.begin(async (tx) => {
      await tx`lock table ${tx(table)} in access exclusive mode`
      await expectNobodyLooks(tx)
      await tx`create temporary table living on commit drop as select * from ${tx(table)}`
      await tx`truncate ${tx(table)}`
      await tx`insert into ${tx(table)} select * from living`
      await tx`delete from setting where key = ${keyOf(table)}`
      await expectNobodyLooks(tx)
    })
    return true
  } catch (error) {
    if (error instanceof Looked) return false
    throw error
  }
}

async function expectNobodyLooks(tx: Transaction): Promise<void> {
  // What it told once it would tell again all the transaction long.
  await tx`select pg_stat_clear_snapshot()`
  const lookers = await tx`
    select from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_xmin is not null`
  if (lookers.count > 0) throw new Looked()
}
