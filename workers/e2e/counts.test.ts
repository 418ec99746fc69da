/** A count is as old as it says: what left or came since then is not undone by it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { errorCodeOf, type Told } from './testing/client.ts'
import { testOrder } from './testing/orders.ts'
import { startTestService, type TestService } from './testing/service.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
})
afterAll(() => service.close())

const minute = 60_000

function count(ref: string, sku: string, quantity: number, countedAt: number): Promise<Told> {
  const body = { ref, kind: 'set', lines: [{ sku, quantity }], countedAt }
  return service.admin('POST', '/v1/nodes/east/stock', body)
}

async function shipOne(sku: string, waybill: string): Promise<void> {
  const order = testOrder('tmall', [{ sku, quantity: 1, paidFen: 100 }])
  await service.tell(order)
  expect((await service.at('east').ship(await service.at('east').pullFor(order), waybill)).status).toBe(200)
}

test('a count older than a shipment leaves one of two, and the last is sold once', async () => {
  await service.goods('scarf', { east: 2 })
  const counted = Date.now()
  await shipOne('scarf', 'SF10000001')
  expect(await count('morning', 'scarf', 2, counted)).toMatchObject({ status: 200, json: { posted: true } })
  expect(await service.stock('scarf')).toEqual({ east: { onHand: 1, reserved: 0, available: 1 } })
  expect(await count('morning', 'scarf', 2, counted)).toMatchObject({ status: 200, json: { posted: false } })
  expect(errorCodeOf(await count('morning', 'scarf', 2, counted + 1))).toBe('ref_reused')
  const lastOne = () => testOrder('jd', [{ sku: 'scarf', quantity: 1, paidFen: 1 }])
  const [first, second] = [lastOne(), lastOne()]
  await service.tell(first)
  await service.tell(second)
  expect([(await service.order(first)).state, (await service.order(second)).state]).toEqual(['routed', 'backordered'])
  expect(await service.audit()).toEqual([])
})

test('a count of after a shipment is what is there', async () => {
  await service.goods('belt', { east: 2 })
  await shipOne('belt', 'SF10000002')
  expect((await count('noon', 'belt', 1, Date.now() + 1)).status).toBe(200)
  expect(await service.stock('belt')).toEqual({ east: { onHand: 1, reserved: 0, available: 1 } })
})

test('a count that is older than the last one is refused, and so is one of the future', async () => {
  await service.goods('sock', { east: 7 })
  expect(errorCodeOf(await count('old', 'sock', 3, Date.now() - minute))).toBe('stale_count')
  expect(errorCodeOf(await count('old', 'sock', 3, Date.now() + minute))).toBe('invalid_request')
  const receipt = { ref: 'old', kind: 'add', lines: [{ sku: 'sock', quantity: 1 }], countedAt: Date.now() }
  expect(errorCodeOf(await service.admin('POST', '/v1/nodes/east/stock', receipt))).toBe('invalid_request')
  expect(await service.stock('sock')).toEqual({ east: { onHand: 7, reserved: 0, available: 7 } })
  expect(await service.audit()).toEqual([])
})
