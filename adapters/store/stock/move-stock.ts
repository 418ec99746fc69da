/**
 * The stock of a batch of decisions: what its new tasks reserve, what its cancelled ones release, and what a warehouse
 * found not to be there. Here no two tasks get the same unit: `updateRows` changes a row only when enough is available,
 * and a row that was not changed rolls the batch back.
 *
 * Locks: first the nodes whose changes Redis has to be told, then every stock row, each by key.
 */
import {
  changesOf,
  deltaOf,
  goneFrom,
  type NewTask,
  type NodeDelta,
  needsCorrection,
  type Release,
  type ReleaseMovement,
  type RowChange,
  releaseMovements,
  stockKey,
} from '../../../router/stock.ts'
import type { StockKey } from '../../../router/types.ts'
import type { Transaction } from '../postgres/connect.ts'
import { jsonText, listColumn, textColumn } from '../postgres/json-text.ts'
import { together } from '../postgres/together.ts'

export type StockMoved =
  | { readonly outcome: 'moved'; readonly deltas: readonly NodeDelta[] }
  /** The transaction has to be rolled back: these have less than was to be reserved. */
  | { readonly outcome: 'stock_refused'; readonly short: readonly StockKey[] }

export async function moveStock(
  tx: Transaction,
  newTasks: readonly NewTask[],
  releases: readonly Release[],
): Promise<StockMoved> {
  const changes = changesOf(newTasks, releases)
  if (changes.size === 0) return { outcome: 'moved', deltas: [] }
  const rows = [...changes.values()].sort((a, b) => compare(a.node, b.node) || compare(a.sku, b.sku))
  const seqs = await numberReleases(tx, releases)
  await settleCorrections(tx, rows)
  const { deltas, movements } = recordsOf(releases, releaseMovements(releases, changes), seqs)
  const [moved] = await together([
    updateRows(tx, rows),
    insertReservations(tx, newTasks),
    insertMovements(tx, movements),
  ])
  if (moved.length === rows.length) return { outcome: 'moved', deltas }
  const done = new Set(moved.map((r) => stockKey(r.node, r.sku)))
  const short = rows.filter((r) => !done.has(stockKey(r.node, r.sku))).map(({ node, sku }) => ({ node, sku }))
  return { outcome: 'stock_refused', short }
}

/** One number a release, under the nodes' locks; gives each node's first one. */
async function numberReleases(tx: Transaction, releases: readonly Release[]): Promise<Map<string, number>> {
  if (releases.length === 0) return new Map()
  const perNode = new Map<string, number>()
  for (const { node } of releases) perNode.set(node, (perNode.get(node) ?? 0) + 1)
  const nodes = [...perNode.keys()].sort(compare)
  const numbered = await tx<{ node: string; seq: string }[]>`
    with locked as materialized (select node from node where node = any(${nodes}) order by node for update)
    update node n set seq = n.seq + c.count
    from unnest(${nodes}::text[], ${nodes.map((n) => perNode.get(n)!)}::int[]) as c (node, count) join locked using (node)
    where n.node = c.node returning n.node, n.seq`
  return new Map(numbered.map((r) => [r.node, Number(r.seq) - perNode.get(r.node)! + 1]))
}

/** All of the batch's rows are locked, not only the corrected ones: a row that comes later must not be held first. */
async function settleCorrections(tx: Transaction, rows: readonly RowChange[]): Promise<void> {
  if (!rows.some(needsCorrection)) return
  const held = await tx<(StockKey & { onHand: number; reserved: number })[]>`
    select s.node, s.sku, s.on_hand as "onHand", s.reserved
    from stock s join unnest(${rows.map((r) => r.node)}::text[], ${rows.map((r) => r.sku)}::text[]) as c (node, sku)
      using (node, sku)
    order by s.node, s.sku for update of s`
  const heldAt = new Map(held.map((r) => [stockKey(r.node, r.sku), r]))
  for (const change of rows) {
    const row = heldAt.get(stockKey(change.node, change.sku))
    if (row !== undefined) change.gone = goneFrom(row, change)
  }
}

/**
 * `rows` are in key order, and so are they locked: each is found by its key and changed at once, one after the other
 * (see `keyedPlans`). On a connection that plans otherwise two batches may deadlock; Postgres then ends one of them,
 * and it is decided again.
 */
function updateRows(tx: Transaction, rows: readonly RowChange[]) {
  return tx<{ node: string; sku: string }[]>`
    update stock s set reserved = s.reserved + c.reserve - c.release, on_hand = s.on_hand - c.gone
    from unnest(${rows.map((r) => r.node)}::text[], ${rows.map((r) => r.sku)}::text[],
      ${rows.map((r) => r.reserve)}::int[], ${rows.map((r) => r.release)}::int[], ${rows.map((r) => r.gone)}::int[])
      as c (node, sku, reserve, release, gone)
    where s.node = c.node and s.sku = c.sku
      and (c.reserve = 0 or s.available - c.gone >= c.reserve)
    returning s.node, s.sku`
}

async function insertReservations(tx: Transaction, newTasks: readonly NewTask[]): Promise<void> {
  if (newTasks.length === 0) return
  const tasks = newTasks.map((t) => t.task)
  await tx`
    insert into stock_movement (node, kind, ref, skus, on_hand, reserved)
    select node, 'reserve', ref, skus, array_fill(0, array[cardinality(skus)]), string_to_array(units, chr(31))::int[]
    from (
      select node, ref, string_to_array(sku_list, chr(31)) as skus, units
      from rows from (
        unnest(string_to_array(${textColumn(tasks.map((t) => t.node))}::text, chr(30))),
        unnest(string_to_array(${textColumn(newTasks.map((t) => t.reservationId))}::text, chr(30))),
        unnest(string_to_array(${listColumn(tasks.map((t) => t.lines.map((l) => l.sku)))}::text, chr(30))),
        unnest(string_to_array(${listColumn(tasks.map((t) => t.lines.map((l) => l.quantity)))}::text, chr(30)))
      ) as r (node, ref, sku_list, units)
    ) reservation`
}

interface Movement {
  readonly node: string
  readonly seq: number
  readonly kind: 'release' | 'correct'
  readonly ref: string
  readonly skus: readonly string[]
  readonly on_hand: readonly number[]
  readonly reserved: readonly number[]
}

/** `firstSeqs`: of each node, the number of its first release. */
function recordsOf(
  releases: readonly Release[],
  told: readonly ReleaseMovement[],
  firstSeqs: ReadonlyMap<string, number>,
): { deltas: NodeDelta[]; movements: Movement[] } {
  const next = new Map(firstSeqs)
  const deltas: NodeDelta[] = []
  const movements: Movement[] = []
  releases.forEach(({ node, taskId }, i) => {
    const { kind, lines } = told[i]!
    const seq = next.get(node)!
    next.set(node, seq + 1)
    movements.push({
      ...{ node, seq, kind, ref: taskId, skus: lines.map((l) => l.sku) },
      on_hand: lines.map((l) => l.onHand),
      reserved: lines.map((l) => l.reserved),
    })
    deltas.push(deltaOf(node, seq, told[i]!))
  })
  return { deltas, movements }
}

async function insertMovements(tx: Transaction, movements: readonly Movement[]): Promise<void> {
  if (movements.length === 0) return
  await tx`
    insert into stock_movement (node, node_seq, kind, ref, skus, on_hand, reserved)
    select node, seq, kind, ref, skus, on_hand, reserved
    from json_to_recordset(${jsonText(movements)}::text::json) as r
      (node text, seq bigint, kind text, ref text, skus text[], on_hand int[], reserved int[])`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
