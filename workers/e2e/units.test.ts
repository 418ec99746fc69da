/** Some units of a line are given back, asked back or held: before the parcel leaves, and after. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { errorCodeOf } from './testing/client.ts'
import { later, type TestOrder, testOrder, withLine } from './testing/orders.ts'
import { tmallRefund } from './testing/platforms.ts'
import { orderPath, startTestService, type TestService } from './testing/service.ts'
import { signedTmall } from './testing/webhooks.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
})
afterEach(async () => {
  expect(await service.audit()).toEqual([])
})
afterAll(() => service.close())

const three = (sku: string) => [{ sku, quantity: 3, paidFen: 3_000 }]
const reserved = (onHand: number, units: number) => ({
  east: { onHand, reserved: units, available: onHand - units },
})

/** Three pieces of one line, of five that `east` has. */
async function routed(channel: TestOrder['channel'], sku: string): Promise<TestOrder> {
  await service.goods(sku, { east: 5 })
  const order = testOrder(channel, three(sku))
  await service.tell(order)
  expect(await service.stock(sku)).toEqual(reserved(5, 3))
  return order
}

function withUnits(order: TestOrder, requested: number, refunded: number): TestOrder {
  return later(order, { lines: withLine(order, 0, { refundUnits: { requested, refunded } }) })
}

async function liveTasks(order: TestOrder) {
  return (await service.order(order)).tasks.filter((task) => task.state !== 'cancelled')
}

describe('WeChat counts the units of after-sales', () => {
  test('one of three is asked for: held; given back: two are routed without a person', async () => {
    const order = await routed('wechat', 'wx-units')
    const asked = withUnits(order, 1, 0)
    await service.tell(asked)
    expect(await service.order(order)).toMatchObject({ state: 'held', holds: [{ rule: 'refund_requested' }] })
    expect(await service.stock('wx-units')).toEqual(reserved(5, 0))
    await service.tell(withUnits(asked, 0, 1))
    expect(await service.order(order)).toMatchObject({ state: 'routed', holds: [], lines: [{ state: 'mixed' }] })
    expect(await liveTasks(order)).toMatchObject([{ lines: [{ sku: 'wx-units', quantity: 2 }] }])
    expect(await service.stock('wx-units')).toEqual(reserved(5, 2))
  })

  test('at a pulled task: flagged; handed back, two are routed', async () => {
    const order = await routed('wechat', 'wx-pulled')
    const east = service.at('east')
    const task = await east.pullFor(order)
    await service.tell(withUnits(order, 0, 1))
    expect(await service.order(order)).toMatchObject({ tasks: [{ interceptRequested: true }] })
    expect((await east.ship(task, 'SF-too-many')).status).toBe(409)
    expect(await east.intercept(task)).toMatchObject({ status: 200 })
    expect(await liveTasks(order)).toMatchObject([{ state: 'ready', lines: [{ quantity: 2 }] }])
    const again = await east.pullFor(order)
    expect(await east.ship(again, 'SF-two')).toMatchObject({ status: 200 })
    expect(await service.stock('wx-pulled')).toEqual(reserved(3, 0))
    expect(await service.order(order)).toMatchObject({ state: 'shipped' })
  })

  test('one after the other, until none is left', async () => {
    const order = await routed('wechat', 'wx-all')
    let told = order
    for (const refunded of [1, 2, 3]) {
      told = withUnits(told, 0, refunded)
      await service.tell(told)
      expect(await service.stock('wx-all')).toEqual(reserved(5, 3 - refunded))
    }
    expect(await service.order(order)).toMatchObject({ state: 'cancelled' })
  })

  test('after all were shipped: nothing moves', async () => {
    const order = await routed('wechat', 'wx-shipped')
    const east = service.at('east')
    await east.ship(await east.pullFor(order), 'SF-shipped')
    await service.tell(withUnits(order, 0, 1))
    expect(await service.order(order)).toMatchObject({ state: 'shipped', holds: [] })
    expect(await service.stock('wx-shipped')).toEqual(reserved(2, 0))
  })
})

describe('Tmall tells an amount', () => {
  const tellRefund = async (order: TestOrder, refundFen: number) => {
    const told = await service.send(signedTmall(tmallRefund(order, 0, 'refunded', order.at + 5_000, refundFen)))
    expect(told.text).toBe('{"success":true}')
    await service.settled()
  }

  test('that is the price of one: two are routed', async () => {
    const order = await routed('tmall', 'tm-one')
    await tellRefund(order, 1_000)
    expect(await service.order(order)).toMatchObject({ state: 'routed', holds: [] })
    expect(await liveTasks(order)).toMatchObject([{ lines: [{ quantity: 2 }] }])
    expect(await service.stock('tm-one')).toEqual(reserved(5, 2))
  })

  test('that is the price of no number of units: held, and a person says which reading is right', async () => {
    const order = await routed('tmall', 'tm-odd')
    await tellRefund(order, 1_500)
    const held = await service.order(order)
    expect(held).toMatchObject({ state: 'held', holds: [{ rule: 'refunded_in_part' }] })
    expect(held.holds[0]!.reason).toMatch(/approve to ship all of them, or say for the line how many/)
    const path = `${orderPath(order)}/lines/${held.lines[0]!.lineId}`
    const wrong = await service.admin('POST', path, { ship: 1, cancel: 1 })
    expect([wrong.status, errorCodeOf(wrong)]).toEqual([409, 'units_do_not_add_up'])
    const unknown = await service.admin('POST', `${orderPath(order)}/lines/none`, { ship: 3 })
    expect([unknown.status, errorCodeOf(unknown)]).toEqual([404, 'not_found'])
    const said = await service.admin('POST', path, { ship: 2, cancel: 1, actor: '王芳', note: '退一件' })
    expect(said).toMatchObject({ status: 200, json: { state: 'routed', holds: [] } })
    expect(await service.stock('tm-odd')).toEqual(reserved(5, 2))
    const { history } = await service.order(order)
    expect(history).toContainEqual(
      expect.objectContaining({ taken: 'units_set', actor: { kind: 'operator', name: '王芳' }, note: '退一件' }),
    )
  })

  test('that is a rebate, says an approval: all go', async () => {
    const order = await routed('tmall', 'tm-rebate')
    await tellRefund(order, 300)
    expect(await service.order(order)).toMatchObject({ state: 'held' })
    expect(await service.admin('POST', `${orderPath(order)}/approve`, {})).toMatchObject({ status: 200 })
    expect(await service.stock('tm-rebate')).toEqual(reserved(5, 3))
  })
})

