/** The stock of a batch: see ../stock/move-stock.ts, whose meaning this has. */
import {
  availableOf,
  deltaOf,
  goneFrom,
  type NewTask,
  type NodeDelta,
  needsCorrection,
  type Release,
  type RowChange,
  releaseMovements,
} from '../../../router/stock.ts'
import type { StockKey } from '../../../router/types.ts'
import { nextNodeSeq, pairKey, type StockRow, type Tables } from './tables.ts'

export function settleGone(tables: Tables, changes: ReadonlyMap<string, RowChange>): void {
  for (const change of changes.values()) {
    const row = rowOf(tables, change)
    if (row !== undefined && needsCorrection(change)) change.gone = goneFrom(row, change)
  }
}

/** Those that have less than is to be reserved. */
export function shortOf(tables: Tables, changes: ReadonlyMap<string, RowChange>): RowChange[] {
  return [...changes.values()].filter((change) => {
    const row = rowOf(tables, change)
    if (row === undefined) return true
    return change.reserve > 0 && availableOf({ ...row, onHand: row.onHand - change.gone }) < change.reserve
  })
}

/** Writes; gives what Redis has to be told. */
export function moveStock(
  tables: Tables,
  changes: ReadonlyMap<string, RowChange>,
  newTasks: readonly NewTask[],
  releases: readonly Release[],
  atMs: number,
): NodeDelta[] {
  for (const change of changes.values()) {
    const row = rowOf(tables, change)!
    row.reserved += change.reserve - change.release
    row.onHand -= change.gone
  }
  for (const { task, reservationId } of newTasks) {
    tables.reserved.add(pairKey(task.node, reservationId))
    const lines = task.lines.map(({ sku, quantity }) => ({ sku, onHand: 0, reserved: quantity, safety: 0 }))
    tables.movements.push({ node: task.node, seq: null, kind: 'reserve', ref: reservationId, lines, atMs })
  }
  const told = releaseMovements(releases, changes)
  return releases.map(({ node, taskId }, i) => {
    const { kind, lines } = told[i]!
    const seq = nextNodeSeq(tables, node)
    tables.movements.push({ node, seq, kind, ref: taskId, lines: lines.map((l) => ({ ...l, safety: 0 })), atMs })
    return deltaOf(node, seq, told[i]!)
  })
}

function rowOf(tables: Tables, { node, sku }: StockKey): StockRow | undefined {
  return tables.stock.get(node)?.get(sku)
}
