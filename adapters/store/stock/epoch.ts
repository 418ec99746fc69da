/** The stock epoch: which generation of Redis' counters is valid. A raise locks it alone; decisions share the lock. */
import type { Queryable, Sql, Transaction } from '../postgres/connect.ts'

/** The advisory lock that a raise of the stock epoch holds alone, and every decision shares. */
export const epochLock = 7_253_001

export async function currentEpoch(sql: Queryable): Promise<number> {
  const [row] = await sql<{ epoch: string }[]>`select epoch from stock_epoch`
  return Number(row!.epoch)
}

/** Runs `work` while no decision is being committed anywhere; what it returns is the new epoch, null leaves it. */
export async function withEpochLock(
  sql: Sql,
  work: (tx: Transaction, epoch: number) => Promise<number | null>,
): Promise<number> {
  return await sql.begin(async (tx) => {
    await tx`set local statement_timeout = 0`
    await tx`select pg_advisory_xact_lock(${epochLock})`
    const epoch = await currentEpoch(tx)
    const raised = await work(tx, epoch)
    if (raised === null) return epoch
    await tx`update stock_epoch set epoch = ${raised}`
    return raised
  })
}

export async function nodeNames(sql: Queryable): Promise<string[]> {
  const rows = await sql<{ node: string }[]>`select node from node order by node`
  return rows.map((r) => r.node)
}

export async function hasReserved(sql: Queryable, node: string): Promise<boolean> {
  const [row] = await sql`select 1 from stock where node = ${node} and reserved > 0 limit 1`
  return row !== undefined
}
