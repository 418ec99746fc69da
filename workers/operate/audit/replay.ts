/**
 * Decides again what was decided: the plans from their traces, and whole orders from their stored events on. Promise 7 says that
 * both come to the same. What cannot be decided again is counted, with the reason.
 */
import { isDeepStrictEqual } from 'node:util'
import { loadDivisions } from '../../../adapters/divisions/load.ts'
import type { Queryable, Sql } from '../../../adapters/store/postgres/connect.ts'
import { defaultPolicy } from '../../../router/policy.ts'
import { replay, type StoredTrace } from '../../../router/source/trace.ts'
import { readCatalog } from '../../catalog/catalog.ts'
import type { WorkContext } from '../../decide/take-events.ts'
import type { History } from './history.ts'
import { historyLengths, locateEvents, readHistories } from './read-histories.ts'
import { type NotReplayed, replayOrder } from './replay-order.ts'

export interface Replayed {
  /** Plans computed again from what their traces say was known. */
  readonly traces: number
  /** Orders decided again from their first event to their last. */
  readonly orders: number
  /** Versions of those orders. */
  readonly versions: number
  /** Orders that were not, by the reason. */
  readonly notReplayed: Readonly<Partial<Record<NotReplayed, number>>>
  readonly different: readonly Readonly<Record<string, unknown>>[]
}

/** Orders whose events are looked for in one reading of the inbox. */
const locatedTogether = 2_000
/** Entries of histories whose events are in memory at a time, unless one order alone has more: some bodies are of a megabyte. */
const entriesTogether = 200
/** Entries of one history. A thousand are some hours of work on one order; longer ones would hold up all others. */
const entriesMax = 1_000

interface Tally {
  traces: number
  orders: number
  versions: number
  readonly notReplayed: Partial<Record<NotReplayed, number>>
  readonly different: Record<string, unknown>[]
}

/** About `count` orders, drawn at random. Reads one snapshot of the database, so a service may be at work. */
export async function replayDecisions(sql: Sql, count: number): Promise<Replayed> {
  return (await sql.begin('isolation level repeatable read read only', async (tx) => {
    await tx`set local statement_timeout = 0`
    const context: WorkContext = { catalog: await readCatalog(tx), divisions: loadDivisions(), policy: defaultPolicy }
    const tally: Tally = { traces: 0, orders: 0, versions: 0, notReplayed: {}, different: [] }
    const drawn = await draw(tx, count)
    for (let from = 0; from < drawn.length; from += locatedTogether) {
      const some = drawn.slice(from, from + locatedTogether)
      const lengths = await historyLengths(tx, some)
      const short = some.filter((id) => (lengths.get(id) ?? 0) <= entriesMax)
      if (short.length < some.length) countLeftOut(tally, 'history_too_long', some.length - short.length)
      const places = await locateEvents(tx, short)
      for (const few of inBatches(short, lengths)) {
        const histories = await readHistories(tx, few, places)
        for (const history of histories.values()) replayHistory(context, history, tally)
      }
    }
    return tally
  })) as Replayed
}

function* inBatches(ids: readonly string[], lengths: ReadonlyMap<string, number>): Generator<readonly string[]> {
  let batch: string[] = []
  let entries = 0
  for (const id of ids) {
    const own = lengths.get(id) ?? 0
    if (batch.length > 0 && entries + own > entriesTogether) {
      yield batch
      batch = []
      entries = 0
    }
    batch.push(id)
    entries += own
  }
  if (batch.length > 0) yield batch
}

async function draw(sql: Queryable, count: number): Promise<string[]> {
  const [size] = await sql<{ orders: number }[]>`select count(*)::float8 as orders from orders`
  const percent = Math.min(100, (200 * count) / Math.max(1, size!.orders))
  const rows = await sql<{ id: string }[]>`
    select id from orders tablesample bernoulli (${percent}::float8) order by random() limit ${count}`
  return rows.map((r) => r.id)
}

function replayHistory(context: WorkContext, history: History, tally: Tally): void {
  const { id } = history.loaded.order
  for (const { version, trace } of history.entries) {
    for (const { sourcing } of trace.sourcing ?? []) {
      tally.traces += 1
      const difference = differenceOfPlan(sourcing)
      if (difference !== null) tally.different.push({ order: id, version, ...difference })
    }
  }
  const replayed = replayOrder(context, history)
  switch (replayed.outcome) {
    case 'not_replayed':
      countLeftOut(tally, replayed.why, 1)
      return
    case 'same':
      tally.versions += replayed.versions
      break
    case 'different':
      tally.different.push({ order: id, version: replayed.version, differs: replayed.differs })
  }
  tally.orders += 1
}

function countLeftOut({ notReplayed }: Tally, why: NotReplayed, orders: number): void {
  notReplayed[why] = (notReplayed[why] ?? 0) + orders
}

function differenceOfPlan(trace: StoredTrace): Record<string, unknown> | null {
  const plan = replay(trace)
  const parcels = plan.parcels.map(({ node, costFen, lines }) => [
    node,
    costFen,
    ...lines.map((l) => [l.line, l.quantity]),
  ])
  const missing = plan.missing.map((m) => [m.line, m.quantity])
  const again = { parcels, missing, costFen: plan.costFen }
  const then = { parcels: trace.parcels, missing: trace.missing, costFen: trace.costFen }
  return isDeepStrictEqual(again, then) ? null : { plan: again, was: then }
}
