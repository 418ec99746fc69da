/** What was plain and is sealed now is still in the table's file, in its dead rows, until the table is written anew. */
import type { Sql } from './connect.ts'

/**
 * Writes the table anew with its living rows only. Not `vacuum (full)`: that keeps a row which died after the oldest
 * transaction of the server began, of any database, and on a busy server there always is one. Whoever reads in
 * read committed waits and sees all rows. Backups and the log of before still hold what was there.
 *
 * `column`: one of it that is jsonb.
 */
export async function dropDeadRows(sql: Sql, table: string, column: string): Promise<void> {
  // A change of type that an expression makes is one that rewrites.
  await sql`alter table ${sql(table)} alter column ${sql(column)} type jsonb using ${sql(column)}::text::jsonb`
}
