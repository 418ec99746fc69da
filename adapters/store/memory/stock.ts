import { countTime, type GoodsKind, goodsKinds, goodsMoved, postedUnits, postTo } from '../../../router/posting.ts'
import { availableOf, type NodeDelta } from '../../../router/stock.ts'
import type { LockedBooks, ReservationName } from '../order-store.ts'
import type { NodeFigures, Posted, Posting } from '../stock/stock.ts'
import { compare, nextNodeSeq, pairKey, type Tables } from './tables.ts'

/** Knows no catalog: every SKU is a plain one. */
export function postStock(tables: Tables, posting: Posting, nowMs: number): Posted {
  const { node, ref, kind, lines, bodyHash } = posting
  const known = tables.postings.get(pairKey(node, ref))
  if (known !== undefined) {
    return { outcome: known === bodyHash.toString('hex') ? 'already_posted' : 'ref_used_for_other_lines' }
  }
  const units = postedUnits(kind, lines)
  const rows = tables.stock.get(node)!
  const { safety } = tables.nodes.get(node)!
  const times = kind === 'set' ? { countedAt: posting.countedAt ?? null, nowMs } : null
  const before = [...units.keys()].sort(compare).map((sku) => {
    const row = rows.get(sku) ?? { onHand: 0, reserved: 0, safety, countedAtMs: null }
    const movedSince = goodsMovedSince(tables, node, sku, times?.countedAt ?? null)
    return { ...row, sku, isNew: !rows.has(sku), lastCountedAt: row.countedAtMs, movedSince }
  })
  const done = postTo(kind, units, before, times)
  if (done.outcome !== 'posted') return done
  tables.postings.set(pairKey(node, ref), bodyHash.toString('hex'))
  const seq = nextNodeSeq(tables, node)
  before.forEach(({ sku, onHand, reserved, safety: kept, lastCountedAt }, i) => {
    const countedAtMs = times === null ? lastCountedAt : Math.max(lastCountedAt ?? 0, countTime(times))
    rows.set(sku, { onHand: onHand + done.moved[i]!.onHand, reserved, safety: kept, countedAtMs })
  })
  tables.movements.push({ node, seq, kind, ref, lines: done.moved, atMs: nowMs })
  return { outcome: 'posted', delta: { node, seq, lines: done.delta }, shortages: done.shortages }
}

function goodsMovedSince(tables: Tables, node: string, sku: string, sinceMs: number | null): number {
  if (sinceMs === null) return 0
  let units = 0
  for (const { node: of, kind, lines, atMs } of tables.movements) {
    if (of !== node || atMs <= sinceMs || !isGoodsKind(kind)) continue
    for (const line of lines) if (line.sku === sku) units += goodsMoved(kind, line)
  }
  return units
}

function isGoodsKind(kind: string): kind is GoodsKind {
  return (goodsKinds as readonly string[]).includes(kind)
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

export function hasReserved(tables: Tables, node: string): boolean {
  return [...(tables.stock.get(node)?.values() ?? [])].some((row) => row.reserved > 0)
}
