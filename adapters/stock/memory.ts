/**
 * The same counters in plain maps: what the model test compares Redis with, and what a simulation runs on. Knows no
 * restarts and no time-outs; `forget` is what FLUSHALL does.
 */
import type { SkuQuantity } from '../../router/types.ts'
import { addUpLines } from './checks.ts'
import type {
  ApplyOutcome,
  ConfirmOutcome,
  HeldReservation,
  InspectOutcome,
  ReleaseOutcome,
  ReleaseRequest,
  ReloadOutcome,
  ReservationRef,
  ReserveOutcome,
  ReserveRequest,
  SkuAtp,
  StaleEpoch,
  StockCounters,
  StockDelta,
} from './counters.ts'

export interface NodeCounters {
  readonly epoch: number
  seq: number
  readonly atp: Map<string, number>
  readonly held: Map<string, HeldReservation>
}

export type MemoryImage = ReadonlyMap<string, NodeCounters>

export class MemoryStock implements StockCounters {
  readonly #nodes = new Map<string, NodeCounters>()

  forget(): void {
    this.#nodes.clear()
  }

  /** Everything as it is now, as a copy: what a dump would hold. */
  image(): MemoryImage {
    const nodes = [...this.#nodes].map(([node, { epoch, seq, atp, held }]) => {
      return [node, { epoch, seq, atp: new Map(atp), held: new Map(held) }] as const
    })
    return new Map(nodes)
  }

  /** What a restored dump does. */
  restore(image: MemoryImage): void {
    this.#nodes.clear()
    for (const [node, { epoch, seq, atp, held }] of image) {
      this.#nodes.set(node, { epoch, seq, atp: new Map(atp), held: new Map(held) })
    }
  }

  async reserve(epoch: number, nowMs: number, requests: readonly ReserveRequest[]): Promise<ReserveOutcome[]> {
    return requests.map((request): ReserveOutcome => {
      const counters = this.#current(request.node, epoch)
      if ('outcome' in counters) return counters
      const lines = addUpLines(request.lines)
      const outcome = decide(counters, request.reservationId, lines)
      if (outcome === 'reserved')
        for (const { sku, quantity } of lines) counters.atp.set(sku, counters.atp.get(sku)! - quantity)
      if (outcome === 'reserved' || outcome === 'already_reserved') {
        const { reservationId } = request
        counters.held.set(reservationId, { reservationId, madeAtMs: nowMs, lines })
      }
      return { outcome, atp: lines.map(({ sku }) => ({ sku, atp: counters.atp.get(sku) ?? 0 })) }
    })
  }

  async confirm(epoch: number, requests: readonly ReservationRef[]): Promise<ConfirmOutcome[]> {
    return requests.map(({ node, reservationId }): ConfirmOutcome => {
      const counters = this.#current(node, epoch)
      if ('outcome' in counters) return counters
      return { outcome: counters.held.delete(reservationId) ? 'confirmed' : 'absent' }
    })
  }

  async release(epoch: number, requests: readonly ReleaseRequest[]): Promise<ReleaseOutcome[]> {
    return requests.map(({ node, reservationId, madeAtMs }): ReleaseOutcome => {
      const counters = this.#current(node, epoch)
      if ('outcome' in counters) return counters
      const record = counters.held.get(reservationId)
      if (record === undefined) return { outcome: 'absent' }
      if (madeAtMs !== undefined && record.madeAtMs !== madeAtMs) return { outcome: 'asked_again' }
      for (const { sku, quantity } of record.lines) add(counters.atp, sku, quantity)
      counters.held.delete(reservationId)
      return { outcome: 'released' }
    })
  }

  async apply(epoch: number, node: string, fromSeq: number, deltas: readonly StockDelta[]): Promise<ApplyOutcome> {
    const counters = this.#current(node, epoch)
    if ('outcome' in counters) return counters
    const { seq, atp } = counters
    if (fromSeq > seq + 1) return { outcome: 'seq_gap', seq }
    const fresh = deltas.slice(seq + 1 - fromSeq)
    if (fresh.length === 0) return { outcome: 'already_applied', seq }
    const skus = new Set<string>()
    for (const { sku, delta } of fresh.flatMap(({ lines }) => lines)) {
      skus.add(sku)
      add(atp, sku, delta)
    }
    counters.seq = seq + fresh.length
    return {
      outcome: 'applied',
      seq: counters.seq,
      applied: fresh.length,
      atp: [...skus].map((sku) => ({ sku, atp: atp.get(sku)! })),
    }
  }

  async reload(
    epoch: number,
    node: string,
    seq: number,
    rows: Iterable<SkuAtp> | AsyncIterable<SkuAtp>,
  ): Promise<ReloadOutcome> {
    const before = this.#nodes.get(node)
    if (before !== undefined && before.epoch >= epoch) return { outcome: 'stale_epoch', currentEpoch: before.epoch }
    const atp = new Map<string, number>()
    let count = 0
    for await (const row of rows) {
      atp.set(row.sku, row.atp)
      count += 1
    }
    this.#nodes.set(node, { epoch, seq, atp, held: new Map() })
    return { outcome: 'reloaded', rows: count }
  }

  async inspect(epoch: number, node: string, skus?: readonly string[]): Promise<InspectOutcome> {
    const counters = this.#current(node, epoch)
    if ('outcome' in counters) return counters
    const asked = skus === undefined ? [...counters.atp] : [...counters.atp].filter(([sku]) => skus.includes(sku))
    const held = skus === undefined ? [...counters.held.values()] : []
    return { outcome: 'inspected', seq: counters.seq, atp: new Map(asked), held }
  }

  #current(node: string, epoch: number): NodeCounters | StaleEpoch {
    const counters = this.#nodes.get(node)
    if (counters?.epoch === epoch) return counters
    return { outcome: 'stale_epoch', currentEpoch: counters?.epoch ?? null }
  }
}

function decide({ atp, held }: NodeCounters, reservationId: string, lines: readonly SkuQuantity[]) {
  const record = held.get(reservationId)
  if (record !== undefined) {
    const same =
      record.lines.length === lines.length &&
      record.lines.every(({ sku, quantity }, i) => lines[i]!.sku === sku && lines[i]!.quantity === quantity)
    return same ? 'already_reserved' : 'exists_with_different_lines'
  }
  return lines.every(({ sku, quantity }) => (atp.get(sku) ?? 0) >= quantity) ? 'reserved' : 'insufficient_stock'
}

function add(atp: Map<string, number>, sku: string, units: number): void {
  atp.set(sku, (atp.get(sku) ?? 0) + units)
}
