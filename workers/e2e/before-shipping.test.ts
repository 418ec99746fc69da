/** What buyers, platforms and operators change before the parcel leaves; each on real sockets, stock counted before and after. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { channelNames } from '../../router/types.ts'
import { errorCodeOf } from './testing/client.ts'
import { later, type TestOrder, testOrder, withLine } from './testing/orders.ts'
import { type TmallRefund, tmallRefund, tmallTrade } from './testing/platforms.ts'
import { orderPath, startTestService, type TestService } from './testing/service.ts'
import { genericBill, signedTmall } from './testing/webhooks.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
})
afterEach(async () => {
  expect(await service.audit()).toEqual([])
})
afterAll(() => service.close())

const lines = (sku: string, quantity = 1) => [{ sku, quantity, paidFen: 1000 * quantity }]
const free = (onHand: number) => ({ onHand, reserved: 0, available: onHand })

/** A routed order of two pieces, of five that `east` has. */
async function routed(channel: TestOrder['channel'], sku: string): Promise<TestOrder> {
  await service.goods(sku, { east: 5 })
  const order = testOrder(channel, lines(sku, 2))
  await service.tell(order)
  expect(await service.stock(sku)).toEqual({ east: { onHand: 5, reserved: 2, available: 3 } })
  return order
}

async function tellRefund(order: TestOrder, status: TmallRefund, at: number): Promise<void> {
  const told = await service.send(signedTmall(tmallRefund(order, 0, status, at)))
  expect(told.text).toBe('{"success":true}')
  await service.settled()
}

