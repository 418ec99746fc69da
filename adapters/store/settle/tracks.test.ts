import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agreeingWorld } from '../../../router/reconcile/world.ts'
import { fc, runs } from '../../../router/testing/seed.ts'
import { type Track, trackStates } from '../../../router/track.ts'
import { insertOrder } from '../testing/orders.ts'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { dueOrders } from './due.ts'
import { recordTrack } from './tracks.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

const stored = async (waybill: string) =>
  (
    await database.sql<
      { state: string; at: number }[]
    >`select state, occurred_at::int as at from track where waybill = ${waybill}`
  )[0]

describe('a track', () => {
  test.each<[string, [Track['state'], number][], Track['state'], number]>([
    [
      'newer wins',
      [
        ['collected', 1],
        ['in_transit', 2],
      ],
      'in_transit',
      2,
    ],
    [
      'older never overwrites newer',
      [
        ['in_transit', 2],
        ['collected', 1],
      ],
      'in_transit',
      2,
    ],
    [
      'delivered stays',
      [
        ['delivered', 2],
        ['in_transit', 3],
      ],
      'delivered',
      2,
    ],
    [
      'delivered late stays as well',
      [
        ['in_transit', 3],
        ['delivered', 2],
      ],
      'delivered',
      2,
    ],
    [
      'delivered, then returned',
      [
        ['delivered', 2],
        ['returned', 5],
      ],
      'returned',
      5,
    ],
    [
      'rejected, then delivered after all',
      [
        ['rejected', 2],
        ['delivered', 5],
      ],
      'delivered',
      5,
    ],
  ])('%s', async (name, pushes, state, at) => {
    for (const [word, occurredAt] of pushes) {
      await recordTrack(database.sql, { carrier: 'sf', waybill: name, state: word, occurredAt }, JSON.stringify(word))
    }
    expect(await stored(name)).toEqual({ state, at })
  })

  test('names what became of it, and its orders each time', async () => {
    const { sql } = database
    const world = agreeingWorld({ lines: [{ quantity: 1, paidFen: 5, cancelled: false, task: 0 }], freightFen: 0 })
    const track: Track = { carrier: 'shunfeng', waybill: 'SF00', state: 'collected', occurredAt: 5 }
    expect(await recordTrack(sql, track, '{}')).toEqual({ outcome: 'recorded', orderIds: [] })
    await insertOrder(sql, world.order, world.tasks)
    expect(await recordTrack(sql, track, '{}')).toEqual({ outcome: 'already_recorded', orderIds: ['1'] })
    expect(await dueOrders(sql, '0', 10)).toEqual(['1'])
    expect(await recordTrack(sql, { ...track, occurredAt: 4 }, '[]')).toEqual({ outcome: 'older', orderIds: ['1'] })
    const newer = { ...track, occurredAt: 6 }
    expect(await recordTrack(sql, newer, '[6]')).toEqual({ outcome: 'recorded', orderIds: ['1'] })
  })

  test('ends the same in whichever order its pushes arrive', async () => {
    let waybills = 0
    const push = fc.tuple(fc.constantFrom(...trackStates), fc.integer({ min: 1, max: 4 }))
    const shuffles = fc
      .array(push, { minLength: 2, maxLength: 4 })
      .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })))
    await fc.assert(
      fc.asyncProperty(shuffles, async ([list, other]) => {
        const ends: unknown[] = []
        for (const pushes of [list, other]) {
          const waybill = `w${waybills++}`
          for (const [state, occurredAt] of pushes) {
            await recordTrack(
              database.sql,
              { carrier: 'c', waybill, state, occurredAt },
              JSON.stringify([state, occurredAt]),
            )
          }
          ends.push(await stored(waybill))
        }
        expect(ends[1]).toEqual(ends[0])
      }),
      { numRuns: runs(40) },
    )
  })
})
