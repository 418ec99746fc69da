import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { loadDivisions } from '../../adapters/divisions/load.ts'
import { demoNetwork } from '../../workers/process/demo-network/network.ts'
import { orderAt } from '../traffic/generator.ts'
import { wechatId } from '../traffic/ids.ts'
import type { GeneratedOrder } from '../traffic/order.ts'
import { trafficPlan } from '../traffic/plan.ts'
import { wellBehaved } from './misbehaviour.ts'
import { type Standin, startWechatStandin } from './server.ts'

const divisions = loadDivisions()
const network = demoNetwork(divisions, 42)
const shop = network.shops.find(({ channel }) => channel === 'wechat')!
const plan = trafficPlan({
  network,
  divisions,
  seed: 7,
  startMs: Date.UTC(2026, 10, 10, 16),
  mix: { tmall: 0, jd: 0, wechat: 1 },
  scenarios: { announced: 500, address_review: 500 },
})
let nowMs = 0
let standin: Standin

beforeAll(async () => {
  standin = await startWechatStandin({ plan, shop, now: () => nowMs })
})
afterAll(() => standin.close())
afterEach(() => standin.misbehave(wellBehaved))

async function post(path: string, body: unknown) {
  const response = await fetch(standin.url + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, json: JSON.parse(await response.text()) }
}

const tokenRequest = {
  grant_type: 'client_credential',
  appid: shop.credentials.appId,
  secret: shop.credentials.appSecret,
}

async function token(): Promise<string> {
  return (await post('/cgi-bin/stable_token', tokenRequest)).json.access_token
}

async function fetchOrder(order_id: unknown, access_token: string) {
  return (await post(`/channels/ec/order/get?access_token=${access_token}`, { order_id })).json
}

function first(scenario: GeneratedOrder['scenario']): GeneratedOrder {
  for (let index = 0; ; index++) {
    const order = orderAt(plan, index)
    if (order.scenario === scenario) return order
  }
}

describe('tokens', () => {
  test.each([
    [40002, { ...tokenRequest, grant_type: 'other' }],
    [40013, { ...tokenRequest, appid: 'wx0' }],
    [40125, { ...tokenRequest, secret: 'no' }],
    [47001, 'not json'],
    [47001, '[]'],
  ])('errcode %i', async (errcode, body) => {
    expect((await post('/cgi-bin/stable_token', body)).json).toMatchObject({ errcode })
  })

  test('one token until it ends or is forced; a dead one is told from an unknown one', async () => {
    const { orderId } = orderAt(plan, 0)
    const before = await token()
    expect(await token()).toBe(before)
    expect((await fetchOrder(orderId, before)).errcode).toBe(0)
    expect((await fetchOrder(orderId, 'made-up')).errcode).toBe(40001)
    expect((await fetchOrder(orderId, '')).errcode).toBe(41001)
    nowMs += 7_200_000
    expect((await fetchOrder(orderId, before)).errcode).toBe(42001)
    const after = await token()
    expect(after).not.toBe(before)
    const forced = (await post('/cgi-bin/stable_token', { ...tokenRequest, force_refresh: true })).json.access_token
    expect(forced).not.toBe(after)
  })
})

describe('orders', () => {
  test.each([
    ['an id as a number', 312345678901, 40097],
    ['an id that nobody made', '3705115058471208928', 10020051],
    ["another seed's id", wechatId(8, 1), 10020051],
    ['an empty id', '', 10020051],
  ])('%s', async (_, id, errcode) => {
    expect((await fetchOrder(id, await token())).errcode).toBe(errcode)
  })

  test('an order is unpaid until it is advanced', async () => {
    const { orderId, paidFen } = first('announced')
    const access = await token()
    expect((await fetchOrder(orderId, access)).order).toMatchObject({ order_id: orderId, status: 10 })
    expect(await post('/control/state', { order_id: orderId, event: 'paid' })).toMatchObject({ status: 200 })
    const { order } = await fetchOrder(orderId, access)
    expect(order).toMatchObject({ status: 20, order_detail: { price_info: { order_price: paidFen } } })
    await post('/control/state', { states: [{ order_id: orderId, event: 'closed' }] })
    expect((await fetchOrder(orderId, access)).order.status).toBe(200)
  })

  test('a review is shown until the address is changed', async () => {
    const { orderId } = first('address_review')
    const access = await token()
    const review = async () => (await fetchOrder(orderId, access)).order.order_detail.delivery_info.address_under_review
    expect(await review()).toBeDefined()
    expect(standin.advance(orderId, 'address_changed')).toBeNull()
    expect(await review()).toBeUndefined()
  })

  test.each([
    ['/control/state', { order_id: '1', event: 'paid' }],
    ['/control/state', { order_id: wechatId(7, 0), event: 'eaten' }],
    ['/control/state', 'no json'],
    ['/control/misbehave', { busyness: 1 }],
    ['/control/misbehave', { busy: 'often' }],
  ])('a wrong control call is refused: %s %j', async (path, body) => {
    expect((await post(path, body)).status).toBe(400)
  })

  test.each([
    ['GET', '/channels/ec/order/get'],
    ['POST', '/elsewhere'],
  ])('%s %s is not found', async (method, path) => {
    expect((await fetch(standin.url + path, { method })).status).toBe(404)
  })
})

describe('misbehaviour', () => {
  const ask = async (access: string) =>
    fetch(`${standin.url}/channels/ec/order/get?access_token=${access}`, {
      method: 'POST',
      body: JSON.stringify({ order_id: orderAt(plan, 0).orderId }),
    })

  test('500, busy, cut and slow answers, and an early end of the token', async () => {
    const access = await token()
    standin.misbehave({ serverError: 1000 })
    expect((await ask(access)).status).toBe(500)
    standin.misbehave({ ...wellBehaved, busy: 1000 })
    expect(await (await ask(access)).json()).toMatchObject({ errcode: -1 })
    standin.misbehave({ ...wellBehaved, truncated: 1000 })
    await expect(ask(access).then((response) => response.text())).rejects.toThrow()
    standin.misbehave({ ...wellBehaved, slowBody: 1000, slowMs: 20, latencyMs: 5 })
    expect(await (await ask(access)).json()).toMatchObject({ errcode: 0 })
    standin.misbehave({ ...wellBehaved, tokenSeconds: 1 })
    const brief = (await post('/cgi-bin/stable_token', { ...tokenRequest, force_refresh: true })).json
    expect(brief.expires_in).toBe(7200)
    nowMs += 1000
    expect((await fetchOrder(orderAt(plan, 0).orderId, brief.access_token)).errcode).toBe(42001)
    expect(standin.stats()).toMatchObject({ server_error: 1, truncated: 1, slow_body: 1 })
  })

  test('a stale answer shows the order as it was', async () => {
    const { orderId } = first('address_review')
    const access = await token()
    standin.misbehave({ stale: 1000 })
    standin.advance(orderId, 'paid')
    expect((await fetchOrder(orderId, access)).order.status).toBe(10)
    standin.misbehave(wellBehaved)
    expect((await fetchOrder(orderId, access)).order.status).toBe(20)
  })
})
