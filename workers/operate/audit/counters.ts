/**
 * Redis' counters against Postgres, over all nodes, while services may be at work on both. Only looks: where these
 * counters are not the ones that were loaded from Postgres, the next decision loads them anew, and there is nothing to
 * compare.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Stock } from '../../../adapters/stock/stock.ts'
import type { Violation } from '../../../adapters/store/audit/audit.ts'
import type { Sql } from '../../../adapters/store/postgres/connect.ts'
import { PostgresStore } from '../../../adapters/store/postgres-store.ts'
import { currentEpoch, nodeNames } from '../../../adapters/store/stock/epoch.ts'
import { type Compared, compareStock, type SeenInRedis } from '../../counters/compare-stock.ts'

export const counterInvariantNames = [
  'redis_counts_what_postgres_counts',
  'redis_has_heard_every_change',
  'nothing_is_reserved_for_nobody',
] as const

export interface CountersAudit {
  /** not_loaded: they are made anew before they are used. */
  readonly state: 'compared' | 'not_loaded'
  readonly nodes: number
  /** Nodes that this Redis has of no epoch of the database, or not at all: nothing was compared there. */
  readonly notLoaded: number
  /** Reservations that are being decided. */
  readonly inFlight: number
  /** Counters that did not stand still long enough. */
  readonly moving: number
  readonly violations: readonly Violation[]
  /** What a mend has to do. */
  readonly found: FoundInCounters
}

export interface FoundInCounters {
  readonly differentNodes: readonly string[]
  readonly behindNodes: readonly string[]
  readonly leftOver: readonly { readonly node: string; readonly reservationId: string }[]
}

/** Looks at a counter that changes between the looks. */
const triesMax = 6
const againMs = 150
const nodesAtOnce = 4
const examplesMax = 5

export async function auditCounters(sql: Sql, stock: Stock, heldMsMax = 30_000): Promise<CountersAudit> {
  const found = { differentNodes: [] as string[], behindNodes: [] as string[], leftOver: [] as Leftover[] }
  const differences: Record<string, unknown>[] = []
  let notLoaded = 0
  let inFlight = 0
  let moving = 0
  const epoch = await currentEpoch(sql)
  const isLoaded = epoch > 0 && (await stock.scriptsLoaded())
  const nodes = isLoaded ? await nodeNames(sql) : []
  const auditNode = async (node: string): Promise<void> => {
    const last = await lookUntilStill(sql, stock, node)
    if (last === null) {
      notLoaded += 1
      return
    }
    const { seen, compared } = last
    const old = seen.held.filter((h) => h.madeAtMs < Date.now() - heldMsMax)
    inFlight += seen.held.length - old.length
    for (const { reservationId, madeAtMs } of old) found.leftOver.push({ node, reservationId, madeAtMs })
    if (compared.outcome === 'redis_is_behind') found.behindNodes.push(node)
    else if (compared.outcome === 'compared') {
      moving += compared.moving
      if (compared.different.length === 0) return
      found.differentNodes.push(node)
      differences.push(...compared.different.map((d) => ({ node, ...d })))
    } else if (compared.outcome === 'moved') moving += 1
  }
  const queue = [...nodes]
  const work = async (): Promise<void> => {
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) await auditNode(node)
  }
  await Promise.all(Array.from({ length: nodesAtOnce }, work))
  const broken = [differences, found.behindNodes.map((node) => ({ node })), found.leftOver]
  const violations = counterInvariantNames.flatMap((invariant, i) => {
    const rows = broken[i]!
    return rows.length === 0 ? [] : [{ invariant, count: rows.length, examples: rows.slice(0, examplesMax) }]
  })
  const isCompared = isLoaded && (nodes.length === 0 || notLoaded < nodes.length)
  const state = isCompared ? 'compared' : 'not_loaded'
  return { state, nodes: nodes.length, notLoaded, inFlight, moving, violations, found }
}

interface Leftover extends Record<string, unknown> {
  readonly node: string
  readonly reservationId: string
  readonly madeAtMs: number
}

/** null: the node is not loaded; the first who asks for it does that. */
async function lookUntilStill(
  sql: Sql,
  stock: Stock,
  node: string,
): Promise<{ readonly seen: SeenInRedis; readonly compared: Compared } | null> {
  for (let tries = 1; ; tries++) {
    const seen = await inspect(sql, stock, node)
    if (seen === null) return null
    const compared = await compareStock(
      new PostgresStore(sql),
      async (of) => (await inspect(sql, stock, of)) ?? nothing,
      node,
      seen,
    )
    const isStill = compared.outcome === 'unknown_node' || (compared.outcome === 'compared' && compared.moving === 0)
    if (isStill || tries === triesMax) return { seen, compared }
    await delay(againMs)
  }
}

const nothing: SeenInRedis = { seq: -1, atp: new Map(), held: [] }

async function inspect(sql: Sql, stock: Stock, node: string): Promise<SeenInRedis | null> {
  for (let tries = 1; ; tries++) {
    const seen = await stock.inspect(await currentEpoch(sql), node)
    if (seen.outcome === 'inspected') return seen
    // Loaded in no epoch, or just being loaded in the next.
    if (seen.currentEpoch === null || tries === triesMax) return null
    await delay(againMs)
  }
}
