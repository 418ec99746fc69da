import { postedUnits, postTo } from '../../../router/posting.ts'
import { availableOf, type NodeDelta } from '../../../router/stock.ts'
import type { LockedBooks, ReservationName } from '../order-store.ts'
import type { NodeFigures, Posted, Posting } from '../stock/stock.ts'
import { compare, nextNodeSeq, pairKey, type Tables } from './tables.ts'

/** Knows no catalog: every SKU is a plain one. */
export function postStock(tables: Tables, { node, ref, kind, lines, bodyHash }: Posting): Posted {
  const known = tables.postings.get(pairKey(node, ref))
  if (known !== undefined) {
    return { outcome: known === bodyHash.toString('hex') ? 'already_posted' : 'ref_used_for_other_lines' }
  }
  const units = postedUnits(kind, lines)
  const rows = tables.stock.get(node)!
  const { safety } = tables.nodes.get(node)!
  const before = [...units.keys()].sort(compare).map((sku) => {
    return { ...(rows.get(sku) ?? { onHand: 0, reserved: 0, safety }), sku, isNew: !rows.has(sku) }
  })
  const done = postTo(kind, units, before)
  if (done.outcome !== 'posted') return done
  tables.postings.set(pairKey(node, ref), bodyHash.toString('hex'))
  const seq = nextNodeSeq(tables, node)
  before.forEach(({ sku, onHand, reserved, safety: kept }, i) => {
    rows.set(sku, { onHand: onHand + done.moved[i]!.onHand, reserved, safety: kept })
  })
  tables.movements.push({ node, seq, kind, ref, lines: done.moved })
  return { outcome: 'posted', delta: { node, seq, lines: done.delta }, shortages: done.shortages }
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

/** What is read while the epoch is locked. */
export function lockedBooks(tables: Tables): LockedBooks {
  return {
    nodeNames: async () => [...tables.nodes.keys()].sort(compare),
    figuresOf: async (nodes) => figuresOf(tables, nodes),
  }
}

/** Parts those reservations that a committed decision made from all others. */
export function partedByCommit<R extends ReservationName>(tables: Tables, reservations: readonly R[]) {
  const isCommitted = (r: R): boolean => tables.reserved.has(pairKey(r.node, r.reservationId))
  return { committed: reservations.filter(isCommitted), others: reservations.filter((r) => !isCommitted(r)) }
}
