/** What sourcing is asked and what it answers. Money in fen, weight in grams, distance in kilometres. */
import type { Node } from '../node.ts'

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
  readonly method: Method
  /** No plan that ships as much costs less than this; the cost itself where the plan is exact. */
  readonly boundFen: number
}

/**
 * What is proven of a plan's cost:
 * - `exact`: no plan over the whole network that ships as much is cheaper, lines split in any way included;
 * - `whole_lines`: none is cheaper that ships each line whole from one node where a node has it whole; a split may be;
 * - `heuristic`: nothing but the plan's bound;
 * - `exact_over_candidates`: said by traces of versions 1 and 2, where only the nearest nodes were looked at.
 */
export type Method = 'exact' | 'whole_lines' | 'heuristic' | 'exact_over_candidates'
