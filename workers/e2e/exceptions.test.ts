/** Exceptions end: by the fact that ends them, or by a person; and the money rules by which an order closes. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { contract } from '../../adapters/http/v1/contract.ts'
import { settleException } from '../../adapters/store/exception-acts.ts'
import { raise } from '../../adapters/store/exceptions.ts'
import { exceptionKinds } from '../../router/exceptions.ts'
import { defaultPolicy } from '../../router/policy.ts'
import { channelNames } from '../../router/types.ts'
import { later, paidFenOf, type TestOrder, testOrder } from './testing/orders.ts'
import { tmallTrade } from './testing/platforms.ts'
import { type Exception, startTestService, type TestService } from './testing/service.ts'
import { payer, payment, tradeBill } from './testing/trade-bill.ts'
import { billOf, genericBill, signedTmall } from './testing/webhooks.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
  await service.goods('cup', { east: 200 })
})
afterEach(async () => {
  expect(await service.audit()).toEqual([])
})
afterAll(() => service.close())

let waybills = 0
/** Routed, shipped; the carrier's last word on it, if any, is of so many ms after the order. */
async function shipped(order: TestOrder, state: string | null = '3', afterMs = 10_000): Promise<string> {
  waybills += 1
  const waybill = `SF-ends-${waybills}`
  await service.tell(order)
  await service.at('east').ship(await service.at('east').pullFor(order), waybill)
  if (state !== null) await service.track({ carrier: 'shunfeng', waybill, state, at: order.at + afterMs })
  return waybill
}

const kindsOf = async (order: TestOrder): Promise<readonly string[]> =>
  ((await service.order(order)).reconciliation?.exceptions ?? []).map(({ kind }) => kind).sort()
const expectedOf = async (order: TestOrder): Promise<readonly string[]> =>
  ((await service.order(order)).reconciliation?.expected ?? []).map(({ what }) => what).sort()
const cups = (channel: TestOrder['channel'], quantity = 1, paidFen = 1_000) =>
  testOrder(channel, [{ sku: 'cup', quantity, paidFen }])

async function openOf(kind: string, order: TestOrder): Promise<Exception> {
  const found = (await service.exceptions(kind)).find((e) => e.order?.orderId === order.orderId)
  if (found === undefined) throw new Error(`no open ${kind} of ${order.orderId}`)
  return found
}

const resolve = (id: string, body: object) => service.admin('POST', `/v1/exceptions/${id}/resolve`, body)
const wang = { actor: '王芳', note: '已核对' }

describe('a bill of WeChat Pay', () => {
  test('with one odd row is taken; the row is set aside, listed and counted', async () => {
    const order = cups('wechat')
    await shipped(order)
    const [foreign, revoked] = [cups('wechat'), cups('wechat')]
    const day = tradeBill([
      payment(order),
      payment(foreign, { currency: 'HKD' }),
      payment(revoked, { state: 'REVOKED', progress: 'SUCCESS' }),
    ])
    const told = await service.bill(day)
    expect(told).toMatchObject({
      status: 200,
      json: {
        ...{ rows: 3, imported: 1, known: 0, replaced: 0, conflicts: 0, setAside: 2 },
        refused: [
          { row: 3, reason: '货币种类 is not CNY' },
          { row: 4, reason: '微信退款单号 is no refund id' },
        ],
      },
    })
    expect(await service.order(order)).toMatchObject({ state: 'closed' })
    const listed = await service.exceptions('bill_row_set_aside')
    expect(
      listed.map(({ detail }) => [detail.reason, (detail.cells as Record<string, string>).微信订单号]).sort(),
    ).toEqual([
      ['微信退款单号 is no refund id', revoked.transactionId],
      ['货币种类 is not CNY', foreign.transactionId],
    ])
    expect(JSON.stringify(listed)).not.toContain(payer)
    for (const { id } of listed) expect(await resolve(id, { as: 'done', ...wang })).toMatchObject({ status: 200 })
    expect(await service.bill(day)).toMatchObject({ json: { imported: 0, known: 1, setAside: 2 } })
    expect(await service.exceptions('bill_row_set_aside')).toEqual([])
  })

  test('whose refund is on its way says nothing is refunded; the bill of a later day does', async () => {
    const order = cups('wechat')
    await shipped(order)
    const closed = later(order, { step: 'closed', at: order.at + 20_000 })
    await service.tell(closed)
    const refund = { state: 'REFUND', refundId: '50300806962026111100000000001' } as const
    await service.bill(tradeBill([payment(order), payment(order, { ...refund, progress: 'PROCESSING' })]))
    expect(await expectedOf(order)).toEqual(['refund'])
    const day = (progress: 'FAIL' | 'SUCCESS', days: number) =>
      service.bill(tradeBill([payment(order, { ...refund, progress, at: order.paidAt + days * 86_400_000 })]))
    expect(await day('FAIL', 1)).toMatchObject({ json: { imported: 0, replaced: 1, conflicts: 0 } })
    expect(await expectedOf(order)).toEqual(['refund'])
    expect(await day('SUCCESS', 2)).toMatchObject({ json: { imported: 0, replaced: 1, conflicts: 0 } })
    expect(await service.order(order)).toMatchObject({
      state: 'closed',
      reconciliation: { funds: { refundedFen: 1_000 } },
    })
    // The earlier day once more changes nothing.
    expect(await day('FAIL', 1)).toMatchObject({ json: { known: 1, replaced: 0, conflicts: 0 } })
    expect(await service.order(order)).toMatchObject({ state: 'closed' })
    expect(await service.exceptions('bill_conflict')).toEqual([])
  })
})

