/** Who ships: warehouses and stores, and what a parcel costs from each. Money is integer fen, weight is grams. */
import type { ChannelName, Point } from './types.ts'

export interface Freight {
  /** Bands by distance, ascending; the last one holds for everything farther. Amounts are for one parcel. */
  readonly bands: readonly {
    readonly kmMax: number
    /** Up to firstGrams. */
    readonly firstFen: number
    /** Each begun stepGrams above firstGrams. */
    readonly stepFen: number
  }[]
  readonly firstGrams: number
  readonly stepGrams: number
}

export type NodeKind = 'warehouse' | 'store'

/** A place that holds stock and ships: 仓 or 店. */
export interface Node {
  readonly node: string
  readonly name: string
  readonly kind: NodeKind
  readonly adcode: string | null
  readonly point: Point
  readonly open: boolean
  /** null: serves every channel. */
  readonly channels: readonly ChannelName[] | null
  /** Adcode prefixes (province 2, city 4, district 6 digits) that it may serve; null: everywhere. */
  readonly regions: readonly string[] | null
  /** Preference: this many fen are added to a parcel's cost (negative: preferred). */
  readonly preferenceFen: number
  readonly handlingFen: number
  readonly freight: Freight
  /** Kept back per SKU. */
  readonly safetyStock: number
}
