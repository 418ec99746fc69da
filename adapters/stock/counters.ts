/**
 * What the rest of Paidan knows of the stock counters: the questions, and the outcomes by name. `Stock` answers them
 * from Redis, `MemoryStock` from plain maps.
 *
 *   reserve ──▶ Postgres commits ──▶ confirm (the record goes, the goods stay taken)
 *      │
 *      └──────▶ refused somewhere ─▶ release (the goods go back, the record goes)
 *
 * A record exists only between the two. So at any time, per node and SKU:
 *   atp + Σ held = Postgres' (on hand − safety − reserved), as of the change that the node's `seq` names.
 *
 * Every question carries the stock epoch. `stale_epoch` means that nothing was changed: either the asker is behind
 * (`currentEpoch` is greater) or the node is (smaller, or null: not loaded, being loaded, or emptied).
 */
import { orderItemsMax } from '../../router/bundle.ts'
import type { SkuQuantity } from '../../router/types.ts'

/** One order line's worth of units; a reservation adds up to at most `linesMax` of these. */
export const quantityMax = 1_000_000
/** One reservation is the part of one order that one node ships; an order may lie at one node whole. */
export const linesMax = orderItemsMax
/** Counters are doubles in Lua: see common.lua. */
export const counterMax = 2 ** 52
/** Platform codes are far shorter; keys and records stay small. */
export const nameCharsMax = 256

export interface ReservationRef {
  readonly node: string
  /** Derived from the order and the attempt, so that asking again asks about the same reservation. */
  readonly reservationId: string
}

export interface ReserveRequest extends ReservationRef {
  readonly lines: readonly SkuQuantity[]
}

/** Units available to promise at one node; below zero when a count found less than is reserved. */
export interface SkuAtp {
  readonly sku: string
  readonly atp: number
}

export interface ReleaseRequest extends ReservationRef {
  /** Releases the record that was made then, and no younger one: another attempt may have asked for it again since. */
  readonly madeAtMs?: number
}

export interface StaleEpoch {
  readonly outcome: 'stale_epoch'
  readonly currentEpoch: number | null
}

export type ReserveOutcome =
  | {
      readonly outcome: 'reserved' | 'already_reserved' | 'exists_with_different_lines' | 'insufficient_stock'
      /** What is left of each SKU asked for, once each and sorted by SKU: for a refusal, what there was to take. */
      readonly atp: readonly SkuAtp[]
    }
  | StaleEpoch

export type ConfirmOutcome = { readonly outcome: 'confirmed' | 'absent' } | StaleEpoch
export type ReleaseOutcome = { readonly outcome: 'released' | 'absent' | 'asked_again' } | StaleEpoch

/** One numbered change that Postgres made first. */
export interface StockDelta {
  readonly lines: readonly {
    readonly sku: string
    /** Units that became available; negative when they no longer are. */
    readonly delta: number
  }[]
}

export type ApplyOutcome =
  | {
      readonly outcome: 'applied'
      /** The number of the last change the node knows now. */
      readonly seq: number
      /** How many of the given changes were new. */
      readonly applied: number
      readonly atp: readonly SkuAtp[]
    }
  | { readonly outcome: 'already_applied' | 'seq_gap'; readonly seq: number }
  | StaleEpoch

export type ReloadOutcome =
  | { readonly outcome: 'reloaded'; readonly rows: number }
  /** Another load of this node began at the same epoch or a newer one. */
  | { readonly outcome: 'superseded' }
  /** The node is, or is being, loaded at this epoch or a newer one. */
  | StaleEpoch

export interface HeldReservation {
  readonly reservationId: string
  readonly madeAtMs: number
  readonly lines: readonly SkuQuantity[]
}

export type InspectOutcome =
  | {
      readonly outcome: 'inspected'
      readonly seq: number
      readonly atp: ReadonlyMap<string, number>
      readonly held: readonly HeldReservation[]
    }
  | StaleEpoch

/**
 * Answers come in the order of the requests. When a call throws (./errors.ts), it is unknown which of its requests
 * took effect: all of them may be asked again with the same ids, and get the answer they had.
 */
export interface StockCounters {
  /** Requests of one node are decided in the order given. */
  reserve(epoch: number, nowMs: number, requests: readonly ReserveRequest[]): Promise<ReserveOutcome[]>
  confirm(epoch: number, requests: readonly ReservationRef[]): Promise<ConfirmOutcome[]>
  release(epoch: number, requests: readonly ReleaseRequest[]): Promise<ReleaseOutcome[]>
  /** `deltas[i]` is the node's change number `fromSeq + i`. */
  apply(epoch: number, node: string, fromSeq: number, deltas: readonly StockDelta[]): Promise<ApplyOutcome>
  /** `rows` and `seq` have to be read in one Postgres snapshot. */
  reload(
    epoch: number,
    node: string,
    seq: number,
    rows: Iterable<SkuAtp> | AsyncIterable<SkuAtp>,
  ): Promise<ReloadOutcome>
  /** Without `skus`: all that the node ever had. With them: without the records. */
  inspect(epoch: number, node: string, skus?: readonly string[]): Promise<InspectOutcome>
}