describe.each(channelNames)('%s', (channel) => {
  test('refunded in full when it was delivered, without goods: closed when the money went back', async () => {
    const order = cups(channel)
    await shipped(order)
    await service.bill(billOf(order))
    expect(await service.order(order)).toMatchObject({ state: 'closed' })
    await service.tell(later(order, { step: 'closed', at: order.at + 20_000 }))
    expect(await expectedOf(order)).toEqual(['refund'])
    await service.bill(genericBill(order, 'refund', 1_000))
    expect(await service.order(order)).toMatchObject({ state: 'closed', reconciliation: { state: 'closed' } })
  })

  test('refunded before it was delivered: open under its name, until a person has settled it', async () => {
    const order = cups(channel)
    const waybill = await shipped(order, '0', 1_000)
    await service.bill(billOf(order))
    await service.tell(later(order, { step: 'closed', at: order.at + 20_000 }))
    await service.bill(genericBill(order, 'refund', 1_000))
    await service.track({ carrier: 'shunfeng', waybill, state: '3', at: order.at + 30_000 })
    expect(await kindsOf(order)).toEqual(['shipped_but_refunded'])
    const { id } = await openOf('shipped_but_refunded', order)
    expect(await resolve(id, { as: 'done', ...wang })).toMatchObject({ status: 200, json: { resolvedAs: 'done' } })
    expect(await service.order(order)).toMatchObject({
      state: 'closed',
      reconciliation: { exceptions: [], accepted: [{ kind: 'shipped_but_refunded' }] },
    })
  })

  test('returned to the sender and refunded: closed when a person says that the goods are back', async () => {
    const order = cups(channel, 2)
    const before = (await service.stock('cup')).east!.onHand
    await shipped(order, '4')
    await service.bill(billOf(order))
    await service.tell(later(order, { step: 'closed', at: order.at + 20_000 }))
    await service.bill(genericBill(order, 'refund', 1_000))
    expect(await kindsOf(order)).toEqual(['parcel_returned'])
    await service.count('east', 'add', [{ sku: 'cup', quantity: 2 }])
    const { id } = await openOf('parcel_returned', order)
    expect(await resolve(id, { as: 'done', ...wang, note: '已入库' })).toMatchObject({ status: 200 })
    expect(await service.order(order)).toMatchObject({ state: 'closed' })
    expect((await service.stock('cup')).east!.onHand).toBe(before)
    await service.sweep()
    expect(await service.order(order)).toMatchObject({ state: 'closed' })
  })

  test('a fen short and written off: closed, booked and summed up; the fen that comes later is told', async () => {
    const order = cups(channel)
    await shipped(order)
    await service.bill(billOf(order, 999))
    const open = await openOf('payment_short', order)
    expect(open).toMatchObject({ severity: 'normal', assignedTo: null, note: null, resolvedAs: null })
    expect(open.due).toBeGreaterThan(open.since)
    const sumBefore = await sumOfWriteOffs()
    const written = await resolve(open.id, { as: 'written_off', ...wang })
    expect(written).toMatchObject({
      status: 200,
      json: { writtenOffFen: 1, resolvedAs: 'written_off', resolvedBy: '王芳', note: '已核对' },
    })
    // Asked again, it gives the first answer and books nothing.
    expect((await resolve(open.id, { as: 'written_off', ...wang })).json).toEqual(written.json)
    const closed = await service.order(order)
    expect(closed).toMatchObject({ state: 'closed', reconciliation: { funds: { receivedFen: 999, writtenOffFen: 1 } } })
    expect(await sumOfWriteOffs()).toBe(sumBefore + 1)
    expect(await service.audit()).toEqual([])
    // The audit matches it anew with what was written off: another amount closes nothing.
    await service.sql`update exception_act set amount_fen = 2 where exception_id = ${open.id}`
    expect((await service.audit()).map((v) => v.invariant)).toEqual(['closed_orders_agree_anew'])
    await service.sql`update exception_act set amount_fen = 1 where exception_id = ${open.id}`
    await service.bill({ source: 'generic', csv: genericBill(order, 'payment', 1).csv.replace('payment-', 'rest-') })
    expect(await kindsOf(order)).toEqual(['payment_over'])
    await resolve((await openOf('payment_over', order)).id, { as: 'written_off', ...wang })
    expect(await service.order(order)).toMatchObject({
      state: 'closed',
      reconciliation: { funds: { writtenOffFen: 0 } },
    })
    expect(await sumOfWriteOffs()).toBe(sumBefore)
  })
})

