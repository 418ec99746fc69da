/** How large every table is and how much of it is dead, looked at while it is worked on. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../adapters/store/postgres/connect.ts'

export interface TableSize {
  /** Partitions of the inbox count as one table. */
  readonly table: string
  /** With its indexes and what lies beside it. */
  readonly bytes: number
  readonly indexBytes: number
  readonly liveRows: number
  readonly deadRows: number
}

export interface SizesSeen {
  /** Seconds since the watch began. */
  readonly seconds: number
  readonly orders: number
  readonly tables: readonly TableSize[]
}

export interface SizesWatch {
  stop(): Promise<readonly SizesSeen[]>
}

/** Takes one connection of `sql` for a moment, every so often. The counts of rows are Postgres' own estimates. */
export function watchSizes(sql: Sql, everyMs: number): SizesWatch {
  const seen: SizesSeen[] = []
  const started = performance.now()
  const ending = new AbortController()
  const look = async (): Promise<void> => {
    const seconds = (performance.now() - started) / 1000
    const tables = await sizesOf(sql)
    // To count them would read them all, again and again, and be a load that grows.
    seen.push({ seconds, orders: tables.find(({ table }) => table === 'orders')?.liveRows ?? 0, tables })
  }
  const watching = (async () => {
    while (!ending.signal.aborted) {
      await look()
      await delay(everyMs, undefined, { signal: ending.signal }).catch(() => undefined)
    }
    await look()
  })()
  // `stop` throws the error; until then the empty catch keeps it from being unhandled.
  watching.catch(() => undefined)
  return {
    stop: async () => {
      ending.abort()
      await watching
      return seen
    },
  }
}

async function sizesOf(sql: Sql): Promise<TableSize[]> {
  return await sql<TableSize[]>`
    select case when relname like 'inbox%' then 'inbox' else relname end as table,
      sum(pg_total_relation_size(relid))::float8 as bytes, sum(pg_indexes_size(relid))::float8 as "indexBytes",
      sum(n_live_tup)::float8 as "liveRows", sum(n_dead_tup)::float8 as "deadRows"
    from pg_stat_user_tables where schemaname = current_schema() group by 1 order by 1`
}

export function bytesOf({ tables }: SizesSeen, names?: readonly string[]): number {
  return tables.reduce((sum, { table, bytes }) => sum + (names === undefined || names.includes(table) ? bytes : 0), 0)
}
