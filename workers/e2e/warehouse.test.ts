/** A warehouse's verbs over HTTP: whose a task is, for how long, what leaves and what is given back. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { errorCodeOf } from './testing/client.ts'
import { type TestLine, type TestOrder, testOrder } from './testing/orders.ts'
import { startTestService, type TestService } from './testing/service.ts'
import { billOf } from './testing/webhooks.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
})
afterEach(async () => {
  expect(await service.audit()).toEqual([])
})
afterAll(() => service.close())

const free = (onHand: number) => ({ onHand, reserved: 0, available: onHand })

async function told(...lines: readonly (readonly [sku: string, quantity: number])[]): Promise<TestOrder> {
  const order = testOrder(
    'jd',
    lines.map(([sku, quantity]): TestLine => ({ sku, quantity, paidFen: 500 * quantity })),
  )
  await service.tell(order)
  return order
}

/** Time passes until the lease has run out. */
async function lapse(taskId: string): Promise<void> {
  await service.sql`update task set lease_until = now() - interval '1 second' where task_id = ${taskId}`
}

describe('rejected', () => {
  test.each([
    // The reason, and what is then believed of five pieces at the east, of which two were wanted.
    ['out_of_stock', free(0)],
    ['damaged', free(3)],
    ['closed', free(5)],
    ['overloaded', free(5)],
  ] as const)('%s: the stock is corrected and the order sourced elsewhere', async (reason, believed) => {
    const sku = `rejected-${reason}`
    await service.goods(sku, { east: 5, south: 5 })
    const order = await told([sku, 2])
    const task = await service.at('east').pullFor(order)
    await service.at('east').accept(task)
    expect(await service.at('east').reject(task, reason)).toMatchObject({ status: 200, json: { state: 'rejected' } })
    await service.settled()

    expect(await service.order(order)).toMatchObject({
      state: 'routed',
      tasks: [
        { node: 'east', state: 'cancelled', reason },
        { node: 'south', state: 'ready', lines: [{ sku, quantity: 2 }] },
      ],
    })
    expect(await service.stock(sku)).toEqual({ east: believed, south: { onHand: 5, reserved: 2, available: 3 } })
    // Said twice, it happens once.
    expect((await service.at('east').reject(task, reason)).status).toBe(200)
    await service.settled()
    expect((await service.order(order)).tasks).toHaveLength(2)
    expect(errorCodeOf(await service.at('east').ship(task, 'SF-late-01'))).toBe('wrong_task_state')
  })

  test('only what is named is believed to be missing', async () => {
    await service.goods('there', { east: 5, south: 5 })
    await service.goods('broken', { east: 5, south: 5 })
    const order = await told(['there', 1], ['broken', 3])
    const task = await service.at('east').pullFor(order)
    const tooMany = await service.at('east').reject(task, 'damaged', [{ sku: 'broken', quantity: 4 }])
    expect(errorCodeOf(tooMany)).toBe('lines_do_not_match')
    await service.at('east').reject(task, 'damaged', [{ sku: 'broken', quantity: 1 }])
    await service.settled()
    const [stockOfBroken, stockOfThere] = [await service.stock('broken'), await service.stock('there')]
    expect(stockOfBroken.east!.onHand).toBe(4)
    expect(stockOfThere.east!.onHand).toBe(5)
    expect((await service.order(order)).state).toBe('routed')
  })

  test('damaged where nobody else has it: what is left there is asked for once nothing better came', async () => {
    await service.goods('only-here', { east: 3 })
    const order = await told(['only-here', 1])
    await service.at('east').reject(await service.at('east').pullFor(order), 'damaged')
    await service.settled()
    expect(await service.order(order)).toMatchObject({ state: 'backordered' })
    await service.sweep()
    expect(await service.order(order)).toMatchObject({ state: 'routed', tasks: [{}, { node: 'east', state: 'ready' }] })
    expect(await service.stock('only-here')).toEqual({ east: { onHand: 2, reserved: 1, available: 1 } })
  })

  test('out of stock while others order the same goods: all are decided, none on what is not there', async () => {
    await service.goods('rush', { east: 50, south: 5 })
    const order = await told(['rush', 2])
    const task = await service.at('east').pullFor(order)
    const others = Array.from({ length: 10 }, () => testOrder('jd', [{ sku: 'rush', quantity: 1, paidFen: 100 }]))
    await Promise.all([service.at('east').reject(task, 'out_of_stock'), ...others.map((one) => service.tell(one))])
    await service.settled()
    const { east, south } = await service.stock('rush')
    expect(east!.onHand).toBe(east!.reserved)
    expect(south).toMatchObject({ onHand: 5 })
  })

  test('by everybody: backordered, and no node is asked twice', async () => {
    await service.goods('nowhere', { east: 2, south: 2 })
    const order = await told(['nowhere', 1])
    for (const node of ['east', 'south'] as const) {
      await service.at(node).reject(await service.at(node).pullFor(order), 'closed')
      await service.settled()
    }
    expect(await service.order(order)).toMatchObject({ state: 'backordered', lines: [{ state: 'backordered' }] })
    // More at a node that gave it back is not for this order; at another one it is.
    await service.count('east', 'add', [{ sku: 'nowhere', quantity: 5 }])
    expect(await service.order(order)).toMatchObject({ state: 'backordered' })
    await service.count('north', 'add', [{ sku: 'nowhere', quantity: 1 }])
    expect(await service.order(order)).toMatchObject({ state: 'routed' })
    expect((await service.order(order)).tasks.at(-1)).toMatchObject({ node: 'north', state: 'ready' })
  })
})

