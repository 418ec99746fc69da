/** What holding Redis against the store reads: see ../stock/watch-stock.ts, whose meaning this has. */
import { availableOf, shortageOf, stockKey } from '../../../router/stock.ts'
import type { Books, ChangedStock, NodeSeq } from '../stock/watch-stock.ts'
import { compare, pairKey, type Tables } from './tables.ts'

export function nodeSeqs(tables: Tables): NodeSeq[] {
  const rows = [...tables.nodes.values()].sort((a, b) => compare(a.node, b.node))
  return rows.map(({ node, seq }) => ({ node, seq }))
}

export function changedSince(tables: Tables, nodes: readonly NodeSeq[]): ChangedStock[] {
  const changed = new Map<string, ChangedStock>()
  for (const { node, seq } of nodes) {
    for (const movement of tables.movements) {
      if (movement.node !== node || movement.seq === null || movement.seq <= seq) continue
      for (const { sku } of movement.lines) {
        const row = tables.stock.get(node)!.get(sku)!
        changed.set(stockKey(node, sku), { node, sku, available: availableOf(row), isShort: shortageOf(row) > 0 })
      }
    }
  }
  return [...changed.values()]
}

export function figuresWithCommitted(tables: Tables, node: string, reservationIds: readonly string[]): Books | null {
  const row = tables.nodes.get(node)
  if (row === undefined) return null
  return {
    seq: row.seq,
    available: new Map([...tables.stock.get(node)!].map(([sku, figures]) => [sku, availableOf(figures)])),
    committed: [...new Set(reservationIds)].filter((id) => tables.reserved.has(pairKey(node, id))),
  }
}
