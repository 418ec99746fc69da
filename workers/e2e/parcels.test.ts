/** What a warehouse says of parcels that left: in several calls, after its lease, or before it learned of a cancellation. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { channelNames } from '../../router/types.ts'
import { errorCodeOf } from './testing/client.ts'
import { later, type TestOrder, testOrder } from './testing/orders.ts'
import { orderPath, startTestService, type TestService } from './testing/service.ts'
import type { PulledTask, Warehouse } from './testing/warehouse.ts'

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

async function pulled(channel: TestOrder['channel'], ...skus: string[]): Promise<[TestOrder, PulledTask]> {
  for (const sku of skus) await service.goods(sku, { east: 5 })
  const order = testOrder(
    channel,
    skus.map((sku) => ({ sku, quantity: 1, paidFen: 1_000 })),
  )
  await service.tell(order)
  return [order, await east.pullFor(order)]
}

describe.each(channelNames)('%s', (channel) => {
  test('a waybill that is told in several calls is one parcel', async () => {
    const [a, b] = [`${channel}-part-a`, `${channel}-part-b`]
    const [order, task] = await pulled(channel, a, b)
    const one = (sku: string) => [{ sku, quantity: 1 }]
    const waybill = `SF-${channel}-parts`
    expect(await east.ship(task, waybill, one(a))).toMatchObject({ status: 200, json: { state: 'accepted' } })
    expect(await east.ship(task, waybill, one(b))).toMatchObject({ status: 200, json: { state: 'shipped' } })
    expect(await east.ship(task, waybill)).toMatchObject({ status: 200, json: { state: 'shipped' } })
    const { tasks, state } = await service.order(order)
    expect(state).toBe('shipped')
    expect(tasks[0]!.packages).toMatchObject([{ waybill, lines: [...one(a), ...one(b)] }])
    for (const sku of [a, b]) expect(await service.stock(sku)).toEqual(units(4, 0))
  })

  test('a parcel that left before the cancellation: told all the same, and the order says what has to follow', async () => {
    const sku = `${channel}-gone`
    const [order, task] = await pulled(channel, sku)
    await service.tell(later(order, { step: 'closed' }))
    expect(await service.order(order)).toMatchObject({ tasks: [{ interceptRequested: true }] })
    const plain = await east.ship(task, `SF-${channel}-gone`)
    expect([plain.status, errorCodeOf(plain)]).toEqual([409, 'intercept_requested'])
    const gone = { alreadyGone: true }
    expect(await east.ship(task, `SF-${channel}-gone`, undefined, gone)).toMatchObject({ status: 200 })
    expect(await east.ship(task, `SF-${channel}-gone`, undefined, gone)).toMatchObject({ status: 200 })
    expect(await service.stock(sku)).toEqual(units(4, 0))
    const now = await service.order(order)
    expect(now).toMatchObject({ state: 'shipped', tasks: [{ state: 'shipped', interceptRequested: false }] })
    expect(now.history).toContainEqual(expect.objectContaining({ event: 'ship', alreadyGone: true }))
    expect(now.reconciliation!.exceptions.map((e) => e.kind)).toContain('shipped_but_refunded')
    expect(errorCodeOf(await east.intercept(task))).toBe('wrong_task_state')
  })
})

test('a parcel that left before an operator cancelled is named', async () => {
  const [order, task] = await pulled('jd', 'gone-operator')
  expect(await service.admin('POST', `${orderPath(order)}/cancel`, {})).toMatchObject({ status: 200 })
  expect(await east.ship(task, 'SF-gone-operator', undefined, { alreadyGone: true })).toMatchObject({ status: 200 })
  const { reconciliation } = await service.order(order)
  expect(reconciliation!.exceptions.map((e) => e.kind)).toContain('shipped_but_cancelled')
})

test('a part that left before an operator cancelled the rest is as it should be', async () => {
  const [order, task] = await pulled('jd', 'left-a', 'left-b')
  await east.ship(task, 'SF-left-a', [{ sku: 'left-a', quantity: 1 }])
  expect(await service.admin('POST', `${orderPath(order)}/cancel`, {})).toMatchObject({ status: 200 })
  expect(await east.intercept(task)).toMatchObject({ status: 200 })
  const { state, reconciliation } = await service.order(order)
  expect(state).toBe('shipped')
  expect(reconciliation!.exceptions.map((e) => e.kind)).not.toContain('shipped_but_cancelled')
})

test('shipping and cancelling at once: whoever is first, stock and order agree', async () => {
  for (let round = 0; round < 6; round++) {
    const sku = `race-${round}`
    const [order, task] = await pulled('tmall', sku)
    const [, told] = await Promise.all([
      service.tell(later(order, { step: 'closed' })),
      east.ship(task, `SF-race-${round}`, undefined, { alreadyGone: true }),
    ])
    expect(told.status).toBe(200)
    expect(await service.stock(sku)).toEqual(units(4, 0))
    expect(await service.order(order)).toMatchObject({ state: 'shipped', tasks: [{ interceptRequested: false }] })
  }
})

test('a parcel that left after the lease is taken while no other pull has the task', async () => {
  await service.goods('late', { east: 5 })
  const order = testOrder('tmall', [{ sku: 'late', quantity: 1, paidFen: 1_000 }])
  await service.tell(order)
  const task = await east.pullFor(order, 5)
  await service.sql`update task set lease_until = now() - interval '1 second' where task_id = ${task.taskId}`
  expect(errorCodeOf(await east.extend(task, 60))).toBe('lease_lapsed')
  expect(await east.ship(task, 'SF-late')).toMatchObject({ status: 200 })
  expect(await service.order(order)).toMatchObject({ state: 'shipped' })
  expect(await east.pullAllOf(order)).toEqual([])
})
