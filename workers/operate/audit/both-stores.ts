/** The invariants over both sides: what Postgres must hold by itself, and that Redis' counters are Postgres' own. */
import { audit, invariantNames, type Violation } from '../../../adapters/store/audit/audit.ts'
import type { Sql } from '../../../adapters/store/postgres/connect.ts'
import { nodeNames } from '../../../adapters/store/stock/epoch.ts'
import { figuresOf } from '../../../adapters/store/stock/stock.ts'
import type { StockKeeper } from '../../counters/stock-keeper.ts'

const redisInvariants = ['redis_counts_what_postgres_counts', 'nothing_is_reserved_for_nobody'] as const
export const allInvariantNames: readonly string[] = [...invariantNames, ...redisInvariants]

/** For a settled system: nothing pending, nothing reserved that is not committed. Empty when all holds. */
export async function auditAll(sql: Sql, keeper: StockKeeper): Promise<Violation[]> {
  return [...(await audit(sql)), ...(await auditRedis(sql, keeper))]
}

async function auditRedis(sql: Sql, keeper: StockKeeper): Promise<Violation[]> {
  const different: Record<string, unknown>[] = []
  const held: Record<string, unknown>[] = []
  for (const node of await nodeNames(sql)) {
    const [figures] = await figuresOf(sql, [node])
    const seen = await keeper.look(node)
    for (const { sku, available } of figures!.available) {
      const atp = seen.atp.get(sku) ?? 0
      if (atp !== available) different.push({ node, sku, redis: atp, postgres: available })
    }
    for (const { reservationId, madeAtMs } of seen.held) held.push({ node, reservationId, madeAtMs })
  }
  const violations = [
    { invariant: redisInvariants[0], rows: different },
    { invariant: redisInvariants[1], rows: held },
  ]
  return violations
    .filter((v) => v.rows.length > 0)
    .map(({ invariant, rows }) => ({ invariant, count: rows.length, examples: rows.slice(0, 5) }))
}
