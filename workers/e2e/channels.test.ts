/** What platforms send beside the usual order: each on real sockets. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { channelNames } from '../../router/types.ts'
import { later, type TestOrder, testOrder } from './testing/orders.ts'
import { jdOrderInfo, tmallTrade } from './testing/platforms.ts'
import { startTestService, type TestService } from './testing/service.ts'
import { signedJd, signedTmall } from './testing/webhooks.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
})
afterEach(async () => {
  expect(await service.audit()).toEqual([])
})
afterAll(() => service.close())

async function newOrder(channel: TestOrder['channel'], sku: string): Promise<TestOrder> {
  await service.goods(sku, { east: 5 })
  return testOrder(channel, [{ sku, quantity: 1, paidFen: 1_000 }])
}

test.each(channelNames)('%s: a code among blanks that nobody sees is the code', async (channel) => {
  const order = await newOrder(channel, `${channel}-blank`)
  await service.tell({ ...order, lines: [{ ...order.lines[0]!, sku: `\u3000${channel}-blank\u200b ` }] })
  expect(await service.order(order)).toMatchObject({ state: 'routed', holds: [], lines: [{ sku: `${channel}-blank` }] })
})

describe('tmall', () => {
  const told = async (order: TestOrder, change: (body: string) => string) => {
    const answer = await service.send(signedTmall(change(tmallTrade(order))))
    expect(answer.text).toBe('{"success":true}')
    await service.settled()
    return await service.order(order)
  }

  test('services on top: the goods are routed, and all of the money is expected', async () => {
    const order = await newOrder('tmall', 'tm-service')
    const now = await told(order, (body) =>
      body.replace(
        '"payment":"10.00"',
        '"service_orders":{"service_order":[{"oid":1,"payment":"50.00"}]},"payment":"60.00"',
      ),
    )
    expect(now).toMatchObject({ state: 'routed', holds: [], paidFen: 6_000, lines: [{ paidFen: 1_000 }] })
    expect(now.reconciliation).toMatchObject({ funds: { expectedFen: 6_000 } })
  })

  test.each(['0000-00-00 00:00:00', '0001-01-01 00:00:00'])('the date %s is none', async (none) => {
    const order = await newOrder('tmall', `tm-date-${none.slice(3, 4)}`)
    const now = await told(order, (body) => body.replace('"post_fee"', `"send_time":"${none}","post_fee"`))
    expect(now).toMatchObject({ state: 'routed', shipBy: null })
  })

  test('a state of tomorrow holds the order, and names the state', async () => {
    const order = await newOrder('tmall', 'tm-state')
    const now = await told(order, (body) => body.replaceAll('WAIT_SELLER_SEND_GOODS', 'SENT_TO_THE_MOON'))
    expect(now).toMatchObject({ state: 'held', holds: [{ rule: 'platform_hold' }] })
    expect(now.holds[0]!.reason).toContain('SENT_TO_THE_MOON')
  })
})

test('jd: locked without a receiver while a warehouse has it: flag on, flag off, and the same label', async () => {
  const order = await newOrder('jd', 'jd-locked')
  await service.tell(order)
  const task = await service.at('east').pullFor(order)
  const locked = later(order, { step: 'locked' })
  const body = jdOrderInfo(locked).replace(/"consigneeInfo":\{[^}]*\},?/, '')
  expect(body).not.toContain(order.receiver.street)
  await service.send(signedJd(body))
  await service.settled()
  expect(await service.order(order)).toMatchObject({ tasks: [{ interceptRequested: true, changed: false }] })
  await service.tell(later(locked, { step: 'paid' }))
  expect(await service.order(order)).toMatchObject({ tasks: [{ interceptRequested: false, changed: false }] })
  expect((await service.admin('GET', '/v1/exceptions?limit=500')).json).toMatchObject({ exceptions: [] })
  expect(await service.at('east').ship(task, 'SF-locked')).toMatchObject({ status: 200 })
})

test('jd: beans that pay the freight as well', async () => {
  const order = await newOrder('jd', 'jd-beans')
  const body = jdOrderInfo({ ...order, freightFen: 600 })
    .replace(/"orderPayment":"[^"]*"/, '"orderPayment":"0.00"')
    .replace(
      '"couponDetailList":[',
      '"couponDetailList":[{"skuId":"","couponType":"39-京豆优惠","couponPrice":"16.00"}',
    )
  await service.send(signedJd(body))
  await service.settled()
  expect(await service.order(order)).toMatchObject({ state: 'routed', holds: [], paidFen: 0, freightFen: 0 })
})

test('wechat: the gift of a line that is refunded does not go alone', async () => {
  await service.goods('wx-main', { east: 5 })
  await service.goods('wx-gift', { east: 5 })
  const order = testOrder('wechat', [
    { sku: 'wx-main', quantity: 1, paidFen: 9_900 },
    { sku: 'wx-gift', quantity: 1, paidFen: 0, gift: true, giftOf: 0 },
  ])
  await service.tell(order)
  expect(await service.order(order)).toMatchObject({ state: 'routed', tasks: [{ lines: [{}, {}] }] })
  const [main, gift] = order.lines
  await service.tell(later(order, { lines: [{ ...main!, refund: 'refunded' }, gift!] }))
  expect(await service.order(order)).toMatchObject({ state: 'cancelled', tasks: [{ state: 'cancelled' }] })
  expect(await service.at('east').pullAllOf(order)).toEqual([])
})
