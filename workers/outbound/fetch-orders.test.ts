/** Orders that are fetched: the end is what the platform's answers come to, however they come, and however late. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { OrderApi } from '../../adapters/channels/order-api.ts'
import { openOrderApis } from '../../adapters/channels/order-apis.ts'
import { later, shopOf, type TestOrder, testOrder } from '../e2e/testing/orders.ts'
import { wechatOrderAnswer } from '../e2e/testing/platforms.ts'
import { startTestService, type TestService } from '../e2e/testing/service.ts'
import { signedOrder, signedWechat } from '../e2e/testing/webhooks.ts'
import { OrderFetcher } from './fetch-orders.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
  await service.goods('tent', { east: 100 })
})
afterAll(() => service.close())
beforeEach(async () => {
  await service.settled()
})

const line = { sku: 'tent', quantity: 1, paidFen: 300 } as const
const asking = (order: TestOrder): TestOrder => ({ ...order, lines: [{ ...line, refund: 'requested' }] })

let told = 0
/** Another notification of the same second, after which the shop's API gives `order`. */
async function notification(order: TestOrder): Promise<void> {
  service.wechat.answers.set(order.orderId, wechatOrderAnswer(order))
  const pushed = await service.send(
    signedWechat(
      `{"ToUserName":"gh_2","FromUserName":"oTVP","CreateTime":${order.at / 1000},"MsgType":"event",` +
        `"Event":"channels_ec_aftersale_update","finder_shop_aftersale_status_update":` +
        `{"status":"STEP_${++told}","after_sale_order_id":"77","order_id":"${order.orderId}"}}`,
    ),
  )
  expect(pushed.text).toBe('success')
}

describe('within one update_time', () => {
  const order = () => testOrder('wechat', [line])
  test.each<[what: string, first: TestOrder, changed: (order: TestOrder) => TestOrder, rule: string]>([
    ['an after-sale is asked for and withdrawn', order(), asking, 'refund_requested'],
    ['an address review begins and ends', order(), (o) => ({ ...o, addressUnderReview: true }), 'address_under_review'],
  ])('%s: held meanwhile, then let go', async (_, first, changed, rule) => {
    await service.tell(first)
    expect(await service.order(first)).toMatchObject({ state: 'routed' })
    // Twice, with the same bytes each time.
    for (let round = 1; round <= 2; round++) {
      await notification(changed(first))
      await service.settled()
      const held = await service.order(first)
      expect(held).toMatchObject({ state: 'held' })
      expect(held.holds.map((h) => h.rule)).toEqual([rule])
      await notification(first)
      await service.settled()
      expect(await service.order(first)).toMatchObject({ state: 'routed', holds: [] })
    }
    expect(await service.audit()).toEqual([])
  })

  test('a notification that is sent again is the same notification: nothing is fetched for it', async () => {
    const first = order()
    await service.tell(first)
    await service.tell(first)
    expect(await answersOf(first)).toHaveLength(1)
  })
})

