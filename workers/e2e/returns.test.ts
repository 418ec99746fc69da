/** Goods that come back: asked for, received in parts and in the wrong place, stock again, closed when money and units agree. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { contract } from '../../adapters/http/v1/contract.ts'
import { channelNames } from '../../router/types.ts'
import type { Told } from './testing/client.ts'
import { type NodeName, nodes } from './testing/network.ts'
import { later, type TestOrder, testOrder, withLine } from './testing/orders.ts'
import { tmallRefund } from './testing/platforms.ts'
import { startTestService, type TestService } from './testing/service.ts'
import { billOf, genericBill, signedTmall } from './testing/webhooks.ts'

type View = z.output<(typeof contract.getReturn.answers)[200]>

let service: TestService
beforeAll(async () => {
  service = await startTestService()
})
afterEach(async () => {
  expect(await service.audit()).toEqual([])
})
afterAll(() => service.close())

const viewOf = (told: Told): View => {
  expect(told).toMatchObject({ status: 200 })
  return contract.getReturn.answers[200].parse(told.json)
}
const open = ({ channel, shop, orderId }: TestOrder, asked: Readonly<Record<string, unknown>>) =>
  service.admin('POST', '/v1/returns', { channel, shop, orderId, ref: `ask-${orderId}`, ...asked })
const receiveAt = (node: NodeName, id: string, ref: string, lines: readonly unknown[]) =>
  service.client.ask('POST', `/v1/nodes/${node}/returns/${id}/receive`, {
    token: nodes[node].apiKey,
    body: { ref, lines },
  })
const listAt = async (node: NodeName, query = ''): Promise<readonly View[]> => {
  const told = await service.client.ask('GET', `/v1/nodes/${node}/returns${query}`, { token: nodes[node].apiKey })
  return contract.listNodeReturns.answers[200].parse(told.json).returns
}

/** Shipped by `east`, delivered, paid in a bill: closed. */
async function closedOrder(order: TestOrder, waybill: string): Promise<void> {
  await service.tell(order)
  await service.at('east').ship(await service.at('east').pullFor(order), waybill)
  await service.track({ carrier: 'shunfeng', waybill, state: '3', at: Date.now() - 1000 })
  await service.bill(billOf(order))
  expect(await service.order(order)).toMatchObject({ state: 'closed' })
}

