/**
 * What should happen to the units of one line: some may ship while others are held or cancelled. Units are those of the
 * line as the buyer ordered it; a bundle counts as one, whatever it is made of.
 */
import type { Item, SnapshotLine } from './types.ts'

/** In the order of strictness. */
export const desires = ['ship', 'hold', 'cancel'] as const
export type Desire = (typeof desires)[number]

/** Σ = the line's quantity. */
export type LineUnits = Readonly<Record<Desire, number>>

/** All units of a line alike. */
export function allOf(desire: Desire, { quantity }: Pick<SnapshotLine, 'quantity'>): LineUnits {
  return {
    ship: desire === 'ship' ? quantity : 0,
    hold: desire === 'hold' ? quantity : 0,
    cancel: desire === 'cancel' ? quantity : 0,
  }
}

/** Units that the platform speaks of: those of the line as it tells it now. */
export function toldUnits({ quantity, wanted }: Pick<SnapshotLine, 'quantity' | 'wanted'>): number {
  return wanted ?? quantity
}

/** `cancel` units go, of the others up to `hold` wait, and the rest ships. More than there are is all there are. */
export function divided({ quantity }: Pick<SnapshotLine, 'quantity'>, cancel: number, hold: number): LineUnits {
  const cancelled = Math.min(quantity, cancel)
  const held = Math.min(quantity - cancelled, hold)
  return { ship: quantity - cancelled - held, hold: held, cancel: cancelled }
}

/** The mildest that any unit of the line meets: what a gift that goes with the line may expect. */
export function mildestOf(units: LineUnits): Desire {
  return desires.find((desire) => units[desire] > 0) ?? 'cancel'
}

/** No unit is treated more mildly than `desire`. */
export function atLeast(desire: Desire, units: LineUnits): LineUnits {
  if (desire === 'ship') return units
  if (desire === 'hold') return { ship: 0, hold: units.ship + units.hold, cancel: units.cancel }
  return { ship: 0, hold: 0, cancel: units.ship + units.hold + units.cancel }
}

/** Units of an item that go the way of `desire`: a bundle's component comes several times in each unit of its line. */
export function unitsOfItem(
  item: Item,
  lines: readonly SnapshotLine[],
  units: readonly LineUnits[],
  desire: Desire,
): number {
  const ofLine = units[item.line]
  // A line that the order does not have any more is wanted by no one.
  if (ofLine === undefined) return desire === 'cancel' ? item.quantity : 0
  return (item.quantity / lines[item.line]!.quantity) * ofLine[desire]
}

/**
 * How many units a refund of a part of a line's money gives back, where the platform tells the amount alone. It does so
 * when the amount is what some units cost, to the fen that their price may have been rounded by. 0: it is less than one
 * unit of a line of one, so it is a rebate. null: the amount alone does not tell, and a person has to.
 */
export function unitsOfAmount(
  { quantity, paidFen }: Pick<SnapshotLine, 'quantity' | 'paidFen'>,
  refundedFen: number,
): number | null {
  if (refundedFen <= 0) return 0
  if (refundedFen >= paidFen) return quantity
  if (quantity === 1) return 0
  const units = Math.round((refundedFen / paidFen) * quantity)
  if (units === 0) return null
  const exactFen = (paidFen * units) / quantity
  return refundedFen === Math.floor(exactFen) || refundedFen === Math.ceil(exactFen) ? units : null
}