describe.each(channelNames)('%s', (channel) => {
  test('an unpaid order is kept and takes no stock; its payment routes it', async () => {
    const sku = `${channel}-unpaid`
    await service.goods(sku, { east: 5 })
    const order = testOrder(channel, lines(sku, 2), { step: 'unpaid' })
    await service.tell(order)
    expect(await service.order(order)).toMatchObject({ state: 'unpaid', tasks: [], holds: [{ rule: 'unpaid' }] })
    expect(await service.stock(sku)).toEqual({ east: free(5) })
    const released = await service.admin('POST', `${orderPath(order)}/approve`, {})
    expect(released.status).toBeLessThan(500)
    expect(await service.order(order)).toMatchObject({ state: 'unpaid', tasks: [] })

    await service.tell(later(order, { step: 'paid' }))
    expect(await service.order(order)).toMatchObject({ state: 'routed', holds: [], tasks: [{ node: 'east' }] })
  })

  test('closed before anybody pulled it: released at once', async () => {
    const order = await routed(channel, `${channel}-closed`)
    await service.tell(later(order, { step: 'closed' }))
    expect(await service.order(order)).toMatchObject({
      state: 'cancelled',
      tasks: [{ state: 'cancelled' }],
      lines: [{ state: 'cancelled' }],
    })
    expect(await service.stock(`${channel}-closed`)).toEqual({ east: free(5) })
    expect(await service.at('east').pullAllOf(order)).toEqual([])
  })

  test('refund asked for at a pulled task: intercepted, ship refused, given back', async () => {
    const sku = `${channel}-refund`
    const order = await routed(channel, sku)
    const east = service.at('east')
    const task = await east.pullFor(order)
    await east.accept(task)
    // JD tells of a refund only by locking the order.
    if (channel === 'jd') await service.tell(later(order, { step: 'locked' }))
    else await service.tell(later(order, { lines: withLine(order, 0, { refund: 'requested' }) }))

    expect(await service.order(order)).toMatchObject({ tasks: [{ state: 'accepted', interceptRequested: true }] })
    expect(await east.pullFor(order)).toMatchObject({ taskId: task.taskId, fence: task.fence, intercepted: true })
    expect(await east.extend(task, 60)).toMatchObject({ status: 200, json: { intercepted: true } })
    const refused = await east.ship(task, `SF-${channel}-no1`)
    expect([refused.status, errorCodeOf(refused)]).toEqual([409, 'intercept_requested'])
    expect(await service.stock(sku)).toEqual({ east: { onHand: 5, reserved: 2, available: 3 } })

    expect(await east.intercept(task)).toMatchObject({ status: 200 })
    expect(await service.stock(sku)).toEqual({ east: free(5) })
    expect(await service.order(order)).toMatchObject({ state: 'held', tasks: [{ state: 'cancelled' }] })
    expect((await east.ship(task, `SF-${channel}-no2`)).status).toBe(409)
    expect((await east.intercept(task)).status).toBe(200)

    await service.tell(later(later(order, {}), { step: 'closed' }))
    expect(await service.order(order)).toMatchObject({ state: 'cancelled' })
    expect(await service.stock(sku)).toEqual({ east: free(5) })
  })

  test('refund asked for and withdrawn: the flag goes with it, and the same task ships', async () => {
    const order = await routed(channel, `${channel}-withdrawn`)
    const east = service.at('east')
    const task = await east.pullFor(order)
    if (channel === 'jd') await service.tell(later(order, { step: 'locked' }))
    else await service.tell(later(order, { lines: withLine(order, 0, { refund: 'requested' }) }))
    expect(errorCodeOf(await east.accept(task))).toBe('intercept_requested')

    await service.tell(later(later(order, {}), {}))
    expect(await service.order(order)).toMatchObject({ state: 'routed', tasks: [{ interceptRequested: false }] })
    expect(errorCodeOf(await east.intercept(task))).toBe('nothing_to_intercept')
    expect(await east.accept(task)).toMatchObject({ status: 200 })
    expect(await east.ship(task, `SF-${channel}-yes`)).toMatchObject({ status: 200 })
  })

  test('an address in another province: an unpulled task is sourced anew, a pulled one is told to its owner', async () => {
    const sku = `${channel}-moved`
    await service.goods(sku, { east: 5, south: 5 })
    const order = testOrder(channel, lines(sku))
    await service.tell(order)
    const guangzhou = {
      ...order.receiver,
      province: '广东省',
      city: '广州市',
      district: '天河区',
      street: '体育西路***',
    }
    const moved = later(order, { receiver: guangzhou })
    await service.tell(moved)
    expect(await service.order(order)).toMatchObject({
      state: 'routed',
      tasks: [
        { node: 'east', state: 'cancelled' },
        { node: 'south', state: 'ready' },
      ],
    })
    expect(await service.stock(sku)).toMatchObject({ east: free(5), south: { reserved: 1 } })
    const task = await service.at('south').pullFor(order)
    expect(task.receiver).toMatchObject(guangzhou)

    const street = { ...guangzhou, street: '体育东路***' }
    await service.tell(later(moved, { receiver: street }))
    expect(await service.order(order)).toMatchObject({ state: 'routed', tasks: [{}, { state: 'pulled' }] })
    const south = service.at('south')
    const refused = await south.ship(task, `SF-${channel}-old`)
    expect([refused.status, errorCodeOf(refused)]).toEqual([409, 'task_changed'])
    expect(errorCodeOf(await south.accept(task))).toBe('task_changed')
    const again = await south.pullFor(order)
    expect(again).toMatchObject({ taskId: task.taskId, fence: task.fence, change: 1, receiver: street })
    expect((await service.order(order)).tasks).toMatchObject([{}, { changed: true }])
    expect(await south.accept(task, 1)).toMatchObject({ status: 200 })
    expect((await service.order(order)).tasks).toMatchObject([{}, { changed: false }])
    expect(await south.ship(task, `SF-${channel}-new`)).toMatchObject({ status: 200 })
  })
})