describe.each(channelNames)('%s', (channel) => {
  test('a delivered piece comes back to a store: stock there, and the order closes with its refund', async () => {
    const sku = `${channel}-coat`
    await service.goods(sku, { east: 5 })
    const order = testOrder(channel, [{ sku, quantity: 3, paidFen: 3000 }])
    await closedOrder(order, `SF-${channel}-coat`)

    const asked = { kind: 'return', lines: [{ sku, quantity: 1 }], refundFen: 1000, node: 'east' }
    const known = viewOf(await open(order, asked))
    expect(known).toMatchObject({ state: 'requested', lines: [{ sku, quantity: 1, open: 1 }], refundFen: 1000 })
    // The same again is the same; another one under its name is refused, and so is more than left.
    expect(viewOf(await open(order, asked)).id).toBe(known.id)
    expect(await open(order, { ...asked, refundFen: 999 })).toMatchObject({ json: { error: { code: 'ref_reused' } } })
    const more = { ...asked, ref: 'more', lines: [{ sku, quantity: 3 }] }
    expect(await open(order, more)).toMatchObject({ json: { error: { code: 'units_do_not_fit' } } })
    const dear = { ...asked, ref: 'dear', refundFen: 2001 }
    expect(await open(order, dear)).toMatchObject({ json: { error: { code: 'refund_above_paid' } } })

    const waybill = `YT-${channel}-back`
    const agreed = await service.admin('POST', `/v1/returns/${known.id}/agree`, { carrier: 'yuantong', waybill })
    expect(viewOf(agreed)).toMatchObject({ state: 'on_its_way', waybill })
    const coming = await service.order(order)
    expect(coming).toMatchObject({ state: 'shipped' })
    expect(coming.lines[0]!.places).toMatchObject([
      { place: 'shipped', quantity: 2 },
      { place: 'on_its_way_back', quantity: 1 },
    ])
    expect(coming.reconciliation).toMatchObject({ exceptions: [], expected: [{ what: 'return' }] })

    // The buyer brings it to a store, which finds it by its waybill.
    expect(await listAt('store')).toEqual([])
    expect(await listAt('store', `?waybill=${waybill}`)).toMatchObject([{ id: known.id, node: 'east' }])
    const receipt = [{ sku, good: 1 }]
    expect(viewOf(await receiveAt('store', known.id, 'r1', receipt))).toMatchObject({
      ...{ state: 'received', lines: [{ good: 1, open: 0 }], receipts: [{ ref: 'r1', node: 'store' }] },
      history: [{ verb: 'request' }, { verb: 'agree' }, { verb: 'receive', actor: { kind: 'node', name: 'store' } }],
    })
    expect(viewOf(await receiveAt('store', known.id, 'r1', receipt)).receipts).toHaveLength(1)
    expect(await receiveAt('store', known.id, 'r2', receipt)).toMatchObject({
      json: { error: { code: 'wrong_return_state' } },
    })
    expect(await service.stock(sku)).toMatchObject({
      ...{ east: { onHand: 2, reserved: 0 }, store: { onHand: 1, reserved: 0, available: 1 } },
    })

    // Its money is owed now, and closes the order.
    const owed = await service.order(order)
    expect(owed.reconciliation).toMatchObject({ exceptions: [], expected: [{ what: 'refund' }] })
    await service.bill(genericBill(order, 'refund', 1000))
    const closed = await service.order(order)
    expect(closed).toMatchObject({ state: 'closed', reconciliation: { state: 'closed', exceptions: [] } })
    expect(closed.reconciliation?.order).toMatchObject({ shippedUnits: 2, returnedUnits: 1 })
    expect(closed.lines[0]!.places).toMatchObject([{ quantity: 2 }, { place: 'returned', quantity: 1 }])
    const settled = await service.admin('POST', `/v1/returns/${known.id}/settle`, { actor: '王芳' })
    expect(viewOf(settled)).toMatchObject({ state: 'settled' })
  })

  test('a parcel that came back: after the receipt of its units they are stock again, and the order closes', async () => {
    const sku = `${channel}-vase`
    const waybill = `SF-${channel}-vase`
    await service.goods(sku, { east: 5 })
    const order = testOrder(channel, [{ sku, quantity: 2, paidFen: 2000 }])
    await service.tell(order)
    await service.at('east').ship(await service.at('east').pullFor(order), waybill)
    await service.bill(billOf(order))
    await service.track({ carrier: 'shunfeng', waybill, state: '4', at: Date.now() - 1000 })
    const refund =
      channel === 'wechat' ? { refundUnits: { requested: 0, refunded: 2 } } : { refund: 'refunded' as const }
    await service.tell(later(order, { step: 'closed', lines: withLine(order, 0, refund) }))
    await service.bill(genericBill(order, 'refund', 2000))
    expect((await service.order(order)).state).toBe('shipped')
    expect((await service.order(order)).reconciliation?.exceptions.map((e) => e.kind)).toContain('parcel_returned')

    const known = viewOf(await open(order, { kind: 'rejected', waybill, refundFen: 2000 }))
    expect(known).toMatchObject({ state: 'on_its_way', lines: [{ sku, quantity: 2 }] })
    const twice = { kind: 'rejected', waybill, ref: 'again' }
    expect(await open(order, twice)).toMatchObject({ json: { error: { code: 'units_do_not_fit' } } })
    expect(viewOf(await receiveAt('east', known.id, 'r1', [{ sku, good: 2 }]))).toMatchObject({ state: 'received' })
    expect(await service.stock(sku)).toMatchObject({ east: { onHand: 5, reserved: 0, available: 5 } })
    expect((await service.order(order)).reconciliation).toMatchObject({ state: 'closed', exceptions: [] })
    expect(await service.order(order)).toMatchObject({ state: 'closed' })
  })
})

