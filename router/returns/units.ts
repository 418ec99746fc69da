/** Units that left and come back: counted by the platform's line and by SKU, since a line may be a bundle. */

import { keyOf, shippedUnits } from '../shipped-units.ts'
import type { SkuQuantity } from '../types.ts'
import { isAwaited, isLive, type Return, type ReturnLine, type ReturnWorld } from './types.ts'

/** Units that are at the buyer, or on their way to him, and that no return speaks of. */
export function returnable({ order, tasks, returns }: ReturnWorld): ReturnLine[] {
  const spoken = new Map<string, number>()
  for (const known of returns)
    if (isLive(known)) for (const line of known.lines) add(spoken, keyOf(line), line.quantity)
  return shippedUnits(order, tasks).flatMap((line) => {
    const quantity = line.quantity - (spoken.get(keyOf(line)) ?? 0)
    return quantity > 0 ? [{ ...line, quantity }] : []
  })
}

/** Units that it still expects. */
export function openUnits({ lines, receipts }: Pick<Return, 'lines' | 'receipts'>): ReturnLine[] {
  const found = new Map<string, number>()
  for (const { lines } of receipts) {
    for (const line of lines) add(found, keyOf(line), line.good + line.damaged + line.missing)
  }
  return lines.flatMap((line) => {
    const quantity = line.quantity - (found.get(keyOf(line)) ?? 0)
    return quantity > 0 ? [{ ...line, quantity }] : []
  })
}

/** Where the units of returns are, each by `keyOf` line and SKU. */
export interface PlacesBack {
  readonly onTheirWay: ReadonlyMap<string, number>
  /** Good or damaged: some node has them. */
  readonly returned: ReadonlyMap<string, number>
  /** Sent back, as it was said, and never found. */
  readonly missing: ReadonlyMap<string, number>
}

export function placesBack(returns: readonly Return[]): PlacesBack {
  const places = { onTheirWay: new Map(), returned: new Map(), missing: new Map() }
  for (const known of returns) {
    const isComing = known.state === 'on_its_way' || known.receipts.length > 0
    if (isComing && isAwaited(known)) for (const l of openUnits(known)) add(places.onTheirWay, keyOf(l), l.quantity)
    for (const line of known.receipts.flatMap(({ lines }) => lines)) {
      add(places.returned, keyOf(line), line.good + line.damaged)
      add(places.missing, keyOf(line), line.missing)
    }
  }
  return places
}

/** What a parcel of the order held; null: it has no such parcel, or a return speaks of it. */
export function unitsOfParcel({ tasks, returns }: ReturnWorld, waybill: string) {
  if (returns.some((known) => isLive(known) && known.kind === 'rejected' && known.waybill === waybill)) return null
  const lines = tasks.flatMap(({ packages }) => packages.filter((p) => p.waybill === waybill).flatMap((p) => p.lines))
  return lines.length === 0 ? null : lines.map(({ sku, quantity }) => ({ lineId: null, sku, quantity }))
}

export type Spread =
  | { readonly lines: readonly ReturnLine[]; readonly left: readonly ReturnLine[] }
  /** A SKU of which there is not that much. */
  | { readonly misfit: string }

/** Takes what is wanted from what there is, line by line. */
export function spread(
  from: readonly ReturnLine[],
  wanted: readonly (SkuQuantity & { readonly lineId: string | null })[],
): Spread {
  const rest = from.map((line) => ({ ...line }))
  const taken = new Map<string, ReturnLine>()
  for (const { lineId, sku, quantity } of wanted) {
    let open = quantity
    for (const line of rest) {
      if (line.sku !== sku || (lineId !== null && lineId !== line.lineId)) continue
      const units = Math.min(open, line.quantity)
      if (units === 0) continue
      open -= units
      line.quantity -= units
      const key = keyOf(line)
      taken.set(key, { lineId: line.lineId, sku, quantity: units + (taken.get(key)?.quantity ?? 0) })
    }
    if (open > 0) return { misfit: sku }
  }
  return { lines: [...taken.values()], left: rest.filter((line) => line.quantity > 0) }
}

function add(map: Map<string, number>, key: string, quantity: number): void {
  map.set(key, (map.get(key) ?? 0) + quantity)
}
