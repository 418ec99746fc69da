/** Reads what carriers say of some waybills. */
import type { Track, TrackWord } from '../../../router/track.ts'
import type { Queryable } from '../postgres/connect.ts'

/** By waybill, those of older parcels with that number first; one that no carrier spoke of is absent. */
export async function readTracks(tx: Queryable, waybills: readonly string[]): Promise<Map<string, Track[]>> {
  const byWaybill = new Map<string, Track[]>()
  if (waybills.length === 0) return byWaybill
  const rows = await tx<
    (Omit<Track, 'occurredAt' | 'carrierNew'> & {
      occurred_at: string
      carrier_new: string | null
      earlier: TrackWord[] | null
    })[]
  >`
    select carrier, waybill, state, occurred_at, carrier_new, earlier from track
    where waybill = any(${[...new Set(waybills)]}::text[]) order by waybill, carrier`
  for (const { occurred_at, carrier_new, earlier, ...track } of rows) {
    const moved = carrier_new === null ? {} : { carrierNew: carrier_new }
    for (const word of earlier ?? []) push(byWaybill, track.waybill, { ...track, ...word, ...moved })
    push(byWaybill, track.waybill, { ...track, occurredAt: Number(occurred_at), ...moved })
  }
  return byWaybill
}

export function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
