/** The stock of a batch: see ../move-stock.ts, whose meaning this has. */
import type { NewTask, NodeDelta, Release } from '../stock/move-stock.ts'
import { nextNodeSeq, pairKey, type StockRow, type Tables } from './tables.ts'

export interface Place {
  readonly node: string
  readonly sku: string
  reserve: number
  release: number
  missing: number
  nothingLeft: boolean
  /** Units that leave the books. */
  gone: number
}

export function placesOf(newTasks: readonly NewTask[], releases: readonly Release[]): Map<string, Place> {
  const places = new Map<string, Place>()
  const at = (node: string, sku: string): Place => {
    const key = pairKey(node, sku)
    const known = places.get(key)
    if (known !== undefined) return known
    const place = { node, sku, reserve: 0, release: 0, missing: 0, nothingLeft: false, gone: 0 }
    places.set(key, place)
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

export function settleGone(tables: Tables, places: ReadonlyMap<string, Place>): void {
  for (const place of places.values()) {
    const row = rowOf(tables, place)
    if (row === undefined || (place.missing === 0 && !place.nothingLeft)) continue
    const counted = row.onHand - place.missing
    const believed = place.nothingLeft ? Math.min(counted, row.reserved - place.release) : counted
    place.gone = row.onHand - Math.max(0, believed)
  }
}

/** Those that have less than is to be reserved. */
export function shortOf(tables: Tables, places: ReadonlyMap<string, Place>): Place[] {
  return [...places.values()].filter((place) => {
    const row = rowOf(tables, place)
    if (row === undefined) return true
    return place.reserve > 0 && row.onHand - place.gone - row.safety - row.reserved < place.reserve
  })
}

/** Writes; gives what Redis has to be told. */
export function moveStock(
  tables: Tables,
  places: ReadonlyMap<string, Place>,
  newTasks: readonly NewTask[],
  releases: readonly Release[],
): NodeDelta[] {
  for (const place of places.values()) {
    const row = rowOf(tables, place)!
    row.reserved += place.reserve - place.release
    row.onHand -= place.gone
  }
  for (const { task, reservationId } of newTasks) {
    tables.reserved.add(pairKey(task.node, reservationId))
    const lines = task.lines.map(({ sku, quantity }) => ({ sku, onHand: 0, reserved: quantity, safety: 0 }))
    tables.movements.push({ node: task.node, seq: null, kind: 'reserve', ref: reservationId, lines })
  }
  const written = new Set<string>()
  return releases.map((release) => writeRelease(tables, places, release, written))
}

/** What is gone from a place is written down with the first release that says so. */
function writeRelease(
  tables: Tables,
  places: ReadonlyMap<string, Place>,
  { node, taskId, lines, corrections }: Release,
  written: Set<string>,
): NodeDelta {
  const gone = new Map<string, number>()
  for (const { sku } of corrections) {
    const key = pairKey(node, sku)
    if (!written.has(key)) gone.set(sku, places.get(key)!.gone)
    written.add(key)
  }
  const seq = nextNodeSeq(tables, node)
  const skus = [...new Set([...lines.map((l) => l.sku), ...gone.keys()])]
  const moved = skus.map((sku) => {
    const given = lines.find((l) => l.sku === sku)?.quantity ?? 0
    return { sku, onHand: -(gone.get(sku) ?? 0), reserved: -given, safety: 0 }
  })
  tables.movements.push({
    ...{ node, seq, kind: corrections.length > 0 ? 'correct' : 'release', ref: taskId, lines: moved },
  })
  return { node, seq, lines: moved.map(({ sku, onHand, reserved }) => ({ sku, delta: onHand - reserved })) }
}

function rowOf(tables: Tables, { node, sku }: Place): StockRow | undefined {
  return tables.stock.get(node)?.get(sku)
}