test('received in parts: damaged units are no stock, missing ones have a name until a person ends it', async () => {
  await service.goods('cup', { east: 9 })
  const order = testOrder('tmall', [{ sku: 'cup', quantity: 5, paidFen: 5000 }])
  await closedOrder(order, 'SF-cups-01')
  const asked = { kind: 'return', lines: [{ sku: 'cup', quantity: 4 }], agreed: true }
  const { id } = viewOf(await open(order, asked))

  const part = await receiveAt('east', id, 'r1', [{ sku: 'cup', good: 1, damaged: 1 }])
  expect(viewOf(part)).toMatchObject({ state: 'agreed', lines: [{ good: 1, damaged: 1, missing: 0, open: 2 }] })
  expect(await service.stock('cup')).toMatchObject({ east: { onHand: 5, available: 5 } })
  expect(await receiveAt('east', id, 'r1', [{ sku: 'cup', good: 2 }])).toMatchObject({
    json: { error: { code: 'ref_reused' } },
  })
  expect(await receiveAt('east', id, 'r2', [{ sku: 'cup', good: 3 }])).toMatchObject({
    json: { error: { code: 'units_do_not_fit' } },
  })
  for (const verb of ['refuse', 'withdraw', 'settle']) {
    expect(await service.admin('POST', `/v1/returns/${id}/${verb}`, {})).toMatchObject({
      json: { error: { code: 'wrong_return_state' } },
    })
  }
  const rest = { ref: 'r2', node: 'south', lines: [{ sku: 'cup', good: 1, missing: 1 }] }
  expect(viewOf(await service.admin('POST', `/v1/returns/${id}/receive`, rest))).toMatchObject({
    ...{ state: 'received', lines: [{ good: 2, damaged: 1, missing: 1, open: 0 }] },
  })
  expect(await service.stock('cup')).toMatchObject({ east: { onHand: 5 }, south: { onHand: 1 } })
  expect((await service.order(order)).lines[0]!.places).toMatchObject([
    ...[
      { place: 'shipped', quantity: 1 },
      { place: 'returned', quantity: 3 },
    ],
    { place: 'missing', quantity: 1 },
  ])
  const [named] = await service.exceptions('return_units_missing')
  expect(named).toMatchObject({ detail: { units: 1 }, order: { orderId: order.orderId } })
  await service.admin('POST', `/v1/exceptions/${named!.id}/resolve`, { as: 'written_off', actor: '王芳', note: '丢了' })
  expect(await service.order(order)).toMatchObject({ state: 'closed' })
})

test('goods that come back serve who waits for them', async () => {
  await service.goods('lamp', { east: 1 })
  const first = testOrder('tmall', [{ sku: 'lamp', quantity: 1, paidFen: 900 }])
  await closedOrder(first, 'SF-lamp-01')
  const second = testOrder('jd', [{ sku: 'lamp', quantity: 1, paidFen: 900 }])
  await service.tell(second)
  expect(await service.order(second)).toMatchObject({ state: 'backordered' })
  const { id } = viewOf(await open(first, { kind: 'return', lines: [{ sku: 'lamp', quantity: 1 }], agreed: true }))
  await receiveAt('store', id, 'r1', [{ sku: 'lamp', good: 1 }])
  await service.settled()
  expect(await service.order(second)).toMatchObject({ state: 'routed', tasks: [{ node: 'store' }] })
})

test('refused or withdrawn: nothing is expected any more, and the units may be asked for again', async () => {
  await service.goods('rug', { east: 1 })
  const order = testOrder('wechat', [{ sku: 'rug', quantity: 1, paidFen: 900 }])
  await closedOrder(order, 'SF-rug-01')
  const asked = { kind: 'return', lines: [{ sku: 'rug', quantity: 1 }], refundFen: 900 }
  for (const [ref, verb, state] of [
    ['first', 'refuse', 'refused'],
    ['second', 'withdraw', 'withdrawn'],
  ]) {
    const { id } = viewOf(await open(order, { ...asked, ref }))
    expect(await service.order(order)).toMatchObject({ state: 'shipped' })
    for (let i = 0; i < 2; i++) {
      const told = await service.admin('POST', `/v1/returns/${id}/${verb}`, { note: '已用过' })
      expect(viewOf(told)).toMatchObject({ state })
    }
    expect(await service.order(order)).toMatchObject({ state: 'closed' })
    expect(await receiveAt('east', id, 'late', [{ sku: 'rug', good: 1 }])).toMatchObject({
      json: { error: { code: 'wrong_return_state' } },
    })
  }
  const listed = await service.admin('GET', `/v1/returns?orderId=${order.orderId}&limit=1`)
  const first = contract.listReturns.answers[200].parse(listed.json)
  expect(first.returns).toMatchObject([{ ref: 'first' }])
  const next = await service.admin('GET', `/v1/returns?orderId=${order.orderId}&cursor=${first.nextCursor}`)
  expect(next.json).toMatchObject({ returns: [{ ref: 'second' }], nextCursor: null })
})