describe('tmall tells refunds by themselves', () => {
  test('asked for before the pull: released and held; refused by the seller: routed again', async () => {
    const order = await routed('tmall', 'refund-first')
    await tellRefund(order, 'requested', order.at + 1000)
    expect(await service.order(order)).toMatchObject({ state: 'held', holds: [{ rule: 'refund_requested' }] })
    expect(await service.stock('refund-first')).toEqual({ east: free(5) })
    await tellRefund(order, 'closed', order.at + 2000)
    expect(await service.order(order)).toMatchObject({ state: 'routed', holds: [] })
    // The request comes once more, late: it changes nothing.
    await tellRefund(order, 'requested', order.at + 1000)
    expect(await service.order(order)).toMatchObject({ state: 'routed' })
  })

  test('granted: cancelled, and closed once the money went back', async () => {
    const order = await routed('tmall', 'refund-granted')
    await tellRefund(order, 'refunded', order.at + 1000)
    expect(await service.stock('refund-granted')).toEqual({ east: free(5) })
    const cancelled = await service.order(order)
    expect(cancelled).toMatchObject({ state: 'cancelled', tasks: [{ state: 'cancelled' }] })
    expect(cancelled.reconciliation?.exceptions).toEqual([])
    expect(cancelled.reconciliation?.expected?.map((e) => e.what).sort()).toEqual(['payment', 'refund'])
    await service.bill(genericBill(order, 'payment', 2000))
    await service.bill(genericBill(order, 'refund', 2000))
    expect(await service.order(order)).toMatchObject({ reconciliation: { state: 'closed', exceptions: [] } })
  })

  test('a refund that comes before its order is remembered', async () => {
    await service.goods('refund-early', { east: 5 })
    const order = testOrder('tmall', lines('refund-early', 2))
    await tellRefund(order, 'refunded', order.at + 1000)
    expect(await service.order(order)).toMatchObject({ state: 'announced', lines: [], tasks: [] })
    await service.tell(order)
    expect(await service.order(order)).toMatchObject({ state: 'cancelled', tasks: [] })
    expect(await service.stock('refund-early')).toEqual({ east: free(5) })
  })

  test('one line of two: the other ships', async () => {
    await service.goods('stays', { east: 5 })
    await service.goods('goes', { east: 5 })
    const order = testOrder('tmall', [
      { sku: 'goes', quantity: 1, paidFen: 700 },
      { sku: 'stays', quantity: 1, paidFen: 900 },
    ])
    await service.tell(order)
    await tellRefund(order, 'refunded', order.at + 1000)
    expect(await service.order(order)).toMatchObject({
      state: 'routed',
      lines: [
        { sku: 'goes', state: 'cancelled' },
        { sku: 'stays', state: 'task' },
      ],
    })
    expect(await service.stock('goes')).toEqual({ east: free(5) })
    expect((await service.at('east').pullFor(order)).lines).toMatchObject([{ sku: 'stays', quantity: 1 }])
  })
})

test('a memo that asks to wait holds what nobody pulled and stops what was pulled; an older event changes nothing', async () => {
  const order = await routed('tmall', 'memo')
  const asked = later(order, { sellerMemo: '买家来电，先别发' })
  await service.tell(asked)
  expect(await service.order(order)).toMatchObject({ state: 'held', holds: [{ rule: 'human_wanted' }] })
  await service.tell({ ...order, at: order.at + 500 })
  expect(await service.order(order)).toMatchObject({ state: 'held' })
  const plain = later(asked, { sellerMemo: '已确认' })
  await service.tell(plain)
  expect(await service.order(order)).toMatchObject({ state: 'routed', holds: [] })

  const task = await service.at('east').pullFor(order)
  await service.tell(later(plain, { sellerMemo: '又来电，先别发' }))
  expect(errorCodeOf(await service.at('east').ship(task, 'SF-memo-01'))).toBe('intercept_requested')
  expect(await service.at('east').intercept(task)).toMatchObject({ status: 200 })
  expect(await service.stock('memo')).toEqual({ east: free(5) })
})

