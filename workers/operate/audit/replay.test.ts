/** Orders of many versions decided again: cancelled, refused by their warehouse, waiting, shipped in part, closed. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { later, type TestOrder, testOrder } from '../../e2e/testing/orders.ts'
import { startTestService, type TestService } from '../../e2e/testing/service.ts'
import { replayDecisions } from './replay.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
})
afterAll(() => service.close())

async function told(sku: string, quantity: number, step: TestOrder['step'] = 'paid'): Promise<TestOrder> {
  const order = testOrder('jd', [{ sku, quantity, paidFen: 500 * quantity }], { step })
  await service.tell(order)
  return order
}

const replay = () => replayDecisions(service.sql, 1_000)
const orderIdOf = async ({ orderId }: TestOrder): Promise<string> => {
  const [row] = await service.sql<{ id: string }[]>`select id from orders where order_id = ${orderId}`
  return row!.id
}

test('every version comes out as it was decided, and what is no decision is counted', async () => {
  await service.goods('a', { east: 9, south: 9 })
  await service.goods('rare', { east: 1 })
  // Paid later, pulled, refused by its warehouse, shipped from another.
  const refused = await told('a', 2, 'unpaid')
  await service.tell(later(refused, { step: 'paid' }))
  await service.at('east').reject(await service.at('east').pullFor(refused), 'closed')
  await service.settled()
  const parcel = await service.at('south').ship(await service.at('south').pullFor(refused), 'SF-replayed-1')
  expect(parcel.status).toBe(200)
  // Closed while a warehouse has it, and stopped there.
  const stopped = await told('a', 1)
  const task = await service.at('east').pullFor(stopped)
  await service.tell(later(stopped, { step: 'closed' }))
  expect((await service.at('east').intercept(task)).status).toBe(200)
  await service.settled()
  // Waits, and is found goods for; the same news twice changes nothing.
  const waiting = await told('rare', 3)
  await service.tell(waiting)
  await service.count('south', 'add', [{ sku: 'rare', quantity: 5 }])
  await service.settled()
  expect(await service.order(waiting)).toMatchObject({ state: 'routed' })
  const replayed = await replay()
  expect(replayed).toMatchObject({ different: [], notReplayed: {}, orders: 3, facts: 1 })
  // Four of the first order, three of the second, two of the third.
  expect(replayed.decisions).toBeGreaterThanOrEqual(8)
})

test('a version that its events do not lead to is told by its number', async () => {
  const order = await told('a', 1)
  await service.tell(later(order, { step: 'closed' }))
  const id = await orderIdOf(order)
  await service.sql`update decision set outcome = 'held' where order_id = ${id} and version = 2`
  expect((await replay()).different).toMatchObject([{ order: id, version: 2, differs: ['state'] }])
  await service.sql`update decision set outcome = 'cancelled' where order_id = ${id} and version = 2`
  expect((await replay()).different).toEqual([])
  // The history is right, the order is not what it says.
  await service.sql`update orders set state = 'held' where id = ${id}`
  expect((await replay()).different).toMatchObject([{ order: id, differs: ['state'] }])
  await service.sql`update orders set state = 'cancelled' where id = ${id}`
})

test('what cannot be replayed is counted with its reason', async () => {
  const before = await replay()
  const order = await told('a', 1)
  await service.tell(later(order, { step: 'closed' }))
  // Its days are dropped from the inbox: the last one, then the first.
  const dropped = await service.sql`
    delete from inbox where seq = (select max(seq) from inbox where order_id = ${order.orderId}) returning *`
  expect((await replay()).notReplayed).toEqual({ event_not_kept: 1 })
  expect((await replay()).orders).toBe(before.orders)
  await service.sql`insert into inbox ${service.sql(dropped as never)}`
  // The goods weigh something else now: all that was sourced was sourced by other prices.
  await service.goods('a', {}, { weightGrams: 777 })
  const changed = await replay()
  expect(changed.different).toEqual([])
  expect(Object.keys(changed.notReplayed)).toEqual(['settings_changed'])
  expect(changed.orders).toBe(1)
})
