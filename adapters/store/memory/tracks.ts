/** Carriers' words: see ../settle/tracks.ts, whose meaning this has. */
import { createHash } from 'node:crypto'
import { isOfOlderParcel, type Track, type TrackWord, trackRank } from '../../../router/track.ts'
import { compareIds } from '../settle/due.ts'
import { type MovedTrack, noWord, type RecordedTrack, trackingStopped, trackRef } from '../settle/tracks.ts'
import { markDue } from './due.ts'
import { resolve } from './exceptions.ts'
import { compare, type Tables, type TrackRow } from './tables.ts'

export function recordTrack(tables: Tables, track: Track, body: string, nowMs: number): RecordedTrack {
  const { carrier, waybill, state, occurredAt } = track
  const ofWaybill = tables.tracks.get(waybill) ?? new Map<string, TrackRow>()
  const known = ofWaybill.get(carrier)
  const given: TrackRow = {
    track: { carrier, waybill, state, occurredAt, ...movedTo(known?.track.carrierNew) },
    bodyHash: createHash('sha256').update(body).digest('hex'),
    earlier: earlierOf(known, { state, occurredAt }),
  }
  const isNews = known === undefined || standsBefore(known, given)
  if (isNews) tables.tracks.set(waybill, ofWaybill.set(carrier, given))
  const orderIds = markOrdersOf(tables, waybill)
  if (isNews) {
    resolve(tables, trackingStopped, [trackRef(track)], nowMs)
    return { outcome: 'recorded', orderIds }
  }
  return { outcome: known.bodyHash === given.bodyHash ? 'already_recorded' : 'older', orderIds }
}

export function moveTrack(tables: Tables, moved: MovedTrack, nowMs: number): readonly string[] {
  const { carrier, waybill, carrierNew } = moved
  const ofWaybill = tables.tracks.get(waybill) ?? new Map<string, TrackRow>()
  const known = ofWaybill.get(carrier) ?? { track: { carrier, waybill, ...noWord }, bodyHash: '', earlier: [] }
  tables.tracks.set(waybill, ofWaybill.set(carrier, { ...known, track: { ...known.track, carrierNew } }))
  const orderIds = markOrdersOf(tables, waybill)
  resolve(tables, trackingStopped, [trackRef(moved)], nowMs)
  return orderIds
}

function earlierOf(known: TrackRow | undefined, word: TrackWord): readonly TrackWord[] {
  if (known === undefined) return []
  const { state, occurredAt } = known.track
  return isOfOlderParcel(known.track, word) ? [...known.earlier, { state, occurredAt }] : known.earlier
}

function movedTo(carrierNew: string | undefined): Pick<Track, 'carrierNew'> {
  return carrierNew === undefined ? {} : { carrierNew }
}

function markOrdersOf(tables: Tables, waybill: string): readonly string[] {
  const orderIds = [...new Set((tables.parcels.get(waybill) ?? []).map((parcel) => parcel.orderId))].sort(compareIds)
  markDue(tables, orderIds)
  return orderIds
}

/** The greatest of (rank, body's hash) stands. */
function standsBefore(a: TrackRow, b: TrackRow): boolean {
  return (trackRank(a.track) - trackRank(b.track) || compare(a.bodyHash, b.bodyHash)) < 0
}

/** What is known of a waybill, by carrier. */
export function tracksOf(tables: Tables, waybill: string): Track[] {
  const rows = [...(tables.tracks.get(waybill)?.values() ?? [])].sort((a, b) =>
    compare(a.track.carrier, b.track.carrier),
  )
  return rows.flatMap(({ track, earlier }) => [...earlier.map((word) => ({ ...track, ...word })), track])
}

/** All that a task has; others that it had are gone. */
export function setParcels(
  tables: Tables,
  of: { readonly taskId: string; readonly orderId: string },
  packages: readonly { readonly carrier: string; readonly waybill: string }[],
): void {
  for (const [waybill, known] of tables.parcels) {
    const left = known.filter((p) => p.taskId !== of.taskId)
    if (left.length < known.length) tables.parcels.set(waybill, left)
  }
  addParcels(tables, of, packages)
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
