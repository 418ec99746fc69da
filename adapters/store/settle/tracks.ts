/** Tracks: a carrier's latest word on each waybill, which may come before the parcel that it is about. */
import { createHash } from 'node:crypto'
import { finalForMs, type Track, trackRank, trackStates } from '../../../router/track.ts'
import { resolve } from '../exceptions.ts'
import { markDue } from '../orders/mark-due.ts'
import type { Sql } from '../postgres/connect.ts'
import { ordersTouchedByWaybills } from './due.ts'

export interface RecordedTrack {
  /** older: a newer or a final word is known; the stored one stands. */
  readonly outcome: 'recorded' | 'already_recorded' | 'older'
  /** Orders with a parcel of this waybill, whatever the outcome: to be reconciled. Empty before it is shipped. */
  readonly orderIds: readonly string[]
}

/** A parcel that another carrier has than was told. */
export interface MovedTrack {
  readonly carrier: string
  readonly waybill: string
  readonly carrierNew: string
}

/** Of long ago, so that every word counts before it and no parcel takes it for its own. */
export const noWord = { state: 'created', occurredAt: 0 } as const

/** The carrier service looks no more where a parcel is. A later word on the parcel ends it. */
export const trackingStopped = 'tracking_stopped'

/** Whose tracking has stopped. */
export function trackRef({ carrier, waybill }: Pick<Track, 'carrier' | 'waybill'>): string {
  return `${carrier}/${waybill}`
}

/** What a state adds to the instant of its word (`trackRank`). */
const rankByState = Object.fromEntries(trackStates.map((state) => [state, trackRank({ state, occurredAt: 0 })]))

/**
 * What is replaced and was about an older parcel with this number is kept beside it (`isOfOlderParcel`, said here in SQL).
 * `body` is the push as given, JSON text. The greatest of (rank, body's hash) stands, so that any order of arrival ends the
 * same.
 *
 * The parcels are asked for only after the track is committed: a shipment at the same moment either sees the track
 * or is seen here. Called again for the same push, it marks the orders again.
 */
export async function recordTrack(sql: Sql, track: Track, body: string): Promise<RecordedTrack> {
  const hash = createHash('sha256').update(body).digest('hex')
  const ranks = JSON.stringify(rankByState)
  const written = await sql`
    insert into track (carrier, waybill, state, occurred_at, body_hash, body)
    values (${track.carrier}, ${track.waybill}, ${track.state}, ${track.occurredAt}, decode(${hash}, 'hex'), ${body}::text::json)
    on conflict (carrier, waybill) do update
      set earlier = case
          when (${ranks}::text::jsonb->>track.state)::bigint > 0 and excluded.occurred_at - track.occurred_at > ${finalForMs}::bigint
          then coalesce(track.earlier, '[]') || jsonb_build_object('state', track.state, 'occurredAt', track.occurred_at)
          else track.earlier end,
        state = excluded.state, occurred_at = excluded.occurred_at, body_hash = excluded.body_hash,
        body = excluded.body, updated_at = now()
      where (excluded.occurred_at + (${ranks}::text::jsonb->>excluded.state)::bigint, excluded.body_hash)
          > (track.occurred_at + (${ranks}::text::jsonb->>track.state)::bigint, track.body_hash)`
  const orderIds = await ordersTouchedByWaybills(sql, [track.waybill])
  await markDue(sql, orderIds)
  if (written.count > 0) {
    await resolve(sql, trackingStopped, [trackRef(track)])
    return { outcome: 'recorded', orderIds }
  }
  const same = await sql`
    select from track where carrier = ${track.carrier} and waybill = ${track.waybill} and body_hash = decode(${hash}, 'hex')`
  return { outcome: same.count > 0 ? 'already_recorded' : 'older', orderIds }
}

/**
 * The service found out that another carrier has the parcel: what is known of the waybill under the old code says so
 * from then on (`trackOf`). Where nothing is known yet, a row without any word keeps it; the first word replaces it.
 * Gives the orders with a parcel of this waybill, to be reconciled.
 */
export async function moveTrack(sql: Sql, moved: MovedTrack): Promise<readonly string[]> {
  await sql`
    insert into track (carrier, waybill, state, occurred_at, body_hash, body, carrier_new)
    values (${moved.carrier}, ${moved.waybill}, ${noWord.state}, ${noWord.occurredAt}, '', '{}', ${moved.carrierNew})
    on conflict (carrier, waybill) do update set carrier_new = excluded.carrier_new, updated_at = now()
      where track.carrier_new is distinct from excluded.carrier_new`
  const orderIds = await ordersTouchedByWaybills(sql, [moved.waybill])
  await markDue(sql, orderIds)
  await resolve(sql, trackingStopped, [trackRef(moved)])
  return orderIds
}
