/** The process itself: it goes on where it stopped, says how it is, and documents what it serves. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { contract } from '../../adapters/http/v1/contract.ts'
import { channelNames } from '../../router/types.ts'
import { later, testOrder } from './testing/orders.ts'
import { wechatOrderAnswer } from './testing/platforms.ts'
import { acknowledged, startTestService, type TestService } from './testing/service.ts'
import { billOf, signedOrder } from './testing/webhooks.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
})
afterAll(async () => {
  expect(await service.audit()).toEqual([])
  await service.close()
})

test('what was acknowledged while nobody decided is decided after the restart', async () => {
  await service.goods('waiting', { east: 10 })
  const orders = channelNames.map((channel) => testOrder(channel, [{ sku: 'waiting', quantity: 1, paidFen: 100 }]))
  const early = testOrder('jd', [{ sku: 'waiting', quantity: 2, paidFen: 200 }])
  await service.tell(early)
  // From here on this process takes events and decides none; the shop's API gives nothing.
  await service.running.dispatch.stop(10_000)
  await service.running.fetcher.stop()
  for (const order of orders) expect((await service.send(signedOrder(order))).text).toBe(acknowledged[order.channel])
  await service.send(signedOrder(later(early, { step: 'closed' })))
  expect(await service.sql`select 1 from pending`).toHaveLength(4)
  expect((await service.order(early)).state).toBe('routed')

  await service.restart(async () => {
    wechatAnswers()
  })
  await service.settled()
  for (const order of orders) expect((await service.order(order)).state, order.channel).toBe('routed')
  expect((await service.order(early)).state).toBe('cancelled')
  expect(await service.stock('waiting')).toEqual({ east: { onHand: 10, reserved: 3, available: 7 } })

  function wechatAnswers() {
    for (const order of orders) service.wechat.answers.set(order.orderId, wechatOrderAnswer(order))
  }
})

test('a task pulled before the restart is shipped after it, and the order closes', async () => {
  await service.goods('over', { east: 10 })
  const order = testOrder('tmall', [{ sku: 'over', quantity: 1, paidFen: 100 }])
  await service.tell(order)
  const task = await service.at('east').pullFor(order)
  await service.restart()
  expect(await service.at('east').ship(task, 'SF-restart-1')).toMatchObject({ status: 200 })
  await service.bill(billOf(order))
  await service.restart()
  await service.track({ carrier: 'shunfeng', waybill: 'SF-restart-1', state: '3', at: Date.now() })
  expect(await service.order(order)).toMatchObject({ state: 'closed' })
  // The same webhook after all that is still a duplicate.
  await service.tell(order)
  expect(await service.order(order)).toMatchObject({ state: 'closed', tasks: [{ taskId: task.taskId }] })
})

test('/healthz, /readyz and /metrics', async () => {
  expect((await service.client.ask('GET', '/healthz')).json).toEqual({ status: 'up' })
  // The shared server of the tests runs without fsync, and this service was told that it does not matter.
  expect((await service.client.ask('GET', '/readyz')).json).toEqual({
    ...{ status: 'ready', postgres: 'ok', redis: 'ok', durability: 'not_durable' },
    off: ['fsync', 'full_page_writes', 'synchronous_commit'],
  })
  const { text, headers } = await service.client.ask('GET', '/metrics')
  expect(headers['content-type']).toContain('text/plain')
  for (const name of [
    'webhooks_total',
    'ack_seconds_bucket',
    'intake_commit_seconds_bucket',
    'events_decided_total',
    'event_decision_seconds_bucket',
    'stage_seconds_total',
    'pending_events',
    'stock_drift_units',
    'orders_reconciled_total',
  ]) {
    expect(text).toContain(`paidan_${name}`)
  }
})

test('/openapi.json lists every path, and what it refers to is there', async () => {
  const { status, json, text } = await service.client.ask('GET', '/openapi.json')
  expect(status).toBe(200)
  const document = json as { openapi: string; paths: Record<string, Record<string, unknown>> }
  expect(document.openapi).toMatch(/^3\.1/)
  const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const own = ['/healthz', '/readyz', '/metrics', '/openapi.json'].map((path) => `GET ${path}`)
  const webhooks = ['GET /webhooks/{channel}/{shop}', 'POST /webhooks/{channel}/{shop}']
  const v1 = Object.values(contract).map(({ method, path }) => `${method} ${path}`)
  const carriers = ['POST /webhooks/carriers/kuaidi100/{account}']
  expect(listed.sort()).toEqual([...own, ...webhooks, ...carriers, ...v1].sort())
  for (const [, pointer] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const target = pointer!.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document)
    expect(target, pointer).toBeDefined()
  }
})
