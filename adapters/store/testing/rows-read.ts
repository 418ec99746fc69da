/** For tests: how many rows a step reads, as Postgres counts them. */
import { connect, indexedPlans, type Sql } from '../postgres/connect.ts'
import { testDatabase } from '../testing.ts'

export interface CountingDatabase {
  /** One connection, with the plans of the service's own. Everything in this database has to go through it. */
  readonly one: Sql
  /** The rows of these tables that `step` reads, by an index or without one. */
  rowsRead(tables: readonly string[], step: () => Promise<unknown>): Promise<number>
  close(): Promise<void>
}

/**
 * A database of its own with one connection: a connection reports what it read up to ten seconds later, so in a database
 * that others use too, a count has rows of theirs now and then.
 */
export async function countingDatabase(): Promise<CountingDatabase> {
  const database = await testDatabase()
  const one = connect(database.url, { max: 1, applicationName: 'counted', settings: indexedPlans })
  const reported = async (tables: readonly string[]): Promise<number> => {
    // The report is made when the statement that asks for it has ended.
    await one`select pg_stat_force_next_flush()`
    const [row] = await one<{ rows: number }[]>`
      select sum(coalesce(idx_tup_fetch, 0) + seq_tup_read)::int as rows from pg_stat_user_tables
      where relname in ${one(tables)}`
    return row!.rows
  }
  return {
    one,
    rowsRead: async (tables, step) => {
      const before = await reported(tables)
      await step()
      return (await reported(tables)) - before
    },
    close: async () => {
      await one.end()
      await database.close()
    },
  }
}
