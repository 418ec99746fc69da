/** What sourcing is asked and what it answers. Money in fen, weight in grams, distance in kilometres. */
import type { Node } from '../types.ts'

/** One SKU of a group, quantities added up. */
export interface DemandLine {
  readonly sku: string
  readonly quantity: number
  /** Of one unit. */
  readonly grams: number
  readonly warehouseOnly: boolean
}

/** Why a node was not asked for goods, in the order in which the rules are put to it. */
export const sourcingRules = [
  'closed',
  /** It gave this order back before. */
  'excluded',
  'channel',
  'region',
  /** A store, and everything wanted ships from warehouses only. */
  'kind',
  'insufficient_stock',
] as const
export type SourcingRule = (typeof sourcingRules)[number]

/** A node that was looked at. */
export interface Candidate {
  readonly node: Node
  /** In tenths: see roundedKm. */
  readonly km: number
  /** Per demand line: units it may promise, as hinted, at least 0. Empty for a refused node. */
  readonly available: readonly number[]
  readonly refusedBy: SourcingRule | null
}

export interface LineUnits {
  /** Index into the demand. */
  readonly line: number
  readonly quantity: number
}

export interface PlannedParcel {
  readonly node: string
  /** Ascending by line; quantities above 0. */
  readonly lines: readonly LineUnits[]
  readonly costFen: number
}

export interface Plan {
  /** Nearest node first; a node has at most one. */
  readonly parcels: readonly PlannedParcel[]
  /** What no candidate has: to be backordered. */
  readonly missing: readonly LineUnits[]
  readonly costFen: number
  /** exact: no plan over the same candidates is cheaper, save by splitting a line that one node has whole. */
  readonly method: 'exact' | 'heuristic'
}
