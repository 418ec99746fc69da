import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { SkuQuantity } from '../../router/types.ts'
import { linesMax, type SkuAtp } from './counters.ts'
import { readScripts } from './scripts.ts'
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

describe('reserve', () => {
  const cases: [string, SkuQuantity[], string, Record<string, number>][] = [
    ['one line', lines('a', 4), 'reserved', { a: 6 }],
    ['all there is', lines('a', 10, 'b', 5), 'reserved', { a: 0, b: 0 }],
    ['one too many', lines('a', 11), 'insufficient_stock', { a: 10 }],
    ['second line short: the first one is not taken', lines('a', 1, 'b', 6), 'insufficient_stock', { a: 10, b: 5 }],
    ['first line short: the second one is not taken', lines('b', 6, 'a', 1), 'insufficient_stock', { a: 10, b: 5 }],
    ['same SKU twice, each fits, the sum does not', lines('a', 6, 'a', 6), 'insufficient_stock', { a: 10 }],
    ['same SKU twice, the sum fits', lines('a', 6, 'a', 4), 'reserved', { a: 0 }],
    ['SKU that the node never had', lines('none', 1), 'insufficient_stock', { none: 0 }],
    ['SKU that a count left below zero', lines('minus', 1), 'insufficient_stock', { minus: -4 }],
    ['SKU that is not ASCII', lines('货号', 2), 'reserved', { 货号: 0 }],
  ]
  test.each(cases)('%s', async (_, wanted, outcome, atp) => {
    const before = await state()
    expect(await reserve('r', wanted)).toEqual({ outcome, atp: rows(atp) })
    const held = outcome === 'reserved' ? ['r'] : []
    expect(await state()).toEqual({
      ...before,
      atp: { a: 10, b: 5, 货号: 2, minus: -4, ...(outcome === 'reserved' ? atp : {}) },
      held,
    })
  })

  test('asked again: nothing more is taken, in whatever order the lines are said', async () => {
    await reserve('r', lines('a', 4, 'b', 1))
    const before = await state()
    expect(await reserve('r', lines('b', 1, 'a', 3, 'a', 1))).toEqual({
      outcome: 'already_reserved',
      atp: rows({ a: 6, b: 4 }),
    })
    expect(await state()).toEqual(before)
  })

  test('asked again after the rest was sold out: still the first answer', async () => {
    await reserve('r', lines('a', 4))
    await reserve('s', lines('a', 6))
    expect(await reserve('r', lines('a', 4))).toEqual({ outcome: 'already_reserved', atp: rows({ a: 0 }) })
  })

  test('asked again, it is young again: who saw the old record releases nothing', async () => {
    await reserve('r', lines('a', 4))
    const again = { reservationId: 'r', node: 'n', lines: lines('a', 4) }
    const release = (madeAtMs?: number) =>
      stock.release(epoch, [{ node: 'n', reservationId: 'r', ...(madeAtMs === undefined ? {} : { madeAtMs }) }])
    expect(await stock.reserve(epoch, nowMs + 60_000, [again])).toMatchObject([{ outcome: 'already_reserved' }])
    const before = await state()
    expect(await release(nowMs)).toEqual([{ outcome: 'asked_again' }])
    expect(await state()).toEqual(before)
    expect(await release(nowMs + 60_000)).toEqual([{ outcome: 'released' }])
    expect(await release(nowMs + 60_000)).toEqual([{ outcome: 'absent' }])
    await reserve('r', lines('a', 4))
    expect(await release()).toEqual([{ outcome: 'released' }])
  })

  test.each([
    ['fewer', lines('a', 3)],
    ['more', lines('a', 5)],
    ['another line', lines('a', 4, 'b', 1)],
    ['another SKU', lines('b', 4)],
  ])('same id, other lines: %s', async (_, other) => {
    await reserve('r', lines('a', 4))
    const before = await state()
    expect(await reserve('r', other)).toMatchObject({ outcome: 'exists_with_different_lines' })
    expect(await state()).toEqual(before)
  })

  test('a batch over nodes: each on its own, in order, answers in the order asked', async () => {
    const outcomes = await stock.reserve(epoch, nowMs, [
      { reservationId: '1', node: 'n', lines: lines('a', 6) },
      { reservationId: '2', node: 'm', lines: lines('a', 1) },
      { reservationId: '3', node: 'n', lines: lines('b', 1, 'a', 5) },
      { reservationId: '1', node: 'n', lines: lines('a', 6) },
      { reservationId: '4', node: 'm', lines: lines('a', 1) },
      { reservationId: '5', node: 'n', lines: lines('a', 4) },
      { reservationId: '6', node: 'nowhere', lines: lines('a', 1) },
    ])
    expect(outcomes).toEqual([
      { outcome: 'reserved', atp: rows({ a: 4 }) },
      { outcome: 'reserved', atp: rows({ a: 0 }) },
      { outcome: 'insufficient_stock', atp: rows({ a: 4, b: 5 }) },
      { outcome: 'already_reserved', atp: rows({ a: 4 }) },
      { outcome: 'insufficient_stock', atp: rows({ a: 0 }) },
      { outcome: 'reserved', atp: rows({ a: 0 }) },
      { outcome: 'stale_epoch', currentEpoch: null },
    ])
  })

  test('more requests and lines than one call takes', async () => {
    const many = Array.from({ length: 9_000 }, (_, i) => `sku-${i}`)
    await stock.reload(
      epoch + 1,
      'n',
      0,
      many.map((sku): SkuAtp => ({ sku, atp: 1 })),
    )
    const requests = many.map((sku, i) => ({ reservationId: `r${i}`, node: 'n', lines: lines(sku, 1) }))
    const wide = {
      reservationId: 'wide',
      node: 'n',
      lines: many.slice(0, linesMax).map((sku) => ({ sku, quantity: 1 })),
    }
    const outcomes = await stock.reserve(epoch + 1, nowMs, [wide, ...requests])
    expect(outcomes.filter(({ outcome }) => outcome === 'reserved')).toHaveLength(1 + many.length - linesMax)
    expect(outcomes.slice(1, 1 + linesMax).every(({ outcome }) => outcome === 'insufficient_stock')).toBe(true)
    const released = await stock.release(epoch + 1, [wide, ...requests])
    expect(released.filter(({ outcome }) => outcome === 'released')).toHaveLength(1 + many.length - linesMax)
    const seen = await stock.inspect(epoch + 1, 'n')
    expect(seen.outcome === 'inspected' && [...seen.atp.values()].every((atp) => atp === 1)).toBe(true)
  })

  test.each([
    ['no lines', []],
    ['quantity 0', lines('a', 0)],
    ['negative', lines('a', -1)],
    ['a fraction', lines('a', 1.5)],
    ['not a number', lines('a', Number.NaN)],
    ['above the limit', lines('a', 1_000_001)],
    ['no SKU', lines('', 1)],
    ['half a surrogate pair', lines('\ud800', 1)],
    ['one line more than the limit', Array.from({ length: linesMax + 1 }, (_, i) => ({ sku: `s${i}`, quantity: 1 }))],
  ])('a bug of the caller throws: %s', async (_, wanted) => {
    await expect(reserve('r', wanted)).rejects.toThrow(RangeError)
  })
})

