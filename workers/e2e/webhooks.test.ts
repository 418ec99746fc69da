/** The platforms' doors, from outside: what is taken, what is refused and in whose words, what is kept of it. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { wechatDigest } from '../../adapters/channels/wechat/crypto.ts'
import { channelNames } from '../../router/types.ts'
import { later, shopOf, testOrder } from './testing/orders.ts'
import { jdOrderInfo, tmallTrade, wechatOrderAnswer, wechatPush } from './testing/platforms.ts'
import { acknowledged, startTestService, type TestService } from './testing/service.ts'
import { credentials, type Signed, signedJd, signedOrder, signedTmall, signedWechat } from './testing/webhooks.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
  await service.goods('thing', { east: 1000 })
})
afterEach(async () => {
  expect(await service.audit()).toEqual([])
})
afterAll(() => service.close())

const lines = [{ sku: 'thing', quantity: 1, paidFen: 100 }]

async function storedRows(): Promise<number> {
  const [row] = await service.sql<{ rows: number }[]>`
    select (select count(*) from inbox) + (select count(*) from event_conflict) + (select count(*) from orders) as rows`
  return Number(row!.rows)
}

/** One counter of /metrics. */
async function counted(name: string, labels: string): Promise<number> {
  const told = await service.client.ask('GET', '/metrics')
  const line = told.text.split('\n').find((l) => l.startsWith(`paidan_${name}{${labels}}`))
  return line === undefined ? 0 : Number(line.split(' ').at(-1))
}

/** The same request with one letter of its signed body changed. */
function tampered(signed: Signed): Signed {
  const at = signed.body.lastIndexOf('1')
  return { ...signed, body: `${signed.body.slice(0, at)}2${signed.body.slice(at + 1)}` }
}

describe.each(channelNames)('%s', (channel) => {
  test('the same event, ten times and at once: acknowledged each time, one order, one task', async () => {
    const order = testOrder(channel, lines)
    if (channel === 'wechat') service.wechat.answers.set(order.orderId, wechatOrderAnswer(order))
    const signed = signedOrder(order)
    const told = await Promise.all(Array.from({ length: 10 }, () => service.send(signed)))
    expect(new Set(told.map((t) => t.text))).toEqual(new Set([acknowledged[channel]]))
    expect(new Set(told.map((t) => t.status))).toEqual(new Set([200]))
    await service.settled()
    await service.send(signedOrder(order))
    await service.settled()
    expect((await service.order(order)).tasks).toHaveLength(1)
    const [events] = await service.sql<{ count: number }[]>`
      select count(*)::int as count from inbox where order_id = ${order.orderId} and kind = 'order'`
    expect(events!.count).toBe(1)
  })

  test('a bad signature: refused, counted, nothing stored', async () => {
    const order = testOrder(channel, lines)
    const before = [await storedRows(), await counted('webhooks_total', `channel="${channel}",outcome="bad_signature"`)]
    const told = await service.send(tampered(signedOrder(order)))
    expect(told.status).toBe(401)
    expect(told.text).not.toBe(acknowledged[channel])
    expect([
      await storedRows(),
      await counted('webhooks_total', `channel="${channel}",outcome="bad_signature"`),
    ]).toEqual([before[0], before[1]! + 1])
    expect(await service.client.ask('GET', '/metrics').then((t) => t.text)).not.toContain(order.orderId)
  })

  test('a shop that nobody knows: 404, nothing stored', async () => {
    const before = await storedRows()
    const signed = signedOrder(testOrder(channel, lines, { shop: 'no such shop' }))
    expect((await service.send(signed)).status).toBe(404)
    expect(await storedRows()).toBe(before)
  })

  test('a body of 256 KiB is read, one byte more is not', async () => {
    const path = `/webhooks/${channel}/${encodeURIComponent(shopOf[channel])}`
    const before = await storedRows()
    const read = await service.client.ask('POST', path, { raw: Buffer.alloc(262_144, 'a') })
    expect(read.status).not.toBe(413)
    expect(read.status).toBeLessThan(500)
    const refused = await service.client.ask('POST', path, { raw: Buffer.alloc(262_145, 'a') })
    expect(refused.status).toBe(413)
    expect(refused.text).not.toBe(acknowledged[channel])
    expect(await storedRows()).toBe(before)
  })

  test.each([
    ['no JSON', '{"order_id":'],
    ['no object', '[1,2,3]'],
    ['another document', '{"hello":"world"}'],
    ['deep nesting', '['.repeat(5000) + ']'.repeat(5000)],
    [
      'a NUL and half a surrogate pair',
      '{"trade":{"tid":"\\u0000\\ud800"},"Event":"\\ud800","orderInfo":{"orderId":"\\u0000"}}',
    ],
  ])('verified but unintelligible (%s): acknowledged, kept, an exception of its own', async (name, text) => {
    // WeChat would not push what is not about an order: only what is no message at all is beyond it.
    const sign = { tmall: signedTmall, jd: signedJd, wechat: signedWechat }[channel]
    const before = await service.exceptions('unintelligible_event')
    const told = await service.send(sign(text))
    expect([told.status, told.text]).toEqual([200, acknowledged[channel]])
    await service.settled()
    const after = await service.exceptions('unintelligible_event')
    const ignored = channel === 'wechat' && (name === 'another document' || name.startsWith('a NUL'))
    expect(after.length - before.length).toBe(ignored ? 0 : 1)
    await service.send(sign(text))
    await service.settled()
    expect(await service.exceptions('unintelligible_event')).toHaveLength(after.length)
  })
})