async function sumOfWriteOffs(): Promise<number> {
  const told = await service.admin('GET', '/v1/write-offs?limit=500')
  const { writeOffs, sumFen } = contract.listWriteOffs.answers[200].parse(told.json)
  expect(writeOffs.reduce((sum, row) => sum + row.amountFen, 0)).toBe(sumFen)
  return sumFen
}

test('tmall: a deposit whose balance never came stays with the shop: cancelled, and the flows agree', async () => {
  const order = cups('tmall', 1, 10_000)
  const step = (trade: string, status: string) =>
    signedTmall(
      trade.replace('"type":"fixed"', `"type":"step","step_trade_status":"${status}","step_paid_fee":"20.00"`),
    )
  await service.send(step(tmallTrade(order), 'FRONT_PAID_FINAL_NOPAID'))
  await service.settled()
  expect(await service.order(order)).toMatchObject({ state: 'held' })
  const lapsed = later(order, { step: 'closed' })
  await service.send(step(tmallTrade(lapsed), 'FRONT_PAID_FINAL_NOPAID'))
  await service.settled()
  await service.bill(genericBill(order, 'payment', 2_000))
  expect(await service.order(order)).toMatchObject({
    state: 'cancelled',
    reconciliation: { state: 'closed', exceptions: [], funds: { expectedFen: 2_000, refundExpectedFen: 0 } },
  })
})

test('a payment that does not come is missing from its time on, though nothing happens to the order', async () => {
  const { paymentMs } = defaultPolicy.expectations
  const inSeconds = (ms: number) => Math.floor(ms / 1000) * 1000
  const order = testOrder('tmall', [{ sku: 'cup', quantity: 1, paidFen: 1_000 }], {
    paidAt: inSeconds(Date.now() - paymentMs + 3_000),
  })
  await shipped(order)
  const missing = async () => {
    await service.sweep()
    return (await service.exceptions('payment_missing')).filter((e) => e.order?.orderId === order.orderId)
  }
  await expect.poll(missing, { timeout: 30_000 }).toMatchObject([{ since: order.paidAt + paymentMs }])
  await service.bill(billOf(order))
  expect(await service.order(order)).toMatchObject({ state: 'closed' })
  expect(await missing()).toEqual([])
})