test('a person holds units of a line and lets them go again', async () => {
  const order = await routed('jd', 'jd-word')
  const { lines } = await service.order(order)
  const path = `${orderPath(order)}/lines/${encodeURIComponent(lines[0]!.lineId)}`
  const held = await service.admin('POST', path, { ship: 1, hold: 1, cancel: 1 })
  expect(held).toMatchObject({ status: 200, json: { state: 'held', holds: [{ rule: 'held_by_person' }] } })
  expect(await service.stock('jd-word')).toEqual(reserved(5, 1))
  const all = await service.admin('POST', path, { ship: 3 })
  expect(all).toMatchObject({ status: 200, json: { state: 'routed', holds: [] } })
  expect(await service.stock('jd-word')).toEqual(reserved(5, 3))
  const east = service.at('east')
  for (const [index, task] of (await east.pullAllOf(order)).entries())
    expect(await east.ship(task, `SF-word-${index}`)).toMatchObject({ status: 200 })
  const late = await service.admin('POST', path, { ship: 2, cancel: 1 })
  expect([late.status, errorCodeOf(late)]).toEqual([409, 'order_already_shipped'])
})

test('a price difference is paid and never sent: the goods are routed, and the order closes', async () => {
  await service.goods('tm-goods', { east: 5 })
  const sku = await service.admin('PUT', '/v1/skus/tm-difference', {
    ...{ name: '补差价', weightGrams: 0, requiresShipping: false },
  })
  expect(sku.status).toBe(200)
  const order = testOrder('tmall', [
    { sku: 'tm-goods', quantity: 1, paidFen: 1_000 },
    { sku: 'tm-difference', quantity: 5, paidFen: 500 },
  ])
  await service.tell(order)
  expect(await service.order(order)).toMatchObject({
    state: 'routed',
    holds: [],
    lines: [{ state: 'task' }, { state: 'virtual' }],
    tasks: [{ lines: [{ sku: 'tm-goods', quantity: 1 }] }],
  })
  const east = service.at('east')
  await east.ship(await east.pullFor(order), 'SF-difference')
  expect(await service.order(order)).toMatchObject({ state: 'shipped', reconciliation: { order: { agrees: true } } })
})

test('an order of nothing but a price difference has left as soon as it is paid', async () => {
  await service.admin('PUT', '/v1/skus/jd-difference', { name: '补差价', weightGrams: 0, requiresShipping: false })
  const order = testOrder('jd', [{ sku: 'jd-difference', quantity: 2, paidFen: 200 }])
  await service.tell(order)
  expect(await service.order(order)).toMatchObject({ state: 'shipped', tasks: [], lines: [{ state: 'virtual' }] })
  await service.tell(later(order, { step: 'completed' }))
  expect(await service.order(order)).toMatchObject({ state: 'shipped', holds: [] })
})

test('a quantity that is lowered after the pull: the task is called back, and what is wanted goes', async () => {
  const order = await routed('jd', 'jd-lowered')
  const east = service.at('east')
  const task = await east.pullFor(order)
  const lowered = later(order, { lines: [{ sku: 'jd-lowered', quantity: 2, paidFen: 2_000 }] })
  await service.tell(lowered)
  expect(await service.order(order)).toMatchObject({ tasks: [{ interceptRequested: true }] })
  expect((await east.ship(task, 'SF-lowered')).status).toBe(409)
  expect(await east.intercept(task)).toMatchObject({ status: 200 })
  expect(await liveTasks(order)).toMatchObject([{ lines: [{ quantity: 2 }] }])
  await east.ship(await east.pullFor(order), 'SF-lowered-2')
  expect(await service.order(order)).toMatchObject({ state: 'shipped' })
  expect(await service.stock('jd-lowered')).toEqual(reserved(3, 0))
})

test('a quantity that is raised after the pull: the rest is sourced as well', async () => {
  const order = await routed('jd', 'jd-raised')
  const east = service.at('east')
  const task = await east.pullFor(order)
  await service.tell(later(order, { lines: [{ sku: 'jd-raised', quantity: 4, paidFen: 4_000 }] }))
  expect(await east.ship(task, 'SF-raised-1')).toMatchObject({ status: 200 })
  expect(await liveTasks(order)).toMatchObject([{ lines: [{ quantity: 3 }] }, { lines: [{ quantity: 1 }] }])
  await east.ship(await east.pullFor(order), 'SF-raised-2')
  expect(await service.order(order)).toMatchObject({ state: 'shipped' })
  expect(await service.stock('jd-raised')).toEqual(reserved(1, 0))
})