describe('confirm and release', () => {
  const ref = { node: 'n', reservationId: 'r' }
  const absent = { outcome: 'absent' }

  test('confirm: the record goes, the goods stay taken; again: absent', async () => {
    await reserve('r', lines('a', 4))
    expect(await stock.confirm(epoch, [ref, ref])).toEqual([{ outcome: 'confirmed' }, absent])
    expect(await state()).toMatchObject({ atp: { a: 6 }, held: [] })
    expect(await stock.release(epoch, [ref])).toEqual([absent])
    expect(await state()).toMatchObject({ atp: { a: 6 } })
  })

  test('release: record and goods go back together; again: absent', async () => {
    await reserve('r', lines('a', 4, 'b', 2, 'a', 1))
    expect(await stock.release(epoch, [ref, ref])).toEqual([{ outcome: 'released' }, absent])
    expect(await state()).toMatchObject({ atp: { a: 10, b: 5 }, held: [] })
    expect(await stock.confirm(epoch, [ref])).toEqual([absent])
  })

  test('a released id may be reserved anew', async () => {
    await reserve('r', lines('a', 4))
    await stock.release(epoch, [ref])
    expect(await reserve('r', lines('a', 9))).toMatchObject({ outcome: 'reserved' })
  })
})

test.each([epoch - 1, epoch + 1])('every question at epoch %i is refused and changes nothing', async (at) => {
  await reserve('r', lines('a', 4))
  const before = await state()
  const stale = { outcome: 'stale_epoch', currentEpoch: epoch }
  const ref = { node: 'n', reservationId: 'r' }
  expect(await reserve('s', lines('a', 1), 'n', at)).toEqual(stale)
  expect(await reserve('r', lines('a', 4), 'n', at)).toEqual(stale)
  expect(await stock.confirm(at, [ref])).toEqual([stale])
  expect(await stock.release(at, [ref])).toEqual([stale])
  expect(await stock.apply(at, 'n', 4, [{ lines: [{ sku: 'a', delta: 1 }] }])).toEqual(stale)
  expect(await stock.inspect(at, 'n')).toEqual(stale)
  expect(await state()).toEqual(before)
})

test('inspect: some SKUs without records, or all with the records, their time and lines', async () => {
  await reserve('r', lines('b', 1, 'a', 4))
  expect(await stock.inspect(epoch, 'n', ['b', 'none'])).toEqual({
    outcome: 'inspected',
    seq: 3,
    atp: new Map([['b', 4]]),
    held: [],
  })
  expect(await stock.inspect(epoch, 'n')).toMatchObject({
    held: [{ reservationId: 'r', madeAtMs: nowMs, lines: lines('a', 4, 'b', 1) }],
  })
})

test('the script itself adds up lines of one SKU, whatever a caller did', async () => {
  const { sha } = readScripts('pd:').reserve
  const keys = ['pd:{n}:atp', 'pd:{n}:held', 'pd:{n}:meta']
  const call = (text: string) => raw.evalsha(sha, 3, ...keys, epoch, nowMs, 'r', text)
  expect(await call('["a",6,"a",6]')).toEqual([1, 13, 10, 10])
  expect(await call('["a",6,"a",4]')).toEqual([1, 10, 0, 0])
})

describe('names', () => {
  test.each(['}x', '', 'x'.repeat(257)])('a node that cannot be a key throws: %s', async (node) => {
    await expect(reserve('r', lines('a', 1), node)).rejects.toThrow(RangeError)
  })
  test('nodes with braces are nodes of their own', async () => {
    await stock.reload(epoch, 'x}y{z', 0, rows({ a: 3 }))
    expect(await reserve('r', lines('a', 1), 'x}y{z')).toEqual({ outcome: 'reserved', atp: rows({ a: 2 }) })
    expect(await state()).toMatchObject({ atp: { a: 10 } })
  })
})
