/** A parcel that was told wrongly: its number or carrier is corrected, or it is voided before it left. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type ChannelName, channelNames } from '../../router/types.ts'
import { replayDecisions } from '../operate/audit/replay.ts'
import { errorCodeOf } from './testing/client.ts'
import { later, type TestOrder, testOrder } from './testing/orders.ts'
import { orderPath, startTestService, type TestService } from './testing/service.ts'
import type { PulledTask, Warehouse } from './testing/warehouse.ts'
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

const units = (onHand: number, reserved: number) => ({ east: { onHand, reserved, available: onHand - reserved } })
const delivered = (waybill: string) => service.track({ carrier: 'shunfeng', waybill, state: '3', at: Date.now() })
const kinds = async (order: TestOrder) =>
  (await service.order(order)).reconciliation!.exceptions.map(({ kind }) => kind).sort()

/** Paid and billed, pulled, and shipped under this number. */
async function shipped(channel: ChannelName, sku: string, waybill: string): Promise<[TestOrder, PulledTask]> {
  await service.goods(sku, { east: 5 })
  const order = testOrder(channel, [{ sku, quantity: 2, paidFen: 1_000 }])
  await service.tell(order)
  await service.bill(billOf(order))
  const task = await east.pullFor(order)
  expect(await east.ship(task, waybill)).toMatchObject({ status: 200 })
  return [order, task]
}

describe.each(channelNames)('%s', (channel) => {
  test.each(['node', 'person'])(
    'a mistyped number is corrected by a %s: only the right one closes the order',
    async (who) => {
      const [wrong, right] = [`SF-${channel}-${who}-wrong`, `SF-${channel}-${who}-right`]
      const [order, task] = await shipped(channel, wrong.toLowerCase(), wrong)
      const correct = () =>
        who === 'node'
          ? east.correctParcel(task, wrong, right)
          : service.admin('POST', `${orderPath(order)}/parcels/correct`, {
              ...{ carrier: 'shunfeng', waybill: wrong, to: { carrier: 'SF', waybill: right } },
              ...{ actor: '王芳', note: '单号填错' },
            })
      expect(await correct()).toMatchObject({ status: 200 })
      const { version } = await service.order(order)
      expect(await correct()).toMatchObject({ status: 200 })
      await delivered(wrong)
      // The warehouse did not hear the answer to its first call.
      expect(await east.ship(task, wrong)).toMatchObject({ status: 200, json: { state: 'shipped' } })
      const open = await service.order(order)
      expect(open).toMatchObject({ state: 'shipped', version, tasks: [{ packages: [{ waybill: right }] }] })
      expect(open.history).toContainEqual(
        expect.objectContaining({
          ...{ event: 'correct_parcel', corrected: [task.taskId], to: { carrier: 'SF', waybill: right } },
          ...(who === 'node' ? { actor: { kind: 'node', name: 'east' } } : { note: '单号填错' }),
        }),
      )
      await delivered(right)
      expect(await service.order(order)).toMatchObject({ state: 'closed', reconciliation: { exceptions: [] } })
    },
  )

  test('a parcel that was told by mistake: its units are in the task again, and leave with the next one', async () => {
    const sku = `${channel}-void`
    const waybill = `SF-${channel}-void`
    const [order, task] = await shipped(channel, sku, waybill)
    expect(await service.stock(sku)).toEqual(units(3, 0))
    expect(await east.voidParcel(task, waybill)).toMatchObject({ status: 200 })
    expect(await east.voidParcel(task, waybill)).toMatchObject({ status: 200 })
    expect(await service.stock(sku)).toEqual(units(5, 2))
    const now = await service.order(order)
    expect(now).toMatchObject({ state: 'routed', tasks: [{ state: 'accepted', packages: [] }] })
    expect(now.history).toContainEqual(
      expect.objectContaining({ event: 'void_parcel', parcel: { carrier: 'SF', waybill } }),
    )
    // What was said with the first pull says nothing any more.
    expect(errorCodeOf(await east.ship(task, waybill))).toBe('stale_fence')
    const again = await east.pullFor(order)
    expect(again).toMatchObject({ taskId: task.taskId, lines: [{ sku, quantity: 2 }] })
    expect(await east.ship(again, `${waybill}-2`)).toMatchObject({ status: 200 })
    expect(await service.stock(sku)).toEqual(units(3, 0))
    await delivered(`${waybill}-2`)
    expect(await service.order(order)).toMatchObject({ state: 'closed', reconciliation: { exceptions: [] } })
    expect(errorCodeOf(await east.voidParcel(task, `${waybill}-2`))).toBe('order_closed')
  })

  test('what nobody wants any more is called back instead', async () => {
    const sku = `${channel}-unwanted`
    const waybill = `SF-${channel}-unwanted`
    const [order] = await shipped(channel, sku, waybill)
    await service.tell(later(order, { step: 'closed' }))
    expect(await kinds(order)).toContain('shipped_but_refunded')
    const told = await service.admin('POST', `${orderPath(order)}/parcels/void`, { carrier: 'SF', waybill })
    expect(told).toMatchObject({ status: 200 })
    expect(await service.order(order)).toMatchObject({ tasks: [{ interceptRequested: true, packages: [] }] })
    expect(await east.pullAllOf(order)).toEqual([])
    await service.sweep()
    await service.settled()
    expect(await service.stock(sku)).toEqual(units(5, 0))
    expect(await service.order(order)).toMatchObject({ state: 'cancelled', tasks: [{ state: 'cancelled' }] })
    expect(await kinds(order)).not.toContain('shipped_but_refunded')
  })
})