test('a lapsed lease is offered again under another fence, and the late owner is refused', async () => {
  await service.goods('leased', { east: 5 })
  const order = await told(['leased', 1])
  const east = service.at('east')
  const first = await east.pullFor(order)
  await lapse(first.taskId)
  expect(errorCodeOf(await east.accept(first))).toBe('lease_lapsed')
  expect(errorCodeOf(await east.extend(first, 60))).toBe('lease_lapsed')
  const second = await east.pullFor(order)
  expect(second).toMatchObject({ taskId: first.taskId, fence: first.fence + 1 })
  for (const late of [
    () => east.accept(first),
    () => east.extend(first, 60),
    () => east.ship(first, 'SF-late-02'),
    () => east.reject(first, 'damaged'),
    () => east.intercept(first),
  ]) {
    const answer = await late()
    expect([answer.status, errorCodeOf(answer)]).toEqual([409, 'stale_fence'])
  }
  expect(await east.ship(second, 'SF-second-01')).toMatchObject({ status: 200 })
})

test('an extended lease is kept beyond its first end', async () => {
  await service.goods('extended', { east: 5 })
  const order = await told(['extended', 1])
  const task = await service.at('east').pullFor(order, 5)
  const extended = await service.at('east').extend(task, 3600)
  expect(extended).toMatchObject({ status: 200, json: { state: 'pulled', intercepted: false } })
  expect((extended.json as { leaseUntil: number }).leaseUntil).toBeGreaterThan(task.leaseUntil + 3_000_000)
  expect(await service.at('east').ship(task, 'SF-extended')).toMatchObject({ status: 200 })
})

test('accepting, and shipping a part, answer the lease that the pull gave; shipping the rest ends it', async () => {
  await service.goods('still-leased', { east: 5 })
  const order = await told(['still-leased', 2])
  const east = service.at('east')
  const task = await east.pullFor(order, 600)
  const { leaseUntil } = task
  for (let times = 0; times < 2; times++)
    expect(await east.accept(task)).toMatchObject({ status: 200, json: { state: 'accepted', leaseUntil } })
  const one = [{ sku: 'still-leased', quantity: 1 }]
  for (let times = 0; times < 2; times++)
    expect(await east.ship(task, 'SF-leased-1', one)).toMatchObject({ json: { state: 'accepted', leaseUntil } })
  expect(await east.ship(task, 'SF-leased-2', one)).toMatchObject({ json: { state: 'shipped', leaseUntil: null } })
  expect(await east.ship(task, 'SF-leased-2', one)).toMatchObject({ json: { state: 'shipped', leaseUntil: null } })
})

test('an accepted task whose lease lapses is offered again too', async () => {
  await service.goods('accepted', { east: 5 })
  const order = await told(['accepted', 1])
  const task = await service.at('east').pullFor(order)
  await service.at('east').accept(task)
  expect(await service.at('east').pullAllOf(order)).toEqual([])
  await lapse(task.taskId)
  expect(await service.at('east').pullFor(order)).toMatchObject({ fence: 2, state: 'pulled' })
})

test('an intercept that its owner never answers is taken back when the lease has run out', async () => {
  await service.goods('silent', { east: 5 })
  const order = await told(['silent', 2])
  const task = await service.at('east').pullFor(order)
  await service.tell({ ...order, step: 'closed', at: order.at + 1000 })
  expect(await service.stock('silent')).toMatchObject({ east: { reserved: 2 } })
  await lapse(task.taskId)
  expect(await service.at('east').pullAllOf(order)).toEqual([])
  await service.sweep()
  expect(await service.order(order)).toMatchObject({ state: 'cancelled', tasks: [{ state: 'cancelled' }] })
  expect(await service.stock('silent')).toEqual({ east: free(5) })
})