describe('the same event id with another body is kept and raised, and the first one stands', () => {
  const order = testOrder('tmall', lines)
  const jdOrder = testOrder('jd', lines)
  test.each([
    ['tmall', order, () => signedTmall(tmallTrade({ ...order, buyerMessage: 'another' }))],
    ['jd', jdOrder, () => signedJd(jdOrderInfo({ ...jdOrder, buyerMessage: 'another' }))],
  ] as const)('%s', async (_, first, other) => {
    await service.tell(first)
    const told = await service.send(other())
    expect([told.status, told.text]).toEqual([200, acknowledged[first.channel]])
    await service.settled()
    const raised = await service.exceptions('event_conflict')
    expect(raised.filter((e) => e.detail.orderId === first.orderId)).toHaveLength(1)
    expect((await service.order(first)).tasks).toHaveLength(1)
    const [kept] = await service.sql<{ body: Buffer }[]>`
      select body from event_conflict where event_id like ${`%${first.orderId}%`}`
    expect(kept!.body.toString()).toContain('another')
  })
})

describe('wechat', () => {
  const path = `/webhooks/wechat/${encodeURIComponent(shopOf.wechat)}`
  const timestamp = String(Math.floor(Date.now() / 1000))
  const echo = (signature: string) =>
    `${path}?signature=${signature}&timestamp=${timestamp}&nonce=1372623149&echostr=${encodeURIComponent('4375120948345356249')}`
  const signature = wechatDigest(credentials.wechat.token, timestamp, '1372623149')

  test('the URL check is echoed when it is signed, refused when it is not', async () => {
    expect(await service.client.ask('GET', echo(signature))).toMatchObject({ status: 200, text: '4375120948345356249' })
    expect((await service.client.ask('GET', echo(signature.replace(/./g, '0')))).status).toBe(401)
    expect((await service.client.ask('GET', path)).status).toBe(401)
  })

  test('an order that its API does not give yet is asked for again, and then routed', async () => {
    const order = testOrder('wechat', lines)
    expect((await service.send(signedOrder(order))).text).toBe('success')
    await expect
      .poll(() => counted('order_fetches_total', 'outcome="order_not_found"'), { timeout: 120_000 })
      .toBeGreaterThan(0)
    const [notification] = await service.sql`select kind, last_error from pending where order_id = ${order.orderId}`
    expect(notification).toMatchObject({ kind: 'notification' })
    service.wechat.answers.set(order.orderId, wechatOrderAnswer(order))
    // The time until the next attempt passes.
    await service.sql`update pending set not_before = now() - interval '10 seconds' where order_id = ${order.orderId}`
    await service.settled()
    expect(await service.order(order)).toMatchObject({ state: 'routed' })
    expect(service.wechat.wrongCalls).toEqual([])
  })

  test('several pushes about one order end in its latest state', async () => {
    const order = testOrder('wechat', lines, { step: 'unpaid' })
    const paid = later(order, { step: 'paid' })
    const closed = later(paid, { step: 'closed' })
    service.wechat.answers.set(order.orderId, wechatOrderAnswer(closed))
    await Promise.all([order, paid, closed].map((one) => service.send(signedWechat(wechatPush(one)))))
    await service.settled()
    expect(await service.order(order)).toMatchObject({ state: 'cancelled', tasks: [] })
  })
})

test('ids with odd characters are found under their percent-encoding', async () => {
  for (const orderId of ['A/B?c#d', '100%', 'a\'b"c', '<x>&y=1', '.a.', 'a+b;c', '-'.repeat(64)]) {
    const order = testOrder('jd', lines, { orderId })
    await service.tell(order)
    expect(await service.order(order), orderId).toMatchObject({ orderId, state: 'routed' })
  }
})

test('an unknown channel or carrier account is 404, another method 405', async () => {
  expect((await service.client.ask('POST', '/webhooks/pinduoduo/x', { raw: '{}' })).status).toBe(404)
  expect((await service.client.ask('POST', '/webhooks/carriers/kuaidi100/nobody', { raw: 'param=1' })).status).toBe(404)
  expect((await service.client.ask('PUT', '/webhooks/tmall/x', { raw: '{}' })).status).toBe(405)
  const track = await service.client.ask('POST', '/webhooks/carriers/kuaidi100/chenfeng', { raw: 'param={}&sign=00' })
  expect([track.status, (track.json as { result: boolean }).result]).toEqual([401, false])
})
