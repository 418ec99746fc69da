/**
 * Split (拆单) by what may not travel together, before any node is asked: storage class, presale date, gifts. Splitting
 * by node comes after, and is sourcing's.
 *
 * Warehouse-only goods need no group of their own. Their demand line says so, and sourcing counts no store's stock for
 * it; the other lines of the group stay free to leave from a store or to ride along, whichever is cheaper. A group of
 * their own could only make that dearer.
 *
 * Not here: how much fits in a box, and which items a person would rather pack apart.
 */
import type { Catalog } from './bundle.ts'
import type { DemandLine } from './source/plan.ts'
import type { Item, SnapshotLine, StorageClass } from './types.ts'

/** Some or all units of an item that have to be sourced now. */
export interface ItemUnits {
  /** Index into the order's items. */
  readonly item: number
  readonly quantity: number
}

/** Units of an item inside a group: they are part of the demand line of that index. */
export interface GroupPart extends ItemUnits {
  readonly demandLine: number
}

export interface Group {
  readonly transport: Transport
  /** Not to be shipped before; null: at once. */
  readonly readyAt: number | null
  /** One line per SKU: two order lines of one SKU must not each see the same stock. */
  readonly demand: readonly DemandLine[]
  /** Σ quantity of a demand line's parts = the demand line's quantity. */
  readonly parts: readonly GroupPart[]
}

export type Transport = 'ambient' | 'chilled' | 'frozen' | 'hazardous'

/** Classes on one row of the right-hand side travel in one parcel; the rest never do. */
export const transportOf: Readonly<Record<StorageClass, Transport>> = {
  normal: 'ambient',
  // Padding protects it from what it travels with.
  fragile: 'ambient',
  // Ice packs and insulation; condensation spoils dry goods.
  cold: 'chilled',
  // Dry ice freezes what is only to be kept cold.
  frozen: 'frozen',
  // Own carriers, own papers, own label.
  hazardous: 'hazardous',
}

interface Bin {
  readonly transport: Transport
  readonly readyAt: number | null
  readonly lineOfSku: Map<string, number>
  readonly demand: { sku: string; quantity: number; grams: number; warehouseOnly: boolean }[]
  readonly parts: GroupPart[]
  /** Order lines that have units in here; a gift looks for its main line. */
  readonly lines: Set<number>
}

/**
 * Groups in the order of the units given; every unit is in exactly one. A SKU that the catalog does not hold travels
 * as normal goods of no weight: whether it may travel at all is the check's question.
 */
export function splitByConstraint(
  units: readonly ItemUnits[],
  items: readonly Item[],
  lines: readonly SnapshotLine[],
  catalog: Catalog,
): Group[] {
  const bins: Bin[] = []
  // Main goods first, so that a gift finds its main line's group whatever the order of lines.
  for (let index = 0; index < units.length; index++) {
    const { item } = units[index]!
    const line = lines[items[item]!.line]!
    if (!isGift(line)) put(binFor(bins, transport(items[item]!, catalog), line.readyAt), units[index]!, items, catalog)
  }
  for (let index = 0; index < units.length; index++) {
    const item = items[units[index]!.item]!
    const line = lines[item.line]!
    if (isGift(line)) put(binForGift(bins, transport(item, catalog), line, lines), units[index]!, items, catalog)
  }
  return bins.map(({ transport, readyAt, demand, parts }) => ({ transport, readyAt, demand, parts }))
}

function isGift(line: SnapshotLine): boolean {
  return line.gift || line.giftOf !== null
}

function transport(item: Item, catalog: Catalog): Transport {
  return transportOf[catalog(item.sku)?.storageClass ?? 'normal']
}

function binFor(bins: Bin[], transport: Transport, readyAt: number | null): Bin {
  for (let index = 0; index < bins.length; index++) {
    const bin = bins[index]!
    if (bin.transport === transport && bin.readyAt === readyAt) return bin
  }
  const made: Bin = { transport, readyAt, lineOfSku: new Map(), demand: [], parts: [], lines: new Set() }
  bins.push(made)
  return made
}

/**
 * The main line's group, and waits with it; without a main line here (none named, refunded, shipped before) the first
 * group that it may travel with. Never before its own date: a gift that is ready later than any group waits alone.
 */
function binForGift(bins: Bin[], transport: Transport, gift: SnapshotLine, lines: readonly SnapshotLine[]): Bin {
  const fits = (bin: Bin) => bin.transport === transport && (gift.readyAt ?? 0) <= (bin.readyAt ?? 0)
  const main = gift.giftOf === null ? -1 : lines.findIndex((line) => line.lineId === gift.giftOf)
  const withMain = bins.filter((bin) => bin.lines.has(main))
  const bin = withMain.find(fits) ?? (withMain.length === 0 ? bins.find(fits) : undefined)
  return bin ?? binFor(bins, transport, gift.readyAt)
}

function put(bin: Bin, units: ItemUnits, items: readonly Item[], catalog: Catalog): void {
  const { item, quantity } = units
  const { sku, line } = items[item]!
  if (!Number.isSafeInteger(quantity) || quantity <= 0 || quantity > items[item]!.quantity) {
    throw new RangeError('units to source have to be whole, at least one, and no more than the item has')
  }
  let demandLine = bin.lineOfSku.get(sku)
  if (demandLine === undefined) {
    const known = catalog(sku)
    demandLine = bin.demand.length
    bin.lineOfSku.set(sku, demandLine)
    bin.demand.push({
      sku,
      quantity: 0,
      grams: known?.weightGrams ?? 0,
      warehouseOnly: known?.warehouseOnly ?? false,
    })
  }
  bin.demand[demandLine]!.quantity += quantity
  bin.parts.push({ item, quantity, demandLine })
  bin.lines.add(line)
}
