/** An order's whole way, on each platform: paid, routed, pulled, shipped, delivered, settled, closed. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { channelNames } from '../../router/types.ts'
import { buyer, testOrder } from './testing/orders.ts'
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

describe.each(channelNames)('%s', (channel) => {
  test('in order: closed when the three flows agree, not before', async () => {
    const sku = `${channel}-mug`
    await service.goods(sku, { east: 5, south: 5 })
    const order = testOrder(channel, [{ sku, quantity: 2, paidFen: 5980 }], { freightFen: 600 })

    await service.tell(order)
    const routed = await service.order(order)
    expect(routed).toMatchObject({ state: 'routed', paidFen: 6580, freightFen: 600, holds: [] })
    expect(routed.lines).toMatchObject([{ sku, quantity: 2, paidFen: 5980, state: 'task' }])
    expect(routed.tasks).toMatchObject([{ node: 'east', state: 'ready', lines: [{ sku, quantity: 2, shipped: 0 }] }])
    expect(await service.stock(sku)).toEqual({
      east: { onHand: 5, reserved: 2, available: 3 },
      south: { onHand: 5, reserved: 0, available: 5 },
    })

    expect(await service.at('south').pull()).toEqual([])
    const task = await service.at('east').pullFor(order)
    expect(task).toMatchObject({ state: 'pulled', fence: 1, channel, shop: order.shop, lines: [{ sku, quantity: 2 }] })
    expect(task.receiver).toMatchObject(buyer)
    expect(task.intercepted).toBeUndefined()
    expect(await service.at('east').pull()).toEqual([])

    expect(await service.at('east').accept(task)).toMatchObject({ status: 200, json: { state: 'accepted' } })
    expect(await service.at('east').ship(task, `SF-${channel}-01`)).toMatchObject({ json: { state: 'shipped' } })
    expect(await service.stock(sku)).toMatchObject({ east: { onHand: 3, reserved: 0, available: 3 } })
    const shipped = await service.order(order)
    expect(shipped).toMatchObject({ state: 'shipped', lines: [{ state: 'shipped' }] })
    expect([kindsOf(shipped), expectedOf(shipped)]).toEqual([[], ['parcel_moving', 'payment']])

    const told = await service.bill(billOf(order))
    expect(told.json).toMatchObject({ rows: 1, imported: 1, known: 0, conflicts: 0 })
    expect(expectedOf(await service.order(order))).toEqual(['parcel_moving'])
    await service.track({ carrier: 'shunfeng', waybill: `SF-${channel}-01`, state: '0', at: Date.now() - 2000 })
    expect(expectedOf(await service.order(order))).toEqual(['delivery'])
    // A healthy order on its way is no exception.
    const listed = (await service.admin('GET', '/v1/exceptions?limit=500')).json as { exceptions: { order: unknown }[] }
    expect(listed.exceptions.filter((e) => e.order !== null)).toEqual([])
    await service.track({ carrier: 'shunfeng', waybill: `SF-${channel}-01`, state: '3', at: Date.now() - 1000 })

    const closed = await service.order(order)
    expect(closed).toMatchObject({ state: 'closed', reconciliation: { state: 'closed', exceptions: [] } })
    expect(closed.reconciliation).toMatchObject({
      order: { expectedUnits: 2, shippedUnits: 2, agrees: true },
      funds: { expectedFen: 6580, receivedFen: 6580, refundedFen: 0, agrees: true },
      logistics: { expectedParcels: 1, deliveredParcels: 1, agrees: true },
    })
    expect(closed.history.map((h) => h.outcome)).toContain('shipped')
  })

  test('in the other order, and everything twice: closed just the same, and nothing happens twice', async () => {
    const sku = `${channel}-pot`
    const waybill = `SF-${channel}-02`
    await service.goods(sku, { east: 5 })
    const order = testOrder(channel, [{ sku, quantity: 3, paidFen: 8000 }])
    const twice = async (work: () => Promise<unknown>) => {
      await work()
      await work()
    }

    await twice(() => service.bill(billOf(order)))
    // Signed for before anybody told us that it left.
    await twice(() => service.track({ carrier: 'shunfeng', waybill, state: '3', at: order.at }))
    await twice(() => service.track({ carrier: 'shunfeng', waybill, state: '1', at: order.at - 1000 }))
    expect((await service.exceptions('bill_without_order')).length).toBe(1)
    await twice(() => service.tell(order))
    await service.sweep()
    expect(await service.exceptions('bill_without_order')).toEqual([])

    expect((await service.order(order)).tasks).toHaveLength(1)
    const task = await service.at('east').pullFor(order)
    await twice(() => service.at('east').accept(task))
    await twice(() => service.at('east').ship(task, waybill))
    await service.settled()

    const closed = await service.order(order)
    expect(closed).toMatchObject({ state: 'closed', reconciliation: { state: 'closed', exceptions: [] } })
    expect(closed.tasks).toMatchObject([{ state: 'shipped', packages: [{ waybill, lines: [{ sku, quantity: 3 }] }] }])
    expect(closed.reconciliation?.funds).toMatchObject({ receivedFen: 8000 })
    expect(await service.stock(sku)).toEqual({ east: { onHand: 2, reserved: 0, available: 2 } })
  })
})

test('the money is a fen short: the order stays open under that name, and closes when the rest is billed', async () => {
  await service.goods('short', { east: 1 })
  const order = testOrder('tmall', [{ sku: 'short', quantity: 1, paidFen: 1000 }])
  await service.tell(order)
  await service.at('east').ship(await service.at('east').pullFor(order), 'SF-short-1')
  await service.track({ carrier: 'shunfeng', waybill: 'SF-short-1', state: '3', at: Date.now() })
  await service.bill(billOf(order, 999))
  expect(await service.order(order)).toMatchObject({
    state: 'shipped',
    reconciliation: { exceptions: [{ kind: 'payment_short', detail: { expectedFen: 1000, receivedFen: 999 } }] },
  })
  const listed = await service.exceptions('payment_short')
  expect(listed).toMatchObject([{ order: { channel: 'tmall', shop: order.shop, orderId: order.orderId } }])
  expect(listed[0]!.ageSeconds).toBeGreaterThan(0)

  const { csv } = billOf(order, 1)
  await service.bill({ source: 'generic', csv: csv.replace('payment-', 'rest-') })
  expect(await service.order(order)).toMatchObject({ state: 'closed' })
  expect(await service.exceptions('payment_short')).toEqual([])
})

function expectedOf(view: Awaited<ReturnType<TestService['order']>>): readonly string[] {
  return (view.reconciliation?.expected ?? []).map((e) => e.what).sort()
}

function kindsOf(view: Awaited<ReturnType<TestService['order']>>): readonly string[] {
  return (view.reconciliation?.exceptions ?? []).map((e) => e.kind).sort()
}
