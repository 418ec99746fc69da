/**
 * The stock of a batch of decisions: what its new tasks take, what its cancelled ones give back, and what a warehouse found
 * not to be there.
 *
 * Locks: first the nodes whose changes Redis has to be told, then every stock row, each by key.
 */
import type { SkuQuantity, Task } from '../../../router/types.ts'
import type { Transaction } from '../postgres/connect.ts'
import { jsonText, listColumn, textColumn } from '../postgres/json-text.ts'
import { together } from '../postgres/together.ts'

export interface StockCorrection {
  readonly sku: string
  /** Units that are not there. */
  readonly missing: number
  /** Nothing may be promised from here until the next count. */
  readonly believeNothingLeft: boolean
}

/** A task whose units are given back. */
export interface Release {
  readonly taskId: string
  readonly node: string
  readonly lines: readonly SkuQuantity[]
  readonly corrections: readonly StockCorrection[]
}

/** A task with the reservation that its units were taken by. */
export interface NewTask {
  readonly task: Task
  readonly reservationId: string
}

/** A change of what a node can promise, numbered: Redis is told in this order. */
export interface NodeDelta {
  readonly node: string
  readonly seq: number
  readonly lines: readonly { readonly sku: string; readonly delta: number }[]
}

export type StockMoved =
  | { readonly outcome: 'moved'; readonly deltas: readonly NodeDelta[] }
  /** The transaction has to be rolled back: these have less than was to be reserved. */
  | { readonly outcome: 'stock_refused'; readonly short: readonly { readonly node: string; readonly sku: string }[] }

/** What happens to one SKU at one node in the whole batch. */
interface Place {
  readonly node: string
  readonly sku: string
  reserve: number
  release: number
  missing: number
  nothingLeft: boolean
  /** Units that leave the books: settled once the row is locked. */
  gone: number
}

export async function moveStock(
  tx: Transaction,
  newTasks: readonly NewTask[],
  releases: readonly Release[],
): Promise<StockMoved> {
  const places = placesOf(newTasks, releases)
  if (places.size === 0) return { outcome: 'moved', deltas: [] }
  const rows = [...places.values()].sort((a, b) => compare(a.node, b.node) || compare(a.sku, b.sku))
  const seqs = await numberReleases(tx, releases)
  await settleCorrections(tx, rows)
  const { deltas, movements } = recordsOf(releases, places, seqs)
  const [moved] = await together([
    updateRows(tx, rows),
    insertReservations(tx, newTasks),
    insertMovements(tx, movements),
  ])
  if (moved.length === rows.length) return { outcome: 'moved', deltas }
  const done = new Set(moved.map((r) => placeKey(r.node, r.sku)))
  const short = rows.filter((r) => !done.has(placeKey(r.node, r.sku))).map(({ node, sku }) => ({ node, sku }))
  return { outcome: 'stock_refused', short }
}

function placesOf(newTasks: readonly NewTask[], releases: readonly Release[]): Map<string, Place> {
  const places = new Map<string, Place>()
  const at = (node: string, sku: string): Place => {
    const key = placeKey(node, sku)
    let place = places.get(key)
    if (place === undefined) {
      place = { node, sku, reserve: 0, release: 0, missing: 0, nothingLeft: false, gone: 0 }
      places.set(key, place)
    }
    return place
  }
  for (const { task } of newTasks) for (const l of task.lines) at(task.node, l.sku).reserve += l.quantity
  for (const { node, lines, corrections } of releases) {
    for (const l of lines) at(node, l.sku).release += l.quantity
    for (const { sku, missing, believeNothingLeft } of corrections) {
      const place = at(node, sku)
      place.missing += missing
      place.nothingLeft ||= believeNothingLeft
    }
  }
  return places
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

/**
 * All of the batch's rows are locked, not only the corrected ones: a row that comes later must not be held first.
 * What is given back counts as given back already, so that "nothing left" leaves exactly what others are promised.
 */
async function settleCorrections(tx: Transaction, rows: readonly Place[]): Promise<void> {
  if (rows.every((r) => r.missing === 0 && !r.nothingLeft)) return
  const held = await tx<{ node: string; sku: string; on_hand: number; reserved: number }[]>`
    select s.node, s.sku, s.on_hand, s.reserved
    from stock s join unnest(${rows.map((r) => r.node)}::text[], ${rows.map((r) => r.sku)}::text[]) as c (node, sku)
      using (node, sku)
    order by s.node, s.sku for update of s`
  const heldAt = new Map(held.map((r) => [placeKey(r.node, r.sku), r]))
  for (const place of rows) {
    const row = heldAt.get(placeKey(place.node, place.sku))
    if (row === undefined) continue
    const counted = row.on_hand - place.missing
    const believed = place.nothingLeft ? Math.min(counted, row.reserved - place.release) : counted
    place.gone = row.on_hand - Math.max(0, believed)
  }
}

/**
 * `rows` are in key order, and so are they locked: each is found by its key and changed at once, one after the other
 * (see `keyedPlans`). On a connection that plans otherwise two batches may deadlock; Postgres then ends one of them, and
 * it is decided again.
 */
function updateRows(tx: Transaction, rows: readonly Place[]) {
  return tx<{ node: string; sku: string }[]>`
    update stock s set reserved = s.reserved + c.reserve - c.release, on_hand = s.on_hand - c.gone
    from unnest(${rows.map((r) => r.node)}::text[], ${rows.map((r) => r.sku)}::text[],
      ${rows.map((r) => r.reserve)}::int[], ${rows.map((r) => r.release)}::int[], ${rows.map((r) => r.gone)}::int[])
      as c (node, sku, reserve, release, gone)
    where s.node = c.node and s.sku = c.sku
      and (c.reserve = 0 or s.on_hand - c.gone - s.safety - s.reserved >= c.reserve)
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

/** What is gone from a place is written down with the first release that says so. */
function recordsOf(
  releases: readonly Release[],
  places: ReadonlyMap<string, Place>,
  firstSeqs: ReadonlyMap<string, number>,
): { deltas: NodeDelta[]; movements: Movement[] } {
  const next = new Map(firstSeqs)
  const written = new Set<string>()
  const deltas: NodeDelta[] = []
  const movements: Movement[] = []
  for (const { node, taskId, lines, corrections } of releases) {
    const gone = new Map<string, number>()
    for (const { sku } of corrections) {
      const key = placeKey(node, sku)
      if (!written.has(key)) gone.set(sku, places.get(key)!.gone)
      written.add(key)
    }
    const seq = next.get(node)!
    next.set(node, seq + 1)
    const skus = [...new Set([...lines.map((l) => l.sku), ...gone.keys()])]
    const given = skus.map((sku) => lines.find((l) => l.sku === sku)?.quantity ?? 0)
    const lost = skus.map((sku) => gone.get(sku) ?? 0)
    movements.push({
      ...{ node, seq, kind: corrections.length > 0 ? 'correct' : 'release', ref: taskId, skus },
      on_hand: lost.map((q) => -q),
      reserved: given.map((q) => -q),
    })
    deltas.push({ node, seq, lines: skus.map((sku, i) => ({ sku, delta: given[i]! - lost[i]! })) })
  }
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

function placeKey(node: string, sku: string): string {
  return `${node}\u0000${sku}`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
