/** Where more is promised than there is: see ../stock/shortages.ts, whose meaning this has. */

import type { MissingUnits } from '../../../router/shortage.ts'
import { shortageOf, stockKey } from '../../../router/stock.ts'
import { addUp } from '../../../router/told-lines.ts'
import type { StockKey } from '../../../router/types.ts'
import type { StockStore } from '../order-store.ts'
import type { ReadShortages } from '../stock/read-shortages.ts'
import type { UnpulledTask } from '../stock/shortages.ts'
import { end, lastingOf } from './exceptions.ts'
import { pendingAmong } from './pending.ts'
import { compare, type StockRow, type Tables } from './tables.ts'

export function shortRows(tables: Tables, of: Parameters<StockStore['shortRows']>[0]): MissingUnits[] {
  const places = everyPlace(tables, of === null ? [...tables.stock.keys()] : [of.node])
  return shortAt(
    tables,
    places.filter(({ sku }) => of === null || of.skus.includes(sku)),
  )
}

export function shortAmong(tables: Tables, places: readonly StockKey[], nodes: readonly string[]): MissingUnits[] {
  const known = lastingOf(tables, 'shortage').map(({ detail: { node, sku } }) => ({
    node: String(node),
    sku: String(sku),
  }))
  const all = [...places, ...known, ...everyPlace(tables, nodes)]
  return shortAt(tables, [...new Map(all.map((place) => [stockKey(place.node, place.sku), place])).values()])
}

export function readShortages(
  tables: Tables,
  places: readonly StockKey[],
  recallIdOf: (task: UnpulledTask) => string,
): ReadShortages {
  const short = shortAt(tables, places)
  const tasks = unpulledTasks(tables, short)
  return { short, tasks, recalled: pendingAmong(tables, tasks.map(recallIdOf)) }
}

export function endShortages(tables: Tables, nowMs: number): number {
  const isOver = ({ node, sku }: Readonly<Record<string, unknown>>): boolean => {
    const row = rowAt(tables, { node: String(node), sku: String(sku) })
    return row !== undefined && shortageOf(row) === 0
  }
  return end(tables, ({ kind, detail }) => kind === 'shortage' && isOver(detail), nowMs)
}

function everyPlace(tables: Tables, nodes: readonly string[]): StockKey[] {
  return nodes.flatMap((node) => [...(tables.stock.get(node)?.keys() ?? [])].map((sku) => ({ node, sku })))
}

/** In the sequence of their keys; a place that is given twice is told twice. */
function shortAt(tables: Tables, places: readonly StockKey[]): MissingUnits[] {
  const short = places.flatMap(({ node, sku }) => {
    const row = rowAt(tables, { node, sku })
    const missing = row === undefined ? 0 : shortageOf(row)
    return missing > 0 ? [{ node, sku, missing }] : []
  })
  return short.sort((a, b) => compare(a.node, b.node) || compare(a.sku, b.sku))
}

/** Newest first. */
function unpulledTasks(tables: Tables, places: readonly StockKey[]): UnpulledTask[] {
  const ready = [...tables.tasks.values()].filter(({ task }) => task.state === 'ready')
  ready.sort((a, b) => b.createdAt - a.createdAt || compare(b.task.taskId, a.task.taskId))
  return ready.flatMap(({ task, orderId: id }) => {
    const units = addUp(task.lines)
    const { channel, shop, orderId } = tables.orders.get(id)!
    return places.flatMap(({ node, sku }) => {
      const quantity = units.get(sku)
      if (task.node !== node || quantity === undefined) return []
      return [{ node, sku, taskId: task.taskId, channel, shop, orderId, quantity }]
    })
  })
}

function rowAt(tables: Tables, { node, sku }: StockKey): StockRow | undefined {
  return tables.stock.get(node)?.get(sku)
}
