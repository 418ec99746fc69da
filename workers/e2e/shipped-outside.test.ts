/** Parcels that left outside of any task: a person books them, or a warehouse that had handed its task back says that it was gone. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type ChannelName, channelNames } from '../../router/types.ts'
import { replayDecisions } from '../operate/audit/replay.ts'
import { errorCodeOf } from './testing/client.ts'
import { later, type TestOrder, testOrder } from './testing/orders.ts'
import { orderPath, startTestService, type TestService } from './testing/service.ts'
import type { Warehouse } from './testing/warehouse.ts'
import { billOf } from './testing/webhooks.ts'

let service: TestService
let east: Warehouse
beforeAll(async () => {
  service = await startTestService()
  east = service.at('east')
})
afterEach(async () => {
  expect(await service.audit()).toEqual([])
})
afterAll(() => service.close())

const units = (onHand: number, reserved: number) => ({ onHand, reserved, available: onHand - reserved })
const delivered = (waybill: string) => service.track({ carrier: 'shunfeng', waybill, state: '3', at: Date.now() })
const kinds = async (order: TestOrder) =>
  (await service.order(order)).reconciliation!.exceptions.map(({ kind }) => kind).sort()

async function paid(channel: ChannelName, sku: string, quantity: number, onHand: object = { east: 5, south: 5 }) {
  await service.goods(sku, onHand)
  const order = testOrder(channel, [{ sku, quantity, paidFen: 1_000 * quantity }])
  await service.tell(order)
  await service.bill(billOf(order))
  return order
}

async function outside(order: TestOrder, waybill: string, more: object = {}) {
  const body = { node: 'south', carrier: 'SF', waybill, actor: '王芳', note: '系统外发货', ...more }
  const told = await service.admin('POST', `${orderPath(order)}/shipped-outside`, body)
  await service.settled()
  return told
}

describe.each(channelNames)('%s', (channel) => {
  test('routed, and the platform says that it is shipped: booked at another node, the order closes with its bill', async () => {
    const sku = `${channel}-outside`
    const waybill = `SF-${channel}-outside`
    const order = await paid(channel, sku, 2)
    expect(await service.stock(sku)).toEqual({ east: units(5, 2), south: units(5, 0) })
    await service.tell(later(order, { step: 'shipped' }))
    expect(await kinds(order)).toContain('platform_ahead')
    expect(await outside(order, waybill)).toMatchObject({ status: 200 })
    const { version } = await service.order(order)
    expect(await outside(order, waybill)).toMatchObject({ status: 200 })
    const booked = await service.order(order)
    expect(booked).toMatchObject({ state: 'shipped', version, holds: [] })
    expect(booked.tasks.filter((t) => t.state === 'shipped')).toMatchObject([
      { node: 'south', packages: [{ waybill }] },
    ])
    expect(booked.history).toContainEqual(
      expect.objectContaining({ event: 'ship_outside', note: '系统外发货', node: 'south' }),
    )
    expect(await east.pullAllOf(order)).toEqual([])
    await service.sweep()
    expect(await service.stock(sku)).toEqual({ east: units(5, 0), south: units(3, 0) })
    await delivered(waybill)
    expect(await service.order(order)).toMatchObject({
      state: 'closed',
      reconciliation: { exceptions: [], funds: { receivedFen: 2_000 }, order: { shippedUnits: 2 } },
    })
  })

  test('a part leaves outside before anybody pulled it: the rest is sourced and ships', async () => {
    const sku = `${channel}-part`
    const order = await paid(channel, sku, 3)
    const lines = [{ sku, quantity: 1 }]
    expect(await outside(order, `SF-${channel}-part-1`, { lines })).toMatchObject({ status: 200 })
    expect((await service.order(order)).state).toBe('partly_shipped')
    const task = await east.pullFor(order)
    expect(task.lines).toMatchObject([{ sku, quantity: 2 }])
    const refused = await outside(order, `SF-${channel}-part-2`)
    expect([refused.status, errorCodeOf(refused)]).toEqual([409, 'units_in_hand'])
    expect(await east.ship(task, `SF-${channel}-part-3`)).toMatchObject({ status: 200 })
    await service.sweep()
    expect(await service.stock(sku)).toEqual({ east: units(3, 0), south: units(4, 0) })
    for (const n of [1, 3]) await delivered(`SF-${channel}-part-${n}`)
    expect(await service.order(order)).toMatchObject({ state: 'closed', reconciliation: { exceptions: [] } })
    expect(errorCodeOf(await outside(order, `SF-${channel}-part-4`))).toBe('conflict')
  })

  test('a warehouse says that a parcel was gone when its intercept had lapsed already', async () => {
    const sku = `${channel}-lapsed`
    const waybill = `SF-${channel}-lapsed`
    const order = await paid(channel, sku, 1, { east: 5 })
    const task = await east.pullFor(order, 5)
    await service.tell(later(order, { step: 'closed' }))
    await service.sql`update task set lease_until = now() - interval '1 second' where task_id = ${task.taskId}`
    await service.sweep()
    await service.settled()
    expect(await service.stock(sku)).toEqual({ east: units(5, 0) })
    const plain = await east.ship(task, waybill)
    expect([plain.status, errorCodeOf(plain)]).toEqual([409, 'wrong_task_state'])
    const gone = () => east.ship(task, waybill, undefined, { alreadyGone: true })
    expect(await gone()).toMatchObject({ status: 200, json: { state: 'shipped' } })
    expect(await gone()).toMatchObject({ status: 200, json: { state: 'shipped' } })
    await service.settled()
    await service.sweep()
    expect(await service.stock(sku)).toEqual({ east: units(4, 0) })
    expect(await service.order(order)).toMatchObject({ state: 'shipped' })
    expect(await kinds(order)).toContain('shipped_but_refunded')
  })
})

test.each(['waits for a person', 'was cancelled by one'])(
  'finished on the platform, and here it %s: booked, it closes to the fen',
  async (here) => {
    const sku = `finished-${here.length}`
    const waybill = `SF-${sku}`
    await service.goods(sku, { east: 5, south: 5 })
    const order = testOrder('tmall', [{ sku, quantity: 2, paidFen: 1_999 }], { freightFen: 600 })
    await service.tell(order)
    const shipped = later(order, { step: 'shipped' })
    await service.tell(shipped)
    await service.tell(later(shipped, { step: 'completed' }))
    await service.bill(billOf(order))
    if (here === 'was cancelled by one') {
      expect(await service.admin('POST', `${orderPath(order)}/cancel`, {})).toMatchObject({ status: 200 })
      expect(await kinds(order)).toContain('cancelled_but_not_refunded')
    } else expect(await kinds(order)).toContain('platform_ahead')
    expect(await outside(order, waybill)).toMatchObject({ status: 200 })
    await delivered(waybill)
    expect(await service.order(order)).toMatchObject({
      state: 'closed',
      reconciliation: { exceptions: [], funds: { expectedFen: 2_599, receivedFen: 2_599 } },
    })
    await service.sweep()
    expect(await service.stock(sku)).toEqual({ east: units(5, 0), south: units(3, 0) })
  },
)

test('booked by mistake, and voided: its node has the task', async () => {
  const order = await paid('jd', 'outside-void', 1)
  expect(await outside(order, 'SF-outside-void')).toMatchObject({ status: 200 })
  const void_ = { carrier: 'SF', waybill: 'SF-outside-void' }
  expect(await service.admin('POST', `${orderPath(order)}/parcels/void`, void_)).toMatchObject({ status: 200 })
  await service.sweep()
  expect(await service.stock('outside-void')).toEqual({ east: units(5, 0), south: units(5, 1) })
  const task = await service.at('south').pullFor(order)
  expect(await service.at('south').ship(task, 'SF-outside-void-2')).toMatchObject({ status: 200 })
  await delivered('SF-outside-void-2')
  expect(await service.order(order)).toMatchObject({ state: 'closed', reconciliation: { exceptions: [] } })
})

test('gone though it was rejected: the task elsewhere is called back; once it is pulled, it has to come back first', async () => {
  for (const isPulled of [false, true]) {
    const sku = `rejected-${isPulled}`
    const order = await paid('tmall', sku, 1)
    const task = await east.pullFor(order)
    expect(await east.reject(task, 'overloaded')).toMatchObject({ status: 200 })
    await service.settled()
    expect(await service.stock(sku)).toEqual({ east: units(5, 0), south: units(5, 1) })
    const second = isPulled ? await service.at('south').pullFor(order) : null
    const gone = () => east.ship(task, `SF-rejected-${isPulled}`, undefined, { alreadyGone: true })
    const more = await east.ship(task, 'SF-more', [{ sku, quantity: 2 }], { alreadyGone: true })
    expect(errorCodeOf(more)).toBe('lines_do_not_match')
    if (second !== null) {
      expect(errorCodeOf(await gone())).toBe('units_in_hand')
      expect(await service.admin('POST', `${orderPath(order)}/cancel`, {})).toMatchObject({ status: 200 })
      expect(await service.at('south').intercept(second)).toMatchObject({ status: 200 })
      await service.settled()
    }
    expect(await gone()).toMatchObject({ status: 200 })
    await service.settled()
    await service.sweep()
    expect(await service.stock(sku)).toEqual({ east: units(4, 0), south: units(5, 0) })
    expect((await service.order(order)).state).toBe('shipped')
    const found = await kinds(order)
    if (isPulled) expect(found).toContain('shipped_but_cancelled')
    else expect(found).toEqual([])
  }
})

test('an order that is held, and one that waits for goods: less is on hand than left', async () => {
  const held = testOrder('jd', [{ sku: 'held-outside', quantity: 2, paidFen: 2_000 }], { step: 'locked' })
  await service.goods('held-outside', { south: 1 })
  await service.tell(held)
  expect((await service.order(held)).state).toBe('held')
  expect(await outside(held, 'SF-held-outside')).toMatchObject({ status: 200 })
  expect(await service.order(held)).toMatchObject({ state: 'shipped', holds: [] })

  const waiting = await paid('jd', 'waits-outside', 2, { south: 0 })
  expect((await service.order(waiting)).state).toBe('backordered')
  expect(errorCodeOf(await outside(waiting, 'SF-waits-outside', { node: 'east' }))).toBe('conflict')
  expect(await outside(waiting, 'SF-waits-outside')).toMatchObject({ status: 200 })
  await delivered('SF-waits-outside')
  expect(await service.order(waiting)).toMatchObject({ state: 'closed', reconciliation: { exceptions: [] } })
  await service.sweep()
  expect(await service.stock('held-outside')).toEqual({ south: units(0, 0) })
  expect(await service.stock('waits-outside')).toEqual({ south: units(0, 0) })
})

test('booking and pulling at once: the units leave once', async () => {
  for (let round = 0; round < 6; round++) {
    const sku = `outside-race-${round}`
    const order = await paid('wechat', sku, 1)
    const [told, tasks] = await Promise.all([outside(order, `SF-outside-race-${round}`), east.pullAllOf(order)])
    expect(told.status === 200).toBe(tasks.length === 0)
    if (tasks.length > 0) expect(errorCodeOf(told)).toBe('units_in_hand')
    for (const task of tasks) await east.ship(task, `SF-by-task-${round}`)
    await service.sweep()
    const left = await service.stock(sku)
    expect([left.east!.onHand + left.south!.onHand, left.east!.reserved + left.south!.reserved]).toEqual([9, 0])
  }
})

test('each of these orders, decided again from its history, comes out as it did', async () => {
  const { orders, different, notReplayed } = await replayDecisions(service.sql, 100)
  expect([different, notReplayed]).toEqual([[], {}])
  expect(orders).toBeGreaterThan(15)
})
