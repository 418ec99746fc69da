/** What Postgres tells the counters: numbered changes, and everything anew. */
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { SkuQuantity } from '../../router/types.ts'
import { type ApplyOutcome, counterMax, type SkuAtp } from './counters.ts'
import { rowsPerPiece } from './reload.ts'
import { Stock } from './stock.ts'
import { lines, type PrivateRedis, rows, startPrivateRedis } from './testing.ts'

const epoch = 7
const nowMs = 1_700_000_000_000
let server: PrivateRedis
let raw: Redis
let stock: Stock

beforeAll(async () => {
  server = await startPrivateRedis()
  raw = new Redis(server.socket)
  stock = new Stock({ redis: server.socket })
  await stock.connect()
})
afterAll(async () => {
  stock.close()
  raw.disconnect()
  await server.stop()
})
beforeEach(async () => {
  await raw.flushall()
  await stock.loadScripts()
  await stock.reload(epoch, 'n', 3, rows({ a: 10, b: 5, 货号: 2, minus: -4 }))
  await stock.reload(epoch, 'm', 0, rows({ a: 1 }))
})

async function reserve(reservationId: string, wanted: readonly SkuQuantity[], node = 'n', at = epoch) {
  const [outcome] = await stock.reserve(at, nowMs, [{ reservationId, node, lines: wanted }])
  return outcome!
}
/** All that there is to see of a node, comparable. */
async function state(node = 'n') {
  const seen = await stock.inspect(epoch, node)
  if (seen.outcome !== 'inspected') return seen
  return { seq: seen.seq, atp: Object.fromEntries(seen.atp), held: seen.held.map((one) => one.reservationId).sort() }
}

describe('apply', () => {
  const change = (sku: string, delta: number) => ({ lines: [{ sku, delta }] })
  const cases: [string, number, ReturnType<typeof change>[], ApplyOutcome, Record<string, number>][] = [
    ['the next one', 4, [change('a', 5)], { outcome: 'applied', seq: 4, applied: 1, atp: rows({ a: 15 }) }, { a: 15 }],
    [
      'several, one SKU twice',
      4,
      [change('a', 5), change('a', -1), change('new', 2)],
      { outcome: 'applied', seq: 6, applied: 3, atp: rows({ a: 14, new: 2 }) },
      { a: 14, new: 2 },
    ],
    ['below zero', 4, [change('b', -9)], { outcome: 'applied', seq: 4, applied: 1, atp: rows({ b: -4 }) }, { b: -4 }],
    ['known already', 3, [change('a', 5)], { outcome: 'already_applied', seq: 3 }, {}],
    ['nothing', 4, [], { outcome: 'already_applied', seq: 3 }, {}],
    [
      'partly known',
      2,
      [change('a', 100), change('a', 100), change('a', 1)],
      { outcome: 'applied', seq: 4, applied: 1, atp: rows({ a: 11 }) },
      { a: 11 },
    ],
    ['a gap', 5, [change('a', 5)], { outcome: 'seq_gap', seq: 3 }, {}],
  ]
  test.each(cases)('%s', async (_, fromSeq, deltas, outcome, atp) => {
    expect(await stock.apply(epoch, 'n', fromSeq, deltas)).toEqual(outcome)
    const seq = outcome.outcome === 'applied' ? outcome.seq : 3
    expect(await state()).toMatchObject({ seq, atp: { a: 10, b: 5, ...atp } })
  })

  test('one change of more SKUs than one read or write takes', async () => {
    const many = Array.from({ length: 9_001 }, (_, i) => ({ sku: `s${i}`, delta: i }))
    const atp = many.map(({ sku, delta }): SkuAtp => ({ sku, atp: delta }))
    expect(await stock.apply(epoch, 'n', 4, [{ lines: many }])).toEqual({ outcome: 'applied', seq: 4, applied: 1, atp })
    const seen = await stock.inspect(
      epoch,
      'n',
      many.map(({ sku }) => sku),
    )
    expect(seen).toMatchObject({ atp: new Map(many.map(({ sku, delta }) => [sku, delta])) })
  })

  test('a counter that would leave 2^52 changes nothing', async () => {
    await stock.reload(epoch + 1, 'n', 0, rows({ a: counterMax - 1, b: 0 }))
    expect(await stock.apply(epoch + 1, 'n', 1, [change('a', 1)])).toMatchObject({
      atp: rows({ a: counterMax }),
    })
    const both = { lines: [...change('b', 1).lines, ...change('a', 1).lines] }
    await expect(stock.apply(epoch + 1, 'n', 2, [both])).rejects.toMatchObject({ code: 'stock_corrupt' })
    expect(await stock.inspect(epoch + 1, 'n', ['b'])).toMatchObject({ seq: 1, atp: new Map([['b', 0]]) })
  })
})

