/** The logistics flow: every shipped unit is in a parcel, and every parcel arrived, or came back where a return is known. */

import { carrierCode, trackOf } from '../carrier.ts'
import type { Package } from '../task.ts'
import type { TrackState } from '../track.ts'
import { isParcelBack } from './returns.ts'
import type { LogisticsFlow, ReconcileException, ReconcileExceptionKind, ReconcileInput } from './types.ts'

const kindOfState: Readonly<Record<TrackState, ReconcileExceptionKind | null>> = {
  created: 'parcel_not_moving',
  collected: 'parcel_in_transit',
  in_transit: 'parcel_in_transit',
  out_for_delivery: 'parcel_in_transit',
  forwarded: 'parcel_in_transit',
  delivered: null,
  exception: 'parcel_problem',
  returning: 'parcel_returned',
  returned: 'parcel_returned',
  rejected: 'parcel_rejected',
}

export function matchLogistics(input: ReconcileInput, exceptions: ReconcileException[]): LogisticsFlow {
  const before = exceptions.length
  const packed = new Map<string, number>()
  const shipped = new Map<string, number>()
  const parcels = parcelsOf(input)
  for (const task of input.tasks) for (const line of task.lines) add(shipped, line.sku, line.shipped)
  for (const parcel of parcels) for (const line of parcel.lines) add(packed, line.sku, line.quantity)

  const firstShippedAt = parcels.reduce((first, parcel) => Math.min(first, parcel.shippedAt), Number.MAX_SAFE_INTEGER)
  const since = parcels.length > 0 ? firstShippedAt : (input.order.snapshot?.modifiedAt ?? 0)
  for (const sku of new Set([...shipped.keys(), ...packed.keys()])) {
    const [shippedUnits, packedUnits] = [shipped.get(sku) ?? 0, packed.get(sku) ?? 0]
    if (shippedUnits === packedUnits) continue
    const kind = packedUnits < shippedUnits ? 'units_without_parcel' : 'parcel_over'
    exceptions.push({ kind, of: sku, since, detail: { shippedUnits, packedUnits } })
  }

  const returns = returnedUnits(input)
  let [deliveredParcels, deliveredUnits, returnedParcels] = [0, 0, 0]
  for (const parcel of parcels) {
    const track = trackOf(input.tracks, parcel)
    const kind = track === null ? 'parcel_not_moving' : kindOfState[track.state]
    if (track?.state === 'returned') returnedParcels++
    if (kind === null) {
      deliveredParcels++
      for (const line of parcel.lines) deliveredUnits += line.quantity
    } else if (!isParcelBack(input, parcel.waybill) && (track?.state !== 'returned' || !takeReturn(returns, parcel))) {
      const moved = kind === 'parcel_problem' || kind === 'parcel_returned' || kind === 'parcel_rejected'
      const from = moved && track !== null ? track.occurredAt : parcel.shippedAt
      const detail = { carrier: parcel.carrier, waybill: parcel.waybill, track: track?.state ?? 'none' }
      exceptions.push({ kind, of: parcel.waybill, since: from, detail })
    }
  }
  for (const parcel of voidedOf(input)) {
    const track = trackOf(input.tracks, parcel)
    if (track === null || track.state === 'created') continue
    const detail = { carrier: parcel.carrier, waybill: parcel.waybill, track: track.state }
    exceptions.push({ kind: 'voided_parcel_moved', of: parcel.waybill, since: track.occurredAt, detail })
  }
  return {
    expectedUnits: [...shipped.values()].reduce((sum, units) => sum + units, 0),
    expectedParcels: parcels.length,
    deliveredUnits,
    deliveredParcels,
    returnedParcels,
    agrees: exceptions.length === before,
  }
}

/** One per waybill, in the order of waybills: two tasks may go into one parcel. */
export function parcelsOf(input: ReconcileInput): Package[] {
  const byWaybill = new Map<string, Package>()
  for (const task of input.tasks) {
    for (const parcel of task.packages) {
      const key = `${parcel.waybill}\n${carrierCode(parcel.carrier)}`
      const known = byWaybill.get(key)
      byWaybill.set(key, known === undefined ? parcel : joined(known, parcel))
    }
  }
  return [...byWaybill].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, parcel]) => parcel)
}

/** Parcels that did not leave, as was said, and that were not told again. */
function voidedOf({ tasks }: ReconcileInput): Package[] {
  const left = new Set(tasks.flatMap((task) => task.packages.map((parcel) => parcel.waybill)))
  return tasks.flatMap(({ voided = [] }) => voided.filter((parcel) => !left.has(parcel.waybill)))
}

function joined(a: Package, b: Package): Package {
  return { ...a, lines: [...a.lines, ...b.lines], shippedAt: Math.min(a.shippedAt, b.shippedAt) }
}

function returnedUnits(input: ReconcileInput): Map<string, number> {
  const bySku = new Map<string, number>()
  for (const allocation of input.order.allocations) {
    if (allocation.place === 'returned') add(bySku, input.order.items[allocation.item]!.sku, allocation.quantity)
  }
  return bySku
}

/** A parcel that came back is as it should be when all its units are known as returned. */
function takeReturn(returns: Map<string, number>, parcel: Package): boolean {
  const wanted = new Map<string, number>()
  for (const line of parcel.lines) add(wanted, line.sku, line.quantity)
  for (const [sku, quantity] of wanted) if ((returns.get(sku) ?? 0) < quantity) return false
  for (const [sku, quantity] of wanted) add(returns, sku, -quantity)
  return true
}

function add(map: Map<string, number>, key: string, quantity: number): void {
  map.set(key, (map.get(key) ?? 0) + quantity)
}