test('shipped in parts: each unit leaves once, and the order closes after the last parcel', async () => {
  await service.goods('part-a', { east: 5 })
  await service.goods('part-b', { east: 5 })
  const order = await told(['part-a', 3], ['part-b', 1])
  const east = service.at('east')
  const task = await east.pullFor(order)
  const some = [
    { sku: 'part-a', quantity: 1 },
    { sku: 'part-b', quantity: 1 },
  ]
  expect(await east.ship(task, 'SF-part-01', some)).toMatchObject({ status: 200, json: { state: 'accepted' } })
  expect(await service.order(order)).toMatchObject({
    state: 'partly_shipped',
    tasks: [
      {
        lines: [
          { sku: 'part-a', quantity: 3, shipped: 1 },
          { sku: 'part-b', quantity: 1, shipped: 1 },
        ],
      },
    ],
  })
  expect(await service.stock('part-a')).toEqual({ east: { onHand: 4, reserved: 2, available: 2 } })
  // The same parcel told twice, with its lines and with others.
  expect(await east.ship(task, 'SF-part-01', some)).toMatchObject({ status: 200, json: { state: 'accepted' } })
  const other = await east.ship(task, 'SF-part-01', [{ sku: 'part-a', quantity: 2 }])
  expect([other.status, errorCodeOf(other)]).toEqual([409, 'conflict'])
  for (const wrong of [
    [{ sku: 'part-a', quantity: 3 }],
    [{ sku: 'part-b', quantity: 1 }],
    [{ sku: 'never-ordered', quantity: 1 }],
  ]) {
    expect(errorCodeOf(await east.ship(task, 'SF-part-02', wrong))).toBe('lines_do_not_match')
  }
  expect(await service.stock('part-a')).toEqual({ east: { onHand: 4, reserved: 2, available: 2 } })

  expect(await east.ship(task, 'SF-part-02', [{ sku: 'part-a', quantity: 2 }])).toMatchObject({
    json: { state: 'shipped' },
  })
  expect(await east.ship(task, 'SF-part-02', [{ sku: 'part-a', quantity: 2 }])).toMatchObject({
    ...{ status: 200, json: { state: 'shipped' } },
  })
  expect(errorCodeOf(await east.ship(task, 'SF-part-03', [{ sku: 'part-a', quantity: 1 }]))).toBe('wrong_task_state')
  expect(await service.stock('part-a')).toEqual({ east: free(2) })

  await service.bill(billOf(order))
  await service.track({ carrier: 'shunfeng', waybill: 'SF-part-01', state: '3', at: Date.now() })
  expect(await service.order(order)).toMatchObject({ state: 'shipped' })
  await service.track({ carrier: 'shunfeng', waybill: 'SF-part-02', state: '3', at: Date.now() })
  expect(await service.order(order)).toMatchObject({ state: 'closed' })
})

test('a part is out, then the rest is rejected: what left stays shipped, the rest is sourced elsewhere', async () => {
  await service.goods('half', { east: 5, south: 5 })
  const order = await told(['half', 3])
  const task = await service.at('east').pullFor(order)
  await service.at('east').ship(task, 'SF-half-01', [{ sku: 'half', quantity: 1 }])
  await service.at('east').reject(task, 'closed')
  await service.settled()
  expect(await service.order(order)).toMatchObject({
    state: 'partly_shipped',
    tasks: [
      { node: 'east', state: 'shipped', lines: [{ quantity: 1, shipped: 1 }] },
      { node: 'south', state: 'ready', lines: [{ quantity: 2, shipped: 0 }] },
    ],
  })
  expect(await service.stock('half')).toEqual({ east: free(4), south: { onHand: 5, reserved: 2, available: 3 } })
  await service.at('south').ship(await service.at('south').pullFor(order), 'SF-half-02')
  expect(await service.order(order)).toMatchObject({ state: 'shipped' })
})

test('a part is out, then the buyer closes: the rest is intercepted and freed, what left is raised', async () => {
  await service.goods('too-late', { east: 5 })
  const order = await told(['too-late', 3])
  const task = await service.at('east').pullFor(order)
  await service.at('east').ship(task, 'SF-toolate1', [{ sku: 'too-late', quantity: 1 }])
  await service.tell({ ...order, step: 'closed', at: order.at + 1000 })
  expect(await service.order(order)).toMatchObject({ tasks: [{ interceptRequested: true }] })
  expect(await service.at('east').intercept(task)).toMatchObject({ status: 200 })
  await service.settled()
  const view = await service.order(order)
  expect(view.tasks).toMatchObject([{ state: 'shipped', lines: [{ quantity: 1, shipped: 1 }] }])
  expect(view.reconciliation?.exceptions.map((e) => e.kind)).toContain('shipped_but_refunded')
  expect(await service.stock('too-late')).toEqual({ east: free(4) })
})

test('twenty pulls at once: every task has one owner', async () => {
  await service.goods('many', { east: 40 })
  const orders = Array.from({ length: 30 }, () => testOrder('jd', [{ sku: 'many', quantity: 1, paidFen: 100 }]))
  await Promise.all(orders.map((order) => service.tell(order)))
  const pulls = await Promise.all(Array.from({ length: 20 }, () => service.at('east').pull()))
  const wanted = new Set(orders.map((o) => o.orderId))
  const owned = pulls.flat().filter((t) => wanted.has(t.orderId))
  expect(owned.map((t) => t.orderId).sort()).toEqual([...wanted].sort())
  expect(new Set(owned.map((t) => t.fence))).toEqual(new Set([1]))
})
