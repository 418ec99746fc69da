/** All that is checked at rest: what Postgres must hold by itself, that Redis' counters are Postgres' own, that decisions replay. */
import { audit, invariantNames, type Violation } from '../../../adapters/store/audit/audit.ts'
import type { Sql } from '../../../adapters/store/postgres/connect.ts'
import { nodeNames } from '../../../adapters/store/stock/epoch.ts'
import { figuresOf } from '../../../adapters/store/stock/stock.ts'
import type { StockKeeper } from '../../counters/stock-keeper.ts'
import { replayDecisions } from './replay.ts'

const redisInvariants = ['redis_counts_what_postgres_counts', 'nothing_is_reserved_for_nobody'] as const
const replayInvariant = 'decisions_replay'
export const allInvariantNames: readonly string[] = [...invariantNames, ...redisInvariants, replayInvariant]

// A few of each run: with every run others are drawn.
const replayedOrders = 300
const examplesMax = 5

/** For a settled system: nothing pending, nothing reserved that is not committed. Empty when all holds. */
export async function auditAll(sql: Sql, keeper: StockKeeper): Promise<Violation[]> {
  return [...(await auditStores(sql, keeper)), ...(await auditReplay(sql))]
}

/** The same without the replay, for what was not decided from stored events, or by another policy than ours. */
export async function auditStores(sql: Sql, keeper: StockKeeper): Promise<Violation[]> {
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
    .map(({ invariant, rows }) => ({ invariant, count: rows.length, examples: rows.slice(0, examplesMax) }))
}

async function auditReplay(sql: Sql): Promise<Violation[]> {
  const { different } = await replayDecisions(sql, replayedOrders)
  if (different.length === 0) return []
  return [{ invariant: replayInvariant, count: different.length, examples: different.slice(0, examplesMax) }]
}