test('one number for two orders: each corrects its own', async () => {
  const both = [
    await shipped('tmall', 'merged-1', 'SF-merged-wrong'),
    await shipped('jd', 'merged-2', 'SF-merged-wrong'),
  ] as const
  const [[one, task], [two]] = both
  expect(await east.correctParcel(task, 'SF-merged-wrong', 'SF-merged-right')).toMatchObject({ status: 200 })
  await delivered('SF-merged-right')
  expect([(await service.order(one)).state, (await service.order(two)).state]).toEqual(['closed', 'shipped'])
  await delivered('SF-merged-wrong')
  expect((await service.order(two)).state).toBe('closed')
})

test('an order that the wrong number closed is open again until the right one arrives', async () => {
  const [order, task] = await shipped('wechat', 'closed-wrong', 'SF-closed-wrong')
  await delivered('SF-closed-wrong')
  expect((await service.order(order)).state).toBe('closed')
  expect(await east.correctParcel(task, 'SF-closed-wrong', 'SF-closed-right')).toMatchObject({ status: 200 })
  expect((await service.order(order)).state).toBe('shipped')
  await delivered('SF-closed-right')
  expect((await service.order(order)).state).toBe('closed')
})

test('what is not there, or of another node, is not found', async () => {
  const [order, task] = await shipped('jd', 'not-there', 'SF-not-there')
  expect(errorCodeOf(await east.correctParcel(task, 'SF-other', 'SF-right'))).toBe('unknown_parcel')
  expect(errorCodeOf(await east.correctParcel(task, 'SF-not-there', 'SF-right', 'YTO'))).toBe('unknown_parcel')
  expect(errorCodeOf(await service.at('south').correctParcel(task, 'SF-not-there', 'SF-right'))).toBe('not_found')
  expect(errorCodeOf(await service.at('south').voidParcel(task, 'SF-not-there'))).toBe('not_found')
  const path = `${orderPath({ ...order, orderId: '404' })}/parcels/void`
  expect(errorCodeOf(await service.admin('POST', path, { carrier: 'SF', waybill: 'SF-not-there' }))).toBe('not_found')
})

test('a parcel that moves is not voided; one that moves after its void is named until it is told again', async () => {
  const moving = (waybill: string) => service.track({ carrier: 'shunfeng', waybill, state: '0', at: Date.now() })
  const [, task] = await shipped('tmall', 'moves-first', 'SF-moves-first')
  await moving('SF-moves-first')
  const refused = await east.voidParcel(task, 'SF-moves-first')
  expect([refused.status, errorCodeOf(refused)]).toEqual([409, 'parcel_moved'])

  const [order, other] = await shipped('tmall', 'moves-later', 'SF-moves-later')
  expect(await east.voidParcel(other, 'SF-moves-later')).toMatchObject({ status: 200 })
  await moving('SF-moves-later')
  expect(await kinds(order)).toContain('voided_parcel_moved')
  expect(await east.ship(await east.pullFor(order), 'SF-moves-later')).toMatchObject({ status: 200 })
  await delivered('SF-moves-later')
  expect(await service.order(order)).toMatchObject({ state: 'closed', reconciliation: { exceptions: [] } })
})

test('a void, a cancellation and the carrier’s word at once: stock, task and order agree, whoever is first', async () => {
  for (let round = 0; round < 6; round++) {
    const waybill = `SF-void-race-${round}`
    const sku = `void-race-${round}`
    const [order, task] = await shipped('jd', sku, waybill)
    const [told] = await Promise.all([
      east.voidParcel(task, waybill),
      service.tell(later(order, { step: 'closed' })),
      service.track({ carrier: 'shunfeng', waybill, state: '1', at: Date.now() }),
    ])
    await service.sweep()
    await service.settled()
    expect([200, 409]).toContain(told.status)
    const isVoid = told.status === 200
    expect(await service.stock(sku)).toEqual(isVoid ? units(5, 0) : units(3, 0))
    expect((await service.order(order)).state).toBe(isVoid ? 'cancelled' : 'shipped')
    expect(await kinds(order)).toContain(isVoid ? 'voided_parcel_moved' : 'shipped_but_refunded')
  }
})

test('each of these orders, decided again from its history, comes out as it did', async () => {
  const { orders, different, notReplayed } = await replayDecisions(service.sql, 100)
  expect([different, notReplayed]).toEqual([[], {}])
  expect(orders).toBeGreaterThan(20)
})