describe('an answer that is older than its notification', () => {
  const announced = () => testOrder('wechat', [line], { step: 'unpaid' })
  const pending = (order: TestOrder) => service.sql<{ last_error: string; attempts: number; seconds: number }[]>`
    select last_error, attempts, extract(epoch from not_before - now())::float8 as seconds from pending
    where order_id = ${order.orderId}`
  /** The time until the notification's next fetch passes. */
  const wait = (order: TestOrder) =>
    service.sql`update pending set not_before = now() - interval '10 seconds' where order_id = ${order.orderId}`
  const aged = (order: TestOrder, seconds: number) =>
    service.sql`
      update inbox set received_at = now() - ${seconds} * interval '1 second'
      where order_id = ${order.orderId} and kind = 'notification'`
  /** Told of a payment that the shop's API does not show yet. */
  async function lagging(ms = 10_000): Promise<{ order: TestOrder; paid: TestOrder }> {
    const order = announced()
    const paid = later(order, { step: 'paid', at: order.at + ms })
    await service.tell(order)
    await service.send(signedOrder(paid))
    await expect
      .poll(() => pending(paid).then(([row]) => row?.last_error), { timeout: 120_000 })
      .toBe('older_than_notification')
    return { order, paid }
  }

  test('does not end the notification: what it told of is found when the API shows it', async () => {
    const { order, paid } = await lagging()
    const [row] = await pending(paid)
    expect(row!.attempts).toBe(0)
    expect(row!.seconds).toBeGreaterThan(4)
    expect(row!.seconds).toBeLessThan(10)
    expect(await service.order(order)).toMatchObject({ state: 'unpaid' })
    service.wechat.answers.set(order.orderId, wechatOrderAnswer(paid))
    await wait(paid)
    await service.settled()
    expect(await service.order(order)).toMatchObject({ state: 'routed' })
    expect(await service.audit()).toEqual([])
  })

  test('is believed in the end, and kept no more often than twice', async () => {
    const { order, paid } = await lagging()
    for (const [age, next] of [
      [15, 45],
      [65, 535],
    ] as const) {
      await aged(paid, age)
      await wait(paid)
      await expect
        .poll(() => pending(paid).then(([one]) => Math.abs((one?.seconds ?? 0) - next) < 5), { timeout: 120_000 })
        .toBe(true)
    }
    await aged(paid, 605)
    await wait(paid)
    await service.settled()
    expect(await service.order(order)).toMatchObject({ state: 'unpaid' })
    // The first one's, and the second notification's.
    expect(await answersOf(order)).toHaveLength(2)
    expect(await service.audit()).toEqual([])
  })

  test('by so little that both may tell of one change is asked for once more only', async () => {
    const { order, paid } = await lagging(2_000)
    await aged(paid, 15)
    await wait(paid)
    await service.settled()
    expect(await pending(paid)).toEqual([])
    expect(await service.order(order)).toMatchObject({ state: 'unpaid' })
    expect(await service.audit()).toEqual([])
  })

  test('tells what it tells at once, and a later one of the same second takes its place', async () => {
    const first = testOrder('wechat', [line])
    await service.tell(first)
    await notification(asking(first))
    await service.settled()
    expect(await service.order(first)).toMatchObject({ state: 'held' })
    // The API goes on to show the request a while after it was withdrawn, and its update_time never moves.
    service.wechat.answers.set(first.orderId, wechatOrderAnswer(asking(first)))
    const withdrawn = later(first, {})
    await service.send(signedOrder(withdrawn))
    await expect.poll(() => pending(first).then((rows) => rows.length), { timeout: 120_000 }).toBe(1)
    await expect
      .poll(() => pending(first).then(([row]) => row?.last_error), { timeout: 120_000 })
      .toBe('older_than_notification')
    service.wechat.answers.set(first.orderId, wechatOrderAnswer(first))
    await wait(first)
    await expect.poll(() => service.order(first).then((one) => one.state), { timeout: 120_000 }).toBe('routed')
    await aged(first, 605)
    await wait(first)
    await service.settled()
    expect(await service.order(first)).toMatchObject({ state: 'routed' })
  })
})

test('an answer that nobody can read is shown for each order of which it was the answer', async () => {
  const orders = [testOrder('wechat', [line]), testOrder('wechat', [line])]
  for (const order of orders) {
    service.wechat.answers.set(order.orderId, '{"errcode":0,"errmsg":"ok"}')
    await service.send(signedOrder(order))
  }
  await service.settled()
  const shown = (await service.exceptions('unintelligible_event')).map(({ ref }) => ref)
  expect(shown).toHaveLength(2)
  expect(await service.audit()).toEqual([])
})

test('a shop that names no API is asked for at the platform’s own address', async () => {
  const shop = `/v1/shops/wechat/${encodeURIComponent(shopOf.wechat)}`
  const named = async (apiBaseUrl: string | null) =>
    expect((await service.admin('PATCH', shop, { apiBaseUrl })).status).toBe(200)
  const order = testOrder('wechat', [line])
  const asked: string[] = []
  const api: OrderApi = {
    baseUrl: 'https://the.platforms.own',
    getOrder: async ({ apiBaseUrl }) => {
      asked.push(apiBaseUrl)
      return { outcome: 'order', body: Buffer.from(wechatOrderAnswer(order)) }
    },
    close: async () => undefined,
  }
  const fetcher = new OrderFetcher({ ...service.running, apis: { of: () => api, close: api.close } })
  const { channel, shop: shopName, orderId } = order
  const pushed = { channel, shop: shopName, orderId, occurredAt: 0, storedAtMs: Date.now(), attempts: 0 }
  await named(null)
  fetcher.push([{ ...pushed, seq: '1' }])
  await expect.poll(() => answersOf(order)).toHaveLength(1)
  await named(service.wechat.url)
  fetcher.push([{ ...pushed, seq: '2' }])
  await expect.poll(() => asked).toEqual([api.baseUrl, service.wechat.url])
  await service.settled()
  await fetcher.stop()
  expect(await service.order(order)).toMatchObject({ state: 'routed' })
  const apis = openOrderApis()
  expect(apis.of('wechat')!.baseUrl).toBe('https://api.weixin.qq.com')
  await apis.close()
})

function answersOf(order: TestOrder) {
  return service.sql`select event_id from inbox where order_id = ${order.orderId} and kind = 'order'`
}