describe('a person', () => {
  test.each([
    ['human_wanted', { buyerMessage: '麻烦改地址，谢谢' }],
    ['risky_quantity', { lines: [{ sku: 'held', quantity: 201, paidFen: 201_000 }] }],
    ['unresolvable_address', { receiver: { ...unknownPlace() } }],
  ] as const)('lets an order go that %s holds', async (rule, given) => {
    await service.goods('held', { east: 300 })
    const order = { ...testOrder('jd', lines('held')), ...given }
    await service.tell(order)
    expect(await service.order(order)).toMatchObject({ state: 'held', tasks: [], holds: [{ rule }] })
    const listed = await service.admin('GET', '/v1/orders?state=held')
    expect(listed.text).toContain(order.orderId)

    const released = await service.admin('POST', `${orderPath(order)}/approve`, {
      ...{ actor: '王芳', note: '已电话确认' },
    })
    expect(released).toMatchObject({ status: 200, json: { state: 'routed' } })
    expect(await service.order(order)).toMatchObject({ state: 'routed', holds: [], tasks: [{ node: 'east' }] })
    const { history } = await service.order(order)
    expect(history.filter((h) => h.taken === 'approved')).toMatchObject([
      { actor: { kind: 'operator', name: '王芳' }, note: '已电话确认', outcome: 'routed' },
    ])
    expect(errorCodeOf(await service.admin('POST', `${orderPath(order)}/approve`, {}))).toBe('order_not_held')
    await service.admin('POST', `${orderPath(order)}/cancel`, {})
  })

  test('lets an order go whose amounts do not add up, or whose address is under review', async () => {
    await service.goods('held-2', { east: 300 })
    const mismatch = testOrder('tmall', lines('held-2'))
    const told = await service.send(signedTmall(tmallTrade(mismatch).replace('"payment":"10.00"', '"payment":"9.99"')))
    expect(told.status).toBe(200)
    await service.settled()
    const review = testOrder('wechat', lines('held-2'), { addressUnderReview: true })
    await service.tell(review)
    for (const [order, rule] of [
      [mismatch, 'amount_mismatch'],
      [review, 'address_under_review'],
    ] as const) {
      expect(await service.order(order)).toMatchObject({ state: 'held', holds: [{ rule }] })
      const released = await service.admin('POST', `${orderPath(order)}/approve`, {})
      expect(released).toMatchObject({ status: 200, json: { state: 'routed' } })
    }
  })

  test('cannot let go what is not known; the SKU created, nobody has to', async () => {
    const order = testOrder('jd', lines('nobody-knows'))
    await service.tell(order)
    expect(await service.order(order)).toMatchObject({ state: 'held', holds: [{ rule: 'unknown_sku' }] })
    const { json } = await service.admin('POST', `${orderPath(order)}/approve`, {})
    const held = await service.order(order)
    expect(json).toEqual({ state: 'held', version: held.version, holds: held.holds })
    expect([held.state, held.history.at(-1)!.taken]).toEqual(['held', 'nothing_to_approve'])
    await service.goods('nobody-knows', { east: 2 })
    expect(await service.order(order)).toMatchObject({ state: 'routed' })
  })

  test('cancels: unpulled at once, pulled by intercept, shipped not at all', async () => {
    const unpulled = await routed('jd', 'cancel-1')
    expect(await service.admin('POST', `${orderPath(unpulled)}/cancel`, {})).toMatchObject({
      json: { state: 'cancelled' },
    })
    expect(await service.stock('cancel-1')).toEqual({ east: free(5) })
    // A later word of the platform does not bring it back.
    await service.tell(later(unpulled, {}))
    expect(await service.order(unpulled)).toMatchObject({ state: 'cancelled' })
    expect((await service.admin('POST', `${orderPath(unpulled)}/cancel`, {})).status).toBe(200)

    const pulled = await routed('jd', 'cancel-2')
    const task = await service.at('east').pullFor(pulled)
    await service.admin('POST', `${orderPath(pulled)}/cancel`, {})
    expect(await service.order(pulled)).toMatchObject({ tasks: [{ state: 'pulled', interceptRequested: true }] })
    await service.at('east').intercept(task)
    expect(await service.order(pulled)).toMatchObject({ state: 'cancelled' })
    expect(await service.stock('cancel-2')).toEqual({ east: free(5) })

    const shipped = await routed('jd', 'cancel-3')
    await service.at('east').ship(await service.at('east').pullFor(shipped), 'SF-cancel-3')
    expect(errorCodeOf(await service.admin('POST', `${orderPath(shipped)}/cancel`, {}))).toBe('order_already_shipped')
  })
})

function unknownPlace() {
  return { name: '李*', phone: '139****0000', province: '海外', city: '某地', district: '某区', street: '***' }
}
