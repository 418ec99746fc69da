/** A node is switched off while tasks of it wait: what nobody pulled goes elsewhere. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { channelNames } from '../../router/types.ts'
import { nodes } from './testing/network.ts'
import { type TestOrder, testOrder } from './testing/orders.ts'
import { startTestService, type TestService } from './testing/service.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
})
afterEach(async () => {
  await openEast(true)
  expect(await service.audit()).toEqual([])
})
afterAll(() => service.close())

async function openEast(open: boolean): Promise<void> {
  const told = await service.admin('PUT', '/v1/nodes/east', { ...nodes.east, open })
  expect(told.status).toBe(200)
  await service.settled()
}

async function routed(channel: TestOrder['channel'], sku: string): Promise<TestOrder> {
  const order = testOrder(channel, [{ sku, quantity: 1, paidFen: 1_000 }])
  await service.tell(order)
  return order
}

const free = (onHand: number) => ({ onHand, reserved: 0, available: onHand })

test.each(channelNames)('%s: unpulled tasks move, a pulled one stays with its owner', async (channel) => {
  const sku = `${channel}-closing`
  await service.goods(sku, { east: 5, south: 5 })
  const kept = await routed(channel, sku)
  const task = await service.at('east').pullFor(kept)
  const waiting = await routed(channel, sku)
  await openEast(false)
  expect(await service.order(waiting)).toMatchObject({
    state: 'routed',
    tasks: [
      { node: 'east', state: 'cancelled' },
      { node: 'south', state: 'ready' },
    ],
  })
  expect((await service.order(waiting)).history).toContainEqual(
    expect.objectContaining({ reason: 'node_closed', actor: { kind: 'stage', name: 'settings' } }),
  )
  expect(await service.order(kept)).toMatchObject({ tasks: [{ node: 'east', state: 'pulled' }] })
  expect(await service.at('east').ship(task, `SF-${channel}-kept`)).toMatchObject({ status: 200 })
  expect(await service.stock(sku)).toMatchObject({ east: free(4), south: { reserved: 1 } })
})

test('goods that are nowhere else wait, and go when the node opens', async () => {
  await service.goods('only-east', { east: 5 })
  const order = await routed('tmall', 'only-east')
  await openEast(false)
  expect(await service.order(order)).toMatchObject({ state: 'backordered', tasks: [{ state: 'cancelled' }] })
  await openEast(true)
  await service.sweep()
  expect(await service.order(order)).toMatchObject({ state: 'routed', tasks: [{}, { node: 'east', state: 'ready' }] })
})

test('the process is killed between the setting and the moving: the sweep moves them', async () => {
  await service.goods('killed', { east: 5, south: 5 })
  const order = await routed('jd', 'killed')
  await service.restart(async () => {
    await service.sql`update node set detail = jsonb_set(detail, '{open}', 'false') where node = 'east'`
    await service.sql`update catalog_version set version = version + 1`
  })
  await service.sweep()
  await service.settled()
  expect(await service.order(order)).toMatchObject({
    tasks: [{ state: 'cancelled' }, { node: 'south', state: 'ready' }],
  })
})
