import { availableOf, type NodeDelta, shortageOf } from '../../../router/stock.ts'
import type { NodeFigures, Posted, Posting } from '../stock/stock.ts'
import { compare, nextNodeSeq, pairKey, type Tables } from './tables.ts'

/** Knows no catalog: every SKU is a plain one. */
export function postStock(tables: Tables, { node, ref, kind, lines, bodyHash }: Posting): Posted {
  const known = tables.postings.get(pairKey(node, ref))
  if (known !== undefined) {
    return { outcome: known === bodyHash.toString('hex') ? 'already_posted' : 'ref_used_for_other_lines' }
  }
  const quantities = new Map<string, number>()
  for (const l of lines) quantities.set(l.sku, kind === 'set' ? l.quantity : (quantities.get(l.sku) ?? 0) + l.quantity)
  const rows = tables.stock.get(node)!
  const skus = [...quantities.keys()].sort(compare)
  const after = (sku: string): number =>
    kind === 'set' ? quantities.get(sku)! : (rows.get(sku)?.onHand ?? 0) + quantities.get(sku)!
  const below = skus.filter((sku) => after(sku) < 0)
  if (below.length > 0) return { outcome: 'below_zero', skus: below }
  tables.postings.set(pairKey(node, ref), bodyHash.toString('hex'))
  const seq = nextNodeSeq(tables, node)
  const moved = skus.map((sku) => {
    const isNew = !rows.has(sku)
    const { safety } = tables.nodes.get(node)!
    const row = rows.get(sku) ?? { onHand: 0, reserved: 0, safety }
    const onHand = after(sku) - row.onHand
    row.onHand += onHand
    rows.set(sku, row)
    return { sku, onHand, reserved: 0, safety: isNew ? safety : 0 }
  })
  tables.movements.push({ node, seq, kind, ref, lines: moved })
  const shortages = skus.map((sku) => ({ sku, missing: shortageOf(rows.get(sku)!) }))
  const delta = { node, seq, lines: moved.map((m) => ({ sku: m.sku, delta: m.onHand - m.safety })) }
  return { outcome: 'posted', delta, shortages: shortages.filter((s) => s.missing > 0) }
}

export function figuresOf(tables: Tables, nodes: readonly string[]): NodeFigures[] {
  return nodes.flatMap((node) => {
    const row = tables.nodes.get(node)
    if (row === undefined) return []
    const available = [...tables.stock.get(node)!].map(([sku, s]) => {
      return { sku, available: availableOf(s) }
    })
    return [{ node, no: row.no, seq: row.seq, available }]
  })
}

export function deltasAfter(tables: Tables, node: string, fromSeq: number): NodeDelta[] {
  const rows = tables.movements.filter((m) => m.node === node && m.seq !== null && m.seq > fromSeq)
  rows.sort((a, b) => a.seq! - b.seq!)
  return rows.map(({ seq, lines }) => ({
    ...{ node, seq: seq! },
    lines: lines.map((l) => ({ sku: l.sku, delta: availableOf(l) })),
  }))
}