test('Tmall: a piece that the buyer has is given back while another is to leave: the other leaves', async () => {
  await service.goods('bowl', { east: 3 })
  const order = testOrder('tmall', [{ sku: 'bowl', quantity: 3, paidFen: 3000 }])
  await service.tell(order)
  const task = await service.at('east').pullFor(order)
  const [first, rest] = [[{ sku: 'bowl', quantity: 2 }], [{ sku: 'bowl', quantity: 1 }]]
  expect(await service.at('east').ship(task, 'SF-bowl-01', first)).toMatchObject({ status: 200 })
  await service.track({ carrier: 'shunfeng', waybill: 'SF-bowl-01', state: '3', at: Date.now() - 1000 })
  for (const status of ['requested', 'refunded'] as const) {
    const told = tmallRefund(order, 0, status, order.at + (status === 'refunded' ? 9_000 : 5_000), 1000, 'aftersale')
    expect((await service.send(signedTmall(told))).text).toBe('{"success":true}')
    await service.settled()
    expect(await service.order(order)).toMatchObject({
      ...{ state: 'partly_shipped', holds: [], tasks: [{ interceptRequested: false, lines: [{ quantity: 3 }] }] },
    })
  }
  expect(await service.at('east').ship(task, 'SF-bowl-02', rest)).toMatchObject({ status: 200 })
  await service.track({ carrier: 'shunfeng', waybill: 'SF-bowl-02', state: '3', at: Date.now() - 1000 })
  const asked = { kind: 'return', lines: [{ sku: 'bowl', quantity: 1 }], refundFen: 1000, agreed: true }
  const { id } = viewOf(await open(order, asked))
  await receiveAt('store', id, 'r1', [{ sku: 'bowl', good: 1 }])
  await service.bill(billOf(order))
  await service.bill(genericBill(order, 'refund', 1000))
  expect((await service.order(order)).reconciliation).toMatchObject({ state: 'closed', exceptions: [] })
})

test('a parcel with goods that come back is not voided', async () => {
  await service.goods('fan', { east: 1 })
  const order = testOrder('jd', [{ sku: 'fan', quantity: 1, paidFen: 900 }])
  await service.tell(order)
  const task = await service.at('east').pullFor(order)
  await service.at('east').ship(task, 'SF-fan-01')
  const asked = { kind: 'return', lines: [{ sku: 'fan', quantity: 1 }] }
  const { id } = viewOf(await open(order, asked))
  expect(await service.at('east').voidParcel(task, 'SF-fan-01')).toMatchObject({
    json: { error: { code: 'conflict' } },
  })
  await service.admin('POST', `/v1/returns/${id}/withdraw`, {})
  expect(await service.at('east').voidParcel(task, 'SF-fan-01')).toMatchObject({ status: 200 })
})

test('WeChat: one of three delivered pieces is refunded without its goods: closed when the bill says so', async () => {
  await service.goods('plate', { east: 3 })
  const order = testOrder('wechat', [{ sku: 'plate', quantity: 3, paidFen: 3000 }])
  await closedOrder(order, 'SF-plate-01')
  const refundUnits = { requested: 0, refunded: 1 }
  await service.tell(later(order, { step: 'completed', lines: withLine(order, 0, { refundUnits }) }))
  expect((await service.order(order)).reconciliation).toMatchObject({ exceptions: [], expected: [{ what: 'refund' }] })
  await service.bill(genericBill(order, 'refund', 1000))
  expect(await service.order(order)).toMatchObject({ state: 'closed', reconciliation: { exceptions: [] } })
})

test('two nodes say at once that they have the unit: one is believed, and it is stock once', async () => {
  await service.goods('hat', { east: 1 })
  const order = testOrder('jd', [{ sku: 'hat', quantity: 1, paidFen: 900 }])
  await closedOrder(order, 'SF-hat-01')
  const { id } = viewOf(await open(order, { kind: 'return', lines: [{ sku: 'hat', quantity: 1 }], agreed: true }))
  const told = await Promise.all(
    (['store', 'south', 'east', 'north'] as const).flatMap((node) => [
      receiveAt(node, id, `at ${node}`, [{ sku: 'hat', good: 1 }]),
      receiveAt(node, id, `at ${node}`, [{ sku: 'hat', good: 1 }]),
    ]),
  )
  // The one that is believed was told twice.
  expect(told.map(({ status }) => status).sort()).toEqual([200, 200, 409, 409, 409, 409, 409, 409])
  const rows = Object.values(await service.stock('hat'))
  expect(rows.reduce((sum, { onHand }) => sum + onHand, 0)).toBe(1)
})
