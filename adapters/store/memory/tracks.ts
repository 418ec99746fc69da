/** Carriers' words: see ../settle/tracks.ts, whose meaning this has. */
import { createHash } from 'node:crypto'
import { finality, type Track } from '../../../router/track.ts'
import { compareIds } from '../settle/due.ts'
import { type RecordedTrack, trackingStopped, trackRef } from '../settle/tracks.ts'
import { markDue } from './due.ts'
import { resolve } from './exceptions.ts'
import { compare, type Tables, type TrackRow } from './tables.ts'

export function recordTrack(tables: Tables, track: Track, body: string, nowMs: number): RecordedTrack {
  const { carrier, waybill, state, occurredAt } = track
  const given: TrackRow = {
    track: { carrier, waybill, state, occurredAt },
    bodyHash: createHash('sha256').update(body).digest('hex'),
  }
  const ofWaybill = tables.tracks.get(waybill) ?? new Map<string, TrackRow>()
  const known = ofWaybill.get(carrier)
  const isNews = known === undefined || standsBefore(known, given)
  if (isNews) tables.tracks.set(waybill, ofWaybill.set(carrier, given))
  const orderIds = [...new Set((tables.parcels.get(waybill) ?? []).map((parcel) => parcel.orderId))].sort(compareIds)
  markDue(tables, orderIds)
  if (isNews) {
    resolve(tables, trackingStopped, [trackRef(track)], nowMs)
    return { outcome: 'recorded', orderIds }
  }
  return { outcome: known.bodyHash === given.bodyHash ? 'already_recorded' : 'older', orderIds }
}

/** The greatest of (finality, instant, body's hash) stands. */
function standsBefore(a: TrackRow, b: TrackRow): boolean {
  const order =
    finality(a.track.state) - finality(b.track.state) ||
    a.track.occurredAt - b.track.occurredAt ||
    compare(a.bodyHash, b.bodyHash)
  return order < 0
}

/** What is known of a waybill, by carrier. */
export function tracksOf(tables: Tables, waybill: string): Track[] {
  const rows = [...(tables.tracks.get(waybill)?.values() ?? [])].map(({ track }) => track)
  return rows.sort((a, b) => compare(a.carrier, b.carrier))
}

export function addParcels(
  tables: Tables,
  { taskId, orderId }: { readonly taskId: string; readonly orderId: string },
  packages: readonly { readonly carrier: string; readonly waybill: string }[],
): void {
  for (const { carrier, waybill } of packages) {
    const known = tables.parcels.get(waybill) ?? []
    if (known.some((p) => p.carrier === carrier && p.taskId === taskId)) continue
    tables.parcels.set(waybill, [...known, { carrier, taskId, orderId }])
  }
}