describe('reload', () => {
  test('replaces everything: counters, records, number', async () => {
    await reserve('r', lines('a', 4))
    expect(await stock.reload(epoch + 1, 'n', 9, rows({ b: 1 }))).toEqual({ outcome: 'reloaded', rows: 1 })
    expect(await state()).toEqual({ outcome: 'stale_epoch', currentEpoch: epoch + 1 })
    expect(await stock.inspect(epoch + 1, 'n')).toEqual({
      outcome: 'inspected',
      seq: 9,
      atp: new Map([['b', 1]]),
      held: [],
    })
  })

  test.each([epoch, epoch - 1])('not with an epoch that is not newer: %i', async (given) => {
    const before = await state()
    expect(await stock.reload(given, 'n', 9, rows({ a: 99 }))).toEqual({ outcome: 'stale_epoch', currentEpoch: epoch })
    expect(await state()).toEqual(before)
  })

  /** Rows for two pieces and a bit; `between` runs when the first piece is in. */
  async function* slowRows(between: () => Promise<void>) {
    for (let i = 0; i < rowsPerPiece * 2 + 3; i += 1) {
      if (i === rowsPerPiece + 1) await between()
      yield { sku: `s${i}`, atp: i }
    }
  }

  test('in pieces: not usable until the last one is in', async () => {
    const total = rowsPerPiece * 2 + 3
    const during: unknown[] = []
    const done = await stock.reload(
      epoch + 1,
      'n',
      1,
      slowRows(async () => {
        for (const at of [epoch, epoch + 1]) during.push(await reserve('r', lines('s1', 1), 'n', at))
        during.push(await stock.apply(epoch + 1, 'n', 1, []))
      }),
    )
    const stale = { outcome: 'stale_epoch', currentEpoch: null }
    expect(during).toEqual([stale, stale, stale])
    expect(done).toEqual({ outcome: 'reloaded', rows: total })
    const seen = await stock.inspect(epoch + 1, 'n')
    expect(seen.outcome === 'inspected' && seen.atp.size).toBe(total)
  })

  test.each([
    [1, 'superseded', 1],
    [2, 'superseded', 2],
  ])('two at once, the other one %i epochs on: the later one wins whole', async (ahead, outcome, wins) => {
    const done = await stock.reload(
      epoch + 1,
      'n',
      1,
      slowRows(async () => {
        expect(await stock.reload(epoch + ahead, 'n', 5, rows({ a: 1 }))).toMatchObject({ outcome: 'reloaded' })
      }),
    )
    expect(done).toEqual({ outcome })
    expect(await stock.inspect(epoch + wins, 'n')).toMatchObject({ seq: 5, atp: new Map([['a', 1]]) })
  })

  test('an older epoch does not break into a load', async () => {
    const done = await stock.reload(
      epoch + 2,
      'n',
      1,
      slowRows(async () => {
        expect(await stock.reload(epoch + 1, 'n', 5, [])).toEqual({ outcome: 'stale_epoch', currentEpoch: null })
      }),
    )
    expect(done).toMatchObject({ outcome: 'reloaded' })
  })

  test('heals keys of a wrong type', async () => {
    const [atp, held, meta] = ['pd:{n}:atp', 'pd:{n}:held', 'pd:{n}:meta']
    for (const key of [atp, held, meta]) await raw.set(key!, 'x')
    expect(await stock.reload(epoch + 1, 'n', 1, rows({ a: 1 }))).toMatchObject({ outcome: 'reloaded' })
    expect(await reserve('r', lines('a', 1), 'n', epoch + 1)).toMatchObject({ outcome: 'reserved' })
  })
})
