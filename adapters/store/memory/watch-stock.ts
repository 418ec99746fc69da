/** What holding Redis against Postgres reads: see ../stock/watch-stock.ts, whose meaning this has. */
import { availableOf } from '../../../router/stock.ts'
import type { Books, ChangedStock, NodeSeq } from '../stock/watch-stock.ts'
import { compare, pairKey, type Tables } from './tables.ts'

export function nodeSeqs(tables: Tables): NodeSeq[] {
  const rows = [...tables.nodes.values()].map(({ node, seq }) => ({ node, seq }))
  return rows.sort((a, b) => compare(a.node, b.node))
}

export function changedSince(tables: Tables, nodes: readonly NodeSeq[]): ChangedStock[] {
  return nodes.flatMap(({ node, seq }) => {
    const changed = tables.movements.filter((m) => m.node === node && m.seq !== null && m.seq > seq)
    const skus = new Set(changed.flatMap((m) => m.lines.map((l) => l.sku)))
    return [...skus].flatMap((sku) => {
      const row = tables.stock.get(node)?.get(sku)
      if (row === undefined) return []
      return [{ node, sku, available: availableOf(row), isShort: row.reserved > row.onHand }]
    })
  })
}

export function figuresWithCommitted(tables: Tables, node: string, reservationIds: readonly string[]): Books | null {
  const row = tables.nodes.get(node)
  if (row === undefined) return null
  return {
    seq: row.seq,
    available: new Map([...tables.stock.get(node)!].map(([sku, stock]) => [sku, availableOf(stock)])),
    committed: reservationIds.filter((id) => tables.reserved.has(pairKey(node, id))),
  }
}
