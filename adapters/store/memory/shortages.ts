/** Where more is promised than there is: see ../stock/shortages.ts, whose meaning this has. */
import { shortageOf } from '../../../router/stock.ts'
import type { StockKey } from '../../../router/types.ts'
import type { ReadShortages } from '../order-store.ts'
import type { ShortRow, UnpulledTask } from '../stock/shortages.ts'
import { end, openRows } from './exceptions.ts'
import { compare, pairKey, type Tables } from './tables.ts'

export function shortRows(
  tables: Tables,
  of: { readonly node: string; readonly skus: readonly string[] } | null,
): ShortRow[] {
  const all = [...tables.stock].flatMap(([node, rows]) => [...rows.keys()].map((sku) => ({ node, sku })))
  return shortAt(tables, of === null ? all : of.skus.map((sku) => ({ node: of.node, sku })))
}

export function shortAmong(tables: Tables, places: readonly StockKey[], nodes: readonly string[]): ShortRow[] {
  const known = openShortages(tables).map(({ detail }) => ({ node: String(detail.node), sku: String(detail.sku) }))
  const ofNodes = nodes.flatMap((node) => [...(tables.stock.get(node)?.keys() ?? [])].map((sku) => ({ node, sku })))
  return shortAt(tables, [...places, ...known, ...ofNodes])
}

function shortAt(tables: Tables, places: readonly StockKey[]): ShortRow[] {
  const once = new Map(places.map((p) => [pairKey(p.node, p.sku), p]))
  return [...once.values()]
    .flatMap(({ node, sku }) => {
      const row = tables.stock.get(node)?.get(sku)
      const missing = row === undefined ? 0 : shortageOf(row)
      return missing > 0 ? [{ node, sku, missing }] : []
    })
    .sort((a, b) => compare(a.node, b.node) || compare(a.sku, b.sku))
}

export function readShortages(
  tables: Tables,
  places: readonly StockKey[],
  recallIdOf: (task: UnpulledTask) => string,
): ReadShortages {
  const short = shortAt(tables, places)
  const tasks = short.flatMap((at) => unpulledTasks(tables, at))
  tasks.sort((a, b) => b.createdAt - a.createdAt || compare(b.task.taskId, a.task.taskId))
  const pending = new Set([...tables.pending.values()].map((p) => p.eventId))
  const unpulled = tasks.map(({ task }) => task)
  return { short, tasks: unpulled, recalled: new Set(unpulled.map(recallIdOf).filter((id) => pending.has(id))) }
}

function unpulledTasks(tables: Tables, { node, sku }: StockKey): { createdAt: number; task: UnpulledTask }[] {
  return [...tables.tasks.values()].flatMap(({ task, orderId: id, createdAt }) => {
    const lines = task.lines.filter((l) => l.sku === sku)
    if (task.node !== node || task.state !== 'ready' || lines.length === 0) return []
    const { channel, shop, orderId } = tables.orders.get(id)!
    const quantity = lines.reduce((sum, l) => sum + l.quantity, 0)
    return [{ createdAt, task: { node, sku, taskId: task.taskId, channel, shop, orderId, quantity } }]
  })
}

export function endShortages(tables: Tables, nowMs: number): number {
  const isOver = ({ detail }: { readonly detail: Readonly<Record<string, unknown>> }): boolean => {
    const row = tables.stock.get(String(detail.node))?.get(String(detail.sku))
    return row !== undefined && shortageOf(row) === 0
  }
  return end(openShortages(tables).filter(isOver), nowMs)
}

function openShortages(tables: Tables) {
  return openRows(tables).filter(({ kind }) => kind === 'shortage')
}
