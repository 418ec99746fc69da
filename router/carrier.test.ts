import { describe, expect, test } from 'vitest'
import { trackOf } from './carrier.ts'
import { finalForMs, lateConfirmMs, type Track, type TrackState, trackRank } from './track.ts'

const shippedAt = Date.UTC(2026, 10, 11)
const day = 86_400_000
const word = (carrier: string, change: Partial<Track> = {}): Track => ({
  ...{ carrier, waybill: 'W', state: 'delivered', occurredAt: shippedAt + day },
  ...change,
})
const parcel = (carrier: string) => ({ carrier, waybill: 'W', shippedAt })

describe('the track of a parcel', () => {
  const old = word('yuantong', { carrierNew: 'shentong', state: 'in_transit' })
  test.each<[string, readonly Track[], string, string | null]>([
    ['its own carrier, by another name', [word('shunfeng')], '顺丰', 'shunfeng'],
    ['another waybill', [word('shunfeng', { waybill: 'V' })], 'SF', null],
    ['two carriers that are known and differ', [word('yunda')], 'SF', null],
    ['a carrier that nobody knows', [word('fast')], 'SF', 'fast'],
    ['two that it may be', [word('fast'), word('slow')], 'SF', null],
    ['the one that has it now', [old, word('shentong')], 'YTO', 'shentong'],
    ['nothing of that one yet', [old], 'YTO', 'yuantong'],
    ['only that one speaks of it', [{ ...old, occurredAt: 0 }, word('shentong')], 'YTO', 'shentong'],
    [
      'it went on twice',
      [old, word('shentong', { carrierNew: 'yunda', state: 'created' }), word('yunda')],
      'YTO',
      'yunda',
    ],
    ['each names the other', [old, word('shentong', { carrierNew: 'yuantong' })], 'YTO', 'shentong'],
    ['an older parcel with this number', [word('shunfeng', { occurredAt: shippedAt - lateConfirmMs - 1 })], 'SF', null],
    ['delivered before a late confirm', [word('shunfeng', { occurredAt: shippedAt - 3_600_000 })], 'SF', 'shunfeng'],
  ])('%s', (_, tracks, carrier, found) => {
    expect(trackOf(tracks, parcel(carrier))?.carrier ?? null).toBe(found)
  })
})

test.each<[TrackState, number, TrackState, number]>([
  ['in_transit', 2, 'collected', 1],
  ['delivered', 1, 'in_transit', 59],
  ['returned', 1, 'delivered', 59],
  ['in_transit', finalForMs / day + 2, 'delivered', 1],
  ['delivered', finalForMs / day + 2, 'returned', 1],
])('%s of day %i stands before %s of day %i', (state, at, other, otherAt) => {
  const rank = (s: TrackState, days: number) => trackRank({ state: s, occurredAt: days * day })
  expect(rank(state, at)).toBeGreaterThan(rank(other, otherAt))
})
