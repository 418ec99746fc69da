/** Where goods come from: bundles, splits, gifts, quantities over two places, backorders, counts that find less. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { nodes } from './testing/network.ts'
import { testOrder } from './testing/orders.ts'
import type { OrderView, TestService } from './testing/service.ts'
import { startTestService } from './testing/service.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
})
afterEach(async () => {
  expect(await service.audit()).toEqual([])
})
afterAll(() => service.close())

test('a bundle is picked as its components, and its money is shared to the fen', async () => {
  await service.goods('cup', { east: 10 })
  await service.goods('saucer', { east: 10 })
  await service.goods(
    'tea-set',
    {},
    {
      bundle: [
        { sku: 'cup', quantity: 2 },
        { sku: 'saucer', quantity: 1 },
      ],
    },
  )
  const order = testOrder('tmall', [{ sku: 'tea-set', quantity: 2, paidFen: 10_001 }])
  await service.tell(order)
  const view = await service.order(order)
  expect(view).toMatchObject({
    state: 'routed',
    lines: [{ sku: 'tea-set', quantity: 2, paidFen: 10_001, state: 'task' }],
  })
  expect(linesOf(view, 0)).toEqual({ cup: 4, saucer: 2 })
  const [row] = await service.sql<{ items: { paidFen: number }[] }[]>`
    select items from orders where order_id = ${order.orderId}`
  expect(row!.items).toHaveLength(2)
  expect(row!.items.reduce((sum, item) => sum + item.paidFen, 0)).toBe(10_001)
  expect(await service.stock('cup')).toMatchObject({ east: { reserved: 4 } })
  expect(await service.stock('tea-set')).toEqual({})
})

test('what may not travel together goes in two parcels, a gift goes with its main line', async () => {
  await service.goods('ice', { east: 5 }, { storageClass: 'frozen' })
  await service.goods('book', { east: 5 })
  await service.goods('bookmark', { east: 5, south: 5 })
  const order = testOrder('tmall', [
    { sku: 'ice', quantity: 1, paidFen: 3000 },
    { sku: 'book', quantity: 1, paidFen: 2000 },
    { sku: 'bookmark', quantity: 1, paidFen: 0, gift: true, giftOf: 1 },
  ])
  await service.tell(order)
  const view = await service.order(order)
  expect(view.tasks).toHaveLength(2)
  expect(view.tasks.map((t) => t.lines.map((l) => l.sku).sort()).sort()).toEqual([['book', 'bookmark'], ['ice']])
})

test('a gift goes with nothing when its main line is refunded', async () => {
  await service.goods('main', { east: 5 })
  await service.goods('free-gift', { east: 5 })
  const order = testOrder('tmall', [
    { sku: 'main', quantity: 1, paidFen: 2000 },
    { sku: 'free-gift', quantity: 1, paidFen: 0, gift: true, giftOf: 0 },
  ])
  await service.tell(order)
  const refunded = order.lines.map((line, i) => (i === 0 ? { ...line, refund: 'refunded' as const } : line))
  await service.tell({ ...order, at: order.at + 1000, lines: refunded })
  expect(await service.order(order)).toMatchObject({
    state: 'cancelled',
    lines: [{ state: 'cancelled' }, { state: 'cancelled' }],
  })
  expect(await service.stock('free-gift')).toMatchObject({ east: { reserved: 0 } })
})

test('two lines of one SKU are added up before they are reserved', async () => {
  await service.goods('twice', { east: 3 })
  const lines = [2, 2].map((quantity) => ({ sku: 'twice', quantity, paidFen: 100 * quantity }))
  const order = testOrder('jd', lines)
  await service.tell(order)
  const view = await service.order(order)
  expect(view.state).toBe('backordered')
  expect(linesOf(view, 0)).toEqual({ twice: 3 })
  expect(await service.stock('twice')).toEqual({ east: { onHand: 3, reserved: 3, available: 0 } })
  await service.count('east', 'add', [{ sku: 'twice', quantity: 1 }])
  expect(await service.order(order)).toMatchObject({ state: 'routed' })
})

test('a quantity that no place has is split over two, and the trace says why', async () => {
  await service.goods('spread', { east: 3, south: 4 })
  await service.goods('near', { east: 9 })
  const order = testOrder('wechat', [
    { sku: 'spread', quantity: 6, paidFen: 600 },
    { sku: 'near', quantity: 1, paidFen: 50 },
  ])
  await service.tell(order)
  const view = await service.order(order)
  expect(view.state).toBe('routed')
  const spread = view.tasks.map((t) => t.lines.find((l) => l.sku === 'spread')?.quantity ?? 0)
  expect(view.tasks.map((t) => t.node).sort()).toEqual(['east', 'south'])
  expect(spread.reduce((sum, quantity) => sum + quantity, 0)).toBe(6)
  expect(view.lines[0]).toMatchObject({ quantity: 6, state: 'task' })
  const trace = JSON.stringify(view.trace)
  for (const node of ['east', 'south']) expect(trace).toContain(node)
})

test('a warehouse-only SKU never ships from the store next door', async () => {
  await service.goods('pallet', { store: 5, south: 5 }, { warehouseOnly: true })
  const order = testOrder('jd', [{ sku: 'pallet', quantity: 1, paidFen: 500 }])
  await service.tell(order)
  expect(await service.order(order)).toMatchObject({ tasks: [{ node: 'south' }] })
})

test('nothing there: backordered, the oldest order first when goods come in', async () => {
  await service.goods('awaited', { east: 0 })
  const orders = [1, 2, 3].map(() => testOrder('jd', [{ sku: 'awaited', quantity: 2, paidFen: 200 }]))
  for (const order of orders) await service.tell(order)
  const states = async () => await Promise.all(orders.map(async (order) => (await service.order(order)).state))
  expect(await states()).toEqual(['backordered', 'backordered', 'backordered'])
  const seen = await service.admin('GET', '/v1/stock?sku=awaited')
  expect(seen.json).toMatchObject({ backordered: 6 })

  await service.count('south', 'add', [{ sku: 'awaited', quantity: 4 }])
  expect(await states()).toEqual(['routed', 'routed', 'backordered'])
  await service.tell({ ...orders[1]!, step: 'closed', at: orders[1]!.at + 1000 })
  await service.sweep()
  expect(await states()).toEqual(['routed', 'cancelled', 'routed'])
})

describe('a count below what is reserved', () => {
  test('is believed: raised, unpulled tasks sourced elsewhere, the pulled one kept, nothing oversold', async () => {
    await service.goods('shrunk', { east: 4, south: 2 })
    const order = () => testOrder('jd', [{ sku: 'shrunk', quantity: 1, paidFen: 100 }])
    const pulled = order()
    await service.tell(pulled)
    const task = await service.at('east').pullFor(pulled)
    const waiting = [order(), order(), order()]
    for (const one of waiting) await service.tell(one)
    expect(await service.stock('shrunk')).toMatchObject({ east: { reserved: 4, available: 0 } })

    await service.count('east', 'set', [{ sku: 'shrunk', quantity: 1 }])
    expect(await service.stock('shrunk')).toEqual({
      east: { onHand: 1, reserved: 1, available: 0 },
      south: { onHand: 2, reserved: 2, available: 0 },
    })
    const views = await Promise.all(waiting.map((one) => service.order(one)))
    expect(views.map((v) => v.state).sort()).toEqual(['backordered', 'routed', 'routed'])
    expect(await service.at('east').ship(task, 'SF-shrunk-1')).toMatchObject({ status: 200 })
  })

  test('of which all is pulled: the shortage stays raised until a count or the warehouse settles it', async () => {
    await service.goods('gone', { east: 2, south: 2 })
    const order = testOrder('jd', [{ sku: 'gone', quantity: 2, paidFen: 100 }])
    await service.tell(order)
    const task = await service.at('east').pullFor(order)
    await service.count('east', 'set', [{ sku: 'gone', quantity: 0 }])
    expect(await service.stock('gone')).toMatchObject({ east: { onHand: 0, reserved: 2, available: -2 } })
    expect(await service.exceptions('shortage')).toMatchObject([
      { ref: 'east/gone', detail: { node: 'east', sku: 'gone', missing: 2 } },
    ])
    await service.at('east').reject(task, 'out_of_stock')
    await service.settled()
    expect(await service.order(order)).toMatchObject({ state: 'routed', tasks: [{}, { node: 'south' }] })
    expect(await service.stock('gone')).toMatchObject({ east: { onHand: 0, reserved: 0, available: 0 } })
    await service.sweep()
    expect(await service.exceptions('shortage')).toEqual([])
  })
})

test('stock postings are once by their ref, and say no to what cannot be', async () => {
  await service.goods('posted', { east: 5 })
  const post = (body: unknown) => service.admin('POST', '/v1/nodes/east/stock', body)
  const posting = { ref: 'delivery 7', kind: 'add', lines: [{ sku: 'posted', quantity: 3 }] }
  expect(await post(posting)).toMatchObject({ status: 200, json: { posted: true } })
  expect(await post(posting)).toMatchObject({ status: 200, json: { posted: false } })
  expect(await service.stock('posted')).toMatchObject({ east: { onHand: 8 } })
  const other = { ...posting, lines: [{ sku: 'posted', quantity: 4 }] }
  expect(await post(other)).toMatchObject({ status: 409, json: { error: { code: 'ref_reused' } } })
  const below = { ref: 'r2', kind: 'add', lines: [{ sku: 'posted', quantity: -9 }] }
  expect(await post(below)).toMatchObject({ status: 409, json: { error: { code: 'conflict' } } })
  const unknown = { ref: 'r3', kind: 'add', lines: [{ sku: 'never-heard-of', quantity: 1 }] }
  expect(await post(unknown)).toMatchObject({ status: 400, json: { error: { code: 'invalid_request' } } })
  expect(await service.stock('posted')).toMatchObject({ east: { onHand: 8 } })
})

test('safety stock is kept back, and given free when it is lowered', async () => {
  await service.goods('safe', { north: 3 })
  const set = (safetyStock: number) => service.admin('PUT', '/v1/nodes/north', { ...nodes.north, safetyStock })
  expect((await set(2)).status).toBe(200)
  const order = testOrder('jd', [{ sku: 'safe', quantity: 2, paidFen: 100 }])
  await service.tell(order)
  expect(await service.order(order)).toMatchObject({ state: 'backordered' })
  expect(await service.stock('safe')).toMatchObject({ north: { onHand: 3, reserved: 1, available: 0 } })
  expect((await set(0)).status).toBe(200)
  await service.sweep()
  expect(await service.order(order)).toMatchObject({ state: 'routed' })
})

function linesOf(view: OrderView, task: number): Record<string, number> {
  return Object.fromEntries(view.tasks[task]!.lines.map((l) => [l.sku, l.quantity]))
}