describe('a person', () => {
  test('assigns, resolves once, and is told when it is too late', async () => {
    const order = cups('jd')
    await shipped(order, '2')
    const { id } = await openOf('parcel_problem', order)
    const assigned = await service.admin('POST', `/v1/exceptions/${id}/assign`, { assignedTo: '李雷', ...wang })
    expect(assigned).toMatchObject({ status: 200, json: { id, assignedTo: '李雷', note: '已核对', resolvedAt: null } })
    expect(await openOf('parcel_problem', order)).toMatchObject({ assignedTo: '李雷', severity: 'high' })
    expect(await resolve(id, { as: 'false_alarm' })).toMatchObject({ status: 200, json: { resolvedAs: 'false_alarm' } })
    expect(await resolve(id, { as: 'false_alarm' })).toMatchObject({ status: 200 })
    expect(await resolve(id, { as: 'done' })).toMatchObject({ status: 409, json: { error: { code: 'conflict' } } })
    expect(await service.admin('POST', `/v1/exceptions/${id}/assign`, { assignedTo: null })).toMatchObject({
      status: 409,
    })
    expect(await resolve('999999999', { as: 'done' })).toMatchObject({ status: 404 })
    expect(await resolve(id, { as: 'written_off' })).toMatchObject({ status: 400 })
    await service.sweep()
    expect([await kindsOf(order), await expectedOf(order)]).toEqual([[], ['payment']])
  })

  test('ends what the version before raised and no fact ends: by a person, or by the close of its order', async () => {
    const kind = 'address_changed_after_pull'
    const [first, second] = [cups('tmall'), cups('tmall')]
    for (const order of [first, second]) {
      await service.tell(order)
      const [row] = await service.sql<{ id: string }[]>`select id from orders where order_id = ${order.orderId}`
      const { channel, shop, orderId } = order
      await raise(service.sql, [{ kind, ref: row!.id, orderId: row!.id, detail: { channel, shop, orderId } }])
    }
    const about = async () => (await service.exceptions(kind)).map(({ detail }) => detail.orderId)
    expect(await about()).toEqual(expect.arrayContaining([first.orderId, second.orderId]))
    const own = (await service.exceptions(kind)).find(({ detail }) => detail.orderId === first.orderId)!
    expect(await resolve(own.id, { as: 'done', ...wang })).toMatchObject({ status: 200 })
    expect(await about()).not.toContain(first.orderId)
    await service.at('east').ship(await service.at('east').pullFor(second), 'SF-ends-moved')
    await service.track({ carrier: 'shunfeng', waybill: 'SF-ends-moved', state: '3', at: second.at + 9_000 })
    await service.bill(billOf(second))
    expect(await service.order(second)).toMatchObject({ state: 'closed' })
    expect(await about()).not.toContain(second.orderId)
  })

  test('ends every kind that there is', async () => {
    await raise(
      service.sql,
      exceptionKinds.map((kind) => ({ kind, ref: 'every-kind', detail: { node: 'nowhere', sku: 'none' } })),
    )
    for (const kind of exceptionKinds) {
      const open = (await service.exceptions(kind)).find(({ ref }) => ref === 'every-kind')!
      expect(await resolve(open.id, { as: 'done', ...wang })).toMatchObject({ status: 200, json: { kind } })
      expect((await service.exceptions(kind)).map(({ ref }) => ref)).not.toContain('every-kind')
    }
  })

  test('settles a difference, the process is killed before the order is matched, and the sweep closes the order', async () => {
    const order = cups('wechat')
    await shipped(order)
    await service.bill(billOf(order, paidFenOf(order) - 5))
    const open = await openOf('payment_short', order)
    await service.restart(async () => {
      await settleException(service.sql, open.kind, open.ref, { as: 'written_off', ...wang })
    })
    await service.sweep()
    expect(await service.order(order)).toMatchObject({
      state: 'closed',
      reconciliation: { funds: { writtenOffFen: 5 } },
    })
  })
})
